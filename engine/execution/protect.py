"""Protective orders: a stop and a target that rest at the venue and follow their position."""

from decimal import Decimal

import msgspec

from engine.domain.ids import OrderRole
from engine.domain.market import Instrument
from engine.domain.money import divide
from engine.domain.orders import Order, OrderKind
from engine.domain.positions import Position
from engine.domain.signals import Side
from engine.execution.desk import Desk


class Plan(msgspec.Struct, frozen=True):
    """How far a position's stop and target lie from its entry price, in price units."""

    stop: float | None
    target: float | None


class Wanted(msgspec.Struct, frozen=True):
    """One protective order as it should rest at the venue."""

    role: OrderRole
    kind: OrderKind
    side: Side
    qty: Decimal
    price: Decimal

    def matches(self, order: Order) -> bool:
        """Tell whether a resting order already is what is wanted."""
        request = order.request
        resting = request.trigger if request.kind is OrderKind.STOP else request.price
        fits = request.side is self.side and order.remaining_qty == self.qty and resting == self.price
        return fits and not order.cancel_requested


def wanted_orders(position: Position, plan: Plan, instrument: Instrument) -> tuple[Wanted, ...]:
    """Return the protective orders of an open position.

    Prices are the average entry price plus or minus the plan's distance, rounded away from the entry to the
    tick; a price that would not be positive gives no order.
    """
    long = position.qty > 0
    qty = abs(position.qty)
    entry = divide(position.entry_notional, position.qty)
    side = Side.SELL if long else Side.BUY
    down, up = instrument.round_price_down, instrument.round_price_up
    wanted = []
    if plan.stop is not None:
        distance = Decimal(repr(plan.stop))
        price = down(entry - distance) if long else up(entry + distance)
        wanted.append(Wanted(OrderRole.STOP, OrderKind.STOP, side, qty, price))
    if plan.target is not None:
        distance = Decimal(repr(plan.target))
        price = up(entry + distance) if long else down(entry - distance)
        wanted.append(Wanted(OrderRole.TARGET, OrderKind.LIMIT, side, qty, price))
    return tuple(order for order in wanted if order.price > 0)


def protect(desk: Desk, position: Position, plan: Plan, now: int, cycle_id: str) -> None:
    """Make what rests at the venue what is wanted: keep, replace, add.

    The new order is asked for before the old one is canceled: for a moment both rest (they are reduce-only),
    and never none.
    """
    play, symbol = position.play, position.symbol
    for wish in wanted_orders(position, plan, desk.instruments[symbol]):
        resting = list(desk.book.select(wish.role, play=play, symbol=symbol))
        if any(wish.matches(order) for order in resting):
            continue
        stop = wish.kind is OrderKind.STOP
        desk.submit(
            role=wish.role,
            play=play,
            symbol=symbol,
            side=wish.side,
            qty=wish.qty,
            now=now,
            cycle_id=cycle_id,
            kind=wish.kind,
            price=None if stop else wish.price,
            trigger=wish.price if stop else None,
        )
        for order in resting:
            desk.cancel(order, now)


def resting_price(desk: Desk, position: Position, role: OrderRole) -> Decimal | None:
    """Return where a position's stop or target rests, None where none does."""
    for order in desk.book.select(role, play=position.play, symbol=position.symbol):
        if not order.cancel_requested:
            return order.request.trigger or order.request.price
    return None
