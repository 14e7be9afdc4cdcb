"""What every indicator of the catalog should say: TA-Lib's word where it has it, plain arithmetic where not.

TA-Lib compares some sums with 1e-14, whatever their unit. So it is given all columns times a power of two,
which changes no digit, and its prices are divided by it again.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import fsum, isnan, nan, sqrt
from typing import Any, NamedTuple

import numpy as np
import talib
from numpy.typing import NDArray

from engine.domain.market import NS_PER_DAY, Bar
from engine.strategy.indicators.catalog import CATALOG

Column = NDArray[np.float64]
Outputs = tuple[Column, ...]
_SIMPLE: Any = 0  # TA-Lib's simple average, of a type that it does not export
GAUGE = 2.0**60
RELATIVE = 1e-9
ROUNDING = 1e-12  # of the scale of an output: what two orders of the same additions may differ by


class Columns(NamedTuple):
    """Bars as arrays."""

    ts: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    @property
    def typical(self) -> Column:
        typical: Column = (self.high + self.low + self.close) / 3.0
        return typical


class Oracle(NamedTuple):
    """The expected outputs; `floor` is the error that rounding explains, if that is more than ROUNDING."""

    outputs: Callable[..., Outputs | Column]  # of columns, then the parameters in order
    least: int = 1  # the least period TA-Lib takes
    floor: Callable[..., Column] | None = None
    bars: bool = False  # works on the bars as they are


def columns_of(bars: Sequence[Bar]) -> Columns:
    """Return bars as arrays."""
    rows = [(bar.ts, bar.high, bar.low, bar.close, bar.volume) for bar in bars]
    ts, *prices = zip(*rows, strict=True)
    return Columns(np.array(ts), *(np.array(column, dtype=float) for column in prices))


def expected(name: str, bars: Sequence[Bar], parameters: Sequence[float]) -> list[Column]:
    """Return all outputs of an indicator that has seen bars, a series indicator their closes."""
    oracle, unit = ORACLES[name], CATALOG[name].unit
    columns = columns_of(bars)
    if oracle.bars:
        outputs = oracle.outputs(columns, *parameters)
        return list(outputs) if isinstance(outputs, tuple) else [outputs]
    large = columns._replace(
        high=columns.high * GAUGE,
        low=columns.low * GAUGE,
        close=columns.close * GAUGE,
        volume=columns.volume * GAUGE,
    )
    outputs = oracle.outputs(large, *parameters)
    every = outputs if isinstance(outputs, tuple) else (outputs,)
    scale = GAUGE if unit in {"price", "that of the series", "volume"} else 1.0
    return [np.asarray(output, dtype=float) / scale for output in every]


def tolerance(name: str, bars: Sequence[Bar], parameters: Sequence[float], output: Column) -> Column:
    """Return by how much each value of an output may differ: 1e-9 of it, and what rounding explains."""
    oracle, unit, columns = ORACLES[name], CATALOG[name].unit, columns_of(bars)
    wanted: Column = RELATIVE * np.abs(output)
    if oracle.floor is not None:
        return wanted + oracle.floor(columns, *parameters)
    if unit in {"price", "that of the series"}:
        return wanted + ROUNDING * float(columns.high.max())
    if unit == "volume":
        return wanted + ROUNDING * float(columns.volume.sum())
    return wanted + ROUNDING * 100.0


def _windows(column: Column, period: int) -> Column:
    """Return the last `period` values at each place that has them, as rows."""
    return np.lib.stride_tricks.sliding_window_view(column, period)


def _padded(column: Column, length: int) -> Column:
    """Return a column with NaN before it, up to a length."""
    return np.concatenate([np.full(length - len(column), np.nan), column])


def _from_middle(outputs: Outputs) -> Outputs:
    """TA-Lib names bands from the top."""
    upper, middle, lower = outputs
    return middle, upper, lower


def _adx(c: Columns, period: int) -> Outputs:
    adx = talib.ADX(c.high, c.low, c.close, period)
    both = (talib.PLUS_DI(c.high, c.low, c.close, period), talib.MINUS_DI(c.high, c.low, c.close, period))
    return adx, *(np.where(np.isnan(adx), np.nan, di) for di in both)


def _aroon(c: Columns, period: int) -> Outputs:
    down, up = talib.AROON(c.high, c.low, period)
    return up, down, talib.AROONOSC(c.high, c.low, period)


def _vwma(c: Columns, period: int) -> Column:
    """TA-Lib's, but for windows without volume, where it divides what rounding left of its sums."""
    values: Column = talib.VWMA(c.close, c.volume, period)
    if 1 < period <= len(values):
        values[period - 1 :][_windows(c.volume, period).max(axis=1) == 0.0] = np.nan
    return values


def _supertrend(c: Columns, period: int, multiplier: float) -> Outputs:
    line, direction = talib.SUPERTREND(c.high, c.low, c.close, period, multiplier)
    return line, np.where(np.isnan(line), np.nan, direction * GAUGE)


def _zscore(c: Columns, period: int) -> Column:
    """By its definition, window by window; 0 where the deviation is within rounding of the mean."""

    def of(window: Sequence[float]) -> float:
        mean = fsum(window) / period
        deviation = sqrt(fsum((x - mean) ** 2 for x in window) / period)
        return 0.0 if deviation <= 1e-14 * mean else (window[-1] - mean) / deviation

    if len(c.close) < period:
        return np.full(len(c.close), np.nan)
    return _padded(np.array([of(window) for window in _windows(c.close, period).tolist()]), len(c.close))


