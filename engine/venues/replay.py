"""Feeds that play files of recorded market data, in one order that any restart can take up again.

In one file: a bar follows the last row inside it, finer bars before coarser ones, so it comes before the
first trade at or past its end. Over several files: by time; at one time bars before trades (a bar that closes
then holds only what came before), then the files in the order they were given. What is still open where a
tape ends is closed there, under the time its interval would have ended.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from decimal import Decimal
from itertools import chain, islice, repeat
from pathlib import Path

import msgspec
import numpy as np

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S, Bar, Instrument, MarketEvent, Trade
from engine.venues.barbuilder import BuiltBars, bars_of_bars, bars_of_trades
from engine.venues.csvcolumns import Ints
from engine.venues.datafile import BarColumns, DataFile, Quirks, TradeColumns
from engine.venues.instruments import (
    DEFAULT_MAKER_FEE,
    DEFAULT_TAKER_FEE,
    BarTime,
    describe,
)
from engine.venues.keptdata import ColumnStore, read_kept
from engine.venues.stretch import PrintStretch, TapeStretch

CHUNK_ROWS = 1024  # events are made this many at a time: memory stays bounded, the loop stays in C
_SOURCE = re.compile(r"(?P<symbol>[A-Za-z0-9.:-]+)=(?P<path>.+)", re.DOTALL)


class DataSource(msgspec.Struct, frozen=True):
    """A file as the command line names it: `[SYM=]FILE`."""

    path: Path
    symbol: str | None = None


def parse_source(text: str) -> DataSource:
    """Read `[SYM=]FILE`; a text that is the name of a file as it stands is that file."""
    match = _SOURCE.fullmatch(text)
    if match is None or Path(text).exists():
        return DataSource(Path(text))
    return DataSource(Path(match["path"]), match["symbol"])


class Tape(msgspec.Struct, frozen=True, eq=False):
    """A file in memory with its instrument; bars carry their close as time. `derived` tells the guesses.

    `headline` says in one line as what the file trades and which facts are guesses.
    """

    path: Path
    sha256: str
    instrument: Instrument
    columns: BarColumns | TradeColumns
    quirks: Quirks
    derived: tuple[str, ...]
    headline: str = ""

    @property
    def base_step_ns(self) -> int:
        """The file's own step; 5 s for trades."""
        return self.quirks.base_step_ns


def load_tape(
    source: DataSource,
    *,
    store: ColumnStore | None = None,
    bar_ts: BarTime | None = None,
    maker_fee: Decimal = DEFAULT_MAKER_FEE,
    taker_fee: Decimal = DEFAULT_TAKER_FEE,
) -> Tape:
    """Read a file, through `store` where there is one, and find its instrument.

    Raises ConfigError naming file and line.
    """
    data = read_kept(source.path, store)
    about = describe(data, symbol=source.symbol, bar_ts=bar_ts, maker_fee=maker_fee, taker_fee=taker_fee)
    columns = _closing(data, about.bar_ts)
    return Tape(data.path, data.sha256, about.instrument, columns, data.quirks, about.derived, about.headline)


def clip(tape: Tape, since: int | None = None, until: int | None = None) -> Tape:
    """Return the part of a tape with times in [since, until), ns UTC. Raises ConfigError where it is empty.

    The quirks stay those of the whole file.
    """
    ts = tape.columns.ts
    first = 0 if since is None else int(np.searchsorted(ts, since))
    last = ts.size if until is None else int(np.searchsorted(ts, until))
    if first >= last:
        raise ConfigError("has no rows in the time asked for", file=str(tape.path))
    kind = type(tape.columns)
    columns = kind(*(getattr(tape.columns, field.name)[first:last] for field in fields(tape.columns)))
    return msgspec.structs.replace(tape, columns=columns)


def open_feed(
    tapes: Sequence[Tape], steps_ns: Iterable[int] = (), *, limit: int | None = None
) -> "FileFeed | MergedFeed":
    """Return the feed over one or more tapes that also builds bars of the given steps (ns)."""
    steps = tuple(steps_ns)
    return (
        FileFeed(tapes[0], steps, limit=limit) if len(tapes) == 1 else MergedFeed(tapes, steps, limit=limit)
    )


def _closing(data: DataFile, bar_ts: BarTime) -> BarColumns | TradeColumns:
    """Return the columns with bars under the time of their close."""
    columns = data.columns
    if isinstance(columns, BarColumns) and bar_ts is BarTime.OPEN:
        close = columns.ts + data.quirks.base_step_ns
        return BarColumns(
            close, columns.open, columns.high, columns.low, columns.close, columns.volume, columns.count
        )
    return columns


