"""Equity over time in few points."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import NS_PER_S
from engine.execution.equitycurve import POINTS_MAX, EquityCurve, EquityPoint, EquityState


def test_one_second_is_one_point_with_its_extremes():
    curve = EquityCurve()
    for ts, equity in ((0, 10.0), (5, 12.0), (9, 8.0), (NS_PER_S, 9.0)):
        curve.add(ts, equity)
    assert curve.points() == (EquityPoint(9, 8.0, 8.0, 12.0), EquityPoint(NS_PER_S, 9.0, 9.0, 9.0))


def test_what_comes_late_joins_the_last_point():
    curve = EquityCurve()
    curve.add(5 * NS_PER_S, 10.0)
    curve.add(3 * NS_PER_S, 7.0)
    assert curve.points() == (EquityPoint(5 * NS_PER_S, 7.0, 7.0, 10.0),)


@given(st.lists(st.floats(1, 100), min_size=1, max_size=40), st.integers(1, 40))
def test_a_long_run_keeps_its_shape_in_few_points(values: list[float], at: int):
    times = [second * NS_PER_S for second in range(0, 60 * len(values), 1)]
    curve, again = EquityCurve(), EquityCurve()
    for index, ts in enumerate(times):
        equity = values[index // 60]
        curve.add(ts, equity)
        if index == at * 60:
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(curve.state()), type=EquityState)
            again.restore(state)
        elif index > at * 60:
            again.add(ts, equity)
    points = curve.points()
    assert len(points) <= POINTS_MAX
    assert len(points) >= min(len(times), POINTS_MAX // 2)
    assert min(point.low for point in points) == min(values)
    assert max(point.high for point in points) == max(values)
    assert points[-1].last == values[-1]
    if len(values) > at:
        assert again.state() == curve.state()
