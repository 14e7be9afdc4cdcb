"""Takes up what the journal knows and the recovered state does not: orders and trades of the last moments.

An intent is on disk before its order leaves; the record of the event that led to it may be lost with the
process, and with a power cut all of it since the last checkpoint. What may be live must be in the books.
"""

from collections.abc import Callable, Collection

from engine.core.trading import Trading
from engine.domain.events import (
    Event,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderTimedOut,
    Recalled,
    VenueOrder,
    VenueReport,
)
from engine.domain.ids import IdSpace, OrderRole, play_code_of, role_of, sequence_of, short_code
from engine.domain.money import ZERO
from engine.domain.orders import Order, OrderKind, OrderRequest, OrderState
from engine.domain.positions import Fill, Position
from engine.domain.reasons import Reason
from engine.domain.signals import Signal, SignalKind, cycle_id
from engine.execution.desk import ADJUSTMENT, Desk
from engine.execution.flatten import PLAY as FLATTEN_PLAY
from engine.execution.ledger import Ledger
from engine.execution.terms import Terms, terms_of

_REASONS: Collection[str] = frozenset(Reason)
_LIVED = frozenset({OrderState.ACKNOWLEDGED, OrderState.PARTIALLY_FILLED, OrderState.FILLED})


def recall(
    event: Recalled,
    now: int,
    *,
    ids: IdSpace,
    desk: Desk,
    trading: Trading,
    take: Callable[[Event, int], None],
) -> int:
    """Bring the books to where the journal was; return how many orders they did not know.

    What the journal does not know to have been answered is UNKNOWN: it may be live, and is asked about.
    `take` handles an event as if the venue had sent it.
    """
    new = [order for order in event.orders if ids.owns(order.client_id) and _is_new(order, desk)]
    for order in new:
        desk.book.recall(order)
    known, desk.sequence = desk.sequence, max(desk.sequence, event.sequence)
    _plan_again(event.signals, trading, desk)
    following = trading.following
    following.suspended = True
    desk.takes_back = False
    names = {short_code(runner.binding.spec.name): runner.binding.spec.name for runner in trading.runners}
    for fill in event.fills:
        play = names.get(play_code_of(fill.client_id), FLATTEN_PLAY)
        if desk.book.get(fill.client_id) is not None:
            take(fill, now)
        elif fill.trade_id == ADJUSTMENT and ids.owns(fill.client_id) and sequence_of(fill.client_id) > known:
            desk.correct_by(play, fill)
    desk.takes_back = True
    trading.follow_books()
    for order in event.orders:
        for answer in _answers(order, desk, now):
            take(answer, now)
    following.suspended = False
    return len(new)


def _plan_again(signals: tuple[Signal, ...], trading: Trading, desk: Desk) -> None:
    """Plan the protection of what first entries open, as it was planned when they were asked for."""
    specs = {
        (runner.binding.spec.name, runner.binding.symbol): runner.binding.spec for runner in trading.runners
    }
    for signal in signals:
        key = signal.play, signal.symbol
        if signal.kind is SignalKind.ENTRY and key in specs:
            terms = terms_of(signal, specs[key], desk.instruments[signal.symbol])
            if isinstance(terms, Terms):
                trading.following.plans[key] = terms.plan


def unplanned(ledger: Ledger, trading: Trading) -> tuple[Position, ...]:
    """Return the open positions of plays whose protection nobody knows any more."""
    plays = {(runner.binding.spec.name, runner.binding.symbol) for runner in trading.runners}
    keys = plays - trading.following.plans.keys()
    return tuple(p for p in ledger.open_positions() if (p.play, p.symbol) in keys)


def adopted(report: VenueReport, *, desk: Desk, ids: IdSpace, plays: Collection[str]) -> tuple[Order, ...]:
    """Return the orders of ours that reduce and that only the venue knows, listed or in its trades.

    Reductions are sent also while the disk fails; a crash then leaves no word of them here. An entry is never
    sent so, and an order of ours whose trades are all booked is an old one.
    """
    new = [fill for fill in report.fills if not desk.book.has_booked(fill)]
    seen: dict[str, VenueOrder | Fill] = {fill.client_id: fill for fill in new}
    seen.update((listed.client_id, listed) for listed in report.orders)
    names = {short_code(play): play for play in plays}
    found = []
    for client_id, told in seen.items():
        play, role = names.get(play_code_of(client_id)), role_of(client_id)
        ours = ids.owns(client_id) and desk.book.get(client_id) is None
        if ours and play is not None and role is not None and role is not OrderRole.ENTRY:
            traded = sum((fill.qty for fill in new if fill.client_id == client_id), ZERO)
            request = OrderRequest(
                client_id=client_id,
                cycle_id=cycle_id(play, report.ts),
                play=play,
                symbol=told.symbol,
                side=told.side,
                role=role,
                kind=OrderKind.MARKET,  # what it was nobody tells: protection is asked for anew in its place
                qty=traded if isinstance(told, Fill) else told.qty,
                ts=report.ts,
                reduce_only=True,
            )
            found.append(Order(request=request, venue_id=told.venue_id))
    return tuple(found)


def _is_new(order: Order, desk: Desk) -> bool:
    return desk.book.get(order.client_id) is None


def _answers(order: Order, desk: Desk, now: int) -> tuple[Event, ...]:
    """Return what the venue had said of an order, beyond what the books know."""
    client_id, known = order.client_id, desk.book.get(order.client_id)
    if known is None or not known.state.is_open:
        return ()
    if order.state is OrderState.REJECTED:
        return (OrderRejected(now, client_id, _reason(order) or Reason.ENDED_AT_VENUE),)
    if order.state in (OrderState.CANCELED, OrderState.EXPIRED):
        return (OrderCanceled(now, client_id, _reason(order)),)
    if order.state in _LIVED:
        return (OrderAcked(now, client_id, order.venue_id),)
    return (OrderTimedOut(now, client_id),)


def _reason(order: Order) -> Reason | None:
    return Reason(order.reason) if order.reason in _REASONS else None
