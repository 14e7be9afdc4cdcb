"""Reads the columns of a large CSV of numbers, plain or gzip, in blocks: exact, strict and fast.

A number is read as the integer its digits spell, divided by a power of ten. Both are exact in float64 below
2**53 and 10**22, and IEEE division rounds correctly, so the result is the float nearest to the text. Fields
of any other form (signs, exponents, very long ones) take a slow path, one by one.
"""

import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from engine.domain.errors import ConfigError

BLOCK_BYTES = 1 << 20
_RAW_BYTES = 1 << 17
_GZIP_MAGIC = b"\x1f\x8b"
_COMMA, _NEWLINE, _DOT, _ZERO, _LOWER_CASE = b",\n.0 "
_DIGITS_MAX = 18  # an int64 holds any 18 digits
_TEN_POWERS = 10.0 ** np.arange(_DIGITS_MAX + 1)
_EXACT_MAX = 2**53
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_SHOWN_MAX = 40  # characters of a bad field that a message repeats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Column = npt.NDArray[Any]


class ColumnKind(Enum):
    """What a column holds."""

    WHOLE = auto()  # int64
    NUMBER = auto()  # float64
    SIDE = auto()  # int8: +1 buy, -1 sell, 0 where the field is empty


class Layout(msgspec.Struct, frozen=True):
    """The columns of a file in their order, and which of them are wanted as what."""

    file: str
    names: tuple[str, ...]
    wanted: dict[str, ColumnKind]


class Digest(Protocol):
    """What takes in bytes and sums them up, as hashlib's do."""

    def update(self, data: memoryview, /) -> None:
        """Take in the next bytes."""
        ...


@contextmanager
def open_raw(path: Path) -> Iterator[BufferedReader]:
    """Open a file as it lies on the disk. Raises ConfigError where that fails or it is no regular file."""
    try:
        with os.fdopen(_regular(path), "rb") as file:
            yield file
    except FileNotFoundError:
        raise ConfigError("no such file", file=str(path)) from None
    except gzip.BadGzipFile:
        raise  # of what is inside: its reader knows the line
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", file=str(path)) from None


@contextmanager
def open_csv(path: Path, digest: Digest | None = None) -> Iterator[BufferedIOBase]:
    """Open a CSV, unpacking it where its first bytes say gzip. Raises ConfigError where that fails.

    `digest` takes in the file's own bytes as they are read, all of them once the stream is read to its end.
    """
    with open_raw(path) as raw:
        file = raw if digest is None else BufferedReader(_Digested(raw, digest), _RAW_BYTES)
        if file.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
            with gzip.open(file, "rb") as unpacked:
                yield unpacked
        else:
            yield file


class _Digested(RawIOBase):
    """Shows a digest every byte that is read."""

    def __init__(self, file: BufferedReader, digest: Digest) -> None:
        self._file, self._digest = file, digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view)
        self._digest.update(view[:count])
        return count


