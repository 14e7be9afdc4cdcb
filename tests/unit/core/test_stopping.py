"""The end of a run: what is done first, that it is said once, and what a restart makes of it."""

import pytest

from engine.core.snapshot import Phase
from engine.domain.commands import CancelOrder, Command, FlattenEnded, SaveTransition, Stopped
from engine.domain.events import Action, OnStop, OrderTimedOut
from engine.domain.ids import OrderRole
from engine.domain.modes import Rung
from tests.builders import ENTER_LONG, World, bar, of, setup, submitted, vetoes
from tests.fakes import Hand


def resting() -> Hand:
    """Return a world with an entry at rest."""
    world = Hand()
    world.bar(ENTER_LONG)
    world.ack(world.order(OrderRole.ENTRY))
    return world


def stopped(commands: list[Command]) -> int:
    return len(of(Stopped, commands))


@pytest.mark.parametrize("how", [OnStop.KEEP, OnStop.CANCEL_ENTRIES])
def test_with_nothing_open_a_stop_is_done_at_once(how):
    world = Hand()
    assert stopped(world.stop(how)) == 1
    world.wait(100)
    world.bar(100.0)
    assert stopped(world.commands) == 1


def test_a_stop_waits_for_the_end_of_every_entry():
    world = resting()
    entry = world.order(OrderRole.ENTRY)
    commands = world.stop(OnStop.CANCEL_ENTRIES)
    assert [command.client_id for command in of(CancelOrder, commands)] == [entry.client_id]
    assert stopped(commands) == 0
    world.cancel(entry)
    assert stopped(world.commands) == 1


def test_an_entry_that_fills_instead_ends_the_wait_and_is_protected():
    world = resting()
    world.stop(OnStop.CANCEL_ENTRIES)
    world.fill(world.order(OrderRole.ENTRY))
    assert stopped(world.commands) == 1
    assert len(world.orders(OrderRole.STOP)) == 1


def test_protection_and_exits_do_not_keep_a_stop_waiting():
    world = Hand()
    world.enter_long()
    world.bar(104.0)
    assert stopped(world.stop(OnStop.CANCEL_ENTRIES)) == 1
    assert of(CancelOrder, world.commands) == []


def test_a_stop_with_keep_leaves_everything_as_it_is():
    world = resting()
    commands = world.stop(OnStop.KEEP)
    assert of(CancelOrder, commands) == []
    assert stopped(commands) == 1
    assert len(world.orders(OrderRole.ENTRY)) == 1


def test_a_stop_with_flatten_is_done_when_flat():
    world = World(setup(flatten_deadline_s=300.0))
    world.bars(ENTER_LONG, 111.0)
    assert stopped(world.stop(OnStop.FLATTEN)) == 0
    assert world.phase() is Phase.FLATTENING
    commands = world.bar(110.0)
    assert [type(c) for c in commands if isinstance(c, FlattenEnded | Stopped)] == [FlattenEnded, Stopped]
    assert world.phase() is Phase.HALTED
    world.bar(110.0)
    assert stopped(world.commands) == 1


def test_a_stop_with_flatten_ends_at_the_deadline_even_where_an_entry_stays_unknown():
    world = resting()
    entry = world.machine.desk.submit(
        role=OrderRole.ENTRY,
        play="x",
        symbol="BTCUSDT",
        side=world.order(OrderRole.ENTRY).request.side,
        qty=world.order(OrderRole.ENTRY).request.qty,
        now=world.now,
        cycle_id="x",
    )
    world.take(OrderTimedOut(world.now, entry.client_id))
    world.stop(OnStop.FLATTEN)
    assert stopped(world.wait(31)) == 1
    assert world.phase() is Phase.HALTED


def test_a_stop_during_a_flatten_waits_for_its_end():
    world = Hand()
    world.enter_long()
    world.flatten()
    for how in (OnStop.KEEP,):
        assert stopped(world.stop(how)) == 0
    assert world.machine.authority.operator.shown_phase is Phase.FLATTENING
    assert stopped(world.wait(31)) == 1


def test_a_flatten_during_a_stop_is_taken_and_waited_for():
    world = resting()
    world.stop(OnStop.CANCEL_ENTRIES)
    world.flatten()
    world.cancel(*world.orders())
    assert stopped(world.commands) == 0
    world.report()
    world.report()
    assert stopped(world.commands) == 1


def test_while_stopping_nothing_new_begins():
    world = Hand()
    commands = world.stop(OnStop.KEEP)
    (stored,) = of(SaveTransition, commands)
    assert (stored.before, stored.after) == ("armed", "stopping")
    assert vetoes(world.stop(OnStop.KEEP)) == ["STOPPING"]
    assert vetoes(world.arm()) == ["STOPPING"]
    world.ask(Action.PAUSE)
    assert vetoes(world.ask(Action.RESUME)) == ["STOPPING"]
    assert submitted(world.bar(ENTER_LONG)) == []
    assert world.rung() is Rung.HOLD


def test_a_stop_ends_with_its_run():
    world = resting()
    world.stop(OnStop.CANCEL_ENTRIES)
    world.restart(new_run=True)
    assert world.machine.authority.operator.stopping is None
    assert world.rung() is Rung.FULL
    assert world.phase() is Phase.ARMED
    world.cancel(*world.orders())
    assert stopped(world.commands) == 0


def test_a_stop_goes_on_where_its_own_run_is_handled_again():
    world = resting()
    world.stop(OnStop.CANCEL_ENTRIES)
    world.restart()
    assert world.rung() is Rung.HOLD
    world.cancel(*world.orders())
    assert stopped(world.commands) == 1
    world.restart()
    world.wait(10)
    assert stopped(world.commands) == 1


def test_market_data_alone_ends_no_stop():
    world = resting()
    world.stop(OnStop.CANCEL_ENTRIES)
    assert stopped(world.market(bar(100.0, world.now))) == 0
