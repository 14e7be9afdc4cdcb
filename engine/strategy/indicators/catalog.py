"""All indicators with what the rule language, its schema and the documents need to know of each."""

from engine.strategy.indicators import SERIES, BarIndicator, SeriesIndicator
from engine.strategy.indicators.adx import Adx, MinusDi, PlusDi
from engine.strategy.indicators.aroon import Aroon
from engine.strategy.indicators.atr import Atr, Natr, Tr
from engine.strategy.indicators.cci import Cci
from engine.strategy.indicators.change import Mom, Roc
from engine.strategy.indicators.channels import Donchian, Keltner
from engine.strategy.indicators.ema import Dema, Ema, Tema
from engine.strategy.indicators.extremes import Highest, Lowest
from engine.strategy.indicators.facts import IndicatorFacts, Parameter
from engine.strategy.indicators.kama import Kama
from engine.strategy.indicators.linreg import Linreg, Slope
from engine.strategy.indicators.macd import Macd
from engine.strategy.indicators.mfi import Mfi
from engine.strategy.indicators.moments import Bbands, Stddev, Zscore
from engine.strategy.indicators.percentile import Percentile
from engine.strategy.indicators.psar import Psar
from engine.strategy.indicators.rma import Rma
from engine.strategy.indicators.rsi import Rsi
from engine.strategy.indicators.sma import Sma
from engine.strategy.indicators.stoch import Stoch, StochRsi, Willr
from engine.strategy.indicators.supertrend import Supertrend
from engine.strategy.indicators.volume import Obv, Vwap
from engine.strategy.indicators.vwma import Vwma
from engine.strategy.indicators.wma import Hma, Wma

PERIOD_MAX = 100_000
SORTED_PERIOD_MAX = 10_000  # of those that keep their window sorted, which costs more the longer it is
FACTOR_MAX = 1_000.0


def _whole(name: str, minimum: int, default: int | None = None, maximum: int = PERIOD_MAX) -> Parameter:
    return Parameter(name, "int", minimum, maximum, default)


def _real(name: str, minimum: float, default: float, maximum: float = FACTOR_MAX) -> Parameter:
    return Parameter(name, "float", minimum, maximum, default)


def _period(minimum: int = 1, maximum: int = PERIOD_MAX) -> tuple[Parameter, ...]:
    return (_whole("period", minimum, maximum=maximum),)


def _facts(
    name: str,
    make: type[SeriesIndicator | BarIndicator],
    parameters: tuple[Parameter, ...],
    unit: str,
    meaning: str,
    *,
    source: str,
    series: str = "close",
) -> IndicatorFacts:
    return IndicatorFacts(
        name=name,
        make=make,
        parameters=parameters,
        takes="series" if make.TAKES == SERIES else "bar",
        default_series=series if make.TAKES == SERIES else None,
        outputs=getattr(make, "OUTPUTS", ()),
        unit=unit,
        meaning=meaning,
        source=source,
    )


_PRICE, _SERIES, _HUNDRED = "price", "that of the series", "0 to 100"

_AVERAGES = (
    _facts("sma", Sma, _period(), _SERIES, "the mean of the last values", source="TA-Lib SMA"),
    _facts("ema", Ema, _period(), _SERIES, "the exponential moving average", source="TA-Lib EMA"),
    _facts("wma", Wma, _period(), _SERIES, "the mean with weights that fall with age", source="TA-Lib WMA"),
    _facts(
        "dema",
        Dema,
        _period(),
        _SERIES,
        "the double exponential moving average",
        source="Mulloy; TA-Lib DEMA",
    ),
    _facts(
        "tema",
        Tema,
        _period(),
        _SERIES,
        "the triple exponential moving average",
        source="Mulloy; TA-Lib TEMA",
    ),
    _facts("hma", Hma, _period(2), _SERIES, "Hull's moving average", source="Hull; TA-Lib HMA"),
    _facts("rma", Rma, _period(), _SERIES, "Wilder's moving average", source="Wilder; TA-Lib RMA"),
    _facts(
        "kama",
        Kama,
        (_whole("period", 2), _whole("fast", 1, 2), _whole("slow", 1, 30)),
        _SERIES,
        "Kaufman's average, fast in trends and slow in noise",
        source="Kaufman; TA-Lib KAMA",
    ),
    _facts("vwma", Vwma, _period(), _PRICE, "the mean close weighted by volume", source="TA-Lib VWMA"),
    _facts(
        "vwap",
        Vwap,
        (),
        _PRICE,
        "the mean price weighted by volume since 00:00 UTC",
        source="Berkowitz et al.",
    ),
)