def _regular(path: Path) -> int:
    """Open without waiting, as a pipe would for its writer. Raises OSError, ConfigError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    kinds = {stat.S_ISDIR: "a directory", stat.S_ISFIFO: "a pipe"}
    kind = next((name for is_kind, name in kinds.items() if is_kind(mode)), "a device")
    raise ConfigError(f"is {kind}; give a regular file of market data", file=str(path))


def read_columns(stream: BufferedIOBase, layout: Layout) -> dict[str, Column]:
    """Read the rest of a file. Raises ConfigError that names the line and the column of what is malformed."""
    parts: dict[str, list[Column]] = {name: [] for name in layout.wanted}
    line = 2
    for block in _blocks(stream, layout.file):
        table = _Table(block, layout, line)
        for name, kind in layout.wanted.items():
            parts[name].append(table.column(layout.names.index(name), kind))
        line += table.rows
    if line == 2:
        raise ConfigError("has no rows under its first line", file=layout.file, line=2)
    return {name: np.concatenate(parts.pop(name)) for name in layout.wanted}


def _blocks(stream: BufferedIOBase, file: str) -> Iterator[bytes]:
    """Yield whole lines, about a megabyte at a time; blank lines at the end are dropped."""
    rest, line, damage = b"", 2, ""
    while not damage:
        data, damage = _take(stream)
        if not data:
            break
        data = rest + data.replace(b"\r", b"")
        # The last line waits, with its newlines: only the end of the file tells whether they are blank.
        cut = data.rstrip(b"\n").rfind(b"\n") + 1
        block, rest = data[:cut], data[cut:]
        if block:
            line += block.count(b"\n")
            yield block
        elif len(rest) >= BLOCK_BYTES:
            raise ConfigError(f"the line is longer than {BLOCK_BYTES} bytes", file=file, line=line)
    if damage:
        raise ConfigError(damage, file=file, line=line)
    if rest := rest.rstrip(b"\n"):
        yield rest + b"\n"


def _take(stream: BufferedIOBase) -> tuple[bytes, str]:
    """Read about a block; the second value says what is wrong with the gzip file, if anything is.

    `read1` hands over what could be unpacked before the damage, so that the message can name the line.
    """
    pieces: list[bytes] = []
    size, damage = 0, ""
    try:
        while size < BLOCK_BYTES and (piece := stream.read1(BLOCK_BYTES)):
            pieces.append(piece)
            size += len(piece)
    except EOFError:
        damage = "the gzip file ends in the middle of this line; fetch it again"
    except (gzip.BadGzipFile, zlib.error) as error:
        damage = f"the gzip file is damaged from this line on ({error}); fetch it again"
    return b"".join(pieces), damage


class _Table:
    """One block cut into fields. `text` is the block without its decimal points."""

    def __init__(self, block: bytes, layout: Layout, line: int) -> None:
        self._block, self._layout, self._line = block, layout, line
        self._width = len(layout.names)
        raw = np.frombuffer(block, np.uint8)
        self._marks = np.flatnonzero((raw == _COMMA) | (raw == _NEWLINE))
        self._require_shape(raw[self._marks])
        self.rows = self._marks.size // self._width
        is_dot = raw == _DOT
        self._dots = np.flatnonzero(is_dot)
        self._text: Bytes = raw[~is_dot]
        self._ends = np.flatnonzero((self._text == _COMMA) | (self._text == _NEWLINE))
        self._starts = np.concatenate(([0], self._ends[:-1] + 1))
        self._dots_until = self._marks - self._ends
        self._dots_inside = np.diff(self._dots_until, prepend=0)

    def column(self, index: int, kind: ColumnKind) -> Column:
        """Read one column of the block."""
        match kind:
            case ColumnKind.NUMBER:
                return self._numbers(index)
            case ColumnKind.WHOLE:
                return self._wholes(index)
            case ColumnKind.SIDE:
                return self._sides(index)

    def _numbers(self, index: int) -> Floats:
        spelled, odd = self._spelled(index)
        decimals, misdotted = self._decimals(index)
        odd |= misdotted | (spelled >= _EXACT_MAX)
        values: Floats = spelled / _TEN_POWERS[np.where(odd, 0, decimals)]
        for row in np.flatnonzero(odd).tolist():
            values[row] = self._number(row, index)
        return values

    def _wholes(self, index: int) -> Ints:
        values, odd = self._spelled(index)
        odd |= self._dots_inside[index :: self._width] > 0
        for row in np.flatnonzero(odd).tolist():
            number = self._number(row, index)
            if not number.is_integer() or abs(number) >= _EXACT_MAX:
                raise self._error(row, index, "is not a whole number")
            values[row] = int(number)
        return values

    def _sides(self, index: int) -> npt.NDArray[np.int8]:
        start, length = self._spans(index)
        sides = np.zeros(self.rows, np.int8)
        known = length == 0
        for word, side in ((b"buy", 1), (b"sell", -1)):
            same = length == len(word)
            at = start[same]
            match = np.ones(at.size, np.bool_)
            for place, letter in enumerate(word):
                match &= (self._text[at + place] | _LOWER_CASE) == letter
            same[same] = match
            sides[same] = side
            known |= same
        for row in np.flatnonzero(~known)[:1].tolist():
            raise self._error(row, index, "is neither buy nor sell")
        return sides

    def _spans(self, index: int) -> tuple[Ints, Ints]:
        start = self._starts[index :: self._width]
        return start, self._ends[index :: self._width] - start

    def _spelled(self, index: int) -> tuple[Ints, Bools]:
        """Return the integers the digits spell, and which fields are not plain digits."""
        start, length = self._spans(index)
        last = start + length - 1
        odd: Bools = (length < 1) | (length > _DIGITS_MAX)
        values = np.zeros(self.rows, np.int64)
        shortest, longest = int(length.min()), min(int(length.max()), _DIGITS_MAX)
        for place in range(longest):
            digit = self._text[last - place] - _ZERO  # unsigned: whatever is no digit ends up above 9
            if place >= shortest:
                digit[length <= place] = 0
            odd |= digit > 9
            values += digit.astype(np.int64) * 10**place
        return values, odd

    def _decimals(self, index: int) -> tuple[Ints, Bools]:
        """Return how many decimals each field has, and which fields have more than one point."""
        inside = self._dots_inside[index :: self._width]
        if not inside.any():
            return np.zeros(self.rows, np.int64), np.zeros(self.rows, np.bool_)
        last_dot = self._dots[self._dots_until[index :: self._width] - 1]
        decimals = np.where(inside > 0, self._marks[index :: self._width] - last_dot - 1, 0)
        return decimals, inside > 1

    def _field(self, row: int, index: int) -> str:
        place = row * self._width + index
        start = int(self._marks[place - 1]) + 1 if place else 0
        return self._block[start : int(self._marks[place])].decode("utf-8", "replace")

    def _number(self, row: int, index: int) -> float:
        field = self._field(row, index)
        if _NUMBER.fullmatch(field.strip()) is None:
            raise self._error(row, index, "is not a number" if field.strip() else "is missing")
        return float(field)

    def _error(self, row: int, index: int, what: str) -> ConfigError:
        field = self._field(row, index)
        shown = f"{field[:_SHOWN_MAX]!r} " if field.strip() else ""
        name = self._layout.names[index]
        return ConfigError(f"{shown}{what}", file=self._layout.file, line=self._line + row, field=name)

    def _require_shape(self, marks: Bytes) -> None:
        """Raise ConfigError for the first line whose number of columns is not the header's."""
        if marks.size % self._width == 0:
            grid = marks.reshape(-1, self._width)
            if bool((grid[:, -1] == _NEWLINE).all() and (grid[:, :-1] == _COMMA).all()):
                return
        for row, text in enumerate(self._block.split(b"\n")):
            if (width := text.count(b",") + 1) != self._width:
                raise ConfigError(
                    f"the line has {width} columns, the first line names {self._width}"
                    if text
                    else "the line is empty",
                    file=self._layout.file,
                    line=self._line + row,
                )
