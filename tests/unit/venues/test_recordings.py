"""Files that can be looked at though not replayed: quotes, and recordings of a venue's streams."""

import gzip
from pathlib import Path

import pytest

from engine.domain.errors import ConfigError
from engine.venues.recordings import file_form, read_quotes, read_recording
from tests.unit.venues.data_files import write, write_bars

QUOTES = "ts_ms,bid,bid_qty,ask,ask_qty,recv_ms"


def recording(path: Path, *lines: str) -> Path:
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


def test_the_form_of_a_file_is_in_its_first_line(tmp_path: Path):
    assert file_form(write(tmp_path / "q.csv", QUOTES, "1,2,3,4,5,6")) == "quotes"
    assert file_form(write_bars(tmp_path / "b.csv", "1,1,1,1,1")) == "tape"
    assert file_form(recording(tmp_path / "r.jsonl.gz", '{"ts": 1.5, "msg": {}}')) == "recording"
    with pytest.raises(ConfigError, match="no such file"):
        file_form(tmp_path / "none.csv")


def test_quotes_are_columns(tmp_path: Path):
    quotes = read_quotes(write(tmp_path / "q.csv", QUOTES, "1,10.5,1,10.6,2,3", "2,10.4,1,10.7,2,4"))
    assert quotes.ts.tolist() == [1_000_000, 2_000_000]
    assert (quotes.bid.tolist(), quotes.ask.tolist()) == ([10.5, 10.4], [10.6, 10.7])
    assert quotes.recv.tolist() == [3_000_000, 4_000_000]


def test_quotes_without_a_time_of_receipt_have_their_own(tmp_path: Path):
    quotes = read_quotes(write(tmp_path / "q.csv", "ts_ms,bid,ask", "1,10.5,10.6"))
    assert quotes.recv.tolist() == quotes.ts.tolist()


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("bid,ask", "1,2", "q.csv:1: a file of quotes needs the column 'ts_ms'"),
        (QUOTES, "1,x,1,2,3,4", "q.csv:2: bid: 'x' is not a number"),
    ],
)
def test_bad_quotes_are_named(tmp_path: Path, header: str, row: str, message: str):
    with pytest.raises(ConfigError) as caught:
        read_quotes(write(tmp_path / "q.csv", header, row))
    assert message in str(caught.value)


def test_a_recording_has_times_and_streams(tmp_path: Path):
    path = recording(
        tmp_path / "r.jsonl.gz",
        '{"ts": 1.25, "stream": "trade", "msg": [1, {"ts": "x"}]}',
        '{"ts": 2, "stream": "depth", "msg": null}',
        '{"stream": "depth", "ts": 3.5}',
        '{"ts": 3.75}',
    )
    found = read_recording(path)
    assert found.ts.tolist() == [1_250_000_000, 2_000_000_000, 3_500_000_000, 3_750_000_000]
    assert found.streams == {"depth": 2, "trade": 1, "": 1}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (('{"ts": 1}', "{oops"), "r.jsonl.gz:2: is no recorded message"),
        (('{"ts": 1}', "", '{"ts": 2}'), "r.jsonl.gz:2: is no recorded message"),
        (('{"stream": "x"}',), "r.jsonl.gz:1: is no recorded message"),
    ],
)
def test_a_line_that_is_no_message_is_named(tmp_path: Path, lines: tuple[str, ...], message: str):
    with pytest.raises(ConfigError) as caught:
        read_recording(recording(tmp_path / "r.jsonl.gz", *lines))
    assert message in str(caught.value)


def test_a_truncated_recording_is_named(tmp_path: Path):
    path = recording(
        tmp_path / "r.jsonl.gz", *(f'{{"ts": {n}, "msg": {n * 7919 % 1009}}}' for n in range(400))
    )
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ConfigError, match=r"r.jsonl.gz:\d+: is no recorded message"):
        read_recording(path)
