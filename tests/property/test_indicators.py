"""What every indicator promises: the same bits however it is fed, TA-Lib's numbers, and no drift."""

import json
import math
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.market import NS_PER_DAY, Bar
from engine.strategy.indicators import SERIES, BarIndicator, SeriesIndicator, State
from engine.strategy.indicators.catalog import CATALOG
from engine.strategy.indicators.delay import Delay
from engine.strategy.indicators.extremes import Highest, Lowest
from engine.strategy.indicators.facts import Parameter
from engine.strategy.indicators.sma import Sma
from engine.strategy.indicators.volume import Obv
from tests.unit.strategy.bar_builders import STEP_NS, SYMBOL, recorded_bars
from tests.unit.strategy.indicators.oracles import ORACLES, expected, tolerance

Indicator = SeriesIndicator | BarIndicator
Numbers = tuple[float, ...]
RECORDED = (
    "bitmex_xbtusd_1m_2020.csv.gz",
    "bitfinex_btcusd_1m_2016.csv.gz",
    "binance_ethbtc_5m_201801.csv.gz",
    "freqtrade_unittestbtc_1m_2017.csv.gz",
    "fxcm_gbpusd_1m_ask_2012.csv.gz",
)
LARGE = 1e199  # from 1e200 on a number is missing, and averages of averages reach beyond their inputs
few = settings(max_examples=40)  # of bars, all of which every indicator sees
every_indicator = pytest.mark.parametrize("name", CATALOG)

OF_SERIES = [name for name, facts in CATALOG.items() if facts.takes == SERIES]
FIXED = {"kama": {"fast": 2, "slow": 30}}  # in TA-Lib

NOWHERE = [math.nan, math.inf, -math.inf, 1e300, -1e200]
prices = st.one_of(
    st.floats(min_value=1e-6, max_value=1e6),
    st.sampled_from([1.0, 1.5, 2.0, 0.00002, 0.0000201, 60_000.5, 1e12]),
)
# Prices of one market, where TA-Lib's sums are good to 1e-9: far apart, or so near that many are equal.
ticks = st.sampled_from([st.integers(5_000, 15_000), st.integers(1_000, 1_003)]).flatmap(
    lambda count: st.tuples(st.just(count), st.sampled_from([1e-8, 0.01, 0.5, 1e6]))
)


