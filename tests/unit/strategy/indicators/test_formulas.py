"""Each indicator on numbers small enough to work out by hand."""

import math
from collections.abc import Callable, Sequence

import pytest

from engine.strategy.indicators import SeriesIndicator
from engine.strategy.indicators.atr import Atr
from engine.strategy.indicators.delay import Delay
from engine.strategy.indicators.ema import Ema
from engine.strategy.indicators.extremes import Highest, Lowest
from engine.strategy.indicators.rsi import Rsi
from engine.strategy.indicators.sma import Sma

MISSING = None


@pytest.mark.parametrize(
    ("make", "period", "series", "expected"),
    [
        pytest.param(Ema, 3, [1, 2, 3, 8, 8], [MISSING, MISSING, 2, 5, 6.5], id="ema is seeded by a mean"),
        pytest.param(Ema, 1, [4, 9], [4, 9], id="ema of one is the series"),
        pytest.param(Sma, 3, [1, 2, 3, 7, 2], [MISSING, MISSING, 2, 4, 4], id="sma"),
        pytest.param(Sma, 1, [4, 9], [4, 9], id="sma of one is the series"),
        pytest.param(Rsi, 2, [1, 2, 1, 2], [MISSING, MISSING, 50, 75], id="rsi after Wilder"),
        pytest.param(Rsi, 2, [1, 2, 3, 4], [MISSING, MISSING, 100, 100], id="rsi of gains alone"),
        pytest.param(Rsi, 2, [4, 3, 2, 1], [MISSING, MISSING, 0, 0], id="rsi of losses alone"),
        pytest.param(Rsi, 2, [5, 5, 5, 5], [MISSING, MISSING, 0, 0], id="rsi where nothing moved"),
        pytest.param(Rsi, 1, [5, 6, 5], [MISSING, 100, 0], id="rsi of one change"),
        pytest.param(Highest, 3, [3, 1, 2, 2, 0, 9], [MISSING, MISSING, 3, 2, 2, 9], id="highest"),
        pytest.param(Lowest, 3, [3, 1, 2, 2, 0, 9], [MISSING, MISSING, 1, 1, 0, 0], id="lowest"),
        pytest.param(Highest, 1, [3, 1], [3, 1], id="highest of one is the series"),
        pytest.param(Delay, 2, [3, 1, 2, 7], [MISSING, MISSING, 3, 1], id="delay"),
    ],
)
def test_values(
    make: Callable[[int], SeriesIndicator],
    period: int,
    series: Sequence[float],
    expected: Sequence[float | None],
):
    indicator = make(period)
    values = [indicator.update(float(x)) for x in series]
    assert [None if math.isnan(value) else value for value in values] == expected
    assert expected.index(next(x for x in expected if x is not None)) + 1 == indicator.warmup


def test_atr_stretches_a_bar_to_the_close_before_it():
    atr = Atr(2)
    bars = [(10.0, 8.0, 9.0), (10.0, 9.0, 9.5), (14.0, 12.0, 13.0), (13.0, 13.0, 13.0), (8.0, 7.0, 7.0)]
    values = [atr.update(*bar) for bar in bars]
    assert all(math.isnan(value) for value in values[: atr.warmup - 1])
    # True ranges: none, 10 - 9, 14 - 9.5, 13 - 13, 13 - 7.
    assert values[2:] == [2.75, 1.375, (1.375 + 6.0) / 2]


def test_a_delay_gives_a_missing_value_back():
    delay = Delay(1)
    delay.update(math.nan)
    assert math.isnan(delay.update(5.0))
    assert delay.update(6.0) == 5.0


@pytest.mark.parametrize("make", [Highest, Lowest])
def test_a_damaged_queue_is_refused(make: type[Highest | Lowest]):
    with pytest.raises(ValueError, match="zip"):
        make(3).restore([2.0, 1.0])
