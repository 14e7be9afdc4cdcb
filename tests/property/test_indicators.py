"""What every indicator promises: the same bits however it is fed, TA-Lib's numbers, and no drift."""

import json
import math
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.market import Bar
from engine.strategy.indicators import State
from engine.strategy.indicators.atr import Atr
from engine.strategy.indicators.delay import Delay
from engine.strategy.indicators.ema import Ema
from engine.strategy.indicators.extremes import Highest, Lowest
from engine.strategy.indicators.rsi import Rsi
from engine.strategy.indicators.sma import Sma
from tests.unit.strategy.bar_builders import bar, recorded_bars

Indicator = Ema | Sma | Rsi | Highest | Lowest | Delay | Atr


class Case(NamedTuple):
    """An indicator, and TA-Lib's function of the same name on arrays of high, low and close."""

    make: Callable[[int], Indicator]
    oracle: Callable[..., np.ndarray]
    period_min: int  # TA-Lib's


CASES = {
    "ema": Case(Ema, lambda _high, _low, close, n: talib.EMA(close, n), 1),
    "sma": Case(Sma, lambda _high, _low, close, n: talib.SMA(close, n), 1),
    "rsi": Case(Rsi, lambda _high, _low, close, n: talib.RSI(close, n), 2),
    "atr": Case(Atr, talib.ATR, 1),
    "highest": Case(Highest, lambda _high, _low, close, n: talib.MAX(close, n), 2),
    "lowest": Case(Lowest, lambda _high, _low, close, n: talib.MIN(close, n), 2),
}
few = settings(max_examples=40)  # for each indicator
every_indicator = pytest.mark.parametrize("make", [*(case.make for case in CASES.values()), Delay])
every_case = pytest.mark.parametrize("name", CASES)

prices = st.one_of(
    st.floats(min_value=1e-6, max_value=1e6),
    st.sampled_from([1.0, 1.5, 2.0, 0.00002, 0.0000201, 60_000.5]),
)
ticks = st.integers(min_value=5_000, max_value=15_000)
periods = st.integers(min_value=1, max_value=12)


@st.composite
def price_bars(draw: st.DrawFn, price: st.SearchStrategy[float] = prices) -> list[Bar]:
    triples = draw(st.lists(st.tuples(price, price, price), max_size=40))
    return [bar(close, high=max(a, b), low=min(a, b)) for close, a, b in triples]


@st.composite
def tick_bars(draw: st.DrawFn) -> list[Bar]:
    """Bars of one market: prices of one magnitude, where TA-Lib's running sums are good to 1e-9, too."""
    tick = draw(st.sampled_from([1e-8, 0.01, 0.5]))
    return draw(price_bars(price=ticks.map(lambda count: count * tick)))


def feed(indicator: Indicator, bars: Sequence[Bar]) -> list[float]:
    """Feed bars one by one; series indicators get the closes."""
    if isinstance(indicator, Atr):
        return [indicator.update(b.high, b.low, b.close) for b in bars]
    return [indicator.update(b.close) for b in bars]


def bits(values: Sequence[float]) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


def through_msgpack(state: State) -> State:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State)


def through_json(state: State) -> State:
    return msgspec.convert(json.loads(json.dumps(state)), State)


@every_indicator
@few
@given(bars=price_bars(), period=periods, data=st.data())
def test_a_restart_at_any_bar_changes_no_bit(
    make: Callable[[int], Indicator], bars: list[Bar], period: int, data: st.DataObject
):
    cut = data.draw(st.integers(min_value=0, max_value=len(bars)))
    whole, before, after, again = (make(period) for _ in range(4))
    values = bits(feed(whole, bars))
    first = bits(feed(before, bars[:cut]))
    state = before.state()
    after.restore(through_msgpack(state))
    again.restore(through_json(state))
    assert first + bits(feed(after, bars[cut:])) == values
    assert first + bits(feed(again, bars[cut:])) == values
    assert bits(after.state()) == bits(whole.state())


@every_indicator
@few
@given(bars=price_bars(), period=periods)
def test_a_value_is_missing_exactly_while_warming_up(
    make: Callable[[int], Indicator], bars: list[Bar], period: int
):
    indicator = make(period)
    values = feed(indicator, bars)
    assert [math.isnan(value) for value in values] == [n < indicator.warmup for n in range(1, len(bars) + 1)]


@every_case
@few
@given(bars=tick_bars(), period=periods)
def test_talib_agrees(name: str, bars: list[Bar], period: int):
    assert_agrees(name, bars, max(period, CASES[name].period_min))


@every_case
@pytest.mark.shared
@pytest.mark.parametrize("period", [2, 14, 200])
def test_talib_agrees_on_recorded_bars(name: str, period: int):
    assert_agrees(name, recorded_bars(10_000), period)


def assert_agrees(name: str, bars: list[Bar], period: int) -> None:
    case = CASES[name]
    values = np.array(feed(case.make(period), bars))
    if not bars:
        return
    columns = (np.array([getattr(b, field) for b in bars]) for field in ("high", "low", "close"))
    oracle = case.oracle(*columns, period)
    assert np.array_equal(np.isnan(values), np.isnan(oracle))
    floor = 1e-12 * min(1.0, max(b.close for b in bars))
    np.testing.assert_allclose(values, oracle, rtol=1e-9, atol=floor)


@given(series=st.lists(prices, min_size=1, max_size=60), period=periods)
def test_sma_is_the_exact_sum_rounded_once_and_divided(series: list[float], period: int):
    sma = Sma(period)
    for number, x in enumerate(series, start=1):
        value = sma.update(x)
        if number >= period:
            window = series[number - period : number]
            assert value == float(sum(map(Fraction, window))) / period


@given(series=st.lists(prices, min_size=1, max_size=60), period=periods)
def test_extremes_are_those_of_the_window(series: list[float], period: int):
    highest, lowest = Highest(period), Lowest(period)
    for number, x in enumerate(series, start=1):
        pair = highest.update(x), lowest.update(x)
        if number >= period:
            window = series[number - period : number]
            assert pair == (max(window), min(window))


def walk(count: int) -> list[float]:
    steps = np.random.default_rng(7).normal(0.0, 0.001, count)
    return [float(price) for price in 100.0 * np.exp(np.cumsum(steps))]


@pytest.mark.parametrize(
    ("make", "memory"), [(Sma, 50), (Highest, 50), (Lowest, 50), (Ema, 5_000), (Rsi, 5_000)]
)
def test_200_000_bars_leave_no_drift(make: Callable[[int], Indicator], memory: int):
    """A fresh indicator that saw only what can still matter says the same."""
    series = walk(200_000)
    old, fresh = make(50), make(50)
    last = [old.update(x) for x in series][-1]  # type: ignore[call-arg]  # no Atr among them
    anew = [fresh.update(x) for x in series[-memory:]][-1]  # type: ignore[call-arg]
    assert anew == last if memory == 50 else math.isclose(anew, last, rel_tol=1e-9)
