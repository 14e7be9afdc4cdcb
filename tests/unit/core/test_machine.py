"""The machine as a whole: it knows every event, and its state is all there is to it."""

from typing import get_args

import msgspec
import pytest

from engine.core.machine import Machine
from engine.core.machine_state import STATE_VERSION, MachineState
from engine.domain.errors import CheckpointError
from engine.domain.events import Action, Event, Fault, FaultKind, OnStop, OrderTimedOut, PlaySwapped
from engine.domain.ids import OrderRole
from tests.builders import ENTER_LONG, ETH, STEP, T0, World, bar, quote, setup, spec, trade
from tests.fakes import Hand


def test_every_event_is_handled_and_nothing_else():
    assert set(Machine(setup())._handlers) == set(get_args(Event))


def test_something_else_is_a_bug_and_no_event():
    with pytest.raises(KeyError):
        Machine(setup()).handle("bar", T0)  # type: ignore[arg-type]


def test_quiet_market_data_leads_to_nothing():
    machine = Machine(setup())
    for event in (bar(100.0), trade(100.0), quote(99.0, 101.0)):
        assert machine.handle(event, T0) == ()


def test_commands_are_handed_out_once():
    machine = Machine(setup())
    assert len(machine.handle(bar(ENTER_LONG), T0)) == 2
    assert machine.handle(bar(ENTER_LONG - 5, T0 + STEP), T0 + STEP) == ()


def test_notices_are_remembered_as_they_are_said():
    world = Hand()
    world.ask(Action.PAUSE)
    assert [notice.kind for notice in world.machine.board.notices] == ["mode"]


def busy() -> Hand:
    """Return a world with something in every corner of its state."""
    world = Hand(setup(spec(), spec("other"), stale_check_ns=STEP, stale_after_s=100.0))
    world.enter_long()
    world.market(bar(ENTER_LONG, world.now, ETH))
    world.market(trade(112.0, world.now, ETH))
    world.market(quote(111.0, 113.0, world.now))
    world.take(OrderTimedOut(world.now, world.orders(OrderRole.ENTRY)[0].client_id))
    world.take(Fault(world.now, FaultKind.STALL, "slow"))
    world.ask(Action.RISK_MODE, "observe")
    world.flatten()
    return world


def test_a_restored_machine_is_the_same_machine():
    world = busy()
    before = world.machine.state()
    world.restart()
    assert world.machine.state() == before
    encode = msgspec.msgpack.Encoder(decimal_format="string").encode
    assert encode(world.machine.state()) == encode(before)


def test_a_checkpoint_does_not_change_when_the_machine_does():
    world = busy()
    state = world.machine.state()
    before = msgspec.msgpack.encode(state)
    world.market(trade(100.0, world.now + 1))
    world.fill(world.orders(OrderRole.FLATTEN)[0])
    assert msgspec.msgpack.encode(state) == before


def test_a_checkpoint_of_another_version_is_refused():
    state = msgspec.structs.replace(Machine(setup()).state(), version=STATE_VERSION + 1)
    with pytest.raises(CheckpointError, match=f"has version {STATE_VERSION + 1}, this engine reads"):
        Machine(setup()).restore(state)


def test_a_play_that_was_swapped_runs_on_after_a_restart():
    newer = spec(long_entry=spec().short_entry, short_entry=None, short_exit=None)
    world = World()
    world.machine.trading.swap(PlaySwapped(T0, newer, 3), T0)
    world.restart()
    (runner,) = world.machine.trading.runners
    assert (runner.binding.spec, runner.generation) == (newer, 3)


def test_a_play_that_the_checkpoint_does_not_know_begins_afresh():
    old, new = Machine(setup(spec("old"))), Machine(setup(spec("new")))
    state: MachineState = old.state()
    new.restore(state)
    assert new.trading.runners[0].generation == 1


def test_a_new_run_keeps_what_a_person_or_the_venue_must_settle():
    world = Hand(setup(stale_check_ns=STEP, stale_after_s=100.0))
    world.bar(ENTER_LONG)
    world.take(OrderTimedOut(world.now, world.order(OrderRole.ENTRY).client_id))
    world.take(Fault(world.now, FaultKind.STALL, "slow"), Fault(world.now, FaultKind.STORAGE, "full"))
    world.ask(Action.PAUSE)
    world.ask(Action.RISK_MODE, "reduce")
    world.wait(200)
    world.stop(OnStop.KEEP)
    assert {hold.holder.value for hold in world.machine.authority.holds.all} == {
        *("unknown_order", "fault", "storage", "paused", "risk_reduce", "stale", "stopping")
    }
    before = world.machine.state()
    world.restart()
    assert world.machine.state() == before, "the same run goes on with all of it"
    world.restart(new_run=True)
    assert {hold.holder.value for hold in world.machine.authority.holds.all} == {
        *("unknown_order", "paused", "risk_reduce")
    }
    assert set(world.alarms()) == {"unknown:BTCUSDT"}
    assert world.machine.authority.operator.stopping is None
    world.take(Fault(world.now, FaultKind.STALL, "again"))
    assert [h.detail for h in world.machine.authority.holds.all if h.holder.value == "fault"] == ["stall"]
