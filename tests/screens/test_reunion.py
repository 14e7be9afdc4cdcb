"""A connection that breaks: what the console says, and how it comes back."""

import pytest

from engine.api import ControlError, Goodbye, Link
from tests.console_fakes import FakeLink, snapshot, status
from tests.screens.console import Desk, console
from tui.screens.gone import GoneDialog
from tui.supervisor import NoEngineError

ABSENT = NoEngineError("no engine runs for instance 'default'; start one with `trader-tui`")
DEAF = ControlError("the engine does not answer on /run/engine.sock.")


class Way:
    """The way back to an engine: what each try leads to, the last thing again and again."""

    def __init__(self, *outcomes: Link | Exception) -> None:
        self.outcomes = list(outcomes)
        self.tries = 0

    async def __call__(self) -> Link:
        """Try."""
        self.tries += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def dialog(desk: Desk) -> str:
    """Return title and words of the dialog that tells of the loss; empty where there is none."""
    screen = desk.app.screen
    if not isinstance(screen, GoneDialog):
        return ""
    words = " ".join(str(widget.render()) for widget in screen.query("#words"))
    return "".join(f"{box.border_title}|{' '.join(words.split())}" for box in screen.query("#box"))


async def test_a_broken_connection_to_an_engine_that_runs_is_taken_up_without_a_question() -> None:
    other = FakeLink((snapshot(status=status(paused=True)),))
    async with console(again=Way(other)) as desk:
        desk.link.end(None)
        await desk.until(lambda: desk.app.link is other and desk.app.latest is not None)
        assert not dialog(desk)
        assert "PAUSED" in desk.text("status")
        assert "LINK LOST" not in desk.text("status")
        assert any("Connected again: the same engine (pid 4711" in toast for toast in desk.toasts())


async def test_an_engine_that_was_started_since_is_said_to_be_another_one() -> None:
    async with console(again=Way(ABSENT, FakeLink((snapshot(),), pid=4712))) as desk:
        desk.link.end(None)
        await desk.until(lambda: dialog(desk).startswith("The engine is gone|"))
        await desk.until(lambda: "ENGINE GONE" in desk.text("status"))
        await desk.press("r")
        await desk.until(lambda: not desk.app.gone)
        assert not dialog(desk)
        assert any("an engine that was started since (pid 4712" in toast for toast in desk.toasts())


async def test_an_engine_that_does_not_answer_may_still_trade_and_that_is_said() -> None:
    async with console(again=Way(DEAF)) as desk:
        desk.link.end(None)
        await desk.until(lambda: dialog(desk))
        assert dialog(desk).startswith(
            "The connection is lost|The engine does not answer on /run/engine.sock."
        )
        assert "may still run and trade" in dialog(desk)
        await desk.press("escape")
        assert "LINK LOST" in desk.text("status")
        assert "It may still trade" in desk.prose("attention")
        await desk.pilot.press("ctrl+q")
        await desk.pilot.pause()
        assert desk.app.return_code == 1


async def test_tries_go_on_by_themselves_and_tell_when_it_is_another_thing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First only the connection is gone, then the engine is; whoever pressed Esc is told of that."""
    monkeypatch.setattr("tui.reunion.PAUSES_S", (0.01,))
    way = Way(DEAF)
    async with console(again=way) as desk:
        desk.link.end(None)
        await desk.until(lambda: way.tries > 3)
        await desk.press("escape")
        assert not dialog(desk)
        tries = way.tries
        await desk.until(lambda: way.tries > tries + 3)
        assert not dialog(desk)
        way.outcomes = [ABSENT]
        await desk.until(lambda: dialog(desk).startswith("The engine is gone|"))
        await desk.until(lambda: "ENGINE GONE" in desk.text("status"))


async def test_the_kill_switch_is_tried_while_the_connection_is_lost() -> None:
    """A panic line opens a connection of its own."""
    async with console(again=Way(DEAF)) as desk:
        desk.link.end(None)
        await desk.until(lambda: dialog(desk))
        await desk.press("f12", "f12")
        assert desk.link.panics == 1


async def test_an_engine_that_said_goodbye_is_not_looked_for() -> None:
    way = Way(FakeLink((snapshot(),)))
    async with console(again=way) as desk:
        desk.link.end(Goodbye(0, "stopped, nothing open"))
        await desk.until(lambda: dialog(desk))
        await desk.press("r")
        assert way.tries == 0
        assert dialog(desk).startswith("The engine has ended|")


async def test_control_is_asked_for_anew_where_the_engine_is_another_one() -> None:
    other = FakeLink((snapshot(),), pid=4712)
    other.console = "me"
    async with console(again=Way(other)) as desk:
        desk.link.end(None)
        await desk.until(lambda: other.commands)
        assert other.commands[0][0].value == "take_control"
