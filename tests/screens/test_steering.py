"""A console that only watches: what it says, what it still can, and how it takes control."""

import msgspec
import pytest

from engine.api import Action, CommandReply, Snapshot
from tests.console_fakes import ALARM, FakeLink, disarmed, snapshot, status
from tests.screens.console import console
from tui.screens.choice import LeaveDialog
from tui.screens.confirm import ConfirmDialog
from tui.settings import ConsoleSettings

BUSY = CommandReply(1, ok=False, reason="READ_ONLY", text="in_control=ann@pts/1")


def shown(holder: str = "", name: str = "") -> Snapshot:
    """A snapshot in which a console has control."""
    return snapshot(status=status(in_control=holder, in_control_name=name))


def watching() -> FakeLink:
    """A link of console `c2` while `c1` has control."""
    link = FakeLink([shown("c1", "ann@pts/1")])
    link.console = "c2"
    return link


async def test_who_comes_second_at_the_same_moment_watches() -> None:
    """The engine refuses it, for the snapshot was older than the first one's asking."""
    link = FakeLink([shown()])
    link.console = "c2"
    link.replies[Action.TAKE_CONTROL] = BUSY
    async with console(link=link) as desk:
        assert "READ-ONLY" in desk.text("status")
        assert "this console only watches" in desk.toasts()[-1].lower()


async def test_a_watching_console_names_the_way_to_control_before_any_command() -> None:
    """Its footer offers no key that would be refused, and words say which key comes first."""
    link = FakeLink([snapshot(status=disarmed(in_control="c1", in_control_name="ann@pts/1"))])
    link.console = "c2"
    async with console(link=link) as desk:
        footer = desk.prose("footer")
        assert footer.startswith("Ctrl-T Take control F12 Flatten (x2)")
        assert not any(word in footer for word in ("Arm", "Disarm", "Pause", "Risk mode"))
        assert "to arm: Ctrl-T, then a" in desk.prose("attention")
    async with console(snapshot(status=disarmed())) as desk:
        assert "Take control" not in desk.text("footer")
        assert "to arm: a" in desk.prose("attention")


async def test_the_first_console_takes_control_by_itself() -> None:
    """And nothing on screen speaks of it."""
    link = FakeLink([shown()])
    link.console = "c1"
    async with console(link=link) as desk:
        assert link.commands == [(Action.TAKE_CONTROL, "attached", "free")]
        assert "READ-ONLY" not in desk.text("status")
        await desk.play(shown("c1", "me@pts/3"))
        await desk.press("p")
        assert link.commands[-1] == (Action.PAUSE, "", "")


@pytest.mark.parametrize("key", ["a", "d", "p", "m", "x"])
async def test_a_second_console_only_watches(key: str) -> None:
    """It says who has control and how to take it; nothing is sent and no dialog opens."""
    async with console(link=watching()) as desk:
        assert "READ-ONLY" in desk.text("status")
        sent = len(desk.link.commands)
        await desk.press(key)
        assert len(desk.link.commands) == sent
        assert len(desk.app.screen_stack) == 1
        assert "ann@pts/1 has control. Ctrl-T takes it and asks first; F12 F12 flattens" in desk.toasts()[-1]


async def test_the_kill_switch_works_while_watching() -> None:
    """From every console."""
    async with console(link=watching()) as desk:
        await desk.press("f12", "f12")
        await desk.until(lambda: desk.link.panics == 1)


async def test_control_is_taken_with_a_dialog_whose_default_is_not_to() -> None:
    """Enter goes back; one row further down is the deed."""
    async with console(link=watching()) as desk:
        await desk.press("ctrl+t")
        assert isinstance(desk.app.screen, ConfirmDialog)
        await desk.press("enter")
        assert desk.link.commands == []
        await desk.press("ctrl+t", "down", "enter")
        assert desk.link.commands[-1] == (Action.TAKE_CONTROL, "", "")
        await desk.play(shown("c2", "me@pts/3"))
        assert "READ-ONLY" not in desk.text("status")
        await desk.press("ctrl+t")
        assert "has control already" in desk.toasts()[-1]