class FileFeed:
    """Plays one tape: its rows, and the bars built from them (coarser ones; for trades the base bars too)."""

    has_quotes = False

    def __init__(self, tape: Tape, steps_ns: Iterable[int] = (), *, limit: int | None = None) -> None:
        self.tapes = (tape,)
        self.instruments = (tape.instrument,)
        self.base_step_ns = tape.base_step_ns
        self.has_trades = isinstance(tape.columns, TradeColumns)
        self.rows = int(tape.columns.ts.size)
        self._symbol = tape.instrument.symbol
        self._columns = tape.columns
        self._built, self._steps, self._lasts = _build(tape, set(steps_ns))
        # Where the built bars stand among all events: each follows its last row and the bars built before it.
        self._places = self._lasts + 1 + np.arange(self._lasts.size)
        total = self.rows + int(self._lasts.size)
        self._size = total if limit is None else min(limit, total)

    def __len__(self) -> int:
        """Count the events."""
        return self._size

    def events(self, offset: int = 0) -> Iterator[MarketEvent]:
        """Yield the events from the offset on, the same ones whatever the offset."""
        assert offset >= 0, "an offset counts events"
        return islice(chain.from_iterable(self._chunks(offset)), max(0, self._size - offset))

    def stretch(self) -> TapeStretch | PrintStretch:
        """Return all rows as one stretch; `built` tells what comes in between."""
        columns, rows = self._columns, self._size - self._built_count
        if isinstance(columns, BarColumns):
            return TapeStretch(self._symbol, self.base_step_ns, columns, rows)
        return PrintStretch(self._symbol, columns, rows)

    def built(self) -> Iterator[tuple[int, Bar]]:
        """Yield the bars that are built of the rows, each with how many rows come before it."""
        count = self._built_count
        bars = self._bars(self._built, 0, count, self._steps[:count].tolist())
        return zip((self._lasts[:count] + 1).tolist(), bars, strict=True)

    @property
    def _built_count(self) -> int:
        return int(np.searchsorted(self._places, self._size))

    def fingerprint(self) -> dict[str, str]:
        """Return sha256 by file path, as it was when the file was read."""
        return {str(tape.path): tape.sha256 for tape in self.tapes}

    def order(self) -> Ints:
        """Return a sort key for each event: its time, bars before trades."""
        keys = np.empty(self.rows + self._lasts.size, np.int64)
        is_built = np.zeros(keys.size, np.bool_)
        is_built[self._places] = True
        keys[is_built] = self._built.ts * 2
        keys[~is_built] = self._columns.ts * 2 + self.has_trades
        return keys[: self._size]

    def _chunks(self, offset: int) -> Iterator[Sequence[MarketEvent]]:
        built = int(np.searchsorted(self._places, offset))
        first = offset - built
        for low in range(first, max(self.rows, first + 1), CHUNK_ROWS):
            high = min(low + CHUNK_ROWS, self.rows)
            rows = self._rows(low, high)
            until = int(np.searchsorted(self._lasts, high))
            yield self._interleaved(rows, low, built, until) if until > built else rows
            built = until

    def _interleaved(
        self, rows: list[MarketEvent], low: int, built: int, until: int
    ) -> Sequence[MarketEvent]:
        """Put the built bars of [built, until) after their last rows; `low` numbers the first row."""
        events: list[MarketEvent] = []
        cut = 0
        for bar, place in zip(
            self._bars(self._built, built, until, self._steps[built:until].tolist()),
            (self._lasts[built:until] + (1 - low)).tolist(),
            strict=True,
        ):
            events += rows[cut:place]
            events.append(bar)
            cut = place
        return events + rows[cut:]

    def _rows(self, low: int, high: int) -> list[MarketEvent]:
        columns = self._columns
        if isinstance(columns, BarColumns):
            return list(self._bars(columns, low, high, repeat(self.base_step_ns)))
        price = columns.price[low:high].tolist()
        return list(
            map(
                Trade,
                columns.ts[low:high].tolist(),
                repeat(self._symbol),
                price,
                columns.qty[low:high].tolist(),
                columns.side[low:high].tolist(),
                price,
                price,
            )
        )

    def _bars(self, columns: BarColumns, low: int, high: int, steps: Iterable[int]) -> Iterator[Bar]:
        return map(
            Bar,
            columns.ts[low:high].tolist(),
            repeat(self._symbol),
            columns.open[low:high].tolist(),
            columns.high[low:high].tolist(),
            columns.low[low:high].tolist(),
            columns.close[low:high].tolist(),
            columns.volume[low:high].tolist(),
            steps,
            columns.count[low:high].tolist(),
        )


