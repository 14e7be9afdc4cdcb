"""How a position's course follows fills and bars, and where that moves its stop."""

import math
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.domain.ids import OrderRole
from engine.domain.orders import Order
from engine.domain.play import BreakEven, Distance, DistanceKind, PlaySpec, ScaleIn, TimeStop, Trailing
from engine.domain.positions import Position
from engine.execution.course import (
    Course,
    after_bar,
    after_fill,
    begun,
    further_qty,
    is_over,
    moved,
    needs_course,
    reaches,
)
from tests.builders import BTC, PLAY, STEP, T0, bar, instrument, percent, request, rich, spec

D = Decimal
RULES = instrument()  # ticks of 0.1, lots of 0.01


def position(qty: str, price: str, **changes: Any) -> Position:
    amount = Decimal(qty)
    return Position(
        play=PLAY, symbol=BTC, qty=amount, entry_notional=amount * Decimal(price), opened=T0, **changes
    )


def filled(client_id: str, role: OrderRole, qty: str, price: str = "100", ordered: str = "9") -> Order:
    facts = {"role": role, "qty": Decimal(ordered)}
    amount = Decimal(qty)
    return Order(
        request=request(client_id, **facts), filled_qty=amount, filled_notional=amount * Decimal(price)
    )


def measure(distance: Distance, price: float) -> float:
    """An ATR is 2 here, and one of period 99 is missing."""
    if distance.kind is DistanceKind.PERCENT:
        return price * distance.value / 100
    return math.nan if distance.period == 99 else 2.0 * distance.value


def stop_of(play: PlaySpec, course: Course, held: Position) -> Decimal | None:
    return moved(course, held, play, measure, RULES).stop


def play(**changes: Any) -> PlaySpec:
    return spec(stop_loss=None, take_profit=None, **changes)


def test_fills_of_one_entry_are_one_entry_and_what_targets_take_is_counted():
    course = after_fill(None, position("1", "100"), filled("a", OrderRole.ENTRY, "1"))
    course = after_fill(course, position("3", "101"), filled("a", OrderRole.ENTRY, "3", "101"))
    assert (course.entries, course.entered, course.entry_price, course.entry_qty) == (1, D(3), 101.0, D(9))
    course = after_fill(course, position("2", "101"), filled("t", OrderRole.TARGET, "1"))
    course = after_fill(course, position("1.5", "101"), filled("x", OrderRole.EXIT, "0.5"))
    assert (course.taken, course.entered, course.qty) == (D(1), D(3), D("1.5"))
    course = after_fill(course, position("2.5", "102"), filled("b", OrderRole.ENTRY, "1", "103", "4"))
    assert (course.entries, course.entered, course.entry_price, course.entry_qty) == (2, D(4), 103.0, D(4))
    assert course.best == 100.0, "the best price is that of bars, and of the first fill"


def test_a_course_may_begin_in_the_midst_of_a_position():
    course = begun(position("-2", "100"))
    assert (course.entered, course.qty, course.entries, course.entry_price) == (D(2), D(2), 1, 100.0)


def test_the_bar_of_the_entry_counts_with_its_close():
    course = after_bar(begun(position("1", "100")), True, bar(101, high=120, low=90))
    assert (course.best, course.bars) == (101.0, 1)
    course = after_bar(course, True, bar(101, high=105, low=90))
    assert course.best == 105.0
    short = after_bar(begun(position("-1", "100")), False, bar(99, high=120, low=80))
    assert short.best == 99.0
    assert after_bar(short, False, bar(99, high=99, low=95)).best == 95.0


@pytest.mark.parametrize(
    ("qty", "best", "trailing", "stop"),
    [
        ("1", 110.0, Trailing(percent(5.0)), "104.5"),
        ("1", 110.05, Trailing(percent(5.0)), "104.5"),  # 104.5475, down to the tick
        ("-1", 90.05, Trailing(percent(5.0)), "94.6"),  # 94.5525, up to the tick
        ("1", 110.0, Trailing(Distance(DistanceKind.ATR, 3.0, 14)), "104"),
        ("1", 101.9, Trailing(percent(5.0), percent(2.0)), None),
        ("1", 102.0, Trailing(percent(5.0), percent(2.0)), "96.9"),
        ("-1", 98.0, Trailing(percent(5.0), percent(2.0)), "102.9"),
        ("1", 110.0, Trailing(Distance(DistanceKind.ATR, 3.0, 99)), None),
    ],
)
def test_a_trailing_stop_lies_behind_the_best_price(qty, best, trailing, stop):
    held = position(qty, "100")
    course = replace(begun(held), best=best)
    assert stop_of(play(trailing=trailing), course, held) == (None if stop is None else Decimal(stop))


