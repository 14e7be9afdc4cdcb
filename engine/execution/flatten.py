"""The kill-switch: cancel entries, close, verify, cancel protection, verify, and only then say FLAT.

Flat means that the venue shows none of our orders and no position in our instruments, and that no order of
ours is unsettled. Anything else at the deadline is a residual, listed with its venue ids.

Closing waits for nobody: an entry whose cancel is not answered keeps no position open. Being flat waits for
everybody: whatever is unsettled fails the verification, and the steps begin anew after a moment.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.commands import CancelOrder, Command, QueryVenue, SetTimer
from engine.domain.events import VenueOrder, VenuePosition, VenueReport
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.money import canonical
from engine.domain.orders import Order, OrderState
from engine.domain.signals import Side
from engine.execution.desk import Desk
from engine.execution.ledger import Ledger

RETRY_TIMER = "flatten.retry"
RETRY_NS = 250_000_000
PATIENCE_NS = 2_000_000_000  # how long a query may go unanswered before it is asked again
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


VERIFYING = frozenset({Step.VERIFY, Step.VERIFY_FLAT})
RUNNING = frozenset({Step.CANCEL_ENTRIES, Step.CLOSE, Step.VERIFY, Step.CANCEL_PROTECTION, Step.VERIFY_FLAT})


class Advance(StrEnum):
    """What moves a flatten on."""

    START = "start"
    DONE = "done"  # the step has done what it can
    CONFIRMED = "confirmed"  # the venue shows what the step needs
    DENIED = "denied"  # the venue or our books show something of ours
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
    unfilled: bool = False  # a close ended unfilled, and since then the venue showed nothing to close
    shown: tuple[str, ...] = ()  # what the last report showed and our books do not hold


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
        self._step(Advance.START, now, since=now, residual=(), waiting=False, unfilled=False, shown=())

    def advance(self, now: int, cycle_id: str) -> None:
        """Do what the present step needs, and go on while steps are done."""
        while self.running and not self.state.waiting:
            before = self.state.step
            match before:
                case Step.CANCEL_ENTRIES:
                    self._desk.cancel_all(now, *_ENTERING)
                    self._step(Advance.DONE, now)
                case Step.CLOSE:
                    self._close(now, cycle_id)
                case Step.CANCEL_PROTECTION:
                    if self._desk.cancel_all(now, *_PROTECTING) == 0:
                        self._step(Advance.DONE, now)
                case _:
                    return  # a verification waits for the venue's report
            if self.state.step is before:
                return

    def hold_off(self, now: int) -> None:
        """Wait a moment before the next try, because the venue refused something."""
        if self.running and not self.state.waiting:
            self.state = msgspec.structs.replace(self.state, waiting=True)
            self._outbox.append(SetTimer(RETRY_TIMER, now + RETRY_NS))

    def on_unfilled(self, order: Order, now: int) -> None:
        """Take note of an order that was refused, canceled or not answered.

        Where it was a close, the venue is asked what it shows before another one is sent.
        """
        if self.running and order.request.role is OrderRole.FLATTEN:
            self.state = msgspec.structs.replace(self.state, unfilled=True)
            self.hold_off(now)

    def on_fill(self, now: int) -> None:
        """Take note that positions moved: what was learnt of them before no longer counts.

        A position that opens while the venue is asked is closed at once; the answer would be older than it.
        """
        if self.state.unfilled:
            self.state = msgspec.structs.replace(self.state, unfilled=False)
        if self.state.step in VERIFYING and any(p.play != PLAY for p in self._ledger.open_positions()):
            self._step(Advance.DENIED, now)

    def on_retry(self, now: int, cycle_id: str) -> None:
        """Try again, or ask again where the venue has not answered yet."""
        self.state = msgspec.structs.replace(self.state, waiting=False)
        if self.state.step in VERIFYING:
            self._ask(now)
        else:
            self.advance(now, cycle_id)

    def on_report(self, report: VenueReport, now: int, cycle_id: str) -> None:
        """Hold the venue's report against what the verification needs."""
        step = self.state.step
        if step not in VERIFYING or report.request_id != self.state.request_id:
            return
        orders = [o for o in report.orders if self._ids.owns(o.client_id)]
        if step is Step.VERIFY:
            orders = [o for o in orders if not self._is_protective(o.client_id)]
        positions = [p for p in report.positions if p.qty != 0 and p.symbol in self._desk.instruments]
        clean = report.complete and not orders and not positions
        if clean and self._settled(now, report.ts):
            self._step(Advance.CONFIRMED, now, shown=())
        else:
            waited = self.state.unfilled and bool(positions)
            self._act_on(orders, positions, now, cycle_id)
            self._step(Advance.DENIED, now, unfilled=self.state.unfilled and clean)
            if not waited:
                self.hold_off(now)
        self.advance(now, cycle_id)

    def on_deadline(self, now: int) -> None:
        """Give up waiting; what is left becomes the residual."""
        if self.running:
            self._step(Advance.DEADLINE, now, residual=self.left())

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
        return (*orders, *positions, *self.state.shown)

    def _close(self, now: int, cycle_id: str) -> None:
        """Close what no close is working for. A close that is UNKNOWN works for nothing: it may not exist."""
        closes = [o for o in self._desk.book.select(OrderRole.FLATTEN) if o.state is not OrderState.UNKNOWN]
        working = {(o.request.play, o.request.symbol) for o in closes}
        # What was closed under PLAY was never in our books: the verification writes it off again.
        positions = [p for p in self._ledger.open_positions() if p.play != PLAY]
        if not self.state.unfilled:
            for p in positions:
                if (p.play, p.symbol) not in working:
                    self._close_one(p.play, p.symbol, p.qty, now, cycle_id)
            if positions:
                return
        canceling = any(o.cancel_requested for o in self._desk.book.select(*_ENTERING))
        if not working and not canceling:
            self._step(Advance.DONE, now)

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

    def _act_on(
        self, orders: list[VenueOrder], positions: list[VenuePosition], now: int, cycle_id: str
    ) -> None:
        """Cancel and close what the venue shows and our books do not hold, and keep it for the residual."""
        shown = []
        for o in orders:
            known = self._desk.book.get(o.client_id)
            if known is None or not known.state.is_open:
                self._outbox.append(CancelOrder(o.client_id, o.venue_id, o.symbol))
                rest = canonical(o.qty - o.filled_qty)
                shown.append(f"order {o.venue_id} {o.client_id} {o.side} {rest} {o.symbol} at the venue")
        for position in positions:
            net = self._ledger.net_qty(position.symbol)
            if net != position.qty:
                shown.append(f"position {position.symbol} {canonical(position.qty)} at the venue")
            if net == 0:
                self._close_one(PLAY, position.symbol, position.qty, now, cycle_id)
        self.state = msgspec.structs.replace(self.state, shown=tuple(shown))

    def _settled(self, now: int, as_of: int) -> bool:
        """Whether nothing of ours is open in our books either, where the venue's report shows nothing.

        A position in our books alone is a fill that is younger than the report, unless the venue also let a
        close of it go unfilled: then it is gone there (closed by hand, liquidated), and is written off here.
        """
        everything = self.state.step is Step.VERIFY_FLAT
        roles = tuple(OrderRole) if everything else (*_ENTERING, OrderRole.FLATTEN)
        if next(self._desk.book.select(*roles), None) is not None:
            return False
        positions = self._ledger.open_positions()
        if not self.state.unfilled and any(p.play != PLAY for p in positions):
            return False
        for position in positions:
            self._desk.write_off(position, now, as_of)
        return True

    def _is_protective(self, client_id: str) -> bool:
        order = self._desk.book.get(client_id)
        return order is not None and order.request.role in _PROTECTING

    def _step(self, advance: Advance, now: int, **changes: object) -> None:
        step = FLATTEN_TABLE[self.state.step].get(advance, self.state.step)
        self.state = msgspec.structs.replace(self.state, step=step, **changes)
        if step in VERIFYING:
            self.state = msgspec.structs.replace(self.state, request_id=self.state.request_id + 1)
            self._ask(now)

    def _ask(self, now: int) -> None:
        self._outbox.append(QueryVenue(self.state.request_id))
        self._outbox.append(SetTimer(RETRY_TIMER, now + PATIENCE_NS))
