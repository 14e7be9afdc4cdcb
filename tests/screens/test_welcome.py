"""The first page: once, at a good moment, and closed by any key that then does nothing else."""

import json

import pytest
from msgspec.structs import replace
from textual.widgets import OptionList

from engine.api import Mode
from tests.console_fakes import ALARM, disarmed, empty_snapshot, snapshot, status
from tests.screens.console import console
from tui.screens.choice import LeaveDialog
from tui.screens.help import HelpDialog
from tui.screens.welcome import WelcomeDialog, place_words
from tui.settings import ConsoleSettings


@pytest.fixture
def first(tmp_path):
    """A console nobody has started before."""
    return ConsoleSettings(welcome=True, memory_file=tmp_path / "memory.json")


async def test_it_is_shown_once_and_remembered(first):
    async with console(empty_snapshot(), settings=first) as desk:
        assert isinstance(desk.app.screen, WelcomeDialog)
        await desk.press("p")
        assert len(desk.app.screen_stack) == 1
        assert desk.link.commands == [], "the key that closes it does nothing else"
        await desk.press("p")
        assert len(desk.link.commands) == 1
    assert json.loads(first.memory_file.read_text())["welcomed"] is True
    async with console(empty_snapshot(), settings=first) as desk:
        assert len(desk.app.screen_stack) == 1


@pytest.mark.parametrize("key", ["escape", "enter", "a", "tab", "question_mark", "ctrl+p", "t", "space"])
async def test_any_key_closes_it(first, key):
    async with console(empty_snapshot(), settings=first) as desk:
        await desk.press(key)
        assert len(desk.app.screen_stack) == 1
        assert desk.app.look.name == "dark"


async def test_leaving_closes_it_and_asks(first):
    async with console(empty_snapshot(), settings=first) as desk:
        await desk.press("ctrl+q")
        assert [type(screen) for screen in desk.app.screen_stack[1:]] == [LeaveDialog]
        await desk.press("escape")
        assert len(desk.app.screen_stack) == 1


async def test_a_click_closes_it(first):
    async with console(empty_snapshot(), settings=first) as desk:
        await desk.pilot.click("#box")
        await desk.settle()
        assert len(desk.app.screen_stack) == 1


@pytest.mark.parametrize(
    "moment",
    [
        snapshot(),
        replace(empty_snapshot(), alarms=(ALARM,)),
        replace(empty_snapshot(), status=disarmed(mode=Mode.LIVE)),
        replace(empty_snapshot(), status=disarmed(mode=Mode.DEMO)),
        replace(empty_snapshot(), orders=snapshot().orders),
    ],
)
async def test_it_never_covers_what_is_open_wrong_or_real(first, moment):
    async with console(moment, settings=first) as desk:
        assert len(desk.app.screen_stack) == 1
    assert not first.memory_file.exists()


async def test_an_alarm_takes_it_away_and_it_comes_again(first):
    async with console(empty_snapshot(), settings=first) as desk:
        assert isinstance(desk.app.screen, WelcomeDialog)
        await desk.play(replace(empty_snapshot(), alarms=(ALARM,)))
        assert len(desk.app.screen_stack) == 1
        await desk.play(empty_snapshot())
        assert isinstance(desk.app.screen, WelcomeDialog)


async def test_it_waits_for_room_and_for_other_dialogs(first):
    async with console(empty_snapshot(), size=(60, 18), settings=first) as desk:
        assert len(desk.app.screen_stack) == 1
        await desk.press("question_mark")
        await desk.pilot.resize_terminal(100, 30)
        await desk.play(empty_snapshot())
        assert isinstance(desk.app.screen, HelpDialog)
        await desk.press("escape")
        await desk.play(empty_snapshot())
        assert isinstance(desk.app.screen, WelcomeDialog)


async def test_the_palette_shows_it_again():
    async with console() as desk:
        await desk.press("ctrl+p", *"first steps")
        await desk.until(lambda: desk.app.screen.query_one(OptionList).option_count == 1)
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, WelcomeDialog))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mode": Mode.PAPER}, "SIMULATION: a market made up here"),
        ({"mode": Mode.REPLAY}, "SIMULATION: a recorded market"),
        ({"mode": Mode.LIVE}, "LIVE: ema_cross, canary trades with real money"),
        ({"mode": Mode.DEMO}, "real orders, no real money"),
    ],
)
def test_it_says_where_one_is(changes, said):
    assert said in place_words(snapshot(status=status(**changes)))
    assert "has not answered" in place_words(None)