_MOMENTUM = (
    _facts("rsi", Rsi, _period(), _HUNDRED, "the share of gains in all changes", source="Wilder; TA-Lib RSI"),
    _facts(
        "stoch",
        Stoch,
        (_whole("period", 1, 14), _whole("smooth", 1, 3), _whole("signal", 1, 3)),
        _HUNDRED,
        "where the close stands in the range of late, smoothed",
        source="Lane; TA-Lib STOCH",
    ),
    _facts(
        "stochrsi",
        StochRsi,
        (_whole("period", 1, 14), _whole("stoch", 1, 14), _whole("signal", 1, 3)),
        _HUNDRED,
        "where the RSI stands in its range of late",
        source="Chande and Kroll; TA-Lib STOCHRSI",
    ),
    _facts(
        "macd",
        Macd,
        (_whole("fast", 1, 12), _whole("slow", 1, 26), _whole("signal", 1, 9)),
        _SERIES,
        "a fast average less a slow one, with a signal line",
        source="Appel; TA-Lib MACD",
    ),
    _facts(
        "cci",
        Cci,
        _period(2, SORTED_PERIOD_MAX),
        "none, mostly within -100 and 100",
        "how many mean deviations the typical price is from its mean",
        source="Lambert; TA-Lib CCI",
    ),
    _facts(
        "mfi",
        Mfi,
        _period(),
        _HUNDRED,
        "the share of rising bars in traded value",
        source="Quong and Soudack; TA-Lib MFI",
    ),
    _facts("roc", Roc, _period(), "percent", "the change from some values ago", source="TA-Lib ROC"),
    _facts("mom", Mom, _period(), _SERIES, "the difference from some values ago", source="TA-Lib MOM"),
    _facts(
        "willr",
        Willr,
        _period(),
        "-100 to 0",
        "how far the close is below the high of late",
        source="Williams; TA-Lib WILLR",
    ),
    _facts(
        "adx", Adx, _period(2), _HUNDRED, "how strong a trend is, up or down", source="Wilder; TA-Lib ADX"
    ),
    _facts(
        "plus_di",
        PlusDi,
        _period(2),
        _HUNDRED,
        "the share of upward movement in the range",
        source="Wilder; TA-Lib PLUS_DI",
    ),
    _facts(
        "minus_di",
        MinusDi,
        _period(2),
        _HUNDRED,
        "the share of downward movement in the range",
        source="Wilder; TA-Lib MINUS_DI",
    ),
    _facts(
        "aroon",
        Aroon,
        _period(),
        _HUNDRED,
        "how fresh the highest high and lowest low are",
        source="Chande; TA-Lib AROON",
    ),
)

_VOLATILITY = (
    _facts(
        "tr", Tr, (), _PRICE, "the range of the bar, from the close before", source="Wilder; TA-Lib TRANGE"
    ),
    _facts("atr", Atr, _period(), _PRICE, "the average true range", source="Wilder; TA-Lib ATR"),
    _facts(
        "natr",
        Natr,
        _period(),
        "percent of the close",
        "the average true range",
        source="Forman; TA-Lib NATR",
    ),
    _facts(
        "stddev",
        Stddev,
        _period(),
        _SERIES,
        "the standard deviation of the last values",
        source="TA-Lib STDDEV",
    ),
    _facts(
        "zscore",
        Zscore,
        _period(),
        "standard deviations",
        "how far the value is from the mean of the last",
        source="definition",
    ),
)

_CHANNELS = (
    _facts(
        "bbands",
        Bbands,
        (_whole("period", 1, 20), _real("deviations", 0.0, 2.0)),
        _SERIES,
        "Bollinger bands: a mean and standard deviations around it",
        source="Bollinger; TA-Lib BBANDS",
    ),
    _facts(
        "keltner",
        Keltner,
        (_whole("period", 1, 20), _real("multiplier", 0.0, 2.0), _whole("atr_period", 1, 10)),
        _PRICE,
        "Keltner channel: an average and average true ranges around it",
        source="Keltner, Raschke; TA-Lib KC",
    ),
    _facts(
        "donchian",
        Donchian,
        (_whole("period", 1, 20),),
        _PRICE,
        "Donchian channel: the highest high and lowest low",
        source="Donchian; TA-Lib DONCHIAN",
    ),
    _facts(
        "supertrend",
        Supertrend,
        (_whole("period", 1, 10), _real("multiplier", 0.0, 3.0)),
        _PRICE,
        "a band of average true ranges that follows price and turns",
        source="Seban; TA-Lib SUPERTREND",
    ),
    _facts(
        "psar",
        Psar,
        (_real("step", 0.0, 0.02, 1.0), _real("maximum", 0.0, 0.2, 1.0)),
        _PRICE,
        "the parabolic stop and reverse",
        source="Wilder; TA-Lib SAR",
    ),
)

_WINDOWS = (
    _facts(
        "highest",
        Highest,
        _period(),
        _SERIES,
        "the highest of the last values",
        source="TA-Lib MAX",
        series="high",
    ),
    _facts(
        "lowest",
        Lowest,
        _period(),
        _SERIES,
        "the lowest of the last values",
        source="TA-Lib MIN",
        series="low",
    ),
    _facts(
        "percentile",
        Percentile,
        (_whole("period", 1, maximum=SORTED_PERIOD_MAX), _real("percent", 0.0, 50.0, 100.0)),
        _SERIES,
        "the value that a share of the last ones does not exceed",
        source="nearest rank; TA-Lib PERCENTILE",
    ),
    _facts(
        "linreg",
        Linreg,
        _period(2),
        _SERIES,
        "the end of the line of least squares",
        source="TA-Lib LINEARREG",
    ),
    _facts(
        "slope",
        Slope,
        _period(2),
        _SERIES,
        "the rise of that line for each value",
        source="TA-Lib LINEARREG_SLOPE",
    ),
    _facts(
        "obv",
        Obv,
        (),
        "volume",
        "volume, added on rising closes and taken off on falling ones",
        source="Granville; TA-Lib OBV",
    ),
)

CATALOG: dict[str, IndicatorFacts] = {
    facts.name: facts for facts in (*_AVERAGES, *_MOMENTUM, *_VOLATILITY, *_CHANNELS, *_WINDOWS)
}
