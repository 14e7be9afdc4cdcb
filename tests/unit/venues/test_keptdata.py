"""A file read through its kept columns is the file: same numbers, same quirks, never an older one's."""

import gzip
import os
import shutil
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from engine.domain.errors import ConfigError
from engine.storage.columncache import ColumnCache
from engine.venues import keptdata
from engine.venues.datafile import DataFile, read_data
from engine.venues.keptdata import ROWS_MIN, key_of, read_kept
from engine.venues.replay import DataSource, load_tape
from tests.unit.venues.data_files import TRADE_HEADER, shared_file, write, write_bars

SHARED = (
    "bars/bitfinex_btcusd_1m_2016.csv.gz",
    "bars/fxcm_gbpusd_1m_bid_2012.csv.gz",
    "bars/freqtrade_unittestbtc_1m_2017.csv.gz",
    "trades/binance_usdm_btcusdt_20240808_trades.csv.gz",
    "trades/binance_spot_btcusdt_20240809_trades.csv.gz",
)


class Desk:
    """A cache in a folder, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.folder = folder
        self.cache = ColumnCache(folder, 10**9, self.said.append)

    def read(self, path: Path) -> DataFile:
        return read_kept(path, self.cache)

    def entries(self) -> list[Path]:
        return sorted(self.folder.glob("*.columns"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(keptdata, "ROWS_MIN", 1)
    return Desk(tmp_path / "columns")


def same(one: DataFile, other: DataFile) -> bool:
    """Whether two are the same but for their columns' place in memory."""
    ones, others = (
        {
            name: (column.dtype, column.tobytes())
            for name in (field.name for field in fields(data.columns))
            for column in [getattr(data.columns, name)]
        }
        for data in (one, other)
    )
    about = [(d.path, d.sha256, d.kind, d.price_digits, d.qty_digits, d.quirks) for d in (one, other)]
    return type(one.columns) is type(other.columns) and ones == others and about[0] == about[1]


