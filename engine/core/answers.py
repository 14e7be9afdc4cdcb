"""What the venue answers: booked, stored, and followed by everything that an order's fate concerns."""

from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.guards import Guards
from engine.core.reconciling import Reconciler
from engine.core.risk import Risk
from engine.core.snapshot import Phase
from engine.core.stops import StopWatch
from engine.core.tally import Tally
from engine.core.trading import Trading
from engine.domain.commands import NoticeLevel
from engine.domain.events import (
    CancelRejected,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderSent,
    OrderTimedOut,
    VenueReport,
)
from engine.domain.orders import Order
from engine.domain.positions import Fill
from engine.execution.desk import Desk

_HALTED = Phase.HALTED  # asked on every fill: a look into an enum costs more than the comparison


class Answers:
    """Takes the venue's answers. One that is no news changes nothing."""

    def __init__(
        self,
        desk: Desk,
        tally: Tally,
        *,
        reconciler: Reconciler,
        authority: Authority,
        trading: Trading,
        risk: Risk,
        guards: Guards,
        stops: StopWatch,
        board: Board,
    ) -> None:
        self._desk, self._tally, self._board = desk, tally, board
        self._reconciler, self._authority, self._trading = reconciler, authority, trading
        self._risk, self._guards, self._stops = risk, guards, stops

    def on_sent(self, event: OrderSent, now: int) -> None:
        """An order left for the venue."""
        self._desk.on_sent(event.client_id, now)
        self._risk.watch.on_sent(event.client_id)

    def on_fill(self, fill: Fill, now: int) -> None:
        """Book what traded, and let everything that looks at it follow."""
        booked = self._desk.on_fill(fill, now)
        if booked is None:
            return
        order, position = booked
        self._tally.fill(fill)
        self._reconciler.on_moved(fill.symbol, now)
        authority = self._authority
        authority.flatten.on_fill(now)
        self._trading.on_position(position, order, now, authority.operator.phase)
        self._risk.losses.on_fill(now)
        self._risk.watch.on_fill(order, fill, now)
        if self._risk.holds.all:
            authority.uphold(order, now)
        halted = authority.operator.phase is _HALTED
        if halted and (not position.is_flat or self._desk.was_written_off(order)):
            text = f"late fill of {fill.symbol} while halted: flattening again"
            self._board.notice(now, NoticeLevel.WARNING, "flatten", text, fill.symbol)
            authority.start_flatten(now, "engine", "late fill while halted")
        if self._risk.holds.all:
            self._guards.follow_unknown(now)

    def on_ack(self, event: OrderAcked, now: int) -> None:
        """The venue holds an order."""
        order = self._desk.on_ack(event.client_id, event.venue_id, now)
        if order is not None:
            self._risk.watch.on_ack()
            self._trading.on_acked(order)
            if self._risk.holds.all:
                self._authority.uphold(order, now)
        if self._risk.holds.all:
            self._guards.follow_unknown(now)

    def on_reject(self, event: OrderRejected, now: int) -> None:
        """An order never came to life."""
        order = self._desk.on_reject(event.client_id, event.reason, event.text, now)
        if order is not None:
            self._risk.watch.on_reject(event.reason, now)
            self._on_unfilled(order, now)
        self._guards.follow_unknown(now)

    def on_cancel(self, event: OrderCanceled, now: int) -> None:
        """The rest of an order is gone."""
        order = self._desk.on_cancel(event.client_id, event.reason, now)
        if order is not None:
            self._on_unfilled(order, now)
        self._guards.follow_unknown(now)

    def _on_unfilled(self, order: Order, now: int) -> None:
        """Follow an order that ended without all of its fills."""
        self._risk.watch.on_ended(order)
        self._trading.on_unfilled(order, now)
        self._authority.flatten.on_unfilled(order, now)

    def on_cancel_rejected(self, event: CancelRejected, now: int) -> None:
        """A cancel was not carried out: ask about the order."""
        self._desk.on_cancel_rejected(event.client_id, now)
        self._reconciler.probe(event.client_id, now)
        self._authority.flatten.hold_off(now)

    def on_timeout(self, event: OrderTimedOut, now: int) -> None:
        """Nobody answered for an order: it is UNKNOWN, and it is asked about."""
        order = self._desk.on_timeout(event.client_id, now)
        if order is not None:
            self._risk.watch.on_failed(now)
            self._guards.on_unknown(order, now)
            self._reconciler.probe(order.client_id, now)
            self._authority.flatten.on_unfilled(order, now)

    def on_report(self, report: VenueReport, now: int) -> None:
        """The venue told what it holds: the answer to a question of reconciliation or of a flatten."""
        self._stops.on_report(report)
        if report.request_id < 0:
            asked = self._reconciler.state
            self._reconciler.on_report(report, now)
            if report.request_id == asked.request_id and not asked.answered:
                self._risk.watch.on_compared(now, whole=not self._reconciler.state.failures)
            return
        self._authority.on_report(report, now)
        self._trading.follow_books()
        self._guards.compare_positions(report, now)
