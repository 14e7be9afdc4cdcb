"""How an open position fares: what it is made of, how far the market went with it, where its stop has moved.

A trailing or break-even stop moves only toward profit. The bar that an entry fills in counts with its close
alone: whether its high came before the fill or after nobody knows.
"""

import math
from collections.abc import Callable
from decimal import Decimal

import msgspec

from engine.domain.ids import OrderRole
from engine.domain.market import Bar, Instrument
from engine.domain.money import ZERO, divide
from engine.domain.orders import Order
from engine.domain.play import Distance, PlaySpec, ScaleIn
from engine.domain.positions import Position

Measure = Callable[[Distance, float], float]  # a distance from a price in price units, NaN where missing
_PERCENT = Decimal(100)


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """A position since it opened. Quantities in base units, prices in quote units.

    `entered` is all that entries brought, `taken` what targets closed of it. `entry_*` are those of the last
    entry: its order, what was ordered, the average price of its fills.
    """

    bars: int = 0  # closed since the entry
    best: float = 0.0  # the highest price since the entry, the lowest for a short
    trails: bool = False  # the trailing stop has begun
    stop: Decimal | None = None  # where the stop has moved to, None where it has not
    qty: Decimal = ZERO
    entered: Decimal = ZERO
    taken: Decimal = ZERO
    entries: int = 0
    entry_id: str = ""
    entry_qty: Decimal = ZERO
    entry_price: float = 0.0
    refused: bool = False  # it was said that no further entry may follow


def needs_course(spec: PlaySpec) -> bool:
    """Tell whether a play has a part that follows its open position."""
    return any((spec.ladder, spec.trailing, spec.break_even, spec.time_stop, spec.scale_in))


def begun(position: Position) -> Course:
    """Return the course of a position as if it had been entered at once."""
    qty, entry = abs(position.qty), float(entry_of(position))
    return Course(best=entry, qty=qty, entered=qty, entries=1, entry_qty=qty, entry_price=entry)


def entry_of(position: Position) -> Decimal:
    """Return the average entry price of an open position."""
    return divide(position.entry_notional, position.qty)


def after_fill(course: Course | None, position: Position, order: Order) -> Course:
    """Follow a position that is open after a fill."""
    qty, request = abs(position.qty), order.request
    if course is None:
        course = Course(best=float(entry_of(position)))
    change = qty - course.qty
    course = msgspec.structs.replace(course, qty=qty)
    if request.role is OrderRole.ENTRY and change > 0:
        return msgspec.structs.replace(
            course,
            entered=course.entered + change,
            entries=course.entries + (order.client_id != course.entry_id),
            entry_id=order.client_id,
            entry_qty=request.qty,
            entry_price=float(divide(order.filled_notional, order.filled_qty)),
        )
    if request.role is OrderRole.TARGET and change < 0:
        return msgspec.structs.replace(course, taken=course.taken - change)
    return course


def after_bar(course: Course, long: bool, bar: Bar) -> Course:  # noqa: FBT001 - a side is one or the other
    """Take a closed bar."""
    seen = bar.close if not course.bars else bar.high if long else bar.low
    best = max(course.best, seen) if long else min(course.best, seen)
    return msgspec.structs.replace(course, bars=course.bars + 1, best=best)


def moved(
    course: Course, position: Position, spec: PlaySpec, measure: Measure, instrument: Instrument
) -> Course:
    """Let the stop follow: behind the best price, and to the entry price once there is profit enough.

    The trailing stop's distance is counted from the best price and rounded away from it to the tick; with ATR
    it is that of the present bar (C. Le Beau's chandelier exit). Break-even is rounded toward profit. Both
    thresholds are counted from the average entry price.
    """
    long, entry = position.qty > 0, entry_of(position)
    gained = (course.best - float(entry)) * (1 if long else -1)
    levels = [] if course.stop is None else [course.stop]
    trailing, even = spec.trailing, spec.break_even
    if trailing is not None:
        after = trailing.after
        if course.trails or after is None or gained >= measure(after, float(entry)):
            course = msgspec.structs.replace(course, trails=True)
            distance = measure(trailing.distance, course.best)
            if math.isfinite(distance) and distance > 0.0:
                behind = Decimal(repr(distance if long else -distance))
                away = instrument.round_price_down if long else instrument.round_price_up
                levels.append(away(Decimal(repr(course.best)) - behind))
    if even is not None and gained >= measure(even.after, float(entry)):
        better = divide(entry * Decimal(repr(even.offset_percent)), _PERCENT)
        toward = instrument.round_price_up if long else instrument.round_price_down
        levels.append(toward(entry + better if long else entry - better))
    if not levels:
        return course
    return msgspec.structs.replace(course, stop=max(levels) if long else min(levels))


def is_over(course: Course, position: Position, spec: PlaySpec, ts: int) -> bool:
    """Tell whether a position has been held for as long as its play allows, at a bar's close."""
    limit = spec.time_stop
    if limit is None:
        return False
    return 0 < limit.bars <= course.bars or 0 < limit.after_ns <= ts - position.opened


def reaches(course: Course, part: ScaleIn, measure: Measure, gained: float) -> bool:
    """Tell whether the close lies far enough beyond the last entry; `gained` is counted from its price."""
    far = -gained if part.against else gained
    if part.every is None:
        return far > 0.0
    return far >= measure(part.every, course.entry_price)


def further_qty(course: Course, part: ScaleIn, instrument: Instrument) -> Decimal:
    """Return the quantity of the next entry: that of the last one times the factor, rounded to the lot."""
    return instrument.round_qty(course.entry_qty * part.size_factor)
