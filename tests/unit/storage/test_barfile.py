"""A file that grows by pages: whole after any interruption, and never two writers."""

import gzip
import os
from pathlib import Path

import pytest

from engine.domain.errors import StorageError
from engine.storage.barfile import BarPart, Content, part_path, read_content

HEADER = "ts_ms,close"


def lines(first: int, last: int) -> list[str]:
    return [f"{number},{number}.50" for number in range(first, last)]


def text_of(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "bars.csv.gz"


def grown(target: Path, *pages: tuple[int, int]) -> Path:
    """Leave a part with some pages behind, as an interruption does."""
    part = BarPart.open(target)
    for first, last in pages:
        part.append(HEADER, lines(first, last))
    part.close()
    return part_path(target)


def test_pages_become_one_file(target: Path):
    part = BarPart.open(target)
    part.append(HEADER, lines(0, 3))
    assert not target.exists()
    part.append(HEADER, lines(3, 5))
    assert (part.content.rows, part.content.first, part.content.last) == (5, "0,0.50", "4,4.50")
    part.finish()
    part.close()
    assert text_of(target) == [HEADER, *lines(0, 5)]
    assert not part_path(target).exists()


def test_the_same_pages_make_the_same_bytes(tmp_path: Path):
    first, second = (
        grown(tmp_path / name, (0, 9), (9, 12)).read_bytes() for name in ("a.csv.gz", "b.csv.gz")
    )
    assert first == second


def test_a_part_is_taken_up_where_it_was_left(target: Path):
    grown(target, (0, 3), (3, 5))
    part = BarPart.open(target)
    assert (part.content.header, part.content.rows, part.content.last) == (HEADER, 5, "4,4.50")
    part.append(HEADER, lines(5, 6))
    part.finish()
    part.close()
    assert text_of(target) == [HEADER, *lines(0, 6)]


def test_whatever_is_torn_at_the_end_is_cut_off(target: Path):
    path = grown(target, (0, 300), (300, 600))
    whole = path.read_bytes()
    first = read_content(grown(target.with_name("other.csv.gz"), (0, 300)).open("rb")).size
    for size in range(first, len(whole), 97):
        path.write_bytes(whole[:size])
        part = BarPart.open(target)
        assert part.content.rows == 300
        part.append(HEADER, lines(300, 301))
        part.close()
        assert text_of(path) == [HEADER, *lines(0, 301)]


def test_bytes_that_are_no_page_are_cut_off(target: Path):
    path = grown(target, (0, 3))
    whole = path.read_bytes()
    path.write_bytes(whole + b"no gzip")
    part = BarPart.open(target)
    part.close()
    assert path.read_bytes() == whole


def test_a_part_without_a_whole_page_begins_anew_and_an_empty_one_goes(target: Path):
    path = grown(target, (0, 3))
    path.write_bytes(path.read_bytes()[:20])
    part = BarPart.open(target)
    assert part.content == Content()
    part.close()
    assert not path.exists()


def test_a_file_that_is_there_is_continued_and_stays_until_the_end(target: Path):
    target.write_bytes(gzip.compress("\n".join([HEADER, *lines(0, 4), ""]).encode()))
    before = target.read_bytes()
    part = BarPart.open(target)
    assert (part.content.rows, part.content.last) == (4, "3,3.50")
    part.append(HEADER, lines(4, 6))
    assert target.read_bytes() == before
    part.finish()
    part.close()
    assert text_of(target) == [HEADER, *lines(0, 6)]


def test_a_part_that_is_further_than_the_file_goes_on(target: Path):
    target.write_bytes(gzip.compress("\n".join([HEADER, *lines(0, 4), ""]).encode()))
    grown(target, (4, 6))
    part = BarPart.open(target)
    assert part.content.rows == 6
    part.close()


def test_a_torn_copy_of_the_file_is_made_again(target: Path):
    target.write_bytes(gzip.compress("\n".join([HEADER, *lines(0, 4), ""]).encode()))
    part_path(target).write_bytes(target.read_bytes()[:30])
    part = BarPart.open(target)
    assert part.content.rows == 4
    part.close()


def test_a_part_of_something_else_is_named(target: Path):
    target.write_bytes(gzip.compress("\n".join([HEADER, *lines(0, 4), ""]).encode()))
    part_path(target).write_bytes(gzip.compress("\n".join([HEADER, *lines(7, 14), ""]).encode()))
    with pytest.raises(StorageError, match=r"holds other rows than bars\.csv\.gz"):
        BarPart.open(target)


@pytest.mark.parametrize(
    "content",
    [
        b"plain text\n1\n",
        gzip.compress(b"ts_ms\n1\n")[:-4],
        gzip.compress(b"ts_ms\n1"),
        gzip.compress(b"ts_ms\n"),
        b"",
    ],
    ids=["plain", "truncated", "no line end", "header alone", "empty"],
)
def test_a_file_that_cannot_be_continued_is_left_as_it_is(target: Path, content: bytes):
    target.write_bytes(content)
    with pytest.raises(StorageError, match="is no whole gzip file of rows"):
        BarPart.open(target)
    assert target.read_bytes() == content


def test_two_writers_do_not_meet(target: Path):
    part = BarPart.open(target)
    part.append(HEADER, lines(0, 2))
    with pytest.raises(StorageError, match="another fetch is writing it"):
        BarPart.open(target)
    part.close()
    BarPart.open(target).close()


def test_pages_and_chunks_of_any_size_are_read(target: Path):
    """A page larger than the pieces it is read in, and one without a line."""
    with target.open("wb") as file:
        file.write(gzip.compress("\n".join([HEADER, *lines(0, 400_000), ""]).encode(), 0))
        file.write(gzip.compress(b""))
    with target.open("rb") as file:
        content = read_content(file)
    assert (content.rows, content.last, content.damaged) == (400_000, "399999,399999.50", False)
    assert content.size == target.stat().st_size


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(StorageError, match="cannot be used: No such file or directory"):
        BarPart.open(tmp_path / "none" / "bars.csv.gz")


def test_a_full_disk_is_told(target: Path):
    part = BarPart.open(target)
    part._file = os.fdopen(os.open("/dev/full", os.O_RDWR), "r+b", buffering=0)
    with pytest.raises(StorageError, match="cannot be written: No space left on device"):
        part.append(HEADER, lines(0, 2))
    assert part.content.rows == 0


def test_an_end_that_fails_is_told(target: Path):
    part = BarPart.open(target)
    part.append(HEADER, lines(0, 2))
    target.mkdir()
    with pytest.raises(StorageError, match=r"bars.csv.gz cannot be written: Is a directory"):
        part.finish()
    part.close()
