"""Finding rows and panes: the filter of a list, its matches, and jump mode."""

import pytest
from textual import events
from textual.widgets import OptionList

from engine.api import Action, Notice, NoticeLevel, Snapshot
from tests.console_fakes import NOW, FakeLink, S, empty_snapshot, snapshot
from tests.screens.console import Desk, console
from tui.actions import BY_ID
from tui.panes.registry import PANES
from tui.screens.help import HelpDialog


def night() -> Snapshot:
    """Forty lines, each tenth one a warning about SOLUSDT."""
    lines = [
        Notice(NOW - (40 - n) * S, NoticeLevel.WARNING, "veto", f"line {n} refused", "SOLUSDT")
        if n % 10 == 5
        else Notice(NOW - (40 - n) * S, NoticeLevel.INFO, "fill", f"line {n} ema_cross", "BTCUSDT")
        for n in range(40)
    ]
    return snapshot(notices=tuple(lines))


def title(desk: Desk, pane: str) -> str:
    return desk.text(pane).splitlines()[0]


async def test_a_filter_works_while_it_is_typed() -> None:
    """The title counts, the footer says what one may write, and no key is a command meanwhile."""
    async with console(night()) as desk:
        await desk.press("7", "slash")
        assert "/▏ 40/40" in title(desk, "events")
        assert "symbol:" in desk.text("footer")
        await desk.press(*"sol")
        assert "/sol▏ 4/40" in title(desk, "events")
        assert "line 5 refused" in desk.text("events")
        assert "ema_cross" not in desk.text("events")
        await desk.press("space", *"!35", "up", "down", "backspace", "backspace", "ctrl+w")
        assert "/sol▏ 4/40" in title(desk, "events")
        await desk.press("ctrl+u", *"a d p m x", "enter")
        assert desk.link.commands == []
        assert "Jump" in desk.text("footer") or "Maximise" in desk.text("footer")


async def test_enter_keeps_the_filter_and_escape_shows_all_around_the_row() -> None:
    """Then n and N go from match to match among all rows."""
    async with console(night(), size=(200, 50)) as desk:
        await desk.press("7", "slash", *"sym:sol", "enter")
        assert "/sym:sol 4/40" in title(desk, "events")
        await desk.press("k")
        pane = desk.app.desk.panes["events"]
        assert pane.cursor == 2
        await desk.press("escape")
        assert "/" not in title(desk, "events")
        assert pane.cursor == 25
        await desk.press("n")
        assert pane.cursor == 35
        await desk.press("n")
        assert pane.cursor == 5
        await desk.press("N", "N")
        assert pane.cursor == 25
        await desk.press("z", "slash", "x", "escape", "escape")
        assert len(desk.app.desk.shown()) > 1


async def test_what_is_filtered_stays_filtered_while_events_come() -> None:
    """Also in a pane without the focus, and its title says so."""
    async with console(night()) as desk:
        await desk.press("7", "slash", *"sol", "enter", "3")
        newer = Notice(NOW, NoticeLevel.WARNING, "veto", "line sixty refused", "SOLUSDT")
        other = Notice(NOW, NoticeLevel.INFO, "fill", "line other", "BTCUSDT")
        await desk.play(snapshot(notices=(*night().notices, newer, other)))
        assert "line sixty" in desk.text("events")
        assert "line other" not in desk.text("events")
        assert "/sol 5/42" in title(desk, "events")


async def test_a_filter_that_lets_nothing_through_says_how_much_it_hides() -> None:
    """An empty list alone would be believed."""
    async with console(night()) as desk:
        await desk.press("7", "slash", *"doge")
        assert "Nothing matches /doge. " in desk.prose("events")
        assert "Not shown: 40. Esc shows all." in desk.prose("events")
        await desk.press("ctrl+u", *"plya:x")
        assert "There is no field plya; fields: level, kind" in desk.prose("events")
        await desk.press("escape", "n")


@pytest.mark.parametrize(
    ("number", "text", "count"),
    [
        ("3", "state:open", "4/"),
        ("3", "!state:open side:sell", "/"),
        ("4", "verdict:veto", "/"),
        ("4", "play:canary !verdict:veto", "/"),
        ("2", "side:long", "/"),
    ],
)
async def test_each_list_knows_its_fields(number: str, text: str, count: str) -> None:
    """Orders, signals, positions."""
    async with console(size=(200, 50)) as desk:
        await desk.press(number, "slash")
        desk.app.post_message(events.Paste(f"{text}\nsecond line"))
        await desk.settle()
        shown = title(desk, desk.focused)
        assert f"/{text}▏ " in shown
        assert count in shown
        assert "no field" not in desk.text(desk.focused)


async def test_every_list_filters_by_each_of_its_fields() -> None:
    """What a pane says it can be asked for, its items answer."""
    async with console() as desk:
        for pane in desk.app.desk.panes.values():
            content = pane.content(snapshot(), desk.app.frame(), 100)
            if pane.fields:
                assert len(content.items) == len(content.rows)
                for item in content.items:
                    assert set(pane.facts(item)) == set(pane.fields)


