"""Reads files of recorded bars and trades into columns, checks them, and finds how exact their numbers are.

Bars: `ts_ms,open,high,low,close,volume[,trades]`. Trades: `ts_ms,price,qty,side[,trade_id][,recv_ms]`.
Other columns are ignored. A value is kept only where float64 carries its decimal text without loss.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec
import numpy as np

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_MS, NS_PER_S, SCALED_MAX
from engine.venues.csvcolumns import (
    Bools,
    Column,
    ColumnKind,
    Floats,
    Ints,
    Layout,
    open_csv,
    read_columns,
)
from engine.venues.csvheader import read_header, require_names

TRADES_STEP_NS = 5 * NS_PER_S  # the base step of a file of trades
DIGITS_MAX = 15  # float64 carries any decimal of 15 significant digits
_TS_MS_MAX = (2**63 - 1) // NS_PER_MS
_SECONDS_MIN, _SECONDS_MAX = 800_000_000, 5_000_000_000  # seconds since 1970 of 1995 and 2128
_SAMPLE_ROWS = 4096
_NOISE_ULPS = 4
_NOISE_ROOM = 256  # noise is told from digits only where decimals lie this many units in the last place apart
_NUMBER, _WHOLE = ColumnKind.NUMBER, ColumnKind.WHOLE
_PRICES = ("open", "high", "low", "close")
_BAR_NEEDS = {"ts_ms": _WHOLE, **dict.fromkeys(_PRICES, _NUMBER), "volume": _NUMBER}
_BAR_EXTRAS = {"trades": _WHOLE}
_TRADE_NEEDS = {"ts_ms": _WHOLE, "price": _NUMBER, "qty": _NUMBER, "side": ColumnKind.SIDE}
_TRADE_EXTRAS = {"recv_ms": _WHOLE}


class DataKind(StrEnum):
    """What the rows of a file are."""

    BARS = "bars"
    TRADES = "trades"


@dataclass(frozen=True, eq=False, slots=True)
class BarColumns:
    """Bars as columns. `ts` (ns UTC) is as the file gives it until a feed makes it the close."""

    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    count: Ints  # trades inside, 0 where the file does not say


@dataclass(frozen=True, eq=False, slots=True)
class TradeColumns:
    """Trades as columns: `ts` in ns UTC, `side` the aggressor's (+1 bought, -1 sold, 0 unknown)."""

    ts: Ints
    price: Floats
    qty: Floats
    side: Column


class Quirks(msgspec.Struct, frozen=True, kw_only=True):
    """What is peculiar about a file, none of it an error. Times in ns UTC as the file gives them."""

    rows: int
    first: int
    last: int
    base_step_ns: int
    gaps: int = 0  # bars: steps other than the base step
    open_outside: int = 0  # bars whose open lies outside [low, high]
    close_outside: int = 0
    volume_is_zero: bool = False  # everywhere
    recv_behind: int = 0  # trades received before they happened: the recorder's clock was behind
    side_unknown: int = 0
    noisy: int = 0  # values written from binary floats (0.09946999000000001), read as the decimal they mean
    volume_rounded: int = 0  # volumes with more digits than a float64 carries


class DataFile(msgspec.Struct, frozen=True, eq=False):
    """A file in memory: its columns, the decimals its prices and quantities have, and its quirks."""

    path: Path
    sha256: str
    kind: DataKind
    columns: BarColumns | TradeColumns
    price_digits: int
    qty_digits: int
    quirks: Quirks


def read_data(path: Path) -> DataFile:
    """Read and check a CSV or CSV.gz. Raises ConfigError naming file, line and column of the first fault."""
    file = str(path)
    digest = hashlib.sha256()  # of the very bytes that are parsed, whatever becomes of the file meanwhile
    with open_csv(path, digest) as stream:
        names = read_header(stream, file)
        kind = _kind_of(names, file)
        needs, extras = (_BAR_NEEDS, _BAR_EXTRAS) if kind is DataKind.BARS else (_TRADE_NEEDS, _TRADE_EXTRAS)
        wanted = {name: column for name, column in (needs | extras).items() if name in names}
        columns = read_columns(stream, Layout(file, names, wanted))
    check = _Check(file)
    return (_bars if kind is DataKind.BARS else _trades)(path, digest.hexdigest(), columns, check)


