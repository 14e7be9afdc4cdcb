"""One file of columns: written whole, read back bit for bit or not at all. No pickle, no code, only numbers.

A file is a magic, a digest (BLAKE2b) of all that follows, the header's length, a JSON header, and the columns
one after the other, each at a multiple of 64 bytes. Whatever does not add up to the byte is refused.
"""

import hashlib
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
import numpy as np
import numpy.typing as npt

MAGIC = b"TTCOLS1\n"
DIGEST_BYTES = 32
ALIGN_BYTES = 64
HEADER_BYTES_MAX = 64 * 1024
_LENGTH = struct.Struct("<I")

Column = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


class ColumnsDamagedError(Exception):
    """A file of columns is not what was written under its key; `str()` says why."""


class ColumnSpec(msgspec.Struct, frozen=True):
    """A column's name and numpy type; there are only these three."""

    name: str
    dtype: Literal["<i8", "<f8", "|i1"]


class Header(msgspec.Struct, frozen=True):
    """What the columns are: whose (`key`), how many rows, and what their owner noted of them (JSON)."""

    key: str
    rows: int
    columns: tuple[ColumnSpec, ...]
    facts: msgspec.Raw


class Columns(msgspec.Struct, frozen=True, eq=False):
    """Columns of one length by name, and their owner's facts about them as JSON."""

    facts: bytes
    by_name: dict[str, Column]


def write_columns(file: BinaryIO, key: str, columns: Columns) -> None:
    """Write columns under a key. Raises OSError."""
    parts = list(_parts(key, columns))
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    file.write(MAGIC)
    file.write(digest.digest())
    for part in parts:
        file.write(part)


def read_columns(path: Path, key: str) -> Columns:
    """Read what was written under a key. Raises OSError, and ColumnsDamagedError for anything else."""
    # Opened without waiting: at this name may lie anything, a pipe too.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise ColumnsDamagedError("it is no regular file")
        return _read(file, facts.st_size, key)


def _parts(key: str, columns: Columns) -> Iterator[bytes | memoryview]:
    """Yield all that follows the digest, in order."""
    specs = tuple(ColumnSpec(name, _dtype_of(column)) for name, column in columns.by_name.items())
    rows = {column.size for column in columns.by_name.values()}
    assert len(rows) == 1, "columns of one file are of one length"
    header = msgspec.json.encode(Header(key, rows.pop(), specs, msgspec.Raw(columns.facts)))
    assert len(header) <= HEADER_BYTES_MAX, "facts are few"
    head = _LENGTH.pack(len(header)) + header
    yield head
    yield b"\0" * _padding(len(MAGIC) + DIGEST_BYTES + len(head))
    for spec, column in zip(specs, columns.by_name.values(), strict=True):
        table = np.ascontiguousarray(column, np.dtype(spec.dtype))
        yield table.data.cast("B")
        yield b"\0" * _padding(table.nbytes)


def _read(file: BinaryIO, size: int, key: str) -> Columns:
    if file.read(len(MAGIC)) != MAGIC:
        raise ColumnsDamagedError("it is no file of columns of this version")
    expected = file.read(DIGEST_BYTES)
    head = file.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    if not 0 < length <= HEADER_BYTES_MAX:
        raise ColumnsDamagedError("its header is damaged")
    text = file.read(length)
    header = _header(text, key)
    start = len(MAGIC) + DIGEST_BYTES + len(head) + length
    body = _padding(start) + sum(_room(header.rows, spec) for spec in header.columns)
    if size != start + body:
        raise ColumnsDamagedError(f"it has {size} bytes instead of {start + body}")
    table: Bytes = np.empty(body, np.uint8)
    if file.readinto(table.data) != body:  # type: ignore[attr-defined]  # every buffered reader has it
        raise ColumnsDamagedError("it ends early")
    digest = hashlib.blake2b(head + text, digest_size=DIGEST_BYTES)
    digest.update(table.data)
    if digest.digest() != expected:
        raise ColumnsDamagedError("its checksum is another")
    return Columns(bytes(header.facts), _views(table, _padding(start), header))


def _header(text: bytes, key: str) -> Header:
    try:
        header = msgspec.json.decode(text, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ColumnsDamagedError(f"its header is damaged ({error})") from None
    if header.key != key:
        raise ColumnsDamagedError("it belongs to another file")
    if header.rows < 0:
        raise ColumnsDamagedError("its header is damaged")
    return header


def _views(table: Bytes, start: int, header: Header) -> dict[str, Column]:
    """Cut the columns out of the bytes they were read into, without a copy."""
    views: dict[str, Column] = {}
    for spec in header.columns:
        bytes_ = header.rows * np.dtype(spec.dtype).itemsize
        views[spec.name] = table[start : start + bytes_].view(spec.dtype)
        start += _room(header.rows, spec)
    return views


def _dtype_of(column: Column) -> Literal["<i8", "<f8", "|i1"]:
    match column.dtype.kind, column.dtype.itemsize:
        case "i", 8:
            return "<i8"
        case "f", 8:
            return "<f8"
        case "i", 1:
            return "|i1"
        case _:
            pass
    raise AssertionError(f"no column of market data is {column.dtype}")


def _room(rows: int, spec: ColumnSpec) -> int:
    bytes_ = rows * np.dtype(spec.dtype).itemsize
    return bytes_ + _padding(bytes_)


def _padding(size: int) -> int:
    return -size % ALIGN_BYTES
