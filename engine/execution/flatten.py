"""The kill-switch: cancel entries, close, verify, cancel protection, verify, and only then say FLAT.

Flat means that the venue shows none of our orders and no position in our instruments, and that no order of
ours is unsettled. Anything else at the deadline is a residual, listed with its venue ids.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.commands import CancelOrder, Command, QueryVenue, SetTimer
from engine.domain.events import VenueReport
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.money import canonical
from engine.domain.signals import Side
from engine.execution.desk import Desk
from engine.execution.ledger import Ledger

RETRY_TIMER = "flatten.retry"
RETRY_NS = 250_000_000
PLAY = "flatten"  # the play under which quantities that no play owns are closed
_ENTERING = (OrderRole.ENTRY, OrderRole.EXIT)
_PROTECTING = (OrderRole.STOP, OrderRole.TARGET)


class Step(StrEnum):
    """Where a flatten is."""

    IDLE = "idle"
    CANCEL_ENTRIES = "cancel entries"
    CLOSE = "close positions"
    VERIFY = "verify positions"
    CANCEL_PROTECTION = "cancel protection"
    VERIFY_FLAT = "verify flat"
    FLAT = "flat"
    RESIDUAL = "residual"


RUNNING = frozenset({Step.CANCEL_ENTRIES, Step.CLOSE, Step.VERIFY, Step.CANCEL_PROTECTION, Step.VERIFY_FLAT})


class Advance(StrEnum):
    """What moves a flatten on."""

    START = "start"
    DONE = "done"  # nothing of the step is left
    CONFIRMED = "confirmed"  # the venue shows what the step needs
    DENIED = "denied"  # the venue shows something of ours
    DEADLINE = "deadline"


FLATTEN_TABLE: dict[Step, dict[Advance, Step]] = {
    Step.IDLE: {Advance.START: Step.CANCEL_ENTRIES},
    Step.CANCEL_ENTRIES: {Advance.DONE: Step.CLOSE, Advance.DEADLINE: Step.RESIDUAL},
    Step.CLOSE: {Advance.DONE: Step.VERIFY, Advance.DEADLINE: Step.RESIDUAL},
    Step.VERIFY: {
        Advance.CONFIRMED: Step.CANCEL_PROTECTION,
        Advance.DENIED: Step.CANCEL_ENTRIES,
        Advance.DEADLINE: Step.RESIDUAL,
    },
    Step.CANCEL_PROTECTION: {Advance.DONE: Step.VERIFY_FLAT, Advance.DEADLINE: Step.RESIDUAL},
    Step.VERIFY_FLAT: {
        Advance.CONFIRMED: Step.FLAT,
        Advance.DENIED: Step.CANCEL_ENTRIES,
        Advance.DEADLINE: Step.RESIDUAL,
    },
    Step.FLAT: {Advance.START: Step.CANCEL_ENTRIES},
    Step.RESIDUAL: {Advance.START: Step.CANCEL_ENTRIES},
}


class FlattenState(msgspec.Struct, frozen=True):
    """A flatten as a checkpoint holds it. `request_id` numbers venue queries and never goes back."""

    step: Step = Step.IDLE
    since: int = 0
    request_id: int = 0
    residual: tuple[str, ...] = ()
    waiting: bool = False  # for the retry timer: the venue said no, and asking at once would ask forever


class Flatten:
    """Drives one flatten; `advance` is called after every event while it runs."""

    def __init__(self, desk: Desk, ledger: Ledger, ids: IdSpace, outbox: list[Command]) -> None:
        self.state = FlattenState()
        self._desk = desk
        self._ledger = ledger
        self._ids = ids
        self._outbox = outbox

    @property
    def running(self) -> bool:
        """Whether a flatten is on its way."""
        return self.state.step in RUNNING

    def start(self, now: int) -> None:
        """Begin, or begin anew after an end."""
        self._step(Advance.START, since=now, residual=(), waiting=False)

    def advance(self, now: int, cycle_id: str) -> None:
        """Do what the present step needs, and go on while steps are done."""
        while self.running and not self.state.waiting:
            before = self.state.step
            match before:
                case Step.CANCEL_ENTRIES:
                    self._cancel(now, *_ENTERING)
                case Step.CLOSE:
                    self._close(now, cycle_id)
                case Step.CANCEL_PROTECTION:
                    self._cancel(now, *_PROTECTING)
                case _:
                    return  # a verification waits for the venue's report
            if self.state.step is before:
                return

    def hold_off(self, now: int) -> None:
        """Wait a moment before the next try, because the venue refused something."""
        if self.running and not self.state.waiting:
            self.state = msgspec.structs.replace(self.state, waiting=True)
            self._outbox.append(SetTimer(RETRY_TIMER, now + RETRY_NS))

    def on_retry(self, now: int, cycle_id: str) -> None:
        """Try again."""
        self.state = msgspec.structs.replace(self.state, waiting=False)
        self.advance(now, cycle_id)

    def on_report(self, report: VenueReport, now: int, cycle_id: str) -> None:
        """Hold the venue's report against what the verification needs."""
        step = self.state.step
        if step not in (Step.VERIFY, Step.VERIFY_FLAT) or report.request_id != self.state.request_id:
            return
        orders = [o for o in report.orders if self._ids.owns(o.client_id)]
        if step is Step.VERIFY:
            orders = [o for o in orders if not self._is_protective(o.client_id)]
        positions = [p for p in report.positions if p.qty != 0 and p.symbol in self._desk.instruments]
        if report.complete and not orders and not positions and not self._unsettled():
            self._step(Advance.CONFIRMED)
            self.advance(now, cycle_id)
            return
        for order in orders:
            if self._desk.book.get(order.client_id) is None:  # ours by its id, lost from the book
                self._outbox.append(CancelOrder(order.client_id, order.venue_id, order.symbol))
        for position in positions:
            if self._ledger.net_qty(position.symbol) == 0:
                self._close_one(PLAY, position.symbol, position.qty, now, cycle_id)
        self._step(Advance.DENIED)
        self.hold_off(now)

    def on_deadline(self) -> None:
        """Give up waiting; what is left becomes the residual."""
        if self.running:
            self._step(Advance.DEADLINE, residual=self.left())

    def left(self) -> tuple[str, ...]:
        """Describe what is still open, with venue ids, for a person to act on."""
        orders = [
            f"order {o.venue_id or '(no venue id)'} {o.client_id} {o.request.side} "
            f"{canonical(o.remaining_qty)} {o.request.symbol} {o.state}"
            for o in self._desk.book.open_orders()
        ]
        positions = [
            f"position {p.symbol} {canonical(p.qty)} ({p.play})" for p in self._ledger.open_positions()
        ]
        return tuple(orders + positions)

    def _cancel(self, now: int, *roles: OrderRole) -> None:
        if self._desk.cancel_all(now, *roles) == 0:
            self._step(Advance.DONE)

    def _close(self, now: int, cycle_id: str) -> None:
        working = {(o.request.play, o.request.symbol) for o in self._desk.book.select(OrderRole.FLATTEN)}
        positions = self._ledger.open_positions()
        for p in positions:
            if (p.play, p.symbol) not in working:
                self._close_one(p.play, p.symbol, p.qty, now, cycle_id)
        if not positions and not working:
            self._step(Advance.DONE)

    def _close_one(self, play: str, symbol: str, qty: Decimal, now: int, cycle_id: str) -> None:
        self._desk.submit(
            role=OrderRole.FLATTEN,
            play=play,
            symbol=symbol,
            side=Side.SELL if qty > 0 else Side.BUY,
            qty=abs(qty),
            now=now,
            cycle_id=cycle_id,
        )

    def _is_protective(self, client_id: str) -> bool:
        order = self._desk.book.get(client_id)
        return order is not None and order.request.role in _PROTECTING

    def _unsettled(self) -> bool:
        if self.state.step is Step.VERIFY_FLAT:
            return len(self._desk.book) > 0
        return any(True for _ in self._desk.book.select(*_ENTERING, OrderRole.FLATTEN))

    def _step(self, advance: Advance, **changes: object) -> None:
        step = FLATTEN_TABLE[self.state.step].get(advance, self.state.step)
        self.state = msgspec.structs.replace(self.state, step=step, **changes)
        if step in (Step.VERIFY, Step.VERIFY_FLAT):
            self._query()

    def _query(self) -> None:
        self.state = msgspec.structs.replace(self.state, request_id=self.state.request_id + 1)
        self._outbox.append(QueryVenue(self.state.request_id))
