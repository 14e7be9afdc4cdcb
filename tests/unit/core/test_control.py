"""Which console commands: one at a time, handed over on the record; the kill-switch asks nobody."""

from typing import Any

import msgspec
import pytest

from engine.core.operator import FREE
from engine.core.snapshot import Phase
from engine.core.view import view
from engine.domain.commands import SaveTransition, TransitionKind
from engine.domain.events import Action, Control
from engine.domain.reasons import Reason
from tests.builders import PLAY, World, notices, of, vetoes


def ask(world: World, action: Action, console: str = "", argument: str = "") -> list[Any]:
    """Let a console ask, or a command line where it has no id."""
    actor = f"trader@{console or 'shell'}"
    return world.take(Control(world.now, 1, action, actor, "because", argument, console))


def holder(world: World) -> str:
    return view(world.machine, world.now).status.in_control


def test_the_first_console_has_control_by_asking_while_it_is_free():
    world = World()
    assert holder(world) == ""
    commands = ask(world, Action.TAKE_CONTROL, "c1", FREE)
    assert holder(world) == "c1"
    (change,) = of(SaveTransition, commands)
    assert (change.kind, change.before, change.after, change.actor) == (
        TransitionKind.CONTROL,
        "nobody",
        "trader@c1 [c1]",
        "trader@c1",
    )
    assert vetoes(ask(world, Action.TAKE_CONTROL, "c2", FREE)) == [Reason.READ_ONLY]
    assert holder(world) == "c1"


def test_a_hand_over_is_recorded_and_said():
    world = World()
    ask(world, Action.TAKE_CONTROL, "c1", FREE)
    commands = ask(world, Action.TAKE_CONTROL, "c2")
    assert notices(commands, "mode") == [
        "control: trader@c1 [c1] -> trader@c2 [c2] by trader@c2 (because)",
    ]
    assert view(world.machine, world.now).status.in_control_name == "trader@c2"
    assert vetoes(ask(world, Action.TAKE_CONTROL, "c2")) == [Reason.ALREADY_SO]


COMMANDS = [action for action in Action if action not in (Action.TAKE_CONTROL, Action.RELEASE_CONTROL)]


@pytest.mark.parametrize("action", COMMANDS)
@pytest.mark.parametrize("taken", [True, False])
def test_a_console_without_control_only_watches_but_for_the_kill_switch(action, taken):
    world = World()
    if taken:
        ask(world, Action.TAKE_CONTROL, "c1")
    commands = ask(world, action, "c2", PLAY)
    if action is Action.FLATTEN:
        assert world.phase() in (Phase.FLATTENING, Phase.HALTED)
    else:
        assert vetoes(commands) == [Reason.READ_ONLY]
        assert world.machine.authority.operator.stopping is None


def test_the_console_in_control_and_the_command_line_command():
    world = World()
    ask(world, Action.TAKE_CONTROL, "c1")
    assert vetoes(ask(world, Action.PAUSE, "c1")) == []
    assert vetoes(ask(world, Action.RESUME)) == []
    assert not world.machine.authority.operator.paused


def test_control_is_given_back_by_whoever_has_it():
    world = World()
    ask(world, Action.TAKE_CONTROL, "c1")
    assert vetoes(ask(world, Action.RELEASE_CONTROL, "c2")) == [Reason.ALREADY_SO]
    assert vetoes(ask(world, Action.RELEASE_CONTROL, "c1")) == []
    assert holder(world) == ""
    assert vetoes(ask(world, Action.RELEASE_CONTROL, "c1")) == [Reason.ALREADY_SO]


def test_a_shell_is_no_console():
    world = World()
    assert vetoes(ask(world, Action.TAKE_CONTROL)) == [Reason.UNKNOWN_COMMAND]
    assert vetoes(ask(world, Action.RELEASE_CONTROL)) == [Reason.UNKNOWN_COMMAND]


def test_a_new_run_begins_without_consoles_and_a_replay_goes_on_with_them():
    world = World()
    ask(world, Action.TAKE_CONTROL, "c1")
    before = msgspec.msgpack.encode(world.machine.state())
    world.restart()
    assert msgspec.msgpack.encode(world.machine.state()) == before
    assert holder(world) == "c1"
    world.restart(new_run=True)
    assert holder(world) == ""
