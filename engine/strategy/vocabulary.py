"""The words of the rule language: its series, its functions, and what was meant by a word that is not one."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

import msgspec

from engine.strategy.indicators import BarIndicator, SeriesIndicator
from engine.strategy.indicators.atr import Atr
from engine.strategy.indicators.ema import Ema
from engine.strategy.indicators.extremes import Highest, Lowest
from engine.strategy.indicators.rsi import Rsi
from engine.strategy.indicators.sma import Sma

PERIOD_MAX = 100_000

# What a bar holds, in the order of the first slots of a program.
FIELDS = ("close", "open", "high", "low", "volume")

# Prices made of a bar: the fields whose mean they are.
MEANS = {
    "hl2": ("high", "low"),
    "hlc3": ("high", "low", "close"),
    "ohlc4": ("open", "high", "low", "close"),
}
SERIES = (*FIELDS, *MEANS)


class SeriesFunction(msgspec.Struct, frozen=True):
    """A function of one series and a period; the series is `default` where none is written."""

    make: Callable[[int], SeriesIndicator]
    default: str


class BarFunction(msgspec.Struct, frozen=True):
    """A function of bars and a period."""

    make: Callable[[int], BarIndicator]


FUNCTIONS: dict[str, SeriesFunction | BarFunction] = {
    "atr": BarFunction(Atr),
    "ema": SeriesFunction(Ema, "close"),
    "highest": SeriesFunction(Highest, "high"),
    "lowest": SeriesFunction(Lowest, "low"),
    "rsi": SeriesFunction(Rsi, "close"),
    "sma": SeriesFunction(Sma, "close"),
}
CROSSES = ("crosses_above", "crosses_below")
WORDS = (*SERIES, *FUNCTIONS, *CROSSES, "and", "or", "not")


def suggestion(word: str, known: Iterable[str] = WORDS) -> str:
    """Return the end of a sentence about an unknown word: the nearest known one, or nothing."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
