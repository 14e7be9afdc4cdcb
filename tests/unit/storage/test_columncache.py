"""The cache of columns: bit for bit what was kept or nothing, whatever happens to its files."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.storage import columncache
from engine.storage.columncache import ABANDONED_S, TEMPORARY_SUFFIX, ColumnCache

KEY = "ab-1"
FACTS = b'{"kind":"bars"}'
MB = 1_000_000


def columns(rows: int = 100, seed: int = 1) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        "ts": draw.integers(0, 2**62, rows),
        "price": draw.random(rows),
        "side": draw.integers(-1, 2, rows).astype(np.int8),
    }


class Desk:
    """A cache and what it said."""

    def __init__(self, directory: Path, bytes_max: int = 100 * MB) -> None:
        self.said: list[str] = []
        self.cache = ColumnCache(directory, bytes_max, self.said.append)
        self.directory = directory

    def keep(self, key: str = KEY, **more: int) -> Path:
        self.cache.save(key, FACTS, columns(**more))
        return self.path(key)

    def path(self, key: str = KEY) -> Path:
        return self.directory / f"{key}.columns"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "deep" / "columns")


def same(found: dict[str, np.ndarray], kept: dict[str, np.ndarray]) -> bool:
    return list(found) == list(kept) and all(
        found[name].dtype == kept[name].dtype and found[name].tobytes() == kept[name].tobytes()
        for name in kept
    )


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 64, 1000])
def test_what_was_kept_comes_back_bit_for_bit(desk: Desk, rows: int):
    odd = columns(rows)
    odd["price"][: rows // 2] = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\x7f", np.float64)[0]  # a NaN
    desk.cache.save(KEY, FACTS, odd)
    found = desk.cache.load(KEY)
    assert found is not None
    assert same(found.by_name, odd)
    assert found.facts == FACTS
    assert desk.said == []
    assert desk.path().stat().st_mode & 0o777 == 0o600
    assert desk.directory.stat().st_mode & 0o777 == 0o700


def test_columns_that_are_cut_from_others_are_kept_too(desk: Desk):
    every_second = {name: column[::2] for name, column in columns().items()}
    desk.cache.save(KEY, FACTS, every_second)
    found = desk.cache.load(KEY)
    assert found is not None
    assert same(found.by_name, every_second)


def test_what_was_never_kept_is_missing_without_a_word(desk: Desk):
    assert desk.cache.load(KEY) is None
    assert desk.cache.usage().entries == 0
    assert desk.said == []


@given(data=st.data())
def test_no_damage_passes_for_columns(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    desk = Desk(tmp_path_factory.mktemp("damage"))
    whole = desk.keep(rows=20).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from(
            [
                whole[:at],
                whole + b"\0",
                whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :],
                whole[:at] + whole[at + 1 :],
            ]
        )
    )
    desk.path().write_bytes(damaged)
    assert desk.cache.load(KEY) is None
    assert len(desk.said) == 1
    assert "is not used and removed" in desk.said[0]
    assert desk.names() == []
    desk.keep(rows=20)
    assert desk.path().read_bytes() == whole
    assert desk.cache.load(KEY) is not None


@pytest.mark.parametrize("foreign", [b"", b"\x80\x04K\x01.", b"TTCOLS0\n" + bytes(500), b"ts,open\n1,2\n"])
def test_a_foreign_file_is_removed(desk: Desk, foreign: bytes):
    desk.keep()
    desk.path().write_bytes(foreign)
    assert desk.cache.load(KEY) is None
    assert not desk.path().exists()
    assert len(desk.said) == 1


def test_an_entry_under_another_name_is_not_taken_for_it(desk: Desk):
    desk.keep("other").rename(desk.path())
    assert desk.cache.load(KEY) is None
    assert "belongs to another file" in desk.said[0]


def test_a_pipe_in_the_place_of_an_entry_makes_nobody_wait(desk: Desk):
    desk.keep()
    desk.path().unlink()
    os.mkfifo(desk.path())
    assert desk.cache.load(KEY) is None
    assert desk.names() == []


def test_a_folder_in_the_place_of_an_entry_is_lived_with(desk: Desk):
    desk.directory.mkdir(parents=True)
    desk.path().mkdir()
    assert desk.cache.load(KEY) is None
    desk.keep()
    assert [line for line in desk.said if "cannot be written" in line]
    assert desk.names() == [desk.path().name], "nothing half written stays"


def test_the_least_recently_used_go_when_it_is_full(tmp_path: Path):
    desk = Desk(tmp_path, bytes_max=60_000)
    for age, key in enumerate(("c", "b", "a")):
        os.utime(desk.keep(key, rows=1000), (age, age))
    assert desk.cache.load("c") is not None  # used just now
    desk.keep("d", rows=1000)
    assert desk.names() == ["a.columns", "c.columns", "d.columns"]
    usage = desk.cache.usage()
    assert (usage.entries, usage.bytes_max) == (3, 60_000)
    assert usage.bytes <= 60_000


def test_what_is_larger_than_the_cache_drives_nothing_out(tmp_path: Path):
    desk = Desk(tmp_path, bytes_max=20_000)
    desk.keep("small", rows=100)
    desk.keep("large", rows=10_000)
    assert desk.names() == ["small.columns"]


def test_what_a_killed_process_left_is_swept(desk: Desk):
    desk.keep()
    old, young = (desk.directory / f"{name}{TEMPORARY_SUFFIX}" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    gone = time.time() - ABANDONED_S - 5
    os.utime(old, (gone, gone))
    desk.keep("more")
    assert not old.exists()
    assert young.exists()


def test_clearing_removes_entries_and_nothing_else(desk: Desk):
    desk.keep()
    (desk.directory / f"x{TEMPORARY_SUFFIX}").write_bytes(b"half")
    (desk.directory / "notes.txt").write_text("mine")
    before = desk.cache.clear()
    assert before.entries == 1
    assert before.bytes > 0
    assert desk.names() == ["notes.txt"]
    assert desk.cache.usage().entries == 0


def test_a_nearly_full_disk_is_left_to_what_matters(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(columncache, "FREE_BYTES_MIN", 2**62)
    desk.keep()
    assert desk.names() == []
    assert "the disk is nearly full" in desk.said[0]


def test_a_folder_that_cannot_be_is_told_and_lived_with(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    desk = Desk(tmp_path / "file" / "columns")
    desk.keep()
    assert desk.cache.load(KEY) is None
    assert any("cannot be written: Not a directory" in line for line in desk.said)


def test_a_read_only_folder_still_serves(desk: Desk):
    desk.keep()
    desk.directory.chmod(0o500)
    try:
        if os.access(desk.directory, os.W_OK):
            pytest.skip("root may write everywhere: a read-only folder was NOT tested here")
        desk.keep("more")
        assert desk.cache.load(KEY) is not None
        assert any("cannot be written: Permission denied" in line for line in desk.said)
    finally:
        desk.directory.chmod(0o700)


def test_an_entry_that_cannot_be_read_is_told_and_lived_with(desk: Desk):
    desk.directory.mkdir(parents=True)
    desk.path().symlink_to(desk.path())  # leads to itself
    assert desk.cache.load(KEY) is None
    assert "cannot be used" in desk.said[0]


def test_writers_and_readers_at_once_see_whole_entries_or_none(tmp_path: Path):
    """Each thread has a cache of its own, as processes have; the bound makes them prune each other."""
    kept = {f"k{seed}": columns(500, seed) for seed in range(4)}
    begin = threading.Barrier(4)

    def work(number: int) -> list[str]:
        desk = Desk(tmp_path, bytes_max=20_000)
        begin.wait()
        for turn in range(40):
            key = f"k{(turn + number) % 4}"
            if (found := desk.cache.load(key)) is None:
                desk.cache.save(key, FACTS, kept[key])
            else:
                assert same(found.by_name, kept[key])
        return desk.said

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [[], [], [], []]
    assert Desk(tmp_path).cache.usage().bytes <= 20_000 + 4 * 9_000
