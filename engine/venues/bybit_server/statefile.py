"""The exchange's state over a restart: a file of records, each written before anybody is told of it.

A record replaces what an earlier one said of the same order or position. The file survives the death of the
process, not that of the machine: it is not forced to the disk. A torn last record is cut off.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.domain.errors import ConfigError, LockHeldError, StorageError
from engine.venues.bybit_server.account import Holding
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.listing import request_of
from engine.venues.bybit_server.orders import (
    Change,
    Executed,
    OrderChanged,
    PositionChanged,
    Status,
    Submitted,
    WalletChanged,
)
from engine.venues.working import WorkingOrder

VERSION = 1
_MAGIC = b"trader-tui venue\n"
_LENGTH_BYTES = 4


class Head(msgspec.Struct, frozen=True, tag="head"):
    """What the file is of. `start` is when the market began (ns UTC): a recorded one goes on from there."""

    version: int
    start: int
    equity: Decimal


class HoldingKept(msgspec.Struct, frozen=True, tag="holding"):
    """A position as it is now."""

    symbol: str
    holding: Holding


class SequenceKept(msgspec.Struct, frozen=True, tag="sequence"):
    """The last number that was given."""

    number: int


Record = Head | OrderChanged | Executed | Submitted | HoldingKept | SequenceKept
_DECODER = msgspec.msgpack.Decoder(Record)


class StateFile:
    """An open state file. One exchange has it at a time."""

    def __init__(self, path: Path, stream: BinaryIO, records: list[Record]) -> None:
        self._path, self._stream, self._records = path, stream, records
        first = records[0] if records else None
        self.head = first if isinstance(first, Head) else None

    @classmethod
    def open(cls, path: Path) -> "StateFile":
        """Open or create a file and read what it holds. Raises ConfigError and LockHeldError."""
        try:
            stream = path.open("a+b")
        except OSError as error:
            raise ConfigError(
                f"cannot be opened: {error.strerror}", file=str(path), field="--state"
            ) from None
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, stream, list(_read(stream, path)))
        except BlockingIOError:
            stream.close()
            raise LockHeldError(
                f"{path} is the state of another exchange that runs; choose another"
            ) from None
        except BaseException:
            stream.close()
            raise

    def begin(self, start: int, equity: Decimal) -> Head:
        """Return the head; write one where the file is new."""
        if self.head is None:
            self.head = Head(VERSION, start, equity)
            self._append([self.head])
        return self.head

    def restore(self, exchange: Exchange) -> None:
        """Give an exchange what the file holds. Raises ConfigError where it lists other symbols."""
        for record in self._records:
            self._take_up(record, exchange)
        self._records = []
        for order in exchange.blotter.open.values():
            listing = exchange.listings[order.ticket.symbol]
            if order.status is Status.UNTRIGGERED:
                listing.waiting[order.order_id] = order
                continue
            working = WorkingOrder.entering(
                request_of(order, order.updated), exchange.blotter.count(), order.order_id, crosses=False
            )
            working.remaining = order.leaves
            listing.book.add(working)
        for symbol, listing in exchange.listings.items():
            listing.book.position = exchange.account.holdings[symbol].qty
        exchange.blotter.drain()

    def keep(self, exchange: Exchange, changes: Iterable[Change]) -> None:
        """Write down what changed. Raises StorageError."""
        records: list[Record] = []
        for change in changes:
            match change:
                case PositionChanged(symbol):
                    records.append(HoldingKept(symbol, exchange.account.holdings[symbol]))
                case WalletChanged():
                    pass  # it follows from the positions
                case _:
                    records.append(change)
        self._append([*records, SequenceKept(exchange.blotter.sequence)])

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def _append(self, records: Iterable[Record]) -> None:
        frames = bytearray()
        for record in records:
            body = msgspec.msgpack.encode(record)
            frames += len(body).to_bytes(_LENGTH_BYTES, "big") + body
        try:
            self._stream.write(frames)
            self._stream.flush()
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}") from error

    def _take_up(self, record: Record, exchange: Exchange) -> None:
        blotter = exchange.blotter
        match record:
            case OrderChanged(order):
                self._require_listed(order.ticket.symbol, exchange)
                blotter.register(order)
                if not order.status.is_open:
                    del blotter.open[order.order_id]
            case Executed(execution):
                blotter.executions.append(execution)
            case Submitted(link_id):
                blotter.submits[link_id] += 1
            case HoldingKept(symbol, holding):
                self._require_listed(symbol, exchange)
                exchange.account.holdings[symbol] = holding
            case SequenceKept(number):
                blotter.sequence = number
            case Head():
                pass

    def _require_listed(self, symbol: str, exchange: Exchange) -> None:
        if symbol not in exchange.listings:
            raise ConfigError(
                f"holds orders in {symbol}, which is not listed now; add it, or choose another file",
                file=str(self._path),
                field="--state",
            )


def _read(stream: BinaryIO, path: Path) -> Iterator[Record]:
    """Yield the records; cut off what a death left of the last one."""
    stream.seek(0)
    whole = len(_MAGIC)
    begun = stream.read(whole)
    if not _MAGIC.startswith(begun):  # somebody's file, which must not be touched
        raise ConfigError("is not the state of a local exchange", file=str(path), field="--state")
    if len(begun) < whole:
        os.truncate(stream.fileno(), 0)
        stream.write(_MAGIC)
        return
    while True:
        length = stream.read(_LENGTH_BYTES)
        size = int.from_bytes(length, "big")
        body = stream.read(size)
        if len(length) < _LENGTH_BYTES or len(body) < size:
            break
        try:
            record = _DECODER.decode(body)
        except msgspec.DecodeError:
            raise ConfigError(
                "is not the state of a local exchange", file=str(path), field="--state"
            ) from None
        if isinstance(record, Head) and record.version != VERSION:
            raise ConfigError(
                f"is of version {record.version}, this program reads {VERSION}",
                file=str(path),
                field="--state",
            )
        whole += _LENGTH_BYTES + size
        yield record
    os.truncate(stream.fileno(), whole)
    stream.seek(0, os.SEEK_END)
