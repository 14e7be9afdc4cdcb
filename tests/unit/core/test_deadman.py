"""The dead-man's switch in the core: renewed while the engine lives, off when it leaves in order."""

import pytest

from engine.core.deadman import RENEWALS
from engine.core.view import view
from engine.domain.commands import CancelAllAfter, SetTimer, Stopped
from engine.domain.events import Action, FeedChanged, FeedState, OnStop
from engine.domain.ids import OrderRole
from engine.domain.orders import OrderKind
from engine.domain.play import EntryOrder
from tests.builders import World, of, percent, setup, spec
from tests.fakes import Hand

TIMEOUT_MS = 30_000
TIMEOUT_S = 30.0


@pytest.fixture
def world() -> Hand:
    return Hand(setup(dead_man_ms=TIMEOUT_MS))


def test_it_is_renewed_several_times_within_its_time_out(world):
    assert world.silent.renewals == [TIMEOUT_MS], "from the start on"
    world.wait(TIMEOUT_S)
    assert world.silent.renewals == [TIMEOUT_MS] * (1 + RENEWALS)


def test_without_a_time_out_nobody_speaks_of_it():
    world = Hand()
    world.take(FeedChanged(world.now, "x", FeedState.CONNECTED))
    world.wait(100)
    world.stop(OnStop.KEEP)
    assert of(CancelAllAfter, world.commands) == []
    assert view(world.machine, world.now).status.dead_man_s == 0


def test_a_reconnect_renews_it_at_once(world):
    commands = world.take(FeedChanged(world.now, "x", FeedState.CONNECTED))
    assert of(CancelAllAfter, commands) == [CancelAllAfter(TIMEOUT_MS)]


@pytest.mark.parametrize("how", list(OnStop))
def test_whoever_leaves_in_order_turns_it_off(world, how):
    commands = world.stop(how)
    if how is OnStop.FLATTEN:
        for _ in range(3):
            world.report()
            world.wait(1)
        commands = world.commands
    ended = [type(c) for c in commands if isinstance(c, Stopped | CancelAllAfter)]
    assert ended[-2:] == [CancelAllAfter, Stopped]
    assert world.silent.renewals[-1] == 0
    world.take(FeedChanged(world.now, "x", FeedState.CONNECTED))
    world.wait(100)
    assert world.silent.renewals[-1] == 0, "and it stays off"


def test_a_stop_that_waits_for_its_entries_still_renews_it(world):
    world.bar(111.0)
    world.ack(world.order(OrderRole.ENTRY))
    world.stop(OnStop.CANCEL_ENTRIES)
    seen = len(world.silent.renewals)
    world.wait(TIMEOUT_S)
    assert world.silent.renewals[seen:] == [TIMEOUT_MS] * RENEWALS
    world.cancel(world.order(OrderRole.ENTRY))
    assert world.silent.renewals[-1] == 0


def test_a_restart_goes_on_renewing_it(world):
    world.wait(1)
    world.restart()
    assert view(world.machine, world.now).status.dead_man_s == TIMEOUT_S
    commands = world.wait(TIMEOUT_S)
    assert len(of(CancelAllAfter, commands)) == RENEWALS


def test_a_restart_without_it_turns_off_what_was_on(world):
    without = setup()
    world.setup = without
    world.restart(new_run=True)
    commands = world.take(FeedChanged(world.now, "x", FeedState.CONNECTED))
    assert of(CancelAllAfter, commands) == [CancelAllAfter(0)]
    world.wait(100)
    assert world.silent.renewals[-1] == 0
    assert of(SetTimer, world.commands)[-1].timer_id == "dead_man", "of the run before, and cleared"


def test_it_is_renewed_in_every_state(world):
    for action in (Action.PAUSE, Action.FLATTEN):
        world.ask(action)
        assert of(CancelAllAfter, world.wait(TIMEOUT_S))


def test_the_engine_hears_of_what_the_venue_canceled():
    play = spec(entry=EntryOrder(OrderKind.LIMIT, percent(5.0)))
    world = World(setup(play, dead_man_ms=TIMEOUT_MS))
    world.bars(100.0, 111.0)
    entry = world.order(OrderRole.ENTRY)
    world.take(*world.venue.on_time(world.now + TIMEOUT_MS * 1_000_000))
    assert world.orders() == []
    (ended,) = world.machine.desk.book.ended_orders()
    assert (ended.client_id, ended.reason) == (entry.client_id, "RENEWAL_MISSED")
    assert any("RENEWAL_MISSED" in n.text for n in world.machine.board.notices), "and it is told"