def test_a_trailing_stop_that_has_begun_goes_on_and_never_moves_away():
    trailing = play(trailing=Trailing(Distance(DistanceKind.ATR, 3.0, 14), percent(2.0)))
    held = position("1", "100")
    begun_ = moved(replace(begun(held), best=103.0), held, trailing, measure, RULES)
    assert (begun_.trails, begun_.stop) == (True, Decimal(97))
    dearer = position("2", "102.5")
    assert stop_of(trailing, begun_, dearer) == 97, "it has begun, though 103 is less than 2 % above 102.5"
    wider = play(trailing=Trailing(Distance(DistanceKind.ATR, 5.0, 14)))
    assert stop_of(wider, begun_, held) == 97, "what moves nearer stays, whatever the distance is now"
    short = replace(begun(position("-1", "100")), best=97.0, stop=Decimal(101))
    assert stop_of(wider, short, position("-1", "100")) == 101


@pytest.mark.parametrize(
    ("qty", "best", "offset", "stop"),
    [
        ("1", 101.4, 0.0, None),
        ("1", 101.6, 0.0, "100.1"),  # the entry at 100.05, up to the tick: toward profit
        ("1", 101.6, 0.5, "100.6"),
        ("-1", 98.5, 0.0, "100"),
        ("-1", 98.5, 0.5, "99.5"),
    ],
)
def test_break_even_moves_the_stop_to_the_entry_price_and_toward_profit(qty, best, offset, stop):
    held = position(qty, "100.05")
    even = play(break_even=BreakEven(percent(1.5), offset))
    found = stop_of(even, replace(begun(held), best=best), held)
    assert found == (None if stop is None else Decimal(stop))


def test_of_two_stops_the_nearer_one_counts():
    held = position("1", "100")
    both = play(trailing=Trailing(percent(5.0)), break_even=BreakEven(percent(2.0)))
    assert stop_of(both, replace(begun(held), best=103.0), held) == 100
    assert stop_of(both, replace(begun(held), best=110.0), held) == Decimal("104.5")


def test_a_position_is_over_after_its_bars_or_its_time():
    held = position("1", "100")
    course = replace(begun(held), bars=3)
    for limit, over in (
        (None, False),
        (TimeStop(bars=3), True),
        (TimeStop(bars=4), False),
        (TimeStop(after_ns=5 * STEP), True),
        (TimeStop(after_ns=5 * STEP + 1), False),
    ):
        assert is_over(course, held, play(time_stop=limit), T0 + 5 * STEP) is over


@pytest.mark.parametrize(
    ("part", "gained", "due"),
    [
        (ScaleIn(2), 0.1, True),
        (ScaleIn(2), 0.0, False),
        (ScaleIn(2, against=True), -0.1, True),
        (ScaleIn(2, against=True), 0.1, False),
        (ScaleIn(2, every=percent(1.0)), 1.0, True),
        (ScaleIn(2, every=percent(1.0)), 0.9, False),
        (ScaleIn(2, every=percent(1.0), against=True), -1.0, True),
        (ScaleIn(2, every=Distance(DistanceKind.ATR, 1.0, 99)), 50.0, False),
    ],
)
def test_a_further_entry_needs_a_step_from_the_last_one(part, gained, due):
    assert reaches(begun(position("1", "100")), part, measure, gained) is due


def test_a_further_entry_is_a_factor_of_the_last_one_on_the_lot():
    course = replace(begun(position("1", "100")), entry_qty=Decimal("1.11"))
    assert further_qty(course, ScaleIn(3, size_factor=Decimal("0.5")), RULES) == Decimal("0.55")


def test_only_plays_with_parts_that_follow_have_a_course():
    assert not needs_course(spec())
    assert needs_course(rich())
    assert needs_course(play(time_stop=TimeStop(bars=1)))
