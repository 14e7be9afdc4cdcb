"""Builds the Snapshot from the machine. Reading only: nothing here changes what it reads."""

from collections.abc import Iterable
from decimal import Decimal

from engine.core.distances import risk_section
from engine.core.feesection import FeeRow
from engine.core.machine import Machine
from engine.core.openrisk import Guarded, guarded, open_risk, stops_of
from engine.core.snapshot import (
    AccountSection,
    FlattenSection,
    GateRow,
    GateStatus,
    OrderRow,
    PositionRow,
    Snapshot,
    StatusSection,
)
from engine.core.twinned import earlier_versions, swaps_waiting, twin_rows
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.money import ZERO, divide, money
from engine.domain.orders import Order
from engine.domain.positions import Position
from engine.domain.signals import Side, Signal, SignalKind
from engine.execution.flatten import Step
from engine.execution.protect import resting_price
from engine.risk.gates import Verdict, ask_all

ROWS_SHOWN = 60
OPEN_SHOWN = 500  # open orders: what is not shown cannot be acted on
_FLAT = Guarded(ZERO, ZERO, None, 0.0)
MS_PER_S = 1_000
_GATE_STATUS = {
    Verdict.PASS: GateStatus.PASS,
    Verdict.VETO: GateStatus.VETO,
    Verdict.NOT_BUILT: GateStatus.NOT_BUILT,
}


def view(machine: Machine, now: int) -> Snapshot:
    """Return what the core has to show. Feeds, reloads and health are the runtime's to add."""
    board = machine.board
    return Snapshot(
        status=_status(machine, now),
        account=_account(machine),
        ticks=machine.market.rows(),
        signals=tuple(board.signals)[-ROWS_SHOWN:],
        orders=_orders(machine),
        positions=_positions(machine),
        gates=_gates(machine, now),
        flatten=_flatten(machine),
        notices=tuple(board.notices)[-ROWS_SHOWN:],
        alarms=board.alarms(),
        models=machine.trading.watch.rows(machine.trading.runners),
        breakers=machine.channels.rows(),
        twins=twin_rows(machine, now),
        risk=risk_section(machine, now),
        open_risk=open_risk(machine.ledger, machine.desk.book),
        fees=tuple(FeeRow(i.symbol, i.maker_fee, i.taker_fee) for i in machine.setup.instruments),
    )


def _status(machine: Machine, now: int) -> StatusSection:
    setup, operator = machine.setup, machine.authority.operator
    holds = machine.authority.holds
    return StatusSection(
        mode=setup.mode,
        instance=setup.instance,
        phase=operator.shown_phase,
        paused=operator.paused,
        risk_mode=operator.risk_mode,
        rung=holds.rung(),
        holds=holds.all,
        now=now,
        plays=tuple(binding.spec.name for binding in setup.plays),
        confirm_name=setup.confirm_name,
        data_ended=machine.feed_ended,
        dead_man_s=setup.dead_man_ms / MS_PER_S if machine.authority.dead_man.renewed else 0.0,
        dead_man_renewed=machine.authority.dead_man.renewed,
        needs_approval=setup.needs_approval,
        in_control=operator.control.console if operator.control else "",
        in_control_name=operator.control.name if operator.control else "",
        swaps_waiting=swaps_waiting(machine),
        earlier=earlier_versions(machine),
    )


def _account(machine: Machine) -> AccountSection:
    ledger = machine.ledger
    return AccountSection(
        currency=machine.setup.currency,
        start_equity=ledger.start_equity,
        equity=money(ledger.equity()),
        realized=ledger.realized,
        unrealized=money(ledger.unrealized()),
        fees=ledger.fees,
        day_pnl=money(ledger.day_pnl()),
        drawdown=ledger.drawdown(),
        fills=ledger.fills,
        trades=ledger.trades,
        signals=machine.tally.signals,
    )


def _orders(machine: Machine) -> tuple[OrderRow, ...]:
    book = machine.desk.book
    ended = book.ended_orders()[-ROWS_SHOWN:]
    return tuple(_order(order) for order in (*book.open_orders()[-OPEN_SHOWN:], *reversed(ended)))


def _order(order: Order) -> OrderRow:
    request = order.request
    filled = order.filled_qty
    return OrderRow(
        client_id=request.client_id,
        venue_id=order.venue_id,
        play=request.play,
        symbol=request.symbol,
        side=request.side,
        role=request.role,
        kind=request.kind,
        state=order.state,
        qty=order.qty,
        filled_qty=filled,
        price=request.trigger or request.price,
        average_price=divide(order.filled_notional, filled) if filled else None,
        created=request.ts,
        updated=order.updated,
        reason=order.reason,
    )


def _positions(machine: Machine) -> tuple[PositionRow, ...]:
    positions = sorted(machine.ledger.positions(), key=lambda p: (p.is_flat, p.symbol, p.play))
    stops = stops_of(machine.desk.book.open_orders())
    return tuple(
        _position(machine, position, stops.get((position.play, position.symbol), ()))
        for position in positions[:ROWS_SHOWN]
    )


def _position(machine: Machine, position: Position, stops: Iterable[Order]) -> PositionRow:
    mark = machine.ledger.mark_of(position.symbol)
    guard = guarded(position, stops, mark) if position.qty else _FLAT
    entry = divide(position.entry_notional, position.qty) if position.qty else ZERO
    return PositionRow(
        play=position.play,
        symbol=position.symbol,
        qty=position.qty,
        entry_price=entry,
        mark=mark,
        unrealized=money(float(position.qty) * mark - float(position.entry_notional)),
        realized=position.realized,
        fees=position.fees,
        stop_price=resting_price(machine.desk, position, OrderRole.STOP),
        target_price=resting_price(machine.desk, position, OrderRole.TARGET),
        opened=position.opened,
        bare=guard.bare,
        to_stop=guard.to_stop,
        at_stop=guard.at_stop,
        stop_distance=guard.distance,
    )


def _gates(machine: Machine, now: int) -> tuple[GateRow, ...]:
    """Ask every gate as if the first play's symbol were to be entered now."""
    setup = machine.setup
    play, symbol = (setup.plays[0].spec.name, setup.plays[0].symbol) if setup.plays else ("", "")
    symbol = symbol or setup.instruments[0].symbol
    age_ns = machine.market.age_ns(symbol, now)
    price = Decimal(repr(machine.ledger.mark_of(symbol)))
    net = machine.ledger.net_qty(symbol)
    side = Side.SELL if net < ZERO else Side.BUY
    entry = Signal(ts=now, play=play, symbol=symbol, side=side, kind=SignalKind.ENTRY, price=0.0)
    facts = machine.trading.entering.facts(entry, price, ZERO, (age_ns or 0) / NS_PER_S, now)
    if setup.needs_approval and setup.plays:
        facts = machine.trading.entering.approval(facts, machine.trading.runners[0].binding.spec)
    return tuple(
        GateRow(result.name, _GATE_STATUS[result.verdict], result.value, result.limit)
        for result in ask_all(facts, machine.policy.limits)
    )


def _flatten(machine: Machine) -> FlattenSection:
    state = machine.authority.flatten.state
    if state.step is Step.IDLE:
        return FlattenSection()
    orders = machine.desk.book.open_orders()
    return FlattenSection(
        step=state.step.value,
        since=state.since,
        cancels_left=sum(1 for order in orders if order.request.role is not OrderRole.FLATTEN),
        positions_left=len(machine.ledger.open_positions()),
        residual=state.residual,
    )