class MergedFeed:
    """Plays several tapes, one per symbol, as one. Its base step is the longest of theirs."""

    has_quotes = False

    def __init__(
        self, tapes: Sequence[Tape], steps_ns: Iterable[int] = (), *, limit: int | None = None
    ) -> None:
        _require_distinct(tapes)
        self.tapes = tuple(tapes)
        self.base_step_ns = max(tape.base_step_ns for tape in tapes)
        steps = {self.base_step_ns, *steps_ns}
        self._feeds = [FileFeed(tape, steps) for tape in tapes]
        self.instruments = tuple(tape.instrument for tape in tapes)
        self.has_trades = any(feed.has_trades for feed in self._feeds)
        self.rows = sum(feed.rows for feed in self._feeds)
        sizes = [len(feed) for feed in self._feeds]
        order = np.argsort(np.concatenate([feed.order() for feed in self._feeds]), kind="stable")
        self._turns = np.repeat(np.arange(len(tapes), dtype=np.int16), sizes)[order][:limit]

    def __len__(self) -> int:
        """Count the events."""
        return int(self._turns.size)

    def events(self, offset: int = 0) -> Iterator[MarketEvent]:
        """Yield the events from the offset on, the same ones whatever the offset."""
        assert offset >= 0, "an offset counts events"
        seen = np.bincount(self._turns[:offset], minlength=len(self._feeds)).tolist()
        takes = [feed.events(count).__next__ for feed, count in zip(self._feeds, seen, strict=True)]
        for low in range(offset, len(self), CHUNK_ROWS):
            for turn in self._turns[low : low + CHUNK_ROWS].tolist():
                yield takes[turn]()

    def fingerprint(self) -> dict[str, str]:
        """Return sha256 by file path, as it was when the files were read."""
        return {str(tape.path): tape.sha256 for tape in self.tapes}


def _build(tape: Tape, steps_ns: set[int]) -> tuple[BarColumns, Ints, Ints]:
    """Build the bars of all steps; return them in order with their steps and the last row inside each."""
    columns, digits = tape.columns, tape.instrument.qty_digits
    trades = isinstance(columns, TradeColumns)
    steps = sorted(steps_ns | {tape.base_step_ns}) if trades else sorted(steps_ns - {tape.base_step_ns})
    for step in steps:
        if step < tape.base_step_ns or step % tape.base_step_ns:
            raise ConfigError(
                f"bars of {step / NS_PER_S:g} s cannot be built: the file's step is"
                f" {tape.base_step_ns / NS_PER_S:g} s; use a multiple of it",
                file=str(tape.path),
            )
    built = [
        bars_of_trades(columns, step, digits)
        if isinstance(columns, TradeColumns)
        else bars_of_bars(columns, step, digits)
        for step in steps
    ]
    return _ordered(built, steps)


def _ordered(built: Sequence[BuiltBars], steps: Sequence[int]) -> tuple[BarColumns, Ints, Ints]:
    """Put the bars of several steps into the order in which they are told."""
    none = np.zeros(0)
    whole = np.zeros(0, np.int64)
    tables = [each.bars for each in built] or [BarColumns(whole, none, none, none, none, none, whole)]
    lasts = np.concatenate([whole, *(each.last_rows for each in built)])
    lengths = np.repeat(np.array(steps, np.int64), [each.last_rows.size for each in built])
    ts = np.concatenate([table.ts for table in tables])
    order = np.lexsort((lengths, ts, lasts))
    bars = BarColumns(
        ts[order],
        *(
            np.concatenate([getattr(table, name) for table in tables])[order]
            for name in ("open", "high", "low", "close", "volume", "count")
        ),
    )
    return bars, lengths[order], lasts[order]


def _require_distinct(tapes: Sequence[Tape]) -> None:
    """Raise ConfigError where two tapes tell of the same symbol."""
    seen: dict[str, Path] = {}
    for tape in tapes:
        if (symbol := tape.instrument.symbol) in seen:
            raise ConfigError(
                f"{seen[symbol]} is of {symbol} too; name one of them: --data SYMBOL={tape.path.name}",
                file=str(tape.path),
            )
        seen[symbol] = tape.path