async def test_losing_control_is_told() -> None:
    """Whoever took it is named."""
    link = FakeLink([shown("c1", "me@pts/3")])
    link.console = "c1"
    async with console(link=link) as desk:
        await desk.play(shown("c9", "bob@pts/7 from 10.0.0.9"))
        assert "This console only watches|bob@pts/7 from 10.0.0.9 has control now." in desk.toasts()[-1]
        assert "READ-ONLY" in desk.text("status")


async def test_a_watcher_ends_nobodys_engine() -> None:
    """Leaving offers to detach; Ctrl-C twice detaches."""
    async with console(link=watching()) as desk:
        await desk.press("ctrl+q")
        assert isinstance(desk.app.screen, LeaveDialog)
        await desk.press("escape", "ctrl+c")
        assert "again within 2 s detaches" in desk.toasts()[-1]


async def test_a_watcher_that_was_asked_to_watch_takes_nothing() -> None:
    """Not even what nobody has."""
    link = FakeLink([shown()])
    link.console = "c1"
    async with console(link=link, settings=ConsoleSettings(read_only=True)) as desk:
        assert link.commands == []
        assert "READ-ONLY" in desk.text("status")
        await desk.press("ctrl+t")
        assert isinstance(desk.app.screen, ConfirmDialog)


async def test_an_engine_of_another_version_is_told_once_with_both() -> None:
    """And what to do."""
    link = FakeLink([snapshot()])
    link.hello = type(link.hello)(1, "9.9.9", 4711, "default", "s")
    async with console(link=link) as desk:
        assert "Two versions|The engine runs trader-tui 9.9.9, this console is 0.1.0." in desk.toasts()[-1]


async def test_ctrl_z_does_not_suspend_and_says_so_once() -> None:
    """A stopped console would look alive."""
    async with console() as desk:
        await desk.press("ctrl+z")
        assert "does not suspend" in desk.toasts()[-1]
        told = len(desk.toasts())
        await desk.press("ctrl+z")
        assert len(desk.toasts()) == told


async def test_a_new_alarm_rings_once_and_a_muted_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that became graver is loud again, and so it rings again."""
    rung: list[int] = []
    async with console(snapshot()) as desk:
        monkeypatch.setattr(desk.app, "bell", lambda: rung.append(1))
        await desk.play(snapshot(alarms=(ALARM,)))
        assert rung == [1]
        assert desk.toasts()[-1].startswith("ALARM|")
        await desk.play(snapshot(alarms=(msgspec.structs.replace(ALARM, text="other words"),)))
        await desk.play(snapshot(alarms=(msgspec.structs.replace(ALARM, acknowledged=True),)))
        assert rung == [1]
        await desk.play(snapshot(alarms=(ALARM,)))
        assert rung == [1, 1]


async def test_any_refusal_of_control_leaves_a_watcher() -> None:
    """Not only that another console has it: whatever the reason, this one does not."""
    link = FakeLink([shown()])
    link.console = "c2"
    link.replies[Action.TAKE_CONTROL] = CommandReply(1, ok=False, reason="", text="the engine failed")
    async with console(link=link) as desk:
        assert "READ-ONLY" in desk.text("status")
        await desk.press("p")
        assert [sent[0] for sent in link.commands] == [Action.TAKE_CONTROL]


async def test_a_watcher_is_told_that_the_one_in_control_left() -> None:
    """A console that died leaves nobody who commands; the next one as well."""
    async with console(link=watching()) as desk:
        await desk.play(shown())
        assert "ann@pts/1 left. Nobody has control now. Ctrl-T takes it" in desk.toasts()[-1]
        await desk.play(shown("c3", "bob@pts/2"))
        assert "bob@pts/2 has control now." in desk.toasts()[-1]
        told = len(desk.toasts())
        await desk.play(shown("c2", "me@pts/3"))
        assert len(desk.toasts()) == told, "its own control is no news"


async def test_a_console_that_came_back_goes_on_in_control() -> None:
    """The engine may not have noticed yet that the connection before broke."""
    link = FakeLink([shown("c2", "me@pts/3")])
    link.console = "c2"
    link.replies[Action.TAKE_CONTROL] = CommandReply(1, ok=False, reason="ALREADY_SO", text="in_control=me")
    async with console(link=link) as desk:
        assert link.commands == [(Action.TAKE_CONTROL, "attached", "free")]
        assert desk.toasts() == []
        await desk.press("p")
        assert link.commands[-1] == (Action.PAUSE, "", "")
