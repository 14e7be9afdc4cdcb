"""The words of the rule language, and what was meant by a word that is not one."""

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from engine.strategy.functions import Argument, ArgumentKind, Function
from engine.strategy.indicators import catalog
from engine.strategy.structures.catalog import STRUCTURES

PERIOD_MAX = catalog.PERIOD_MAX

# What a bar holds.
FIELDS = ("close", "open", "high", "low", "volume")

# Prices made of a bar: the fields whose mean they are.
MEANS = {
    "hl2": ("high", "low"),
    "hlc3": ("high", "low", "close"),
    "ohlc4": ("open", "high", "low", "close"),
}
# What a bar's close time tells, in UTC; `time` is a time of day, the others are numbers.
TIMES = ("hour", "minute", "weekday", "time")
SERIES = (*FIELDS, *MEANS, *TIMES)
MODEL = "model"  # the forecast of the play's model, 0 to 1

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")  # 1 to 7

# When the big markets are open, in minutes of the day UTC. They do not follow summer time.
SESSIONS = {"asia": (0, 540), "london": (480, 1_020), "new_york": (780, 1_320)}


class Special(msgspec.Struct, frozen=True):
    """A function of the language itself: how many arguments it takes, and how it is written."""

    takes: int
    example: str


PERIOD = Argument("period", ArgumentKind.WHOLE, None, 1, PERIOD_MAX)
INDICATORS = {name: Function.of(facts) for name, facts in catalog.CATALOG.items()}
FUNCTIONS: dict[str, Function] = {**INDICATORS, **STRUCTURES}
CROSSES = ("crosses_above", "crosses_below")
STREAKS = ("rising", "falling")
EXTENTS = ("abs", "min", "max")
SPECIAL = {
    "abs": Special(1, "abs(close - open)"),
    "min": Special(2, "min(open, close)"),
    "max": Special(2, "max(open, close)"),
    "known": Special(1, "known(swing_high(3, 3))"),
    "rising": Special(2, "rising(close, 3)"),
    "falling": Special(2, "falling(close, 3)"),
    "bars_since": Special(1, "bars_since(close > open)"),
    "within_last": Special(2, "within_last(close > open, 5)"),
    "in_session": Special(2, "in_session(london) or in_session(08:00, 16:30)"),
}
OPERATORS = (*CROSSES, "between", "and", "or", "not")
WORDS = (*SERIES, MODEL, *DAYS, *FUNCTIONS, *SPECIAL, *OPERATORS)


def suggestion(word: str, known: Iterable[str] = WORDS) -> str:
    """Return the end of a sentence about an unknown word: the nearest known one, or nothing."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