def _kind_of(names: tuple[str, ...], file: str) -> DataKind:
    """Tell bars from trades by the first line."""
    if {"bid", "ask"} <= set(names):
        raise ConfigError("holds quotes: `data show` can look at them, plays need bars or trades", file=file)
    kinds = (
        (DataKind.BARS, _BAR_NEEDS, _PRICES),
        (DataKind.TRADES, _TRADE_NEEDS, ("price", "qty", "side")),
    )
    return DataKind(require_names(names, kinds, file))


def _bars(path: Path, sha256: str, columns: dict[str, Column], check: "_Check") -> DataFile:
    ts = check.times(columns["ts_ms"], rising=True)
    if ts.size < 2:
        raise ConfigError("one bar alone does not tell the length of a bar", file=check.file, line=2)
    for name in _PRICES:
        check.all(columns[name] > 0, name, columns[name], "must be above 0")
    volume = columns["volume"]
    check.all(volume >= 0, "volume", volume, "must not be negative")
    price_digits, noisy = check.snap(columns, _PRICES)
    qty_digits, rounded = _snap_volume(columns)
    opened, high, low, close = (columns[name] for name in _PRICES)
    check.all(high >= low, "high", high, "is below the low")
    count = columns.get("trades", np.zeros(ts.size, np.int64))
    check.all(count >= 0, "trades", count, "must not be negative")
    steps = np.diff(ts)
    base_step_ns = _most_common(steps)
    quirks = Quirks(
        rows=ts.size,
        first=int(ts[0]),
        last=int(ts[-1]),
        base_step_ns=base_step_ns,
        gaps=_count(steps != base_step_ns),
        open_outside=_count((opened < low) | (opened > high)),
        close_outside=_count((close < low) | (close > high)),
        volume_is_zero=not columns["volume"].any(),
        noisy=noisy,
        volume_rounded=rounded,
    )
    table = BarColumns(ts, opened, high, low, close, columns["volume"], count)
    return DataFile(path, sha256, DataKind.BARS, table, price_digits, qty_digits, quirks)


def _trades(path: Path, sha256: str, columns: dict[str, Column], check: "_Check") -> DataFile:
    ts = check.times(columns["ts_ms"], rising=False)
    check.all(columns["price"] > 0, "price", columns["price"], "must be above 0")
    check.all(columns["qty"] >= 0, "qty", columns["qty"], "must not be negative")
    price_digits, noisy = check.snap(columns, ("price",))
    qty_digits, noisy_qty = check.snap(columns, ("qty",))
    received = columns.get("recv_ms", columns["ts_ms"])
    quirks = Quirks(
        rows=ts.size,
        first=int(ts[0]),
        last=int(ts[-1]),
        base_step_ns=TRADES_STEP_NS,
        recv_behind=_count(received < columns["ts_ms"]),
        side_unknown=_count(columns["side"] == 0),
        noisy=noisy + noisy_qty,
    )
    table = TradeColumns(ts, columns["price"], columns["qty"], columns["side"])
    return DataFile(path, sha256, DataKind.TRADES, table, price_digits, qty_digits, quirks)


