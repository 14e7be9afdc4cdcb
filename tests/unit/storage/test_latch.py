import pytest

from engine.domain.errors import StorageError
from engine.storage.latch import Latch


def test_the_latch_holds_from_engage_to_release(tmp_path):
    latch = Latch(tmp_path)
    assert not latch.engaged()
    assert latch.text() == ""
    latch.engage("cli of pid 7: flatten")
    assert latch.engaged()
    assert Latch(tmp_path).engaged()
    assert latch.text() == "cli of pid 7: flatten"
    latch.release()
    latch.release()
    assert not latch.engaged()


def test_the_last_who_engages_is_named(tmp_path):
    latch = Latch(tmp_path)
    latch.engage("a long story about why")
    latch.engage("brief")
    assert latch.text() == "brief"


def test_a_full_disk_takes_the_text_but_not_the_latch(tmp_path, file_size_limit):
    latch = Latch(tmp_path)
    with file_size_limit(0), pytest.raises(StorageError, match="it is set"):
        latch.engage("why")
    assert latch.engaged()


def test_a_read_only_directory_is_named_with_a_remedy(read_only):
    directory = read_only.make()
    latch = Latch(directory)
    with (
        read_only(directory),
        pytest.raises(StorageError, match=r"flatten\.latch.*set the flatten latch.*Make it"),
    ):
        latch.engage("why")
    assert not latch.engaged()
    latch.engage("why")
    with read_only(directory), pytest.raises(StorageError, match="remove the flatten latch"):
        latch.release()
    assert latch.engaged()


def test_it_counts_as_set_where_the_disk_gives_no_clear_answer(tmp_path):
    (tmp_path / "file").write_text("in the way of a directory")
    assert Latch(tmp_path / "file").engaged()


def test_a_dangling_directory_entry_is_not_taken_for_a_latch(tmp_path):
    (tmp_path / "flatten.latch").symlink_to(tmp_path / "nowhere")
    assert not Latch(tmp_path).engaged()
