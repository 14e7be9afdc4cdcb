"""Each indicator on numbers small enough to work out by hand."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from engine.domain.market import NS_PER_DAY, NS_PER_S, Bar
from engine.strategy.indicators.catalog import CATALOG
from engine.strategy.indicators.delay import Delay
from tests.unit.strategy.bar_builders import bar

MISSING = None


def made(name: str, *parameters: float) -> Any:
    """An indicator with its first parameters given, the others by default."""
    names = (parameter.name for parameter in CATALOG[name].parameters)
    return CATALOG[name].make(**dict(zip(names, parameters, strict=False)))


def seen(values: Sequence[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values]


def after(name: str, parameters: Sequence[float], bars: Sequence[Bar]) -> list[float | None]:
    """What an indicator of bars says after each."""
    update = made(name, *parameters).update
    return seen([update(bar) for bar in bars])


@pytest.mark.parametrize(
    ("name", "parameters", "series", "expected"),
    [
        pytest.param(
            "ema", [3], [1, 2, 3, 8, 8], [MISSING, MISSING, 2, 5, 6.5], id="ema is seeded by a mean"
        ),
        pytest.param("ema", [1], [4, 9], [4, 9], id="ema of one is the series"),
        pytest.param("sma", [3], [1, 2, 3, 7, 2], [MISSING, MISSING, 2, 4, 4], id="sma"),
        pytest.param("sma", [1], [4, 9], [4, 9], id="sma of one is the series"),
        pytest.param("wma", [3], [1, 2, 6, 0], [MISSING, MISSING, 23 / 6, 14 / 6], id="wma"),
        pytest.param("wma", [1], [4, 9], [4, 9], id="wma of one is the series"),
        pytest.param("dema", [1], [4, 9], [4, 9], id="dema of one is the series"),
        pytest.param("dema", [2], [0, 6, 9, 9], [MISSING, MISSING, 9, 85 / 9], id="dema overshoots"),
        pytest.param("tema", [1], [4, 9], [4, 9], id="tema of one is the series"),
        pytest.param(
            "hma", [2], [3, 6, 9], [MISSING, 7, 10], id="hma of two is twice the value less the wma"
        ),
        pytest.param("rma", [2], [2, 4, 7], [MISSING, 3, 5], id="rma"),
        pytest.param("rma", [1], [4, 9], [4, 9], id="rma of one is the series"),
        pytest.param("kama", [2, 1, 1], [1, 2, 3], [MISSING, MISSING, 3], id="kama without slowness"),
        pytest.param(
            "kama", [2, 1, 3], [1, 2, 1, 3], [MISSING, MISSING, 1.75, 1.75 + 1.25 * 4 / 9], id="kama"
        ),
        pytest.param("kama", [1], [5, 5, 5], [MISSING, 5, 5], id="kama where nothing moved"),
        pytest.param("rsi", [2], [1, 2, 1, 2], [MISSING, MISSING, 50, 75], id="rsi after Wilder"),
        pytest.param("rsi", [2], [1, 2, 3, 4], [MISSING, MISSING, 100, 100], id="rsi of gains alone"),
        pytest.param("rsi", [2], [4, 3, 2, 1], [MISSING, MISSING, 0, 0], id="rsi of losses alone"),
        pytest.param("rsi", [2], [5, 5, 5, 5], [MISSING, MISSING, 0, 0], id="rsi where nothing moved"),
        pytest.param("rsi", [1], [5, 6, 5], [MISSING, 100, 0], id="rsi of one change"),
        pytest.param("stochrsi", [1, 2, 1], [1, 2, 1, 2], [MISSING, MISSING, 0, 100], id="stochrsi"),
        pytest.param(
            "stochrsi", [1, 2, 1], [1, 2, 3, 4], [MISSING, MISSING, 0, 0], id="stochrsi where rsi stands"
        ),
        pytest.param("macd", [1, 2, 1], [2, 4, 7], [MISSING, 1, 4 / 3], id="macd"),
        pytest.param("macd", [2, 1, 1], [2, 4, 7], [MISSING, 1, 4 / 3], id="macd with fast and slow swapped"),
        pytest.param(
            "roc", [1], [4, 5, 0, 3], [MISSING, 25, -100, 0], id="roc, 0 where the value before was 0"
        ),
        pytest.param("mom", [2], [4, 5, 3, 3], [MISSING, MISSING, -1, -2], id="mom"),
        pytest.param("stddev", [2], [1, 3, 3], [MISSING, 1, 0], id="stddev, divided by n"),
        pytest.param("stddev", [1], [5, 6], [0, 0], id="stddev of one"),
        pytest.param("zscore", [2], [1, 3, 3, 1], [MISSING, 1, 0, -1], id="zscore"),
        pytest.param("bbands", [2, 1], [1, 3], [MISSING, 2], id="bbands, the middle"),
        pytest.param("highest", [3], [3, 1, 2, 2, 0, 9], [MISSING, MISSING, 3, 2, 2, 9], id="highest"),
        pytest.param("lowest", [3], [3, 1, 2, 2, 0, 9], [MISSING, MISSING, 1, 1, 0, 0], id="lowest"),
        pytest.param("highest", [1], [3, 1], [3, 1], id="highest of one is the series"),
        pytest.param("percentile", [4, 50], [4, 1, 3, 2, 9], [MISSING, MISSING, MISSING, 2, 2], id="median"),
        pytest.param(
            "percentile", [4, 0], [4, 1, 3, 2, 9], [MISSING, MISSING, MISSING, 1, 1], id="percentile 0"
        ),
        pytest.param(
            "percentile", [4, 75.1], [4, 1, 3, 2, 9], [MISSING, MISSING, MISSING, 4, 9], id="rank rounded up"
        ),
        pytest.param("linreg", [3], [0, 0, 3, 0], [MISSING, MISSING, 2.5, 1], id="linreg"),
        pytest.param("slope", [3], [0, 0, 3, 0], [MISSING, MISSING, 1.5, 0], id="slope"),
    ],
)
def test_of_series(
    name: str, parameters: Sequence[float], series: Sequence[float], expected: Sequence[float | None]
):
    indicator = made(name, *parameters)
    values = seen([indicator.update(float(x)) for x in series])
    assert values == pytest.approx(expected, rel=1e-15, abs=0.0)
    assert values.index(next(x for x in values if x is not None)) + 1 == indicator.warmup


@pytest.mark.parametrize("name", CATALOG)
def test_the_outputs_of_an_indicator_start_together(name: str):
    indicator = made(
        name, *(3 for _ in CATALOG[name].parameters[:1] if CATALOG[name].parameters[0].kind == "int")
    )
    for number in range(1, indicator.warmup + 1):
        tick = bar(float(number % 4 + 9), high=14.0, low=float(number % 3 + 7), number=number)
        value = indicator.update(tick.close if CATALOG[name].takes == "series" else tick)
        outputs = [value, *(getattr(indicator, output) for output in CATALOG[name].outputs)]
        assert {math.isnan(output) for output in outputs} == {number < indicator.warmup}
        assert value == outputs[1] if value == value and outputs[1:] else True


# Close, high, low: true ranges none, 10 - 9, 14 - 9.5, 13 - 13, 13 - 7.
RANGES = [
    bar(9.0, high=10.0, low=8.0),
    bar(9.5, high=10.0, low=9.0),
    bar(13.0, high=14.0, low=12.0),
    bar(13.0, high=13.0, low=13.0),
    bar(7.0, high=8.0, low=7.0),
]


def test_a_true_range_reaches_to_the_close_before():
    assert after("tr", [], RANGES) == [MISSING, 1.0, 4.5, 0.0, 6.0]


def test_atr():
    assert after("atr", [2], RANGES) == [MISSING, MISSING, 2.75, 1.375, (1.375 + 6.0) / 2]


def test_natr_is_the_atr_in_percent_of_the_close():
    assert after("natr", [2], RANGES) == [MISSING, MISSING, 275 / 13, 137.5 / 13, 368.75 / 7]
    assert after("natr", [1], [bar(1.0), bar(0.0)]) == [MISSING, 0.0]


def test_stoch_is_0_where_high_is_low():
    bars = [bar(5.0), bar(5.0), bar(8.0, high=10.0, low=6.0)]
    assert after("stoch", [2, 1, 1], bars) == [MISSING, 0.0, 60.0]
    assert after("willr", [2], bars) == [MISSING, 0.0, -40.0]


def test_cci():
    """Typical prices 1, 2, 6: mean 3, mean deviation 2, so 3 / 0.03."""
    assert after("cci", [3], [bar(1.0), bar(2.0), bar(6.0)]) == pytest.approx([MISSING, MISSING, 100.0])


def test_cci_takes_what_rounding_left_of_equal_prices_for_none():
    plain, rounded = bar(1.7), bar(2.2, high=2.2, low=0.7)
    assert (rounded.high + rounded.low + rounded.close) / 3.0 == 1.7000000000000002
    assert after("cci", [2], [plain, rounded]) == [MISSING, 0.0]


def test_zscore_takes_what_rounding_left_of_equal_values_for_none():
    zscore = made("zscore", 2)
    assert seen([zscore.update(0.1 + 0.2), zscore.update(0.3)]) == [MISSING, 0.0]


def test_mfi_is_the_share_of_rising_bars():
    bars = [bar(2.0), bar(3.0, volume=4.0), bar(2.0, volume=2.0), bar(2.0, volume=9.0)]
    assert after("mfi", [2], bars) == [MISSING, MISSING, 75.0, 0.0]


def test_mfi_is_0_without_volume():
    assert after("mfi", [2], [bar(x, volume=0.0) for x in (1.0, 2.0, 3.0)]) == [MISSING, MISSING, 0.0]


def test_directional_movement():
    """The second high rises by 2, the third low falls by 3; true ranges 3 and 5."""
    bars = [bar(4.0, high=5.0, low=3.0), bar(6.0, high=7.0, low=4.0), bar(2.0, high=5.0, low=1.0)]
    assert after("plus_di", [2], bars) == [MISSING, MISSING, pytest.approx(100 * 1.0 / 6.5)]
    assert after("minus_di", [2], bars) == [MISSING, MISSING, pytest.approx(100 * 3.0 / 6.5)]


def test_directional_movement_without_any_range_is_0():
    still = [bar(5.0)] * 5
    assert after("plus_di", [2], still)[-1] == after("minus_di", [2], still)[-1] == 0.0
    adx = made("adx", 2)
    assert [adx.update(tick) for tick in still][-1] == adx.plus_di == adx.minus_di == 0.0


def test_adx_stays_where_nothing_moves():
    adx = made("adx", 2)
    same = [adx.update(bar(4.0, high=5.0, low=3.0)) for _ in range(6)]
    assert seen(same) == [MISSING, MISSING, MISSING, 0.0, 0.0, 0.0]


def test_aroon_counts_from_the_last_of_equal_extremes():
    aroon = made("aroon", 2)
    bars = [bar(2.0, high=3.0, low=1.0), bar(2.0, high=3.0, low=2.0), bar(2.0, high=2.0, low=1.0)]
    assert seen([aroon.update(tick) for tick in bars]) == [MISSING, MISSING, 50.0]
    assert (aroon.down, aroon.oscillator) == (100.0, -50.0)


def test_bands_are_around_the_middle():
    bbands = made("bbands", 2, 3.0)
    bbands.update(1.0)
    assert (bbands.update(3.0), bbands.middle, bbands.upper, bbands.lower) == (2.0, 2.0, 5.0, -1.0)
    keltner = made("keltner", 1, 2.0, 1)
    keltner.update(bar(3.0))
    assert (keltner.update(bar(4.0, high=5.0, low=3.0)), keltner.upper, keltner.lower) == (4.0, 8.0, 0.0)
    donchian = made("donchian", 2)
    donchian.update(bar(3.0, high=7.0))
    assert (donchian.update(bar(4.0, high=5.0, low=2.0)), donchian.upper, donchian.lower) == (4.5, 7.0, 2.0)


def test_supertrend_turns_where_it_is_closed_through():
    supertrend = made("supertrend", 1, 1.0)
    lines, directions = [], []
    for close in (10.0, 12.0, 13.0, 9.0, 8.5, 14.0):
        lines.append(supertrend.update(bar(close)))
        directions.append(supertrend.direction)
    # True ranges 2, 1, 4, 0.5, 5.5: bands 10 to 14, 12 to 14, 12 to 13, 12 to 9, 8.5 to 9.
    assert seen(lines) == [MISSING, 10.0, 12.0, 13.0, 9.0, 8.5]
    assert seen(directions) == [MISSING, 1.0, 1.0, -1.0, -1.0, 1.0]


def test_psar_follows_and_turns():
    bars = [
        bar(9.5, high=10.0, low=9.0),
        bar(10.5, high=11.0, low=10.0),
        bar(12.0, high=13.0, low=11.0),
        bar(9.0, high=10.0, low=8.0),
        bar(9.0, high=9.5, low=8.5),
    ]
    # Up from 9 with extreme 11, then 13, held back by lows of 10; met at 8, so down from 13, held by highs.
    assert after("psar", [0.5, 0.5], [*bars, bars[-1]]) == [MISSING, 9.0, 10.0, 13.0, 13.0, 10.5]


def test_psar_starts_down_where_the_low_fell_by_more():
    bars = [bar(9.5, high=10.0, low=9.0), bar(8.0, high=9.0, low=7.0)]
    assert after("psar", [], bars) == [MISSING, 10.0]


def test_vwma_is_missing_without_volume():
    bars = [bar(2.0, volume=1.0), bar(4.0, volume=3.0), bar(5.0, volume=0.0), bar(6.0, volume=0.0)]
    assert after("vwma", [2], bars) == [MISSING, 3.5, 4.0, MISSING]
    assert after("vwma", [1], bars) == [2.0, 4.0, 5.0, 6.0]


def test_obv_starts_with_the_first_volume():
    closes = [(2.0, 5.0), (3.0, 2.0), (3.0, 9.0), (1.0, 4.0)]
    assert after("obv", [], [bar(close, volume=volume) for close, volume in closes]) == [5.0, 7.0, 7.0, 3.0]


def test_vwap_starts_anew_after_midnight():
    minute = 60 * NS_PER_S
    midnight = NS_PER_DAY // minute  # the number of the bar that ends there
    bars = [
        bar(10.0, volume=1.0, number=midnight - 1),
        bar(20.0, volume=3.0, number=midnight),
        bar(99.0, volume=0.0, number=midnight + 1),
        bar(30.0, volume=2.0, number=midnight + 2),
    ]
    assert after("vwap", [], bars) == [10.0, 17.5, MISSING, 30.0]


def test_a_delay_gives_back_what_was_also_a_missing_value():
    delay = Delay(2)
    values = [delay.update(x) for x in (3.0, math.nan, 2.0, 7.0)]
    assert seen(values) == [MISSING, MISSING, 3.0, MISSING]
    assert delay.update(1.0) == 2.0
    assert delay.warmup == 3
