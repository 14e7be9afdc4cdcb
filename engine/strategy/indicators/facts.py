"""What the catalog says of an indicator."""

from collections.abc import Callable
from typing import Literal

import msgspec

from engine.strategy.indicators import BarIndicator, SeriesIndicator

Make = Callable[..., SeriesIndicator | BarIndicator]


class Parameter(msgspec.Struct, frozen=True):
    """A number an indicator is made with; required where it has no default."""

    name: str
    kind: Literal["int", "float"]
    minimum: float
    maximum: float
    default: float | None = None


class IndicatorFacts(msgspec.Struct, frozen=True):
    """An indicator: its word, its class, whose constructor takes the parameters by name, and its meaning."""

    name: str
    make: Make
    parameters: tuple[Parameter, ...]  # in the order they are written in
    takes: Literal["series", "bar"]
    default_series: str | None  # of one of a series, where none is written
    outputs: tuple[str, ...]  # of one with several, the first being meant where none is named
    unit: str
    meaning: str
    source: str
