"""Promote and roll back: which version runs is swapped between two events, and every swap is stored."""

from random import Random
from typing import Any

import pytest

from engine.core.intervening import NOTICE
from engine.core.snapshot import StatusSection
from engine.core.versionrows import EarlierVersion
from engine.core.view import view as snapshot_of
from engine.domain.commands import Notice, SaveSignal, SaveTransition, SaveVeto, TransitionKind
from engine.domain.events import Action, Control, PlaySwapped
from engine.domain.play import PlaySpec, Rule
from engine.domain.reasons import Reason
from engine.domain.versions import PlaysApproved, TwinChanged
from tests.builders import BTC, ENTER_LONG, ETH, EXIT_LONG, PLAY, QUIET, World, of, setup, spec, submitted

NEXT = spec(long_entry=Rule("close > 120"))


def with_twin(version: PlaySpec = NEXT, **changes: Any) -> World:
    world = World(setup(**changes))
    world.take(TwinChanged(world.now, PLAY, PLAY, version, 2))
    return world


def running(world: World) -> tuple[PlaySpec, int]:
    runner = world.machine.trading.runners[0]
    return runner.binding.spec, runner.generation


def view(world: World) -> StatusSection:
    return snapshot_of(world.machine, world.now).status


def refused(commands: list) -> Reason:
    (veto,) = of(SaveVeto, commands)
    return veto.veto.reason


def test_a_flat_play_is_swapped_at_once_and_the_old_version_is_watched():
    world = with_twin()
    commands = world.ask(Action.PROMOTE, PLAY, "better")
    assert running(world) == (NEXT, 2)
    (row,) = world.machine.twin_rows(world.now)
    assert (row.hash, row.generation, row.running_hash) == (spec().hash, 1, NEXT.hash)
    stored, watched = of(SaveTransition, commands)
    assert watched.after == f"{PLAY} {spec().hash} (twin)"
    assert (stored.kind, stored.actor, stored.reason) == (TransitionKind.VERSION, "me", "better")
    assert (stored.before, stored.after) == (f"{PLAY} {spec().hash}", f"{PLAY} {NEXT.hash}")


def test_a_position_is_waited_for():
    world = with_twin()
    world.bars(ENTER_LONG, QUIET + 8)
    commands = world.ask(Action.PROMOTE, PLAY)
    assert running(world) == (spec(), 1)
    (told,) = of(Notice, commands)
    assert (told.kind, "waits to be flat" in told.text) == (NOTICE, True), "it answers whoever asked"
    assert world.machine.twin_rows(world.now)[0].waits
    world.restart()
    world.bars(EXIT_LONG)
    assert running(world) == (spec(), 1)
    commands = world.bars(QUIET)
    assert running(world) == (NEXT, 2)
    assert of(SaveTransition, commands)


def test_now_does_not_wait_and_the_position_stays():
    world = with_twin()
    world.bars(ENTER_LONG, QUIET + 8)
    held = world.qty()
    world.ask(Action.PROMOTE, f"{PLAY} now")
    assert running(world) == (NEXT, 2)
    assert world.qty() == held != 0
    assert submitted(world.bars(EXIT_LONG)) != []  # the new version closes what the old one opened


def test_a_roll_back_returns_to_the_version_before():
    world = with_twin()
    world.ask(Action.PROMOTE, PLAY)
    commands = world.ask(Action.ROLL_BACK, PLAY, "worse")
    assert running(world) == (spec(), 1)
    assert world.machine.versions.running[PLAY].rolled_back == NEXT.hash
    assert world.machine.twin_rows(world.now)[0].hash == NEXT.hash
    assert of(SaveTransition, commands)[0].reason == "worse"
    assert refused(world.ask(Action.ROLL_BACK, PLAY)) is Reason.NOTHING_TO_ROLL_BACK


AVERAGED = spec(
    long_entry=Rule("close crosses_above ema(8)"),
    long_exit=Rule("close crosses_below ema(8)"),
    short_entry=None,
    short_exit=None,
    stop_loss=None,
    take_profit=None,
)


def signals_from(world: World, closes: list[float]) -> list[tuple[int, str]]:
    return [
        (s.signal.ts, s.signal.kind) for s in of(SaveSignal, world.bars(*closes)) if s.signal.play == PLAY
    ]


@pytest.mark.parametrize("promotes", [False, True])
def test_a_version_that_the_window_warms_is_exact_from_its_first_bar(promotes: bool):
    chance = Random(11)
    walk = [100.0 + 9.0 * chance.uniform(-1, 1) + 5.0 * (n % 9 - 4) for n in range(400)]
    from_the_start, swapped = World(setup(AVERAGED)), World()
    signals_from(from_the_start, walk[:300])
    signals_from(swapped, walk[:300])
    for world in (from_the_start, swapped):  # both are flat from here on
        world.bars(200.0, 50.0)
    if promotes:
        swapped.take(TwinChanged(swapped.now, PLAY, PLAY, AVERAGED, 2))
        swapped.ask(Action.PROMOTE, f"{PLAY} now")
    else:
        swapped.take(PlaySwapped(swapped.now, AVERAGED, 2))
    swapped.machine.trading.runners[0].side = from_the_start.machine.trading.runners[0].side
    told = signals_from(from_the_start, walk[300:])
    assert len(told) > 10
    assert signals_from(swapped, walk[300:]) == told


def test_several_versions_are_gone_back_through():
    world = World()
    versions = [spec(long_entry=Rule(f"close > {level}")) for level in (120, 130, 140)]
    for generation, version in enumerate(versions, 2):
        world.take(PlaySwapped(world.now, version, generation))
    for expected in (versions[1], versions[0], spec()):
        world.ask(Action.ROLL_BACK, PLAY)
        assert running(world)[0] == expected


