"""Two saved backtests side by side: what they were made of first, then what they came to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.runtime.study.folder import SavedRun, load
from engine.runtime.study.sheet import SHEET, Kind, Line

INPUTS = ("play", "data", "settings")  # what must give the same trades where it is the same
NOTHING = "none"


class Difference(msgspec.Struct, frozen=True):
    """Something that one run was made of and the other was not; `kind` is play, data, settings or version."""

    kind: str
    name: str
    a: str
    b: str


class FigurePair(msgspec.Struct, frozen=True):
    """A figure of both runs, None where it does not exist; `change` is b less a."""

    name: str
    a: Any
    b: Any
    change: float | None


class MonthPair(msgspec.Struct, frozen=True):
    """The change of both runs' equity in a month, None where a run does not reach it."""

    month: str
    a: float | None
    b: float | None


class RunComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs. `reproduced` is None where their inputs differ, else whether signals and trades agree."""

    a: str
    b: str
    differences: tuple[Difference, ...]
    same_signals: bool
    same_trades: bool
    reproduced: bool | None
    figures: tuple[FigurePair, ...]
    months: tuple[MonthPair, ...]


def compare_runs(a: Path, b: Path) -> RunComparison:
    """Compare two saved runs. Raises ConfigError where one cannot be read."""
    one, other = load(a), load(b)
    differences = (
        *_plays(one, other),
        *_data(one, other),
        *_settings(one, other),
        *_differing("version", one.origin.versions, other.origin.versions),
    )
    signals, trades = (one.facts[name] == other.facts[name] for name in ("signal_hash", "trade_hash"))
    same_inputs = all(difference.kind not in INPUTS for difference in differences)
    return RunComparison(
        a=one.folder,
        b=other.folder,
        differences=differences,
        same_signals=signals,
        same_trades=trades,
        reproduced=signals and trades if same_inputs else None,
        figures=tuple(_pair(line, one, other) for group in SHEET for line in group.lines),
        months=_months(one, other),
    )


def _plays(one: SavedRun, other: SavedRun) -> Iterator[Difference]:
    """Compare plays in their order: another name in one's place is another play."""
    a, b = (
        {f"{number}": f"{play.name} {play.hash}" for number, play in enumerate(run.origin.plays, start=1)}
        for run in (one, other)
    )
    yield from _differing("play", a, b)


def _data(one: SavedRun, other: SavedRun) -> Iterator[Difference]:
    """Compare files by what is in them: their names and folders decide nothing."""
    a, b = (
        {
            key: value
            for data in run.origin.data
            for key, value in (
                (f"{data.symbol} sha256", data.sha256),
                (f"{data.symbol} rows played", f"{data.rows:,}, {data.since} to {data.until}"),
            )
        }
        for run in (one, other)
    )
    yield from _differing("data", a, b)


def _settings(one: SavedRun, other: SavedRun) -> Iterator[Difference]:
    a, b = (dict(_flat("", run.origin.settings)) for run in (one, other))
    yield from _differing("settings", a, b)
    seeds = [str(run.origin.seed) for run in (one, other)]
    if seeds[0] != seeds[1]:
        yield Difference("settings", "seed", *seeds)


def _differing(kind: str, a: dict[str, str], b: dict[str, str]) -> Iterator[Difference]:
    for name in dict.fromkeys([*a, *b]):
        if a.get(name) != b.get(name):
            yield Difference(kind, name, a.get(name, NOTHING), b.get(name, NOTHING))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the leaves of settings by their dotted name; instruments by their symbol."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(f"{path}.{name}" if path else name, each)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            name = each.get("symbol", number) if isinstance(each, dict) else number
            yield from _flat(f"{path}.{name}", each)
    else:
        yield path, NOTHING if value is None else str(value)


def _pair(line: Line, one: SavedRun, other: SavedRun) -> FigurePair:
    a, b = one.facts.get(line.name), other.facts.get(line.name)
    if a is None or b is None or line.kind is Kind.TEXT:
        return FigurePair(line.name, a, b, None)
    return FigurePair(line.name, a, b, float(b) - float(a))


def _months(one: SavedRun, other: SavedRun) -> tuple[MonthPair, ...]:
    a, b = ({month.month: month.change for month in run.months} for run in (one, other))
    return tuple(MonthPair(name, a.get(name), b.get(name)) for name in sorted({*a, *b}))
