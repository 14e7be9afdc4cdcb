"""Columns are read exactly, and every malformed line is named."""

import errno
import gzip
import hashlib
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import ConfigError
from engine.venues import csvcolumns
from engine.venues.csvcolumns import ColumnKind, Layout, open_csv, read_columns
from engine.venues.csvheader import read_header
from tests.unit.venues.data_files import write

LAYOUT = Layout(
    "f.csv",
    ("n", "x", "side", "other"),
    {"n": ColumnKind.WHOLE, "x": ColumnKind.NUMBER, "side": ColumnKind.SIDE},
)


def read(*rows: str) -> dict[str, np.ndarray]:
    return read_columns(BytesIO("".join(f"{row}\n" for row in rows).encode()), LAYOUT)


def fault(*rows: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(*rows)
    return str(caught.value)


def test_each_column_is_read_as_its_kind_and_others_are_left_alone():
    columns = read("1,0.1,buy,a.b.c", "20,-3,SELL,", "300,7.,,x.y")
    assert columns["n"].tolist() == [1, 20, 300]
    assert columns["x"].tolist() == [0.1, -3.0, 7.0]
    assert columns["side"].tolist() == [1, -1, 0]


@given(
    st.lists(
        st.one_of(
            st.decimals(
                allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9
            ).map(str),
            st.floats(allow_nan=False, allow_infinity=False).map(repr),
            st.integers(min_value=0, max_value=10**25).map(str),
            st.from_regex(r"[0-9]{0,20}\.[0-9]{1,20}", fullmatch=True),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_number_is_the_float_nearest_to_its_text(texts: list[str]):
    assert read(*(f"1,{text},buy," for text in texts))["x"].tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("1,2,buy,", "1,abc,buy,"), "f.csv:3: x: 'abc' is not a number"),
        (("1,2,buy,", "1,,buy,"), "f.csv:3: x: is missing"),
        (("1,nan,buy,",), "f.csv:2: x: 'nan' is not a number"),
        (("1,inf,buy,",), "f.csv:2: x: 'inf' is not a number"),
        (("1,1.2.3,buy,",), "f.csv:2: x: '1.2.3' is not a number"),
        (("1,.,buy,",), "f.csv:2: x: '.' is not a number"),
        (("1.5,1,buy,",), "f.csv:2: n: '1.5' is not a whole number"),
        (("1e30,1,buy,",), "f.csv:2: n: '1e30' is not a whole number"),
        (("x,1,buy,",), "f.csv:2: n: 'x' is not a number"),
        (("1,1,bought,",), "f.csv:2: side: 'bought' is neither buy nor sell"),
        (("1,1,bay,", "1,1,sold,"), "f.csv:2: side: 'bay' is neither buy nor sell"),
        (("1,1,buy,", "1,1,buy"), "f.csv:3: the line has 3 columns, the first line names 4"),
        (("1,1,buy,,,,,",), "f.csv:2: the line has 8 columns, the first line names 4"),
        (("1,1,buy,,", "1,buy,"), "f.csv:2: the line has 5 columns, the first line names 4"),
        (("1,1,buy,", "", "1,1,buy,"), "f.csv:3: the line is empty"),
        ((), "f.csv:2: has no rows under its first line"),
    ],
)
def test_a_malformed_line_is_named(rows: tuple[str, ...], message: str):
    assert fault(*rows) == message


def test_a_long_bad_field_is_cut_in_the_message():
    assert len(fault(f"1,{'z' * 5000},buy,")) < 100


def test_whole_numbers_may_be_written_as_floats():
    assert read("5.0,1,buy,", "1e3,1,buy,")["n"].tolist() == [5, 1000]


def test_windows_line_ends_a_missing_last_newline_and_blank_lines_at_the_end_are_fine():
    stream = BytesIO(b"1,1,buy,\r\n2,2,sell,\r\n3,3,buy,\n\n\n")
    assert read_columns(stream, LAYOUT)["n"].tolist() == [1, 2, 3]
    assert read_columns(BytesIO(b"1,1,buy,"), LAYOUT)["n"].tolist() == [1]


def test_lines_are_counted_over_blocks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(csvcolumns, "BLOCK_BYTES", 64)
    rows = [f"{number},{number}.5,buy," for number in range(100)]
    assert read(*rows)["x"].tolist() == [number + 0.5 for number in range(100)]
    rows[80] = "80,oops,buy,"
    assert fault(*rows) == "f.csv:82: x: 'oops' is not a number"


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(csvcolumns, "BLOCK_BYTES", 64)
    assert fault("1,1,buy,", "9" * 500) == "f.csv:3: the line is longer than 64 bytes"


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path):
    path = tmp_path / "packed.csv"
    path.write_bytes(gzip.compress(b"n,x\n1,2\n"))
    with open_csv(path) as stream:
        assert read_header(stream, "f.csv") == ("n", "x")
        assert stream.read() == b"1,2\n"


