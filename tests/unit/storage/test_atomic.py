import os
import stat
from pathlib import Path

import pytest

from engine.storage.atomic import make_directory, sync_directory, write_whole


@pytest.fixture
def synced(monkeypatch):
    """Return the paths that were synced, in their order."""
    paths = []
    fsync = os.fsync

    def watched(descriptor):
        paths.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    return paths


def test_every_new_name_on_the_way_to_a_directory_is_durable(tmp_path, synced):
    make_directory(tmp_path / "a" / "b" / "c")
    assert synced == [str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b")]
    assert stat.S_IMODE((tmp_path / "a" / "b" / "c").stat().st_mode) == 0o700


def test_a_directory_that_is_there_costs_no_sync(tmp_path, synced):
    make_directory(tmp_path)
    assert synced == []
    with pytest.raises(FileExistsError):
        make_directory(tmp_path, exist_ok=False)


def test_a_file_is_on_disk_before_its_name_and_its_name_before_the_end(tmp_path, synced):
    path = tmp_path / "file"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert synced == [f"{path}.tmp", str(tmp_path)] * 2


def test_a_file_that_need_not_last_is_not_synced(tmp_path, synced):
    write_whole(tmp_path / "file", b"x", durable=False)
    assert synced == []


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]
    with pytest.raises(OSError, match="No space"):
        sync_directory(tmp_path)
