"""Protective orders: a stop and a target that rest at the venue and follow their position."""

from decimal import Decimal

import msgspec

from engine.domain.ids import OrderRole
from engine.domain.market import Instrument
from engine.domain.money import ZERO, divide
from engine.domain.orders import Order, OrderKind
from engine.domain.positions import Position
from engine.domain.signals import Part, Side
from engine.execution.course import Course
from engine.execution.desk import Desk

_PERCENT = Decimal(100)


class Plan(msgspec.Struct, frozen=True):
    """What was planned for a position when it was entered.

    Stop, target and the parts of a ladder are distances from its entry price in price units; `level` is a
    stop at a price of its own.
    """

    stop: float | None
    target: float | None
    level: Decimal | None = None
    ladder: tuple[Part, ...] = ()


_NOTHING = Plan(None, None)


class Wanted(msgspec.Struct, frozen=True):
    """One protective order as it should rest at the venue."""

    role: OrderRole
    kind: OrderKind
    side: Side
    qty: Decimal
    price: Decimal

    def matches(self, order: Order) -> bool:
        """Tell whether a working order already is what is wanted; one at market for all of it is any stop."""
        request = order.request
        if request.kind is OrderKind.MARKET:
            whole = order.remaining_qty >= self.qty
            return request.side is self.side and whole and not order.cancel_requested
        resting = request.trigger if request.kind is OrderKind.STOP else request.price
        fits = request.side is self.side and order.remaining_qty == self.qty and resting == self.price
        return fits and not order.cancel_requested

    def is_passed(self, last: float) -> bool:
        """Tell whether the market already is where this stop would trigger, so that a venue refuses it."""
        if self.kind is not OrderKind.STOP:
            return False
        return self.price >= last if self.side is Side.SELL else self.price <= last


def wanted_orders(
    position: Position, plan: Plan, instrument: Instrument, course: Course | None = None
) -> tuple[Wanted, ...]:
    """Return the protective orders of an open position.

    Prices are the average entry price plus or minus the plan's distance, rounded away from the entry to the
    tick; a price that would not be positive gives no order. A stop that the course has brought nearer lies
    there.
    """
    long = position.qty > 0
    qty = abs(position.qty)
    side = Side.SELL if long else Side.BUY
    wanted = []
    stop = _stop_price(position, plan, instrument, course)
    if stop is not None:
        wanted.append(Wanted(OrderRole.STOP, OrderKind.STOP, side, qty, stop))
    entry = divide(position.entry_notional, position.qty)
    for distance, part in _targets(plan, qty, instrument, course):
        price = (
            instrument.round_price_up(entry + distance)
            if long
            else instrument.round_price_down(entry - distance)
        )
        wanted.append(Wanted(OrderRole.TARGET, OrderKind.LIMIT, side, part, price))
    return tuple(order for order in wanted if order.price > 0)


def _stop_price(
    position: Position, plan: Plan, instrument: Instrument, course: Course | None
) -> Decimal | None:
    """Return where the stop lies: where it was planned, or nearer where the course has brought it."""
    long = position.qty > 0
    moved = None if course is None else course.stop
    planned = plan.level
    if plan.stop is not None:
        entry = divide(position.entry_notional, position.qty)
        distance = Decimal(repr(plan.stop))
        planned = (
            instrument.round_price_down(entry - distance)
            if long
            else instrument.round_price_up(entry + distance)
        )
    if planned is None or moved is None:
        return planned if moved is None else moved
    return max(planned, moved) if long else min(planned, moved)


def _targets(
    plan: Plan, qty: Decimal, instrument: Instrument, course: Course | None
) -> list[tuple[Decimal, Decimal]]:
    """Return distance and quantity of each target."""
    if plan.target is not None:
        return [(Decimal(repr(plan.target)), qty)]
    if not plan.ladder:
        return []
    entered, taken = (qty, ZERO) if course is None else (course.entered, course.taken)
    parts = allocate(tuple(part.close for part in plan.ladder), qty, instrument, entered=entered, taken=taken)
    distances = (Decimal(repr(part.distance)) for part in plan.ladder)
    return [(distance, part) for distance, part in zip(distances, parts, strict=True) if part]


def allocate(
    shares: tuple[Decimal, ...], qty: Decimal, instrument: Instrument, *, entered: Decimal, taken: Decimal
) -> list[Decimal]:
    """Return what each part of a ladder still closes of a position, the nearest part first.

    A part is its percentage of all that was entered, rounded down to the lot; where the shares add up to
    100, the last one takes the rest. What targets have taken came off the nearest parts. Together the parts
    are never more than the position, and all of it where the shares add up to 100.
    """
    whole = sum(shares, ZERO) == _PERCENT
    left, parts = qty, []
    for number, share in enumerate(shares, start=1):
        part = instrument.round_qty(divide(entered * share, _PERCENT))
        gone = min(part, taken)
        taken -= gone
        part = left if whole and number == len(shares) else min(part - gone, left)
        left -= part
        parts.append(part)
    return parts


def protect(
    desk: Desk,
    position: Position,
    plan: Plan,
    now: int,
    cycle_id: str,
    *,
    course: Course | None = None,
    last: float | None = None,
) -> Wanted | None:
    """Make what rests at the venue what is wanted: keep, replace, add.

    The new order is asked for before the old one is canceled: for a moment both rest (they are reduce-only),
    and never none. Where `last` is given, a new stop that this price has passed is asked for at market; it is
    returned then.
    """
    passed = None
    if plan == _NOTHING and course is None and not desk.book.open:
        return None
    wanted = wanted_orders(position, plan, desk.instruments[position.symbol], course)
    for role in (OrderRole.STOP, OrderRole.TARGET):
        resting = list(desk.book.select(role, play=position.play, symbol=position.symbol))
        for wish in wanted:
            if wish.role is role:
                kept = next((order for order in resting if wish.matches(order)), None)
                if kept is None:
                    if last is not None and wish.is_passed(last):
                        passed = wish
                    _ask_for(desk, position, wish, now, cycle_id, at_market=wish is passed)
                else:
                    resting.remove(kept)
        for order in resting:
            desk.cancel(order, now)
    return passed


def _ask_for(
    desk: Desk, position: Position, wish: Wanted, now: int, cycle_id: str, *, at_market: bool
) -> None:
    stop = wish.kind is OrderKind.STOP and not at_market
    desk.submit(
        role=wish.role,
        play=position.play,
        symbol=position.symbol,
        side=wish.side,
        qty=wish.qty,
        now=now,
        cycle_id=cycle_id,
        kind=OrderKind.MARKET if at_market else wish.kind,
        price=None if stop or at_market else wish.price,
        trigger=wish.price if stop else None,
    )


def resting_price(desk: Desk, position: Position, role: OrderRole) -> Decimal | None:
    """Return where a position's stop or target rests, None where none does."""
    for order in desk.book.select(role, play=position.play, symbol=position.symbol):
        if not order.cancel_requested:
            return order.request.trigger or order.request.price
    return None
