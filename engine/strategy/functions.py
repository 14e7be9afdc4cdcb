"""What may be called in a rule by name and arguments: indicators and structures in one form."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from engine.strategy.indicators import BarIndicator, SeriesIndicator
from engine.strategy.indicators.facts import IndicatorFacts, Make, Parameter
from engine.strategy.literals import clock_text, number_text


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

    @classmethod
    def of(cls, facts: IndicatorFacts) -> "Function":
        """Return an indicator as a function."""
        return cls(
            name=facts.name,
            factory=facts.make,
            arguments=tuple(map(_argument, facts.parameters)),
            series=facts.default_series or "",
            outputs=facts.outputs,
            unit=facts.unit,
            meaning=facts.meaning,
            source=facts.source,
        )

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


def _argument(parameter: Parameter) -> Argument:
    return Argument(
        parameter.name,
        ArgumentKind(parameter.kind),
        parameter.default,
        parameter.minimum,
        parameter.maximum,
    )
