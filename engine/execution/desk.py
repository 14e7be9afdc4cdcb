"""The desk: turns decisions into orders and the venue's answers into books."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.domain.commands import (
    CancelOrder,
    Command,
    Notice,
    NoticeLevel,
    SaveFill,
    SaveOrder,
    SaveVeto,
    SubmitOrder,
)
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.market import Instrument
from engine.domain.money import ZERO, canonical
from engine.domain.orders import (
    Order,
    OrderKind,
    OrderRequest,
    OrderState,
    OrderTrigger,
    TimeInForce,
    next_state,
)
from engine.domain.positions import Fill, Position
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.domain.vetoes import veto
from engine.execution.book import BookState, OrderBook
from engine.execution.intents import intent_state_of
from engine.execution.ledger import Ledger
from engine.execution.writeoff import WriteOffs, WrittenOff

ADJUSTMENT = "adjustment"  # the trade id of a correction of our books

# Bound once: a look into an enum costs more than most of what is done with it, and every order passes here.
_ENTRY = OrderRole.ENTRY
_SEND, _ACK, _GOOD = OrderTrigger.SEND, OrderTrigger.ACK, NoticeLevel.GOOD
_RESOLVED = Reason.RESOLVED_BY_OPERATOR.value


class DeskState(msgspec.Struct, frozen=True):
    """The desk as a checkpoint holds it."""

    sequence: int
    book: BookState
    written_off: tuple[WrittenOff, ...] = ()


class Desk:
    """Owns our orders; knows the ledger it books to and the outbox it writes to; `say` takes its notices.

    The venue repeats and reorders its answers: one that is no news to its order changes, stores and says
    nothing, and the methods that take it return None.
    """

    def __init__(
        self,
        ids: IdSpace,
        instruments: dict[str, Instrument],
        ledger: Ledger,
        outbox: list[Command],
        say: Callable[[Notice], None] | None = None,
    ) -> None:
        self.book = OrderBook()
        self.sequence = 0
        self._ids = ids
        self.instruments = instruments
        self._ledger = ledger
        self._outbox = outbox
        self._say = say or outbox.append
        self._written_off = WriteOffs()
        self.takes_back = True  # not while a start books what was stored, corrections among it

    # decisions

    def submit(
        self,
        *,
        role: OrderRole,
        play: str,
        symbol: str,
        side: Side,
        qty: Decimal,
        now: int,
        cycle_id: str,
        kind: OrderKind = OrderKind.MARKET,
        price: Decimal | None = None,
        trigger: Decimal | None = None,
        post_only: bool = False,
        tif: TimeInForce = TimeInForce.GTC,
    ) -> Order:
        """Ask for an order; everything but an entry is reduce-only."""
        self.sequence += 1
        request = OrderRequest(
            client_id=self._ids.client_id(play, role, self.sequence),
            cycle_id=cycle_id,
            play=play,
            symbol=symbol,
            side=side,
            role=role,
            kind=kind,
            qty=qty,
            ts=now,
            price=price,
            trigger=trigger,
            reduce_only=role is not _ENTRY,
            post_only=post_only,
            tif=tif,
        )
        order = self.book.add(request)
        self._outbox.append(SubmitOrder(request, increases=role is _ENTRY))
        return order

    def cancel(self, order: Order, now: int) -> None:
        """Ask to cancel an order, once until the venue answers."""
        if order.cancel_requested:
            return
        self.book.mark_cancel_requested(order, now)
        self._outbox.append(CancelOrder(order.client_id, order.venue_id, order.request.symbol))

    def cancel_all(
        self, now: int, *roles: OrderRole, play: str | None = None, symbol: str | None = None
    ) -> int:
        """Ask to cancel every open order of these roles; return how many are open."""
        if not self.book.open:
            return 0
        orders = list(self.book.select(*roles, play=play, symbol=symbol))
        for order in orders:
            self.cancel(order, now)
        return len(orders)

    def write_off(self, position: Position, now: int, as_of: int, qty: Decimal | None = None) -> None:
        """Book away what the venue's report of `as_of` does not show of a position: at the mark, no fee."""
        symbol, qty = position.symbol, position.qty if qty is None else qty
        price = self.instruments[symbol].price(self._ledger.mark_of(symbol))
        self.correct(position.play, symbol, -qty, price, now)
        self._written_off.note(WrittenOff(symbol, self.sequence, price, qty, as_of))
        text = f"{canonical(qty)} {symbol} of {position.play} written off: the venue does not show it"
        self._say(Notice(now, NoticeLevel.ERROR, "adjustment", text, symbol))

    def was_written_off(self, order: Order) -> bool:
        """Tell whether what an order may still report was part of what was written off."""
        return self._written_off.covers(order)

    def _take_back(self, order: Order, fill: Fill, now: int) -> Position | None:
        """Take back what a late fill explains of a write-off, at its price; None where it explains nothing.

        With both booked, quantity and profit are what they would be had the fill come in time.
        """
        qty, price = self._written_off.explain(order, fill)
        if not qty:
            return None
        text = f"{fill.symbol}: a late fill explains {canonical(qty)} of what was written off"
        self._say(Notice(now, NoticeLevel.WARNING, "adjustment", text, fill.symbol))
        return self.correct(order.request.play, fill.symbol, -qty * fill.side.sign, price, now)

    def correct(self, play: str, symbol: str, qty: Decimal, price: Decimal, now: int) -> Position:
        """Book a correction of a signed quantity; it is stored as a fill of an order that was never sent."""
        self.sequence += 1
        fill = Fill(
            ts=now,
            client_id=self._ids.client_id(play, OrderRole.FLATTEN, self.sequence),
            trade_id=ADJUSTMENT,
            symbol=symbol,
            side=Side.BUY if qty > 0 else Side.SELL,
            price=price,
            qty=abs(qty),
            fee=ZERO,
        )
        return self.correct_by(play, fill)

    def correct_by(self, play: str, fill: Fill) -> Position:
        """Book a correction, as new or as it was stored before a crash."""
        position = self._ledger.book(play, fill)
        self._outbox.append(SaveFill(fill, position))
        return position

    def is_entering(self, play: str, symbol: str) -> bool:
        """Tell whether an entry of a play is open."""
        entries = self.book.entries.values()
        return any(o.request.play == play and o.request.symbol == symbol for o in entries)

    # answers

    def on_sent(self, client_id: str, now: int) -> None:
        """The order left for the venue. Not stored: PENDING on disk already means it may have been sent."""
        order = self.book.get(client_id)
        if order is not None and (state := next_state(order.state, _SEND)) is not order.state:
            self.book.enter(order, state, now)

    def on_ack(self, client_id: str, venue_id: str, now: int) -> Order | None:
        """The venue holds the order; after a fill that was faster only its id there is news."""
        order = self.book.get(client_id)
        if order is None:
            return None
        state = next_state(order.state, _ACK)
        if state is order.state and venue_id in ("", order.venue_id):
            return None
        if order.reason == _RESOLVED and not order.state.is_open:
            self._say_resolved(order, "the venue holds it: cancel it there", now)
        return self._stored(self.book.enter(order, state, now, venue_id=venue_id))

    def on_timeout(self, client_id: str, now: int) -> Order | None:
        """Nobody answered: the order is UNKNOWN."""
        order, reason = self._moved_by(OrderTrigger.TIMEOUT, client_id), Reason.NO_ANSWER.value
        return None if order is None else self._move(order, OrderTrigger.TIMEOUT, now, reason=reason)

    def on_reject(self, client_id: str, reason: Reason, text: str, now: int) -> Order | None:
        """The order never came to life."""
        order = self._moved_by(OrderTrigger.REJECT, client_id)
        if order is None:
            return None
        request = order.request
        closed = reason is Reason.REDUCE_ONLY_WOULD_INCREASE and self._has_closed(request)
        if closed:
            reason = Reason.POSITION_CLOSED
        facts = veto(
            reason,
            ts=now,
            cycle_id=request.cycle_id,
            play=request.play,
            symbol=request.symbol,
            client_id=client_id,
            **({"text": text} if text else {}),
        )
        self._outbox.append(SaveVeto(facts))
        text = "was not needed any more: its position has closed" if closed else f"rejected: {facts.text}"
        level, kind = (NoticeLevel.INFO, "unneeded") if closed else (NoticeLevel.WARNING, "rejected")
        self._notice(now, level, kind, f"{describe(request)} {text}", request)
        return self._move(order, OrderTrigger.REJECT, now, reason=reason.value)

    def _has_closed(self, request: OrderRequest) -> bool:
        """Tell whether the position that an order of a play was to reduce is gone by our books, too."""
        if request.role in (_ENTRY, OrderRole.FLATTEN):
            return False
        return self._ledger.position(request.play, request.symbol).is_flat

    def on_cancel(self, client_id: str, reason: Reason | None, now: int) -> Order | None:
        """The rest of the order is gone."""
        order = self._moved_by(OrderTrigger.CANCEL, client_id)
        if order is None:
            return None
        text = f"{describe(order.request)} canceled"
        if reason is Reason.RENEWAL_MISSED:
            text += f" by the venue: {reason}, the engine was silent for too long"
        self._notice(now, NoticeLevel.INFO, "canceled", text, order.request)
        return self._move(order, OrderTrigger.CANCEL, now, reason=reason.value if reason else "")

    def resolve(self, order: Order, now: int) -> Order:
        """End an open order on an operator's word; nothing is booked, and a fill that comes late still is.

        What the venue acknowledged or filled is CANCELED, anything else never came to life.
        """
        lived = order.state in (OrderState.ACKNOWLEDGED, OrderState.PARTIALLY_FILLED)
        trigger = OrderTrigger.CANCEL if lived else OrderTrigger.REJECT
        return self._move(order, trigger, now, reason=_RESOLVED)

    def trim(self, order: Order, qty: Decimal, now: int) -> Order:
        """Take what the venue made of the quantity of an order that only reduces."""
        text = f"{describe(order.request)} was trimmed by the venue to {canonical(qty)}"
        self._notice(now, NoticeLevel.INFO, "trimmed", text, order.request)
        return self._stored(self.book.trim(order, qty, now))

    def on_cancel_rejected(self, client_id: str, now: int) -> Order | None:
        """A cancel was not carried out: it may be asked for again."""
        order = self.book.get(client_id)
        if order is None or not order.state.is_open:
            return None
        return self.book.allow_cancel_again(order, now)

    def on_fill(self, fill: Fill, now: int) -> tuple[Order, Position] | None:
        """Book a fill once; None for one that was booked before or belongs to no order of ours."""
        order = self.book.get(fill.client_id)
        if order is None:
            text = f"fill {fill.trade_id} of {fill.symbol} belongs to no order of ours: {fill.client_id}"
            self._say(Notice(now, NoticeLevel.ERROR, "foreign fill", text, fill.symbol))
            return None
        filled = self.book.fill(order, fill, now)
        if filled is None:
            return None
        request = filled.request
        position = self._ledger.book(request.play, fill)
        self._outbox.append(SaveFill(fill, position))
        self._outbox.append(SaveOrder(filled, intent_state_of(filled)))
        if filled.filled_qty > request.qty:
            facts = veto(
                Reason.OVERFILL,
                ts=now,
                cycle_id=request.cycle_id,
                play=request.play,
                symbol=request.symbol,
                ordered=request.qty,
                filled=filled.filled_qty,
            )
            self._outbox.append(SaveVeto(facts))
        text = f"{describe(request)} filled {canonical(fill.qty)} at {canonical(fill.price)}"
        self._notice(now, _GOOD, "fill", text, request)
        if order.reason == _RESOLVED and not order.state.is_open:
            self._say_resolved(order, "it traded: look at the venue", now)
        if self._written_off and self.takes_back:
            position = self._take_back(filled, fill, now) or position
        return filled, position

    def _say_resolved(self, order: Order, what: str, now: int) -> None:
        """Say that the venue knows better of an order that ended on an operator's word."""
        text = f"{describe(order.request)} ({order.client_id}) was resolved as dead, and {what}"
        self._notice(now, NoticeLevel.ERROR, "resolved", text, order.request)

    def _moved_by(self, trigger: OrderTrigger, client_id: str) -> Order | None:
        """Return the order that a trigger moves; None where there is no such order or it is no news to it."""
        order = self.book.get(client_id)
        return None if order is None or next_state(order.state, trigger) is order.state else order

    def _move(
        self, order: Order, trigger: OrderTrigger, now: int, *, reason: str = "", venue_id: str = ""
    ) -> Order:
        return self._stored(self.book.move(order, trigger, now, reason=reason, venue_id=venue_id))

    def _stored(self, order: Order) -> Order:
        self._outbox.append(SaveOrder(order, intent_state_of(order)))
        return order

    def _notice(self, now: int, level: NoticeLevel, kind: str, text: str, request: OrderRequest) -> None:
        self._say(Notice(now, level, kind, text, request.symbol))

    def state(self) -> DeskState:
        """Return all that a checkpoint needs."""
        return DeskState(self.sequence, self.book.state(), self._written_off.state())

    def restore(self, state: DeskState) -> None:
        """Take up a checkpoint's state."""
        self.sequence = state.sequence
        self.book.restore(state.book)
        self._written_off.restore(state.written_off)


def describe(request: OrderRequest) -> str:
    """Write an order in a few words: role, side, quantity, symbol."""
    return f"{request.role} {request.side} {canonical(request.qty)} {request.symbol}"