def _vwap(c: Columns) -> Column:
    """From midnight UTC, in exact fractions; a bar that ends at midnight is the last of its day."""
    values, day, value, volume = [], nan, Fraction(0), Fraction(0)
    for ts, price, traded in zip(c.ts, c.typical, c.volume, strict=True):
        if isnan(day) or (int(ts) - 1) // NS_PER_DAY != day:
            day, value, volume = (int(ts) - 1) // NS_PER_DAY, Fraction(0), Fraction(0)
        value += Fraction(float(price)) * Fraction(float(traded))
        volume += Fraction(float(traded))
        values.append(float(value / volume) if volume else nan)
    return np.array(values)


def _cci_floor(c: Columns, period: int) -> Column:
    """What one rounding of the price makes of it: without end where prices are equal."""
    if len(c.close) < period:
        return np.zeros(len(c.close))
    windows = _windows(c.typical, period)
    deviation = np.abs(windows - windows.mean(axis=1, keepdims=True)).mean(axis=1)
    with np.errstate(divide="ignore"):
        return _padded(2e-15 * windows.max(axis=1) / (0.015 * deviation), len(c.close)) + 1e-10


def _stochrsi_floor(c: Columns, period: int, stoch: int, signal: int) -> Column:
    """What a rounding of the RSI makes of its place between extremes, the most of those averaged."""
    rsi = talib.RSI(c.close * GAUGE, period)[period:]
    if len(rsi) < stoch + signal:
        return np.full(len(c.close), 100.0 if len(rsi) >= stoch else 0.0)
    windows = _windows(rsi, stoch)
    with np.errstate(divide="ignore"):
        floor = 100.0 * 1e-12 / (windows.max(axis=1) - windows.min(axis=1))
    return _padded(_windows(floor, signal).max(axis=1), len(c.close)) + 1e-10


ORACLES = {
    "sma": Oracle(lambda c, n: talib.SMA(c.close, n)),
    "ema": Oracle(lambda c, n: talib.EMA(c.close, n)),
    "wma": Oracle(lambda c, n: talib.WMA(c.close, n)),
    "dema": Oracle(lambda c, n: talib.DEMA(c.close, n)),
    "tema": Oracle(lambda c, n: talib.TEMA(c.close, n)),
    "hma": Oracle(lambda c, n: talib.HMA(c.close, n), 2),
    "rma": Oracle(lambda c, n: talib.RMA(c.close, n)),
    "kama": Oracle(lambda c, n, _fast, _slow: talib.KAMA(c.close, n), 2),
    "vwma": Oracle(_vwma),
    "vwap": Oracle(_vwap, bars=True),
    "rsi": Oracle(lambda c, n: talib.RSI(c.close, n), 2),
    "stoch": Oracle(lambda c, n, s, d: talib.STOCH(c.high, c.low, c.close, n, s, _SIMPLE, d, _SIMPLE)),
    "stochrsi": Oracle(lambda c, n, m, d: talib.STOCHRSI(c.close, n, m, d, _SIMPLE), 2, _stochrsi_floor),
    "macd": Oracle(lambda c, *three: talib.MACD(c.close, *three), 2),
    "cci": Oracle(lambda c, n: talib.CCI(c.high, c.low, c.close, n), 2, _cci_floor),
    "mfi": Oracle(lambda c, n: talib.MFI(c.high, c.low, c.close, c.volume, n), 2),
    "roc": Oracle(lambda c, n: talib.ROC(c.close, n)),
    "mom": Oracle(lambda c, n: talib.MOM(c.close, n)),
    "willr": Oracle(lambda c, n: talib.WILLR(c.high, c.low, c.close, n), 2),
    "adx": Oracle(_adx, 2),
    "plus_di": Oracle(lambda c, n: talib.PLUS_DI(c.high, c.low, c.close, n), 2),
    "minus_di": Oracle(lambda c, n: talib.MINUS_DI(c.high, c.low, c.close, n), 2),
    "aroon": Oracle(_aroon, 2),
    "tr": Oracle(lambda c: talib.TRANGE(c.high, c.low, c.close)),
    "atr": Oracle(lambda c, n: talib.ATR(c.high, c.low, c.close, n)),
    "natr": Oracle(lambda c, n: talib.NATR(c.high, c.low, c.close, n), 2),
    "stddev": Oracle(lambda c, n: talib.STDDEV(c.close, n), 2),
    "zscore": Oracle(_zscore, bars=True),
    "bbands": Oracle(lambda c, n, k: _from_middle(talib.BBANDS(c.close, n, k, k)), 2),
    "keltner": Oracle(lambda c, n, k, m: _from_middle(talib.KC(c.high, c.low, c.close, n, m, k)), 2),
    "donchian": Oracle(lambda c, n: _from_middle(talib.DONCHIAN(c.high, c.low, n)), 2),
    "supertrend": Oracle(_supertrend, 2),
    "psar": Oracle(lambda c, step, maximum: talib.SAR(c.high, c.low, step, maximum)),
    "highest": Oracle(lambda c, n: talib.MAX(c.close, n), 2),
    "lowest": Oracle(lambda c, n: talib.MIN(c.close, n), 2),
    "percentile": Oracle(lambda c, n, percent: talib.PERCENTILE(c.close, n, percent), 2),
    "linreg": Oracle(lambda c, n: talib.LINEARREG(c.close, n), 2),
    "slope": Oracle(lambda c, n: talib.LINEARREG_SLOPE(c.close, n), 2),
    "obv": Oracle(lambda c: talib.OBV(c.close, c.volume)),
}
