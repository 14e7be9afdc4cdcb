"""Reads what can be looked at but not replayed: files of quotes, and raw recordings of a venue's streams.

Quotes: `ts_ms,bid,bid_qty,ask,ask_qty[,recv_ms]`. Recordings: a JSON object a line with `ts` (seconds) and
`stream`.
"""

import gzip
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.venues.csvcolumns import (
    ColumnKind,
    Floats,
    Ints,
    Layout,
    open_csv,
    read_columns,
)
from engine.venues.csvheader import read_header, require_names

_QUOTE_NEEDS = {"ts_ms": ColumnKind.WHOLE, "bid": ColumnKind.NUMBER, "ask": ColumnKind.NUMBER}
_QUOTE_EXTRAS = {"recv_ms": ColumnKind.WHOLE}


@dataclass(frozen=True, eq=False, slots=True)
class Quotes:
    """Best bids and offers as columns; `recv` is when each was received, both times in ns UTC."""

    ts: Ints
    bid: Floats
    ask: Floats
    recv: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """When each message of a recording was received (ns UTC), and how many came by each stream."""

    ts: Ints
    streams: dict[str, int]


class _Message(msgspec.Struct):
    ts: float
    stream: str = ""


def file_form(path: Path) -> str:
    """Tell by the first line whether a file is a `recording`, `quotes`, or neither: `tape`.

    Raises ConfigError where it cannot be read.
    """
    with open_csv(path) as stream:
        names = read_header(stream, str(path))
    if names[0].startswith("{"):
        return "recording"
    return "quotes" if {"bid", "ask"} <= set(names) else "tape"


def read_quotes(path: Path) -> Quotes:
    """Read a file of quotes. Raises ConfigError naming file, line and column of the first fault."""
    file = str(path)
    with open_csv(path) as stream:
        names = read_header(stream, file)
        require_names(names, [("quotes", _QUOTE_NEEDS, ("bid", "ask"))], file)
        wanted = {name: kind for name, kind in (_QUOTE_NEEDS | _QUOTE_EXTRAS).items() if name in names}
        columns = read_columns(stream, Layout(file, names, wanted))
    ts = columns["ts_ms"] * NS_PER_MS
    recv = columns["recv_ms"] * NS_PER_MS if "recv_ms" in columns else ts
    return Quotes(ts, columns["bid"], columns["ask"], recv)


def read_recording(path: Path) -> Recording:
    """Read times and streams of a recording. Raises ConfigError naming file and line of the first fault."""
    decode = msgspec.json.Decoder(_Message).decode
    streams: Counter[str] = Counter()
    seconds: list[float] = []
    try:
        with open_csv(path) as lines:
            for line in lines:
                message = decode(line)
                seconds.append(message.ts)
                streams[message.stream] += 1
    except (msgspec.DecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(f"is no recorded message: {error}", file=str(path), line=len(seconds) + 1) from None
    ts = np.rint(np.array(seconds) * NS_PER_S).astype(np.int64)
    return Recording(ts, dict(streams.most_common()))
