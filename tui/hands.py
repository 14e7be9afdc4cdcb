"""What `close` and `cancel` do: look, say what would happen, and send it once that was confirmed."""

from typing import TYPE_CHECKING

import msgspec

from engine.api import (
    REASONS,
    Action,
    ControlError,
    OrderRole,
    OrderRow,
    PositionRow,
    Reason,
    Snapshot,
    fetch_status,
)
from tui import remote
from tui.costs import Estimate
from tui.formats import clean, money, price, quantity, signed
from tui.pricedigits import price_digits
from tui.supervisor import unreached

if TYPE_CHECKING:
    from engine.api import Settings

UNCONFIRMED = "NOT_CONFIRMED"
PROTECTIVE = frozenset({OrderRole.STOP, OrderRole.TARGET})


def close(
    settings: "Settings", play: str, symbol: str, *, confirmed: bool, reason: str, as_json: bool
) -> int:
    """Close one position at market; without the confirmation say what that would do, and exit with 4."""
    snapshot = _look(settings)
    found = [row for row in snapshot.positions if row.qty != 0 and row.play == play]
    named = [row for row in found if symbol in ("", row.symbol)]
    if not confirmed and len(named) > 1:
        held = ", ".join(f"{quantity(row.qty)} {row.symbol}" for row in named)
        return _nothing_done(f"{play} holds {held}. Say which: --symbol SYM.", as_json=as_json)
    if not confirmed:
        if not named:
            return _never(Reason.NOTHING_TO_CLOSE, as_json=as_json)
        return _unconfirmed(close_words(named[0], snapshot), as_json=as_json)
    argument = f"{play} {symbol}".strip()
    return remote.command(settings, Action.CLOSE_POSITION, reason=reason, argument=argument, as_json=as_json)


def cancel(settings: "Settings", order_id: str, *, confirmed: bool, reason: str, as_json: bool) -> int:
    """Cancel one order by its client id, or by the venue's; unconfirmed it says what that would do."""
    snapshot = _look(settings)
    ids = {order_id} - {""}  # an order that the venue has not confirmed has no id there
    known = [order for order in snapshot.orders if not ids.isdisjoint((order.client_id, order.venue_id))]
    named = [order for order in known if order.state.is_open]
    if not confirmed:
        if not named:
            return _never(Reason.ORDER_ENDED if known else Reason.NO_SUCH_ORDER, as_json=as_json)
        if protects(named[0], snapshot):
            return _never(Reason.ORDER_PROTECTS, as_json=as_json)
        return _unconfirmed(cancel_words(named[0]), as_json=as_json)
    client_id = named[0].client_id if named else order_id
    return remote.command(settings, Action.CANCEL_ORDER, reason=reason, argument=client_id, as_json=as_json)


def close_words(row: PositionRow, snapshot: Snapshot) -> str:
    """Say what closing a position would do: quantity, mark, and what it is estimated to cost."""
    digits = price_digits(snapshot).get(row.symbol)
    estimate = Estimate(snapshot)
    cost, currency = estimate.close(row), snapshot.account.currency
    verb, mark = "sell" if row.qty > 0 else "buy", estimate.mark(row)
    what = f"{verb} {quantity(abs(row.qty))} {clean(row.symbol)} of {clean(row.play)} at market, reduce-only"
    if mark <= 0:
        return f"{what}: no price of it is known, nor what it would cost"
    spread = "its spread is not known" if cost.unpriced else f"about {money(cost.spread)} slippage"
    return (
        f"{what}: mark {price(mark, digits)}, worth {money(cost.worth)} {currency}, "
        f"open P&L {signed(row.unrealized)}, {spread}, about {money(cost.fees)} fee"
    )


def cancel_words(row: OrderRow) -> str:
    """Say what canceling an order would take away."""
    left = quantity(row.qty - row.filled_qty)
    at = "at market" if row.price is None else f"at {row.price}"
    return (
        f"cancel {row.role.value} {row.side.value} {left} {clean(row.symbol)} {row.kind.value} {at} "
        f"of {clean(row.play)} ({clean(row.client_id)}, {row.state.value})"
    )


def protects(row: OrderRow, snapshot: Snapshot) -> bool:
    """Tell whether an order is the stop or target of an open position, which no cancel takes away."""
    held = {(position.play, position.symbol) for position in snapshot.positions if position.qty != 0}
    return row.role in PROTECTIVE and (row.play, row.symbol) in held


def _look(settings: "Settings") -> Snapshot:
    try:
        return fetch_status(settings)[1]
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None


def _unconfirmed(words: str, *, as_json: bool) -> int:
    return _nothing_done(f"It would {words}. Add --confirm to do it.", as_json=as_json)


def _never(reason: Reason, *, as_json: bool) -> int:
    """Say why the engine would refuse: what was not confirmed is not sent, it may change meanwhile."""
    facts = REASONS[reason]
    return _nothing_done(f"{facts.meaning} {facts.remedy}", as_json=as_json)


def _nothing_done(words: str, *, as_json: bool) -> int:
    text = f"{UNCONFIRMED} nothing was done. {words}"
    reply = {"id": 0, "ok": False, "reason": UNCONFIRMED, "text": text}
    if as_json:
        remote.print_facts(msgspec.to_builtins(reply))
    else:
        remote.print_line(text, err=True)
    return remote.REFUSED