@st.composite
def bars_of(draw: st.DrawFn, price: st.SearchStrategy[float], volumes: st.SearchStrategy[float]) -> list[Bar]:
    """Bars of a minute, six hours or a day, with volumes that may be nothing."""
    step_ns = draw(st.sampled_from([STEP_NS, NS_PER_DAY // 4, NS_PER_DAY]))
    volume = draw(st.sampled_from([st.just(0.0), st.integers(0, 2).map(float), volumes]))
    rows = draw(st.lists(st.tuples(price, price, price, price, volume), max_size=40))
    return [
        Bar(
            ts=number * step_ns,
            symbol=SYMBOL,
            open=row[0],
            high=max(row[1:4]),
            low=min(row[1:4]),
            close=row[3],
            volume=row[4],
            step_ns=step_ns,
        )
        for number, row in enumerate(rows, start=1)
    ]


any_bars = bars_of(prices, st.floats(0.001, 1e6))
market_bars = ticks.flatmap(
    lambda market: bars_of(market[0].map(lambda count: count * market[1]), st.floats(1.0, 1_000.0))
)


@st.composite
def every_parameter(draw: st.DrawFn, *, of_talib: bool = False) -> dict[str, Numbers]:
    """Parameters of all indicators, whole ones up to ten above the least; of TA-Lib's where it compares."""
    return {
        name: tuple(
            draw(values_of(parameter, ORACLES[name].least if of_talib else 1))
            if parameter.name not in FIXED.get(name, {}) or not of_talib
            else FIXED[name][parameter.name]
            for parameter in facts.parameters
        )
        for name, facts in CATALOG.items()
    }


def values_of(parameter: Parameter, least: int) -> st.SearchStrategy[float]:
    if parameter.kind == "int":
        bottom = max(int(parameter.minimum), least)
        return st.integers(bottom, bottom + 10)
    return st.floats(parameter.minimum, min(parameter.maximum, 100.0))


def usual(name: str, period: int = 14) -> Numbers:
    """The defaults of an indicator, and a period where there is none."""
    return tuple(period if p.default is None else p.default for p in CATALOG[name].parameters)


def made(name: str, parameters: Sequence[float]) -> Indicator:
    facts = CATALOG[name]
    names = (parameter.name for parameter in facts.parameters)
    return facts.make(**dict(zip(names, parameters, strict=True)))


def feed(indicator: Indicator, bars: Sequence[Bar]) -> list[Numbers]:
    """Feed bars one by one, their closes to an indicator of a series; return all outputs after each."""
    others = getattr(indicator, "OUTPUTS", ())[1:]
    update = indicator.update
    of_series = indicator.TAKES == SERIES
    rows = []
    for bar in bars:
        first = update(bar.close if of_series else bar)  # type: ignore[arg-type]  # TAKES says which
        rows.append((first, *(getattr(indicator, output) for output in others)))
    return rows


def bits(rows: Sequence[Numbers]) -> list[bytes]:
    return [struct.pack(f"<{len(row)}d", *row) for row in rows]


def through_msgpack(state: State) -> State:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State)


def through_json(state: State) -> State:
    return msgspec.convert(json.loads(json.dumps(state)), State)


@few
@given(bars=any_bars, cuts=st.integers(0, 40), parameters=every_parameter())
def test_a_restart_at_any_bar_changes_no_bit(bars: list[Bar], cuts: int, parameters: dict[str, Numbers]):
    for name in CATALOG:
        assert_restartable(partial(made, name, parameters[name]), bars, min(cuts, len(bars)))
    assert_restartable(partial(Delay, int(parameters["sma"][0])), bars, min(cuts, len(bars)))


def assert_restartable(make: Callable[[], Indicator], bars: list[Bar], cut: int) -> None:
    whole, before, after, again = (make() for _ in range(4))
    values = bits(feed(whole, bars))
    first = bits(feed(before, bars[:cut]))
    state = before.state()
    after.restore(through_msgpack(state))
    again.restore(through_json(state))
    assert bits([outputs_of(after)]) == bits([outputs_of(before)]), make
    assert first + bits(feed(after, bars[cut:])) == values, make
    assert first + bits(feed(again, bars[cut:])) == values, make
    assert bits([tuple(after.state())]) == bits([tuple(whole.state())]), make


def outputs_of(indicator: Indicator) -> Numbers:
    return tuple(getattr(indicator, output) for output in getattr(indicator, "OUTPUTS", ()))


@every_indicator
@pytest.mark.shared
def test_a_restart_in_recorded_bars_changes_no_bit(name: str):
    bars, parameters = recorded(RECORDED[0]), usual(name, 50)
    running = made(name, parameters)
    for start in range(0, 1_000, 100):
        restored = made(name, parameters)
        restored.restore(through_msgpack(running.state()))
        piece = bars[start : start + 100]
        assert bits(feed(restored, piece)) == bits(feed(running, piece)), f"restored at {start}"


@few
@given(bars=any_bars, parameters=every_parameter())
def test_a_value_is_missing_exactly_while_warming_up(bars: list[Bar], parameters: dict[str, Numbers]):
    for name, facts in CATALOG.items():
        indicator = made(name, parameters[name])
        missing = [tuple(map(math.isnan, row)) for row in feed(indicator, bars)]
        warm = [(n < indicator.warmup,) * (len(facts.outputs) or 1) for n in range(1, len(bars) + 1)]
        if name in {"vwma", "vwap"}:  # missing also where no volume is
            assert all(a >= b for a, b in zip(missing, warm, strict=True)), name
        else:
            assert missing == warm, name


@few
@given(
    bars=any_bars,
    parameters=every_parameter(),
    holes=st.lists(st.tuples(st.integers(0, 39), st.sampled_from(NOWHERE))),
)
def test_a_missing_input_is_passed_over(
    bars: list[Bar], parameters: dict[str, Numbers], holes: list[tuple[int, float]]
):
    for name in OF_SERIES:
        plain, holed = made(name, parameters[name]), made(name, parameters[name])
        for number, bar in enumerate(bars):
            for gap in (gap for at, gap in holes if at == number):
                first = holed.update(gap)  # type: ignore[arg-type]  # one of a series
                assert all(map(math.isnan, (first, *outputs_of(holed)))), name
            assert bits(feed(holed, [bar])) == bits(feed(plain, [bar])), name


@few
@given(series=st.lists(st.floats(-LARGE, LARGE), max_size=20), parameters=every_parameter())
def test_no_number_is_too_large_or_too_small(series: list[float], parameters: dict[str, Numbers]):
    for name in OF_SERIES:
        indicator = made(name, parameters[name])
        values = [indicator.update(x) for x in series]  # type: ignore[arg-type]  # one of a series
        assert [math.isnan(x) for x in values] == [n < indicator.warmup for n in range(1, len(series) + 1)], (
            name
        )


@few
@given(bars=market_bars, parameters=every_parameter(of_talib=True))
def test_the_oracle_agrees(bars: list[Bar], parameters: dict[str, Numbers]):
    for name in CATALOG if bars else ():
        assert_agrees(name, bars, parameters[name])


@every_indicator
@pytest.mark.shared
@pytest.mark.parametrize("recording", RECORDED)
def test_the_oracle_agrees_on_recorded_bars(name: str, recording: str):
    assert_agrees(name, recorded(recording), usual(name))


@cache
def recorded(name: str) -> tuple[Bar, ...]:
    return tuple(recorded_bars(1_000, name))


def assert_agrees(name: str, bars: Sequence[Bar], parameters: Numbers) -> None:
    """The same mask, and every output within 1e-9 of the oracle's, or of what rounding explains."""
    outputs = np.array(feed(made(name, parameters), bars)).T
    oracle = expected(name, bars, parameters)
    assert len(outputs) == len(oracle)
    for number, (values, right) in enumerate(zip(outputs, oracle, strict=True)):
        what = f"output {number} of {name}{parameters}"
        assert np.array_equal(np.isnan(values), np.isnan(right)), what
        allowed = tolerance(name, bars, parameters, right)
        wrong = np.flatnonzero(np.abs(values - right) > allowed)
        assert not len(wrong), f"{what}: {values[wrong[0]]} is not {right[wrong[0]]} at {wrong[0]}"


# Those that keep sums or queues, by the windows that their memory lasts; the others are made of them.
WINDOWED = {
    "sma": 1,
    "wma": 1,
    "hma": 2,
    "vwma": 1,
    "vwap": 29,  # a day of minutes
    "zscore": 1,
    "bbands": 1,
    "linreg": 1,
    "cci": 1,
    "mfi": 2,
    "stoch": 3,
    "percentile": 1,
    "highest": 1,
    "lowest": 1,
    "mom": 2,
}
RECURSIVE = ("ema", "rma", "kama", "rsi", "macd", "atr", "adx")


@cache
def long_walk() -> list[Bar]:
    """200,000 bars, each of a minute."""
    random = np.random.default_rng(7)
    closes = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.001, 200_000)))
    highs = closes * (1.0 + random.exponential(0.0005, 200_000))
    lows = closes * (1.0 - random.exponential(0.0005, 200_000))
    columns = (c.tolist() for c in (highs, lows, closes, random.exponential(50.0, 200_000)))
    return [
        Bar((number + 1) * STEP_NS, SYMBOL, close, high, low, close, volume, STEP_NS)
        for number, (high, low, close, volume) in enumerate(zip(*columns, strict=True))
    ]


