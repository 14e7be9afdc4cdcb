"""Small data files for tests, and the way to the large real ones beside the repository."""

import gzip
from collections.abc import Collection
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
BAR_HEADER = "ts_ms,open,high,low,close,volume"
TRADE_HEADER = "ts_ms,price,qty,side,trade_id"
MINUTE_MS = 60_000
S = 1_000_000_000
MINUTE = 60 * S


def write(path: Path, header: str, *rows: str) -> Path:
    """Write lines to a file."""
    path.write_text("".join(f"{line}\n" for line in (header, *rows)))
    return path


def write_bars(path: Path, *rows: str) -> Path:
    """Write bars, one a minute where a row does not start with its own time."""
    lines = [row if row.count(",") == 5 else f"{number * MINUTE_MS},{row}" for number, row in enumerate(rows)]
    return write(path, BAR_HEADER, *lines)


def shared_file(name: str) -> Path:
    """Return a real file, or skip the test that asks for it."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def rows_of(path: Path, sample: Collection[int] | None = None) -> dict[int, dict[str, str]]:
    """Read rows of a file by number as texts, without the code under test; all of them, or a sample."""
    header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    names = header.split(",")
    return {
        row: dict(zip(names, lines[row].split(","), strict=True))
        for row in (range(len(lines)) if sample is None else sample)
    }