def odd_bars(path: Path) -> Path:
    """A small file with most of what is peculiar."""
    return write_bars(
        path,
        "9,8,7,8,1.123456789123456789",
        "0.30000000000000004,0.31,0.3,0.3,1",
        "0.3,0.3,0.2,0.21,0",
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", SHARED)
def test_kept_columns_are_the_files(desk: Desk, name: str):
    path = shared_file(name)
    first, second = desk.read(path), desk.read(path)
    plain = read_data(path)
    assert same(first, plain)
    assert same(second, plain)
    assert desk.said == []
    tapes = [load_tape(DataSource(path), store=store) for store in (None, desk.cache)]
    assert tapes[0].derived == tapes[1].derived
    assert tapes[0].instrument == tapes[1].instrument


def test_quirks_are_told_from_kept_columns_too(desk: Desk, tmp_path: Path):
    path = odd_bars(tmp_path / "b.csv")
    desk.read(path)
    kept = desk.read(path)
    assert same(kept, read_data(path))
    assert (kept.quirks.noisy, kept.quirks.volume_rounded, kept.quirks.open_outside) == (1, 1, 1)
    trades = write(tmp_path / "t.csv", TRADE_HEADER, "5,1.0,2,buy,x9", "5,1.5,3,,x8")
    desk.read(trades)
    assert same(desk.read(trades), read_data(trades))
    assert desk.read(trades).quirks.side_unknown == 1


def test_the_second_read_does_not_parse(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = odd_bars(tmp_path / "b.csv")
    desk.read(path)
    monkeypatch.delattr(keptdata, "read_data")
    desk.read(path)


def test_a_changed_file_is_read_anew_though_its_size_and_times_are_the_same(desk: Desk, tmp_path: Path):
    path = write_bars(tmp_path / "b.csv", "1,1,1,1,1", "1,1,1,1,1")
    facts = path.stat()
    desk.read(path)
    with path.open("r+b") as file:  # in place: the same inode
        file.write(path.read_bytes().replace(b"1,1,1,1,1", b"2,2,2,2,2"))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_ino) == (facts.st_size, facts.st_ino)
    assert desk.read(path).columns.open.tolist() == [2.0, 2.0]  # type: ignore[union-attr]  # they are bars
    assert len(desk.entries()) == 2


def test_a_copy_shares_the_entry_and_keeps_its_own_path(desk: Desk, tmp_path: Path):
    path = odd_bars(tmp_path / "a.csv")
    desk.read(path)
    copy = tmp_path / "b.csv"
    shutil.copy(path, copy)
    assert desk.read(copy).path == copy
    assert len(desk.entries()) == 1


def test_a_file_that_changes_while_it_is_read_is_kept_under_what_was_parsed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = write_bars(tmp_path / "b.csv", "1,1,1,1,1", "1,1,1,1,1")

    def slow(path: Path) -> DataFile:
        write_bars(path, "2,2,2,2,2", "2,2,2,2,2")  # somebody writes after the hash was taken
        return read_data(path)

    monkeypatch.setattr(keptdata, "read_data", slow)
    data = desk.read(path)
    assert desk.entries() == [desk.folder / f"{key_of(data.sha256)}.columns"]
    monkeypatch.undo()
    assert same(desk.read(path), read_data(path))


def test_a_file_that_is_wrong_is_told_the_same_and_not_kept(desk: Desk, tmp_path: Path):
    path = write_bars(tmp_path / "b.csv", "1,1,1,1,1", "1,1,x,1,1")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"b\.csv:3: low: 'x' is not a number"):
            desk.read(path)
    assert desk.entries() == []
    with pytest.raises(ConfigError, match="no such file"):
        desk.read(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "facts",
    [
        b'{"kind":"bars"}',
        b"[]",
        b'{"kind":"ticks","price_digits":1,"qty_digits":1,"quirks":{}}',
    ],
)
def test_columns_that_are_no_market_data_are_removed(desk: Desk, tmp_path: Path, facts: bytes):
    path = odd_bars(tmp_path / "b.csv")
    plain = read_data(path)
    desk.cache.save(key_of(plain.sha256), facts, {"ts": plain.columns.ts})
    assert same(desk.read(path), plain)
    assert len(desk.said) == 1
    assert "are not those of bars or trades" in desk.said[0]
    assert same(desk.read(path), plain)
    assert len(desk.said) == 1, "it was written again"


def test_columns_of_another_shape_are_removed(desk: Desk, tmp_path: Path):
    path = odd_bars(tmp_path / "b.csv")
    plain = read_data(path)
    desk.read(path)
    entry = desk.cache.load(key_of(plain.sha256))
    assert entry is not None
    for by_name in (
        {name: column[:-1] for name, column in entry.by_name.items()},
        dict(reversed(entry.by_name.items())),
    ):
        desk.cache.save(key_of(plain.sha256), entry.facts, by_name)
        assert same(desk.read(path), plain)
    assert len(desk.said) == 2


def test_small_files_are_not_kept(tmp_path: Path):
    desk = Desk(tmp_path / "columns")
    desk.read(odd_bars(tmp_path / "b.csv"))
    assert desk.entries() == []
    rows = (f"{row},1,1,buy,{row}" for row in range(ROWS_MIN))
    desk.read(write(tmp_path / "t.csv", TRADE_HEADER, *rows))
    assert len(desk.entries()) == 1


def test_without_a_store_the_file_is_read(tmp_path: Path):
    path = odd_bars(tmp_path / "b.csv")
    assert same(read_kept(path, None), read_data(path))


def test_the_hash_is_that_of_the_files_bytes_packed_or_not(tmp_path: Path, desk: Desk):
    path = odd_bars(tmp_path / "b.csv")
    packed = tmp_path / "b.csv.gz"
    members = gzip.compress(path.read_bytes()[:40]) + gzip.compress(path.read_bytes()[40:])
    packed.write_bytes(members)
    for each in (path, packed):
        first = desk.read(each)
        assert desk.read(each).sha256 == first.sha256 == read_data(each).sha256
        assert msgspec.json.encode(first.quirks) == msgspec.json.encode(read_data(each).quirks)
    assert len(desk.entries()) == 2