def run(indicator: Indicator, bars: Sequence[Bar]) -> None:
    update, of_series = indicator.update, indicator.TAKES == SERIES
    for bar in bars:
        update(bar.close if of_series else bar)  # type: ignore[arg-type]  # TAKES says which


@pytest.mark.parametrize("name", [*WINDOWED, *RECURSIVE])
def test_200_000_bars_leave_no_drift(name: str):
    """A fresh indicator that saw only what can still matter says the same: the same bits of a window."""
    bars, parameters = long_walk(), usual(name, 50)
    old, fresh = made(name, parameters), made(name, parameters)
    memory = 50 * WINDOWED.get(name, 100)
    run(old, bars[:-1])
    run(fresh, bars[-memory:-1])
    (last,), (anew,) = feed(old, bars[-1:]), feed(fresh, bars[-1:])
    if name in WINDOWED:
        assert bits([anew]) == bits([last])
    else:
        np.testing.assert_allclose(anew, last, rtol=1e-9)


def test_200_000_bars_of_volume_are_summed_exactly():
    obv, bars = Obv(), long_walk()
    run(obv, bars)
    signs = ((bar.close > before.close) - (bar.close < before.close) for before, bar in pairwise(bars))
    flows = [bars[0].volume, *(sign * bar.volume for sign, bar in zip(signs, bars[1:], strict=True))]
    assert feed(obv, bars[-1:]) == [(math.fsum(flows),)]


@given(series=st.lists(prices, min_size=1, max_size=60), period=st.integers(1, 12))
def test_sma_is_the_exact_sum_rounded_once_and_divided(series: list[float], period: int):
    sma = Sma(period)
    for number, x in enumerate(series, start=1):
        value = sma.update(x)
        if number >= period:
            window = series[number - period : number]
            assert value == float(sum(map(Fraction, window))) / period


@given(series=st.lists(prices, min_size=1, max_size=60), period=st.integers(1, 12))
def test_extremes_are_those_of_the_window(series: list[float], period: int):
    highest, lowest = Highest(period), Lowest(period)
    for number, x in enumerate(series, start=1):
        pair = highest.update(x), lowest.update(x)
        if number >= period:
            window = series[number - period : number]
            assert pair == (max(window), min(window))
            newest_first = window[::-1]
            assert highest.age == newest_first.index(max(window))
            assert lowest.age == newest_first.index(min(window))
