"""What each standing means for entries, exits, orders and positions: a test for every cell of the design."""

from decimal import Decimal

import msgspec
import pytest

from engine.core.commands_table import COMMANDS_TABLE
from engine.core.effects import COLUMNS, Effects, RowKind
from engine.core.snapshot import Phase
from engine.domain.calendar import Window
from engine.domain.commands import CancelOrder, SaveSignal
from engine.domain.events import (
    Action,
    CallOutcome,
    Channel,
    ChannelReport,
    Fault,
    FaultKind,
    OnStop,
    OrderTimedOut,
)
from engine.domain.ids import OrderRole
from engine.domain.limits import LimitsChanged
from engine.domain.modes import HOLDERS, Holder, Rung
from engine.domain.reasons import Reason
from engine.risk.breaker import BreakerPolicy
from tests.builders import BTC, BUY, ENTER_LONG, EXIT_LONG, STEP, of, setup, submitted
from tests.fakes import Hand

WATCHED = msgspec.structs.replace(
    setup(stale_check_ns=STEP // 60, stale_after_s=90.0), breaker=BreakerPolicy(cooldown_s=3600.0)
)
CELLS = ("entries", "exits", "entry_orders", "protective", "positions")

# The design's table: new entries, exits, resting entry orders, protective orders, positions.
DESIGN = {
    "full": ("if the gates pass", "on fresh data", "rest", "kept up", "kept"),
    "disarmed": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "paused": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "risk_reduce": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "stale": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "blackout": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "breaker": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "unknown_order": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "risk_observe": ("no", "no", "canceled", "kept up", "kept"),
    "stopping": ("no", "no", "canceled", "kept up", "kept"),
    "stop keep": ("no", "no", "rest", "kept up", "kept"),
    "storage": ("no", "on fresh data", "canceled", "kept up", "kept"),
    "fault": ("no", "no", "canceled", "kept up", "kept"),
    "halted": ("no", "no", "canceled", "none placed", "kept"),
    "flattening": ("no", "no", "canceled", "canceled last", "closed"),
}
EVERY = [pytest.param(name, cells[0:5], id=name) for name, cells in DESIGN.items()]


def bring(world: Hand, standing: str) -> None:
    """Put a world into a standing."""
    match standing:
        case "full":
            return
        case "disarmed":
            world.ask(Action.DISARM)
        case "paused":
            world.ask(Action.PAUSE)
        case "risk_reduce" | "risk_observe":
            world.ask(Action.RISK_MODE, standing.removeprefix("risk_"))
        case "stale":
            world.wait(100)
        case "blackout":
            window = Window(name="now", starts=(0,), minutes=1439)
            world.take(LimitsChanged(world.now, "aa", world.setup.limits, (window,)))
        case "stopping":
            world.stop(OnStop.CANCEL_ENTRIES)
        case "stop keep":
            world.stop(OnStop.KEEP)
        case "flattening":
            world.flatten()
        case "halted":
            world.flatten()
            world.wait(31)
            assert world.phase() is Phase.HALTED
        case _:
            harm(world, standing)


def harm(world: Hand, standing: str) -> None:
    """Let something go wrong."""
    match standing:
        case "breaker":
            failed = ChannelReport(world.now, "v", Channel.ORDERS, CallOutcome.TRANSIENT, "timed out")
            world.take(*[failed] * 5)
        case "unknown_order":
            ghost = world.machine.desk.submit(
                role=OrderRole.STOP,
                play="x",
                symbol=BTC,
                side=BUY,
                qty=Decimal(1),
                now=world.now,
                cycle_id="x",
            )
            world.take(OrderTimedOut(world.now, ghost.client_id))
        case "storage" | "fault":
            kind = FaultKind.STORAGE if standing == "storage" else FaultKind.OVERFLOW
            world.take(Fault(world.now, kind, "broken"))
        case _:
            raise AssertionError(standing)


def signal_verdict(world: Hand, close: float) -> Reason | None:
    """Let a bar close that the play signals on; return why nothing came of it, None where an order did."""
    commands = world.bar(close)
    (signal,) = of(SaveSignal, commands)
    if signal.veto is None:
        assert submitted(commands) != []
        return None
    assert submitted(commands) == []
    return signal.veto.reason


def with_resting_entry() -> Hand:
    world = Hand(WATCHED)
    world.bar(ENTER_LONG)
    world.ack(world.order(OrderRole.ENTRY))
    return world


def with_position(standing: str, filled: str = "1") -> Hand:
    """Return a world with a protected long position; its entry rests on where it filled in part."""
    world = with_resting_entry()
    world.fill(world.order(OrderRole.ENTRY), filled)
    for order in world.orders(OrderRole.STOP, OrderRole.TARGET):
        world.ack(order)
    bring(world, standing)
    return world


def test_the_published_table_says_what_the_design_says():
    published = {
        row.name.lower().replace(" ", "_"): tuple(getattr(row.effects, cell).value for cell in CELLS)
        for row in COMMANDS_TABLE
        if row.kind is RowKind.HOLDER or row.rung is Rung.FULL
    } | {row.name: _cells(row.effects) for row in COMMANDS_TABLE if row.name == "stop keep"}
    assert {name: published[name] for name in DESIGN} == DESIGN
    elsewhere = {Holder.RECONCILING}  # test_reconciling.py
    assert {holder.value for holder in set(Holder) - elsewhere} <= set(DESIGN)


def test_every_row_has_a_cell_for_every_column():
    for row in COMMANDS_TABLE:
        assert len(row.cells) == len(COLUMNS)
        assert bool(row.asked) is (row.kind is RowKind.COMMAND)


def _cells(effects: Effects) -> tuple[str, ...]:
    return tuple(getattr(effects, cell).value for cell in CELLS)


@pytest.mark.parametrize(("standing", "cells"), EVERY)
def test_the_rung_of_each_standing(standing, cells):
    world = with_position(standing)
    rung = (
        Rung.FULL if standing == "full" else HOLDERS[Holder(standing.replace("stop keep", "stopping"))].rung
    )
    assert world.rung(BTC) is rung


@pytest.mark.parametrize(("standing", "cells"), EVERY)
def test_new_entries(standing, cells):
    world = Hand(WATCHED)
    world.bar(100.0)
    bring(world, standing)
    assert signal_verdict(world, ENTER_LONG) is (None if cells[0] == "if the gates pass" else Reason.LADDER)


@pytest.mark.parametrize(("standing", "cells"), EVERY)
def test_exits(standing, cells):
    world = with_position(standing)
    assert signal_verdict(world, EXIT_LONG) is (None if cells[1] == "on fresh data" else Reason.LADDER)


@pytest.mark.parametrize(("standing", "cells"), EVERY)
def test_resting_entry_orders(standing, cells):
    world = with_resting_entry()
    entry = world.order(OrderRole.ENTRY)
    bring(world, standing)
    canceled = [command.client_id for command in of(CancelOrder, world.commands)]
    assert canceled == ([entry.client_id] if cells[2] == "canceled" else [])


@pytest.mark.parametrize(("standing", "cells"), EVERY)
def test_protective_orders(standing, cells):
    world = with_position(standing, filled="0.4")
    before = {order.client_id for order in world.orders(OrderRole.STOP, OrderRole.TARGET)}
    canceled = {command.client_id for command in of(CancelOrder, world.commands)}
    assert not before & canceled, "nothing takes protection away before its position is gone"
    seen = len(world.commands)
    (entry,) = world.orders(OrderRole.ENTRY)
    world.fill(entry, "0.2")
    placed = [order for order in submitted(world.commands[seen:]) if order[0] in ("stop", "target")]
    if cells[3] == "kept up":
        assert placed == [("stop", "sell", "0.6"), ("target", "sell", "0.6")]
    else:
        assert placed == []


@pytest.mark.parametrize(("standing", "cells"), EVERY)
def test_positions(standing, cells):
    world = with_position(standing)
    closes = [order for order in submitted(world.commands) if order[0] == "flatten"]
    assert bool(closes) is (cells[4] == "closed" or standing == "halted"), "a halt comes after a flatten"
    assert closes in ([], [("flatten", "sell", "1")])


def test_protection_is_canceled_last():
    world = with_position("flattening")
    protection = [order.client_id for order in world.orders(OrderRole.STOP, OrderRole.TARGET)]
    world.fill(world.order(OrderRole.FLATTEN), price="100")
    assert of(CancelOrder, world.commands) == [], "before the venue shows that the position is gone"
    world.report()
    assert [command.client_id for command in of(CancelOrder, world.commands)] == protection


@pytest.mark.parametrize("standing", ["stale", "unknown_order"])
def test_holders_of_one_symbol_hold_no_other(standing):
    world = with_position(standing)
    if standing == "unknown_order":
        assert world.rung("ETHUSDT") is Rung.FULL
    assert world.rung() is Rung.FULL
