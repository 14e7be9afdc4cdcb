"""Which plays go with which files: every one with every one, several legs on files of one time."""

import gzip
import shutil
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from engine.config.plays import load_play
from engine.domain.errors import ConfigError
from engine.strategy.legs import evaluator_of
from engine.strategy.model import UNASKED
from engine.strategy.timeframes import step_of
from engine.venues.datafile import BarColumns
from engine.venues.replay import DataSource, load_tape

SUFFIXES = (".csv", ".csv.gz")
OVERLAP_MIN = 0.5  # of the shorter of two files
EQUITY_MIN = 1_000_000
ORDERS_OF_EQUITY = 1_000  # the least order is at most this part of the equity


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A file that can be replayed. Times in ns UTC; `order_min` is the least order in quote units."""

    path: Path
    symbol: str
    has_trades: bool
    rows: int
    first: int
    last: int
    base_step_ns: int
    order_min: float

    @property
    def name(self) -> str:
        """The file's name without its endings."""
        return self.path.name.partition(".")[0]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A play and the files it is tried on, the traded one first."""

    play: Path
    data: tuple[DataFacts, ...]
    unfit: str = ""  # why it cannot be tried

    @property
    def sources(self) -> tuple[str, ...]:
        """The files as `--data` takes them; two of one symbol get names of their own."""
        symbols = [each.symbol for each in self.data]
        if len(set(symbols)) == len(symbols):
            return tuple(str(each.path) for each in self.data)
        return tuple(f"{each.symbol}{number}={each.path}" for number, each in enumerate(self.data, start=1))

    @property
    def equity(self) -> int:
        """What the account starts with: enough for the least order to be a small part of it."""
        return max(EQUITY_MIN, round(max(each.order_min for each in self.data) * ORDERS_OF_EQUITY))

    @property
    def name(self) -> str:
        """The files' names."""
        return " + ".join(each.name for each in self.data)


def find_files(folder: Path, parts: Sequence[str] = ()) -> list[Path]:
    """Return the files of bars and trades below a folder whose names hold one of the parts, if any are given.

    Raises ConfigError where there is none.
    """
    if not folder.is_dir():
        raise ConfigError("is no folder; it should hold files of bars or trades", file=str(folder))
    files = [path for path in sorted(folder.rglob("*")) if path.name.endswith(SUFFIXES)]
    chosen = [path for path in files if not parts or any(part in path.name for part in parts)]
    if not chosen:
        text = f"none of its {len(files)} data files is called {' or '.join(parts)}" if files else "is empty"
        raise ConfigError(f"{text}; it should hold .csv or .csv.gz files of bars or trades", file=str(folder))
    return chosen


def facts_of(path: Path) -> DataFacts | None:
    """Return what matters of a file, None where it holds neither bars nor trades."""
    try:
        tape = load_tape(DataSource(path))
    except ConfigError:
        return None
    columns, rules = tape.columns, tape.instrument
    highest = columns.high.max() if isinstance(columns, BarColumns) else columns.price.max()
    least = float(highest) * float(max(rules.lot, rules.qty_min))
    return DataFacts(
        path=path,
        symbol=rules.symbol,
        has_trades=not isinstance(columns, BarColumns),
        rows=int(columns.ts.size),
        first=int(columns.ts[0]),
        last=int(columns.ts[-1]),
        base_step_ns=tape.base_step_ns,
        order_min=max(float(rules.notional_min), least),
    )


def head(path: Path, folder: Path, rows: int) -> Path:
    """Write the first rows of a file into a folder, under its own name: its symbol is read from that."""
    folder.mkdir(parents=True, exist_ok=True)
    cut = folder / path.name
    with _opened(path, "rt") as source, _opened(cut, "wt") as target:
        target.writelines(islice(source, rows + 1))
    beside = path.with_name(path.name.partition(".csv")[0] + ".instrument.yaml")
    if beside.exists():
        shutil.copy(beside, folder)
    return cut


def pair_up(plays: Iterable[Path], files: Sequence[DataFacts]) -> list[Case]:
    """Return every play with every file. Raises ConfigError where a play cannot be read."""
    return [_case(play, each, files) for each in files for play in plays]


def _case(play: Path, first: DataFacts, files: Sequence[DataFacts]) -> Case:
    legs = max(1, len(load_play(play).legs))
    others = sorted(
        (each for each in files if _goes_along(first, each)), key=lambda each: -_overlap(first, each)
    )
    if len(others) < legs - 1:
        text = f"needs {legs} markets at one time, and no other file covers this one's"
        return Case(play=play, data=(first,), unfit=text)
    return Case(play=play, data=(first, *others[: legs - 1]))


def _goes_along(one: DataFacts, other: DataFacts) -> bool:
    """Tell whether another file is of the same time and kind."""
    if other.path == one.path or (other.has_trades, other.base_step_ns) != (one.has_trades, one.base_step_ns):
        return False
    shorter = min(one.last - one.first, other.last - other.first)
    return _overlap(one, other) >= shorter * OVERLAP_MIN


def _overlap(one: DataFacts, other: DataFacts) -> int:
    return max(0, min(one.last, other.last) - max(one.first, other.first))


def why_silent(case: Case, bars: int) -> str:
    """Say why a play gave no signal over so many bars."""
    spec = load_play(case.play)
    names = [f"{number}" for number, _ in enumerate(case.data)]
    step_ns = step_of(spec.timeframe, case.data[0].base_step_ns)
    needed = evaluator_of(spec, *names, step_ns=step_ns, models=UNASKED).warmup_bars
    if needed > bars:
        return f"its first signal takes {needed:,} bars, and there are {bars:,}"
    return f"its rules never fire in {bars:,} bars"


def _opened(path: Path, how: Literal["rt", "wt"]) -> TextIO:
    packed = path.name.endswith(".gz")
    return gzip.open(path, how, encoding="utf-8") if packed else path.open(how, encoding="utf-8")