def test_what_cannot_be_promoted_is_refused():
    world = with_twin()
    assert refused(world.ask(Action.PROMOTE, "other")) is Reason.NO_SUCH_TWIN
    assert refused(world.ask(Action.PROMOTE, f"{PLAY} 0000")) is Reason.NO_SUCH_TWIN
    assert refused(world.ask(Action.ROLL_BACK, "other")) is Reason.NOTHING_TO_ROLL_BACK
    world.take(TwinChanged(world.now, "other", PLAY, spec("other"), 1))
    assert refused(world.ask(Action.PROMOTE, "other")) is Reason.TWIN_NEEDS_RESTART
    assert running(world) == (spec(), 1)
    world.ask(Action.PROMOTE, f"{PLAY} {NEXT.hash[:12]}")
    assert running(world) == (NEXT, 2)


def test_what_was_confirmed_is_what_is_swapped():
    """Another version may run by the time a person has read the dialog and typed."""
    world = with_twin()
    world.take(PlaySwapped(world.now, spec(long_entry=Rule("close > 130")), 3))
    assert (
        refused(world.ask(Action.PROMOTE, f"{PLAY} {NEXT.hash} {spec().hash}")) is Reason.CHANGED_SINCE_SHOWN
    )
    assert refused(world.ask(Action.ROLL_BACK, f"{PLAY} {NEXT.hash}")) is Reason.CHANGED_SINCE_SHOWN
    assert running(world)[1] == 3
    runs = running(world)[0].hash
    world.ask(Action.PROMOTE, f"{PLAY} {NEXT.hash} {runs[:12]}")
    assert running(world) == (NEXT, 2)
    world.ask(Action.ROLL_BACK, f"{PLAY} {NEXT.hash} now")
    assert running(world)[0].hash == runs


def test_the_screen_learns_what_can_be_rolled_back_to():
    world = with_twin()
    assert view(world).earlier == ()
    assert world.machine.twin_rows(world.now)[0].running_generation == 1
    world.ask(Action.PROMOTE, PLAY)
    assert view(world).earlier == (EarlierVersion(PLAY, 1, spec().hash, 2, NEXT.hash),)
    world.restart()
    world.ask(Action.ROLL_BACK, PLAY)
    assert view(world).earlier == ()


@pytest.mark.parametrize("approved", [False, True])
def test_the_screen_learns_whether_a_twin_is_approved(approved: bool):
    world = with_twin(needs_approval=True)
    world.take(PlaysApproved(world.now, (NEXT.hash,) if approved else ()))
    assert world.machine.twin_rows(world.now)[0].approved is approved
    assert with_twin().machine.twin_rows(world.now)[0].approved


def test_a_newer_twin_does_not_slip_in_under_a_promotion_that_waits():
    world = with_twin()
    world.bars(ENTER_LONG, QUIET + 8)
    world.ask(Action.PROMOTE, PLAY)
    world.take(TwinChanged(world.now, PLAY, PLAY, spec(long_entry=Rule("close > 130")), 3))
    world.bars(EXIT_LONG, QUIET, QUIET)
    assert running(world) == (spec(), 1)
    assert not world.machine.versions.waiting


def test_entries_need_approval_where_they_are_real():
    world = with_twin(needs_approval=True)
    assert submitted(world.bars(ENTER_LONG)) == []
    assert world.machine.board.signals[-1].reason == Reason.PLAY_NOT_APPROVED
    assert refused(world.ask(Action.PROMOTE, PLAY)) is Reason.PLAY_NOT_APPROVED
    world.take(PlaysApproved(world.now, (spec().hash, NEXT.hash)))
    world.bars(QUIET)
    world.restart()
    assert submitted(world.bars(ENTER_LONG)) != []
    world.bars(EXIT_LONG, QUIET)
    world.ask(Action.PROMOTE, PLAY)
    assert running(world) == (NEXT, 2)


def test_a_swap_of_a_play_that_does_not_run_changes_nothing():
    world = World(setup(spec(), symbols=(BTC, ETH)))
    world.take(PlaySwapped(world.now, spec("other"), 2))
    assert running(world) == (spec(), 1)


def test_a_version_that_waits_may_be_declined_and_is_watched_on():
    world = with_twin()
    world.bars(ENTER_LONG, QUIET + 8)
    world.ask(Action.PROMOTE, PLAY)
    commands = world.ask(Action.DECLINE, PLAY, "not yet")
    (stored,) = of(SaveTransition, commands)
    assert (stored.kind, stored.after, stored.reason) == (TransitionKind.VERSION, "declined", "not yet")
    assert "generation 2 waits no longer, declined by me (not yet)" in of(Notice, commands)[-1].text
    world.bars(EXIT_LONG, QUIET, QUIET)
    assert running(world) == (spec(), 1)
    assert PLAY in world.machine.twins.by_label
    assert refused(world.ask(Action.DECLINE, PLAY)) is Reason.ALREADY_SO


def test_a_console_that_only_watches_declines_nothing():
    world = with_twin()
    world.bars(ENTER_LONG, QUIET + 8)
    world.ask(Action.PROMOTE, PLAY)
    for action in (Action.DECLINE, Action.PROMOTE):
        command = Control(world.now, 99, action, "me", "why", PLAY, "c2")
        assert refused(world.take(command)) is Reason.READ_ONLY
    assert world.machine.versions.waiting
