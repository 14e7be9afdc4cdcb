"""What open positions stand to lose: if every stop fills, and where none rests. Reading only."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from engine.domain.ids import OrderRole
from engine.domain.money import ZERO, divide, money
from engine.domain.orders import Order, OrderState
from engine.domain.positions import Position
from engine.execution.book import OrderBook
from engine.execution.ledger import Ledger

_RESTS = frozenset({OrderState.ACKNOWLEDGED, OrderState.PARTIALLY_FILLED})
Stops = dict[tuple[str, str], list[Order]]


class Guarded(msgspec.Struct, frozen=True):
    """How far the stops that the venue confirmed protect one position. Money in settle units."""

    bare: Decimal  # quantity without such a stop
    to_stop: Decimal  # how equity moves from the mark if the stops fill at their triggers, 0 or less
    at_stop: Decimal | None  # what the position makes from its entry then, before fees; None without a stop
    distance: float  # from the mark to the furthest stop, as a ratio of the mark; 0 without one


class OpenRisk(msgspec.Struct, frozen=True, kw_only=True):
    """All open positions together, and what nobody knows. Money in settle units at the marks."""

    positions: int = 0
    worst: Decimal = ZERO  # how equity moves if every stop fills at its trigger, 0 or less
    worst_ratio: float = 0.0  # of equity, 0 or less
    bare_positions: int = 0
    bare_notional: Decimal = ZERO  # of what no confirmed stop protects
    orders: int = 0  # open ones, more than are listed where there are very many
    entries: int = 0  # that still may fill
    unknown: int = 0  # orders of which nobody knows
    unknown_since: int = 0  # the oldest, ns UTC; 0 where there is none


def stops_of(orders: Iterable[Order]) -> Stops:
    """Return the open stop orders by play and symbol."""
    found: Stops = {}
    for order in orders:
        request = order.request
        if request.role is OrderRole.STOP:
            found.setdefault((request.play, request.symbol), []).append(order)
    return found


def guarded(position: Position, stops: Iterable[Order], mark: float) -> Guarded:
    """Return how far a position's open stop orders protect it; the worst trigger counts first.

    One that is on its way protects nothing yet. One whose cancel was asked for does while another takes its
    place, for it rests until the venue says otherwise.
    """
    size, price = abs(position.qty), Decimal(repr(mark))
    sign = 1 if position.qty > ZERO else -1
    resting = sorted(
        ((order.request.trigger or price, order.remaining_qty) for order in _protecting(list(stops))),
        key=lambda stop: stop[0] * sign,
    )
    left, value = size, ZERO
    furthest = price
    for trigger, qty in resting:
        taken = min(qty, left)
        if taken > ZERO:
            left -= taken
            value += taken * trigger
            furthest = min(furthest * sign, trigger * sign) * sign
    covered = size - left
    if not covered:
        return Guarded(left, ZERO, None, 0.0)
    entry = divide(position.entry_notional, position.qty)
    lost = min(ZERO, (value - covered * price) * sign)
    distance = float(abs(price - furthest) / price) if price else 0.0
    return Guarded(left, money(lost), money((value - covered * entry) * sign), distance)


def _protecting(stops: list[Order]) -> list[Order]:
    resting = [order for order in stops if order.state in _RESTS]
    kept = [order for order in resting if not order.cancel_requested]
    return kept or (resting if len(stops) > len(resting) else [])


def open_risk(ledger: Ledger, book: OrderBook) -> OpenRisk:
    """Return what is at risk now."""
    orders = book.open_orders()
    stops = stops_of(orders)
    worst, bare_notional, bare_positions = ZERO, ZERO, 0
    held = ledger.open_positions()
    for position in held:
        mark = ledger.mark_of(position.symbol)
        guard = guarded(position, stops.get((position.play, position.symbol), ()), mark)
        worst += guard.to_stop
        bare_positions += bool(guard.bare)
        bare_notional += guard.bare * Decimal(repr(mark))
    unknown = [order.request.ts for order in orders if order.state is OrderState.UNKNOWN]
    equity = ledger.equity()
    return OpenRisk(
        positions=len(held),
        worst=worst,
        worst_ratio=float(worst) / equity if equity > 0 else 0.0,
        bare_positions=bare_positions,
        bare_notional=bare_notional,
        orders=len(orders),
        entries=len(book.entries),
        unknown=len(unknown),
        unknown_since=min(unknown, default=0),
    )
