"""A first line that is no list of columns is told for what it is, with what to do about it."""

import gzip
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import ConfigError
from engine.venues.csvheader import COLUMNS_MAX, LINE_BYTES_MAX, read_header
from engine.venues.datafile import read_data

BARS = "ts_ms,open,high,low,close,volume"
ROWS = "1577836800000,10,11,9,10.5,3\n1577836860000,10,11,9,10.5,3\n"


def fault(path: Path, content: bytes | str) -> str:
    """Return what is said of a file, from its name on."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as caught:
        read_data(path)
    return str(caught.value).removeprefix(f"{path.parent}/")


def test_names_are_stripped_of_spaces_line_ends_and_a_byte_order_mark():
    assert read_header(BytesIO(b"\xef\xbb\xbfn, x\r\n"), "f.csv") == ("n", "x")


FOREIGN: dict[str, tuple[bytes | str, str]] = {
    "zip": (b"PK\x03\x04rest", "f.csv: is a zip archive; unpack it"),
    "bzip2": (b"BZh91AY&SY", "f.csv: is packed by bzip2; unpack it, or pack it by gzip"),
    "parquet": (b"PAR1\x15\x04", "f.csv: is a Parquet file; write it as CSV"),
    "utf-16": (f"{BARS}\n".encode("utf-16"), "f.csv: is UTF-16 text; save it as UTF-8"),
    "web page": (b"<!DOCTYPE html>\n", "f.csv: is a web page, it seems; fetch the file itself"),
    "program": (b"\x7fELF\x02\x01\x01\x00\x00", "f.csv: is no text; give a CSV or CSV.gz"),
    "inside gzip": (gzip.compress(b"PK\x03\x04rest"), "f.csv: is a zip archive; unpack it"),
    "empty": (b"", "f.csv:1: the file is empty; its first line must name the columns"),
    "empty inside gzip": (gzip.compress(b""), "f.csv:1: the file is empty"),
    "blank": (b"\n\n", "f.csv:1: the file is empty"),
    "old line ends": (f"{BARS}\n{ROWS}".replace("\n", "\r"), "f.csv:1: lines end in carriage returns alone"),
    "too long": (b"a" * (LINE_BYTES_MAX + 1), f"f.csv:1: the first line is longer than {LINE_BYTES_MAX}"),
    "too wide": (
        BARS + ",x" * COLUMNS_MAX + "\n",
        f"f.csv:1: the first line names {COLUMNS_MAX + 6} columns, more than {COLUMNS_MAX}",
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_no_csv_is_told_for_what_it_is(tmp_path: Path, what: str):
    content, told = FOREIGN[what]
    assert fault(tmp_path / "f.csv", content).startswith(told)


NAMES = {
    "semicolons": (
        "ts_ms;open;high;low;close;volume",
        "the columns are separated by semicolons; write commas",
    ),
    "tabs": (BARS.replace(",", "\t"), "the columns are separated by tabs; write commas"),
    "a row": ("1577836800000,10,11,9,10.5,3", "the first line is a row already; put a line above it"),
    "quotes": ('"ts_ms","open","high","low","close","volume"', "names and values are written without quotes"),
    "comment": ("# exported today", "the first line is a comment; it must name the columns"),
    "json": ('[{"ts":1}]', "this is JSON; plays need a CSV"),
    "recording": ('{"ts":1,"stream":"x"}', "this is JSON; plays need a CSV"),
    "twice": ("ts_ms,open,open,low,close,volume", "the column 'open' is there twice"),
    "missing": (
        "ts_ms,open,high,low,close",
        "a file of bars needs the column 'volume'",
    ),
    "other word": (
        "timestamp,open,high,low,close,volume",
        "a file of bars needs the column 'ts_ms'; did you mean 'timestamp'? Call it ts_ms, in milliseconds",
    ),
    "capitals": (
        "TS_MS,Open,High,Low,Close,Volume",
        "a file of bars needs the column 'ts_ms'; did you mean 'TS_MS'? Call it ts_ms, in milliseconds",
    ),
    "two words": (
        "ts_ms,open,high,low,close,Base Volume",
        "a file of bars needs the column 'volume'; did you mean 'Base Volume'? Call it volume",
    ),
    "slip": (
        "ts_ms,open,high,low,close,volum",
        "a file of bars needs the column 'volume'; did you mean 'volum'? Call it volume",
    ),
    "trades": (
        "ts_ms,price,amount,side",
        "a file of trades needs the column 'qty'; did you mean 'amount'? Call it qty",
    ),
    "something else": (
        "a,b",
        "the first line ('a,b') names the columns of neither bars (ts_ms,open,high,low,close,volume) nor",
    ),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_first_line_that_names_the_wrong_things_is_explained(tmp_path: Path, what: str):
    names, told = NAMES[what]
    assert fault(tmp_path / "f.csv", f"{names}\n{ROWS}").startswith(f"f.csv:1: {told}")


def test_a_long_first_line_is_cut_in_the_message(tmp_path: Path):
    assert len(fault(tmp_path / "f.csv", "x" * 5000 + "\n" + ROWS)) < 250


@given(st.binary(max_size=300))
def test_whatever_a_file_begins_with_one_message_comes_of_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    assert fault(path, content).startswith("any.csv")
