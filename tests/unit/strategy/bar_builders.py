"""Bars and plays for tests of strategies, with defaults that do not matter."""

import csv
import gzip
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from engine.domain.market import NS_PER_MS, NS_PER_S, Bar
from engine.domain.play import Distance, DistanceKind, PlaySpec, Rule, Sizing, SizingKind

SYMBOL = "BTCUSDT"
STEP_NS = 60 * NS_PER_S
BARS_2020 = "bitmex_xbtusd_1m_2020.csv.gz"
_DATA = Path(__file__).parents[4] / "shared" / "data" / "bars"


def bar(
    close: float,
    *,
    high: float | None = None,
    low: float | None = None,
    open_: float | None = None,
    volume: float = 1.0,
    number: int = 1,
) -> Bar:
    """A bar that is flat at its close unless told otherwise."""
    return Bar(
        ts=number * STEP_NS,
        symbol=SYMBOL,
        open=close if open_ is None else open_,
        high=close if high is None else high,
        low=close if low is None else low,
        close=close,
        volume=volume,
        step_ns=STEP_NS,
    )


def flat_bars(closes: Iterable[float]) -> list[Bar]:
    """One flat bar for each close."""
    return [bar(close, number=number) for number, close in enumerate(closes, start=1)]


def play(**facts: Any) -> PlaySpec:
    """A play; rules are given as text, the rest as in PlaySpec."""
    rules: dict[str, Any] = {
        name: Rule(value) if name.endswith(("_entry", "_exit")) else value for name, value in facts.items()
    }
    return PlaySpec(name="probe", sizing=Sizing(SizingKind.NOTIONAL, Decimal(1000)), **rules)


def distance(text: str) -> Distance:
    """`percent 2` or `atr 2 14`."""
    kind, value, *period = text.split()
    return Distance(DistanceKind(kind), float(value), *map(int, period))


def recorded_bars(count: int, name: str = BARS_2020) -> list[Bar]:
    """The first bars of a recorded file; skips the test where the data is not beside the repository."""
    path = _DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    with gzip.open(path, "rt", newline="") as stream:
        return [_recorded(row) for row in islice(csv.DictReader(stream), count)]


def _recorded(row: dict[str, str]) -> Bar:
    opened, high, low, close = (float(row[field]) for field in ("open", "high", "low", "close"))
    number = int(row["ts_ms"]) * NS_PER_MS // STEP_NS + 1
    return bar(close, high=high, low=low, open_=opened, volume=float(row["volume"]), number=number)
