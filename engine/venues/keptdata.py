"""Reads data files through a cache of their columns: what comes from it is bit for bit what the file gives.

An entry's key is the sha256 of the file's bytes and the number of this reading. The file is hashed on every
read: that costs a fortieth of reading it where it is packed, a seventh where it is not, and a run's record
needs the hash anyway. So a file that changed is read anew whatever its name, size and times say, and a copy
of a file shares its entry.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Protocol

import msgspec

from engine import __version__
from engine.venues.csvcolumns import Column, open_raw
from engine.venues.datafile import BarColumns, DataFile, DataKind, Quirks, TradeColumns, read_data

READING = 1  # raised whenever the same bytes would be read as something else
ROWS_MIN = 10_000  # fewer are read in 20 ms
_TABLES: dict[DataKind, type[BarColumns] | type[TradeColumns]] = {
    DataKind.BARS: BarColumns,
    DataKind.TRADES: TradeColumns,
}


class Kept(Protocol):
    """What a store gives back: facts as JSON, and columns by name."""

    @property
    def facts(self) -> bytes:
        """What was noted of the columns."""
        ...

    @property
    def by_name(self) -> dict[str, Column]:
        """The columns, all of one length."""
        ...


class ColumnStore(Protocol):
    """Keeps columns by key, checked, as long as it likes. None of its methods raises."""

    def load(self, key: str) -> Kept | None:
        """Return the columns under a key, None where there are none."""
        ...

    def save(self, key: str, facts: bytes, by_name: Mapping[str, Column]) -> None:
        """Keep columns under a key."""
        ...

    def discard(self, key: str, why: str) -> None:
        """Remove an entry that cannot be used."""
        ...


class _Facts(msgspec.Struct, frozen=True):
    """All of a DataFile that is not a column, its path or its hash."""

    kind: DataKind
    price_digits: int
    qty_digits: int
    quirks: Quirks


def read_kept(path: Path, store: ColumnStore | None) -> DataFile:
    """Read a file of market data, from the store where it has it. Raises ConfigError as `read_data` does."""
    if store is None:
        return read_data(path)
    with open_raw(path) as raw:
        sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    key = key_of(sha256)
    if (kept := store.load(key)) is not None:
        data = _restored(path, sha256, kept)
        if data is not None:
            return data
        store.discard(key, "its columns are not those of bars or trades")
    data = read_data(path)
    if data.quirks.rows >= ROWS_MIN:
        facts = _Facts(data.kind, data.price_digits, data.qty_digits, data.quirks)
        by_name = {name: getattr(data.columns, name) for name in _names(type(data.columns))}
        # Under the hash of what was parsed: the file may be another one by now than the one hashed above.
        store.save(key_of(data.sha256), msgspec.json.encode(facts), by_name)
    return data


def key_of(sha256: str) -> str:
    """Return the key of a file's columns; each release of the program reads anew."""
    return f"{sha256}-{__version__}-{READING}"


def _restored(path: Path, sha256: str, kept: Kept) -> DataFile | None:
    """Return the file as it was read once, None where the columns cannot be its."""
    try:
        facts = msgspec.json.decode(kept.facts, type=_Facts)
    except msgspec.DecodeError:
        return None
    table = _TABLES[facts.kind]
    columns = kept.by_name
    if tuple(columns) != _names(table) or any(c.size != facts.quirks.rows for c in columns.values()):
        return None
    return DataFile(
        path, sha256, facts.kind, table(**columns), facts.price_digits, facts.qty_digits, facts.quirks
    )


def _names(table: type[BarColumns] | type[TradeColumns]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(table))
