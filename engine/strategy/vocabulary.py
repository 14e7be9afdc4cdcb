"""The words of the rule language, and what was meant by a word that is not one."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum

import msgspec

from engine.strategy.indicators import BarIndicator, SeriesIndicator, catalog
from engine.strategy.indicators.catalog import CATALOG
from engine.strategy.indicators.facts import IndicatorFacts, Make, Parameter
from engine.strategy.literals import clock_text, number_text

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

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")  # 1 to 7

# When the big markets are open, in minutes of the day UTC. They do not follow summer time.
SESSIONS = {"asia": (0, 540), "london": (480, 1_020), "new_york": (780, 1_320)}


class ArgumentKind(StrEnum):
    """What an argument is written as."""

    WHOLE = "int"
    NUMBER = "float"
    CLOCK = "clock"


class Argument(msgspec.Struct, frozen=True):
    """A number that a function takes; one without a default must be written."""

    name: str
    kind: ArgumentKind
    default: float | None
    least: float
    most: float

    @property
    def rule(self) -> str:
        """What it may be, as the end of a sentence."""
        if self.kind is ArgumentKind.CLOCK:
            return "a time of day such as 08:30"
        what = "a whole number" if self.kind is ArgumentKind.WHOLE else "a number"
        return f"{what} from {self.least:,g} to {self.most:,g}"

    def takes(self, value: float) -> bool:
        """Tell whether a number may stand here."""
        whole = self.kind is ArgumentKind.NUMBER or value == value // 1
        return self.kind is not ArgumentKind.CLOCK and whole and self.least <= value <= self.most


class Function(msgspec.Struct, frozen=True):
    """A function of one series, `series` where none is written, or of bars where that is empty."""

    name: str
    factory: Make
    arguments: tuple[Argument, ...]
    series: str
    outputs: tuple[str, ...]
    unit: str
    meaning: str
    source: str

    def make(self, values: Iterable[float]) -> SeriesIndicator | BarIndicator:
        """Return a new indicator; `values` are those of all arguments in order."""
        names = (argument.name for argument in self.arguments)
        return self.factory(**dict(zip(names, values, strict=True)))

    def write(self, at: int, value: float) -> str:
        """Write the value of an argument, given by its place."""
        clock = self.arguments[at].kind is ArgumentKind.CLOCK
        return clock_text(int(value)) if clock else number_text(value)

    @property
    def example(self) -> str:
        """How it is called."""
        values = [20 if argument.default is None else argument.default for argument in self.arguments]
        return f"{self.name}({', '.join(self.write(at, value) for at, value in enumerate(values))})"

    @property
    def shape(self) -> str:
        """What it takes."""
        series = ["SERIES"] if self.series else []
        return f"{self.name}({', '.join([*series, *(argument.name for argument in self.arguments)])})"

    @property
    def signature(self) -> str:
        """Its arguments by name, with their defaults."""
        defaults = [
            "" if argument.default is None else f" = {self.write(at, argument.default)}"
            for at, argument in enumerate(self.arguments)
        ]
        names = (argument.name for argument in self.arguments)
        return f"{self.name}({', '.join(map(''.join, zip(names, defaults, strict=True)))})"


class Special(msgspec.Struct, frozen=True):
    """A function of the language itself: how many arguments it takes, and how it is written."""

    takes: int
    example: str


def _indicator(facts: IndicatorFacts) -> Function:
    return Function(
        name=facts.name,
        factory=facts.make,
        arguments=tuple(map(_argument, facts.parameters)),
        series=facts.default_series or "",
        outputs=facts.outputs,
        unit=facts.unit,
        meaning=facts.meaning,
        source=facts.source,
    )


def _argument(parameter: Parameter) -> Argument:
    return Argument(
        parameter.name,
        ArgumentKind(parameter.kind),
        parameter.default,
        parameter.minimum,
        parameter.maximum,
    )


PERIOD = Argument("period", ArgumentKind.WHOLE, None, 1, PERIOD_MAX)
FUNCTIONS: dict[str, Function] = {name: _indicator(facts) for name, facts in CATALOG.items()}
CROSSES = ("crosses_above", "crosses_below")
STREAKS = ("rising", "falling")
EXTENTS = ("abs", "min", "max")
SPECIAL = {
    "abs": Special(1, "abs(close - open)"),
    "min": Special(2, "min(open, close)"),
    "max": Special(2, "max(open, close)"),
    "rising": Special(2, "rising(close, 3)"),
    "falling": Special(2, "falling(close, 3)"),
    "bars_since": Special(1, "bars_since(close > open)"),
    "within_last": Special(2, "within_last(close > open, 5)"),
    "in_session": Special(2, "in_session(london) or in_session(08:00, 16:30)"),
}
OPERATORS = (*CROSSES, "between", "and", "or", "not")
WORDS = (*SERIES, *DAYS, *FUNCTIONS, *SPECIAL, *OPERATORS)


def suggestion(word: str, known: Iterable[str] = WORDS) -> str:
    """Return the end of a sentence about an unknown word: the nearest known one, or nothing."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