def packed_rows() -> bytes:
    rows = "".join(f"{number},{(number * 7919) % 1000}.5,buy,\n" for number in range(20_000))
    return gzip.compress(f"n,x,side,other\n{rows}".encode())


def test_a_truncated_gzip_file_names_the_line_where_it_ends(tmp_path: Path):
    path = tmp_path / "cut.csv.gz"
    whole = packed_rows()
    path.write_bytes(whole[: len(whole) // 2])
    with open_csv(path) as stream:
        assert read_header(stream, "f.csv") == LAYOUT.names
        with pytest.raises(ConfigError, match=r"f\.csv:\d{4,}: the gzip file ends in the middle") as caught:
            read_columns(stream, LAYOUT)
    assert 5_000 < caught.value.line < 15_000


def test_a_damaged_gzip_file_is_refused(tmp_path: Path):
    path = tmp_path / "bad.csv.gz"
    whole = bytearray(packed_rows())
    whole[-6] ^= 0xFF  # the checksum of the contents
    path.write_bytes(whole)
    with open_csv(path) as stream:
        read_header(stream, "f.csv")
        with pytest.raises(ConfigError, match="the gzip file is damaged from this line on"):
            read_columns(stream, LAYOUT)


def test_a_gzip_file_that_ends_in_its_first_line_is_refused(tmp_path: Path):
    path = tmp_path / "stub.csv.gz"
    path.write_bytes(packed_rows()[:12])
    with (
        open_csv(path) as stream,
        pytest.raises(ConfigError, match=r"f\.csv:1: the gzip file ends in its first line"),
    ):
        read_header(stream, "f.csv")


def test_what_cannot_be_opened_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.csv: no such file"), open_csv(tmp_path / "none.csv"):
        pass
    with pytest.raises(ConfigError, match="is a directory; give a regular file"), open_csv(tmp_path):
        pass
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises(ConfigError, match=r"loop\.csv: cannot be read: Too many levels"), open_csv(loop):
        pass


def test_a_pipe_or_a_device_is_refused_without_waiting(tmp_path: Path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    for path, kind in ((pipe, "a pipe"), (Path("/dev/null"), "a device")):
        with pytest.raises(ConfigError, match=f"is {kind}; give a regular file"), open_csv(path):
            pass


def test_a_disk_that_fails_while_a_file_is_read_is_told(tmp_path: Path):
    path = write(tmp_path / "f.csv", "n,x", "1,2")
    with pytest.raises(ConfigError, match=r"f\.csv: cannot be read: Input/output error"), open_csv(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_digest_sees_every_byte_of_the_file(tmp_path: Path):
    path = tmp_path / "packed.csv.gz"
    path.write_bytes(packed_rows() + packed_rows())
    digest = hashlib.sha256()
    with open_csv(path, digest) as stream:
        while stream.read(1000):
            pass
    assert digest.digest() == hashlib.sha256(path.read_bytes()).digest()