class _Check:
    """Raises ConfigError for the first row that fails; a row's line is its number plus the first line."""

    def __init__(self, file: str) -> None:
        self.file = file

    def all(self, good: Bools, name: str, values: Column, what: str) -> None:
        """Require every row to be good. NaN compares false and so never passes."""
        if not good.all():
            row = int(np.argmin(good))
            value = values[row].item()
            shown = str(value) if isinstance(value, int) else f"{value:.12g}"
            raise ConfigError(f"{shown} {what}", file=self.file, line=row + 2, field=name)

    def times(self, ts_ms: Ints, *, rising: bool) -> Ints:
        """Return the times in ns; they may stand still in trades, and never go back."""
        within = (ts_ms >= 0) & (ts_ms <= _TS_MS_MAX)
        self.all(within, "ts_ms", ts_ms, "is no time in milliseconds since 1970")
        if ts_ms[0] >= _SECONDS_MIN and ts_ms[-1] <= _SECONDS_MAX:
            at = "as milliseconds, these times lie in the first weeks of 1970: they seem to be seconds"
            raise ConfigError(f"{at}; multiply them by 1000", file=self.file, line=2, field="ts_ms")
        steps = np.diff(ts_ms, prepend=ts_ms[0] - 1)
        self.all(steps >= 0, "ts_ms", ts_ms, "is before the line above; sort the file by time")
        if rising:
            self.all(steps > 0, "ts_ms", ts_ms, "is there twice; remove one of the bars")
        return ts_ms * NS_PER_MS

    def snap(self, columns: dict[str, Column], names: Sequence[str]) -> tuple[int, int]:
        """Find the columns' decimals and clear them of float noise; return decimals and noisy values."""
        tables = [columns[name] for name in names]
        if (exact := digits_of(tables)) is not None:
            return exact, 0
        digits = digits_of(tables, noise_ulps=_NOISE_ULPS)
        if digits is None:
            raise self._beyond_float(columns, names)
        noisy = 0
        for name in names:
            clean = _rounded(columns[name], digits)
            noisy += _count(clean != columns[name])
            columns[name] = clean
        return digits, noisy

    def _beyond_float(self, columns: dict[str, Column], names: Sequence[str]) -> ConfigError:
        """Name the first value that is not carried exactly at the most decimals the largest one leaves."""
        most = max(names, key=lambda name: float(columns[name].max()))
        largest_row = int(np.argmax(columns[most]))
        largest = float(columns[most][largest_row])
        digits = max(0, _digits_left(largest))
        rows = {name: int(np.argmax(_rounded(columns[name], digits) != columns[name])) for name in names}
        name = max(rows, key=rows.__getitem__)
        beside = f"the largest value ({largest:.12g}, {most} in line {largest_row + 2})"
        text = f"needs more digits beside {beside} than a float64 carries exactly"
        value = columns[name][rows[name]]
        return ConfigError(f"{value:.17g} {text}", file=self.file, line=rows[name] + 2, field=name)


def digits_of(columns: Sequence[Floats], *, noise_ulps: int = 0) -> int | None:
    """Return the fewest decimals at which every value is a decimal number, None where none will do.

    With `noise_ulps`, a value may lie that many units in the last place beside its decimal.
    """
    room = _NOISE_ROOM if noise_ulps else 1
    for digits in range(_digits_left(max(float(column.max()) for column in columns), room) + 1):
        if all(_is_decimal(column, digits, noise_ulps) for column in columns):
            return digits
    return None


def _is_decimal(column: Floats, digits: int, noise_ulps: int) -> bool:
    for part in (column[:_SAMPLE_ROWS], column):  # the sample refuses most decimals in microseconds
        off = np.abs(_rounded(part, digits) - part)
        if not (off <= noise_ulps * np.spacing(part)).all() if noise_ulps else off.any():
            return False
    return True


def _snap_volume(columns: dict[str, Column]) -> tuple[int, int]:
    """Find the volume's decimals; where it has too many, round it to as many as a float64 carries."""
    volume = columns["volume"]
    digits = digits_of([volume])
    if digits is None:
        digits = digits_of([volume], noise_ulps=_NOISE_ULPS)
    if digits is None:
        digits = max(0, _digits_left(float(volume.max())))
    columns["volume"] = _rounded(volume, digits)
    return digits, _count(columns["volume"] != volume)


def _rounded(column: Floats, digits: int) -> Floats:
    scale = 10.0**digits
    rounded: Floats = np.rint(column * scale) / scale
    return rounded


def _digits_left(largest: float, room: int = 1) -> int:
    """Return how many decimals fit beside the largest value in what float64 surely carries, -1 for none."""
    return next((d for d in range(DIGITS_MAX, -1, -1) if largest * 10.0**d * room < SCALED_MAX), -1)


def _most_common(steps: Ints) -> int:
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def _count(where: Bools) -> int:
    return int(np.count_nonzero(where))
