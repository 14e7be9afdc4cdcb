"""Small data files for tests, and the way to the large real ones beside the repository."""

import csv
import gzip
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


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a file with the standard library, as texts."""
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))