async def test_only_lists_are_filtered() -> None:
    """Others say which ones are."""
    async with console(size=(200, 50)) as desk:
        await desk.press("8", "slash")
        assert "This pane is no list. There are: " in desk.toasts()[-1]
        assert "Events" in desk.toasts()[-1]
        await desk.press("n")
        assert "Nothing to go to: / says what to look for" in desk.toasts()[-1]
        await desk.press("p")
        assert [action for action, _, _ in desk.link.commands] == [Action.PAUSE]


async def test_other_keys_end_the_typing_and_do_what_they_do() -> None:
    """The filter stays."""
    async with console(night()) as desk:
        await desk.press("7", "slash", *"sol", "tab")
        assert desk.focused != "events"
        assert "/sol 4/40" in title(desk, "events")
        await desk.press("p")
        assert len(desk.link.commands) == 1


async def test_no_editing_key_is_a_command_while_one_types() -> None:
    """Delete closes a position elsewhere."""
    async with console(night()) as desk:
        await desk.press("3", "slash", *"btc", "delete", "ctrl+x", "home", "left", "ctrl+t")
        assert len(desk.app.screen_stack) == 1
        assert "/btc▏" in title(desk, "orders")
        assert desk.link.commands == []


@pytest.mark.parametrize("mode", ["slash", "f"])
async def test_the_kill_switch_and_leaving_are_never_taken(mode: str) -> None:
    """Whatever is being typed."""
    async with console(night()) as desk:
        await desk.press("7", mode, "f12", "f12")
        assert desk.link.panics == 1
        await desk.press("7", mode, "ctrl+q")
        assert len(desk.app.screen_stack) == 2
        await desk.press("x", "escape")
        await desk.press("p")
        assert [action for action, _, _ in desk.link.commands] == [Action.PAUSE]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (50, 12)])
async def test_a_letter_jumps_to_its_pane_at_every_size(size: tuple[int, int]) -> None:
    """Also to one without a place; the titles show the letters, the footer those of the others."""
    async with console(size=size) as desk:
        for pane in PANES:
            await desk.press("f")
            letter = desk.app.catcher.letters[pane.name_id]
            text = "\n".join(desk.text(shown.name_id).splitlines()[0] for shown in desk.app.desk.shown())
            assert f" {letter} " in text + desk.text("footer").replace(";", " ") or size[0] < 60
            await desk.press(letter)
            assert desk.focused == pane.name_id
            assert desk.app.catcher.letters == {}
        assert desk.link.commands == []


@pytest.mark.parametrize(
    ("typed", "then", "focused"), [("jump to a", "r", "risk"), ("filter", "p", "events")]
)
async def test_the_palette_has_them_too(typed: str, then: str, focused: str) -> None:
    """For those who do not know the key."""
    async with console(night()) as desk:
        await desk.press("7", "ctrl+p", *typed)
        await desk.until(lambda: desk.app.screen.query_one(OptionList).option_count == 1)
        await desk.press("enter")
        await desk.until(desk.app.catcher.hint)
        await desk.press(then)
        assert desk.focused == focused
        assert desk.link.commands == []


async def test_an_empty_paste_is_nothing() -> None:
    """Some terminals send one."""
    async with console(night()) as desk:
        await desk.press("7", "slash", "s")
        desk.app.post_message(events.Paste(""))
        await desk.settle()
        assert "/s▏" in title(desk, "events")


async def test_jump_mode_takes_digits_and_ends_with_anything_else() -> None:
    """And nothing that was pressed by mistake is done."""
    async with console() as desk:
        await desk.press("f", "5")
        assert desk.focused == "risk"
        await desk.press("f", "Z")
        assert desk.focused == "risk"
        await desk.press("f", "f5", "f")
        desk.app.post_message(events.Paste("o"))
        await desk.settle()
        assert desk.focused == "risk"
        await desk.press("f", "escape")
        assert desk.link.commands == []
        await desk.press("f")
        desk.app.post_message(events.MouseDown(None, 1, 0, 0, 0, 1, False, False, False))
        await desk.settle()
        assert desk.app.catcher.letters == {}


async def test_a_dialog_that_comes_up_meanwhile_gets_the_keys() -> None:
    """An engine that ends does not wait for the word to be finished."""
    async with console(night()) as desk:
        await desk.press("7", "slash", "s")
        desk.app.push_screen(HelpDialog(desk.app.keys_of, 80))
        await desk.settle()
        await desk.press("j", "escape")
        assert desk.app.screen_stack[-1] is desk.app.screen_stack[0]
        assert "/s 40/40" in title(desk, "events") or "/s " in title(desk, "events")


async def test_a_list_can_be_filtered_before_there_is_anything() -> None:
    """And says what would fill it."""
    async with console(empty_snapshot(), size=(200, 50)) as desk:
        await desk.press("3", "slash", "x")
        assert "/x▏ 0/0" in title(desk, "orders")
    async with console(link=FakeLink(), size=(200, 50)) as desk:
        await desk.press("3", "slash", "x", "enter", "escape")
        assert desk.focused == "orders"


def test_the_keys_of_finding_are_what_vim_users_expect() -> None:
    """/ n N."""
    assert [BY_ID[name].keys for name in ("filter", "next-match", "previous-match")] == [
        ("/",), ("n",), ("N",)
    ]  # fmt: skip
