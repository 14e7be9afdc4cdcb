"""Whatever the market does: what protects a position is never more than it, and a moved stop stays moved."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.runner import Runner
from engine.domain.ids import OrderRole
from engine.domain.money import ZERO
from engine.domain.orders import OrderKind, TimeInForce
from engine.domain.play import (
    BreakEven,
    Distance,
    DistanceKind,
    EntryOrder,
    LadderStep,
    PlaySpec,
    ScaleIn,
    TimeStop,
    Trailing,
)
from engine.execution.course import Course
from engine.execution.protect import allocate
from tests.builders import BTC, PLAY, STEP, World, bar, instrument, percent, rich, setup

encode = msgspec.msgpack.Encoder(decimal_format="string").encode

spans = st.one_of(
    st.floats(0.5, 10).map(lambda value: percent(round(value, 1))),
    st.floats(0.5, 4).map(lambda value: Distance(DistanceKind.ATR, round(value, 1), 2)),
)
offsets = st.one_of(spans, st.integers(1, 20).map(lambda n: Distance(DistanceKind.TICKS, float(n))))
entries = st.one_of(
    st.none(),
    st.builds(
        EntryOrder,
        kind=st.sampled_from([OrderKind.LIMIT, OrderKind.STOP]),
        offset=offsets,
        tif=st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
        valid_bars=st.integers(0, 3),
        replace=st.booleans(),
    ),
)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[LadderStep, ...]:
    cuts = sorted(draw(st.sets(st.integers(1, 99), max_size=3)))
    ends = [*cuts, draw(st.sampled_from([100, 100, max(cuts, default=0) + 1]))]
    shares = [high - low for low, high in zip([0, *cuts], ends, strict=True)]
    return tuple(LadderStep(draw(spans), Decimal(share)) for share in shares)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(strategy, strategy, st.none())


plays = st.builds(
    rich,
    against=st.booleans(),
    entry=entries,
    ladder=ladders(),
    trailing=optional(st.builds(Trailing, spans, optional(spans))),
    break_even=optional(st.builds(BreakEven, spans, st.floats(0, 2).map(lambda value: round(value, 2)))),
    time_stop=optional(st.builds(TimeStop, st.integers(2, 9))),
    scale_in=optional(
        st.builds(
            ScaleIn,
            st.integers(2, 4),
            every=optional(spans),
            against=st.booleans(),
            size_factor=st.sampled_from([Decimal(1), Decimal("0.5"), Decimal(2)]),
        )
    ),
    protections=st.none(),
)
moves = st.tuples(
    st.sampled_from([-14.0, -6.0, -2.0, -0.5, 0.0, 0.5, 2.0, 6.0, 14.0]),
    st.floats(0, 8).map(lambda value: round(value, 1)),
    st.floats(0, 8).map(lambda value: round(value, 1)),
    st.sampled_from([0.0, 3.0, 20.0, 1_000.0]),
)
markets = st.lists(moves, min_size=10, max_size=40)


def world_of(play: PlaySpec) -> World:
    return World(setup(play, symbols=(BTC,), instruments=(instrument(volume_caps_fills=True),)))


class Market:
    """A price that wanders between levels that make the play act."""

    def __init__(self) -> None:
        self.price = 100.0

    def next(self, world: World, move: tuple[float, float, float, float]) -> list[Any]:
        step, up, down, volume = move
        opened, self.price = self.price, round(min(135.0, max(70.0, self.price + step)), 1)
        high = round(max(opened, self.price) + up, 1)
        low = round(min(opened, self.price) - down, 1)
        facts: dict[str, Any] = {"open": opened, "high": high, "low": low, "volume": volume}
        return world.market(bar(self.price, world.now + STEP, **facts))


def runner_of(world: World) -> Runner:
    (runner,) = world.machine.trading.runners
    return runner


def course_of(world: World) -> Course | None:
    courses = world.machine.trading.state().courses
    return courses[0][2] if courses else None


def resting(world: World, role: OrderRole) -> Decimal:
    orders = world.machine.desk.book.select(role, play=PLAY, symbol=BTC)
    return sum((order.remaining_qty for order in orders if not order.cancel_requested), ZERO)


def closes_at_market(world: World) -> bool:
    """Whether a stop that the market had passed works as an order at market."""
    orders = world.machine.desk.book.select(OrderRole.STOP, play=PLAY, symbol=BTC)
    return any(order.request.kind is OrderKind.MARKET for order in orders)


def has_room_for_targets(world: World) -> bool:
    """Whether every target lies above 0: one of a short may not, and then there is none."""
    position = world.machine.ledger.position(PLAY, BTC)
    plan = world.machine.trading.following.plans.get((PLAY, BTC))
    if plan is None or position.qty >= 0:
        return True
    entry = float(position.entry_notional / position.qty)
    return all(part.distance < entry for part in plan.ladder)


@settings(max_examples=150)
@given(plays, markets)
def test_what_protects_is_as_much_as_there_is_and_a_moved_stop_never_moves_away(play, market):
    world, prices = world_of(play), Market()
    before: Course | None = None
    whole = sum((step.close for step in play.ladder), ZERO) == 100
    for move in market:
        side = runner_of(world).side
        prices.next(world, move)
        qty, course = abs(world.qty()), course_of(world)
        stops = resting(world, OrderRole.STOP)
        assert stops == qty or (stops > qty and closes_at_market(world)), "that one only reduces"
        targets = resting(world, OrderRole.TARGET)
        assert targets == qty if whole and has_room_for_targets(world) else targets <= qty
        assert (course is None) is (qty == 0)
        if before is not None and course is not None and runner_of(world).side == side:
            same = course.bars == before.bars + 1
            if same and before.stop is not None:
                assert course.stop is not None
                assert (course.stop - before.stop) * side >= 0
            if same:
                assert (course.best - before.best) * side >= 0
        if course is not None:
            assert course.taken <= course.entered
            assert qty <= course.entered
            assert course.entries <= (play.scale_in.entries_max if play.scale_in else 1)
        before = course


@settings(max_examples=100)
@given(plays, markets, st.integers(0, 39))
def test_a_restart_at_any_bar_changes_nothing(play, market, moment):
    straight, restarted = world_of(play), world_of(play)
    one, other = Market(), Market()
    for number, move in enumerate(market):
        if number == moment % len(market):
            restarted.restart()
        assert encode(one.next(straight, move)) == encode(other.next(restarted, move))
    assert encode(straight.loop.state()) == encode(restarted.loop.state())


def is_lot(qty: Decimal) -> bool:
    return qty % instrument().lot == 0


amounts = st.integers(0, 5_000).map(lambda n: Decimal(n) / 100)


@given(ladders(), amounts, amounts, amounts)
def test_the_parts_of_a_ladder_add_up_to_the_position(ladder, qty, more, taken):
    shares: Sequence[Decimal] = [step.close for step in ladder]
    parts = allocate(tuple(shares), qty, instrument(), entered=qty + more, taken=taken)
    assert all(part >= 0 and is_lot(part) for part in parts)
    total = sum(parts, ZERO)
    assert total <= qty
    if sum(shares, ZERO) == 100:
        assert total == qty
