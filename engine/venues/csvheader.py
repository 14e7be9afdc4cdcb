"""The first line of a CSV: read, refused where it is none, explained where it names the wrong things."""

import difflib
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable
from io import BufferedIOBase

from engine.domain.errors import ConfigError

LINE_BYTES_MAX = 1 << 20
COLUMNS_MAX = 1_000
_SHOWN_MAX = 60  # characters of a first line that a message repeats
_MARK = b"\xef\xbb\xbf"
# What files begin with that people take for data files.
_BEGINNINGS = {
    b"PK\x03\x04": "a zip archive; unpack it",
    b"BZh": "packed by bzip2; unpack it, or pack it by gzip",
    b"\xfd7zXZ": "packed by xz; unpack it, or pack it by gzip",
    b"\x28\xb5\x2f\xfd": "packed by zstd; unpack it, or pack it by gzip",
    b"PAR1": "a Parquet file; write it as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"<": "a web page, it seems; fetch the file itself",
}
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}
_OTHER_NAMES = {
    "ts_ms": ("timestamp", "time", "date", "datetime", "open_time", "opentime", "ts", "t", "unix"),
    "volume": ("vol", "v", "base_volume", "quantity", "amount", "qty"),
    "qty": ("quantity", "amount", "size", "volume", "q"),
    "price": ("p", "rate", "px"),
    "side": ("direction", "taker_side", "is_buyer_maker", "type"),
    "open": ("o",),
    "high": ("h",),
    "low": ("l",),
    "close": ("c", "last"),
}
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def read_header(stream: BufferedIOBase, file: str) -> tuple[str, ...]:
    """Read the first line as column names. Raises ConfigError for an empty file and for what is no CSV."""
    try:
        line = stream.readline(LINE_BYTES_MAX + 1)
    except EOFError:
        raise ConfigError("the gzip file ends in its first line; fetch it again", file=file, line=1) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(f"the gzip file is damaged ({error}); fetch it again", file=file, line=1) from None
    if what := _foreign(line):
        raise ConfigError(f"is {what}", file=file)
    is_json = line.startswith(b"{")  # a recording's lines may be long, and their commas mean something else
    if len(line) > LINE_BYTES_MAX and not is_json:
        raise ConfigError(f"the first line is longer than {LINE_BYTES_MAX} bytes", file=file, line=1)
    text = line.removeprefix(_MARK).decode("utf-8", "replace").rstrip("\r\n")
    if not text.strip():
        raise ConfigError("the file is empty; its first line must name the columns", file=file, line=1)
    if "\r" in text:
        problem = "lines end in carriage returns alone; save the file with line feeds"
        raise ConfigError(problem, file=file, line=1)
    names = tuple(name.strip() for name in text.split(","))
    if len(names) > COLUMNS_MAX and not is_json:
        problem = f"the first line names {len(names)} columns, more than {COLUMNS_MAX}"
        raise ConfigError(problem, file=file, line=1)
    return names


def require_names(
    names: tuple[str, ...], kinds: Iterable[tuple[str, Collection[str], Collection[str]]], file: str
) -> str:
    """Return the first kind all of whose columns are named.

    A kind comes with the columns it needs and those that tell it from others. Raises ConfigError that says
    what is wrong with the names.
    """
    if doubled := next(
        (name for name, count in Counter(names).items() if count > 1 and not _is_number(name)), ""
    ):
        raise ConfigError(f"the column {doubled!r} is there twice", file=file, line=1)
    if problem := _not_names(names):
        raise ConfigError(problem, file=file, line=1)
    told = []
    for kind, needs, telling in kinds:
        missing = [name for name in needs if name not in names]
        if not missing:
            return kind
        if any(name in _plain(names) for name in telling):
            hint = _meant(missing[0], names)
            raise ConfigError(f"a file of {kind} needs the column {missing[0]!r}{hint}", file=file, line=1)
        told.append(f"{kind} ({','.join(needs)})")
    raise ConfigError(
        f"the first line ({_shown(','.join(names))}) names the columns of neither {' nor '.join(told)}",
        file=file,
        line=1,
    )


def _foreign(line: bytes) -> str:
    """Say what it is that is no text of ours, nothing where it may be."""
    if what := next((what for start, what in _BEGINNINGS.items() if line.startswith(start)), ""):
        return what
    return "no text; give a CSV or CSV.gz of bars or trades" if b"\0" in line else ""


def _not_names(names: tuple[str, ...]) -> str:
    """Say why these cannot be names of columns, nothing where they can."""
    if names[0].startswith("#"):
        return "the first line is a comment; it must name the columns"
    if all(_is_number(name) for name in names):
        return "the first line is a row already; put a line above it that names the columns"
    if len(names) == 1:
        found = next((word for mark, word in _SEPARATORS.items() if names[0].count(mark) > 1), "")
        if found:
            return f"the columns are separated by {found}; write commas, and points in numbers"
    if all(name.startswith(('"', "'")) for name in names):
        return "names and values are written without quotes"
    if names[0].startswith(("{", "[")):
        return "this is JSON; plays need a CSV (`data show` can look at a recording of JSON lines)"
    return ""


def _meant(missing: str, names: tuple[str, ...]) -> str:
    """Return the end of a sentence: which of the names may stand for the missing one."""
    plain = _plain(names)
    others = (missing, *_OTHER_NAMES.get(missing, ()))
    near = next((name for name in others if name in plain), None)
    if near is None:
        near = next(iter(difflib.get_close_matches(missing, plain, n=1, cutoff=0.7)), None)
    if near is None:
        return ""
    unit = ", in milliseconds since 1970 UTC" if missing == "ts_ms" else ""
    return f"; did you mean {plain[near]!r}? Call it {missing}{unit}"


def _plain(names: tuple[str, ...]) -> dict[str, str]:
    """Return the names as written by their plain forms: lower case, words joined by underscores."""
    return {name.lower().replace(" ", "_"): name for name in names}


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}...")
