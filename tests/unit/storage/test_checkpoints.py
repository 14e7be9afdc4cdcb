import pytest

from engine.domain.errors import CheckpointError
from engine.domain.market import NS_PER_S
from engine.storage.checkpoints import (
    KEPT,
    STALE_AFTER_S,
    Checkpoint,
    CheckpointStore,
    Found,
    decode_checkpoint,
    encode_checkpoint,
)

NOW = 1_720_000_000 * NS_PER_S


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


def names(store):
    return sorted(path.name for path in store.directory.iterdir())


def test_a_checkpoint_comes_back_as_it_was_saved(store):
    store.save(42, NOW, b"state")
    assert store.load_newest(NOW) == Found(Checkpoint(42, NOW, b"state"), ())


def test_without_any_there_is_nothing_and_nothing_wrong(store):
    assert store.load_newest(NOW) == Found(None, ())


def test_the_newest_three_stay(store):
    for sequence in range(6):
        store.save(sequence, NOW, b"x")
    assert names(store) == [f"{number:010d}.checkpoint" for number in (4, 5, 6)]
    assert KEPT == 3
    assert store.load_newest(NOW).checkpoint.sequence == 5


def test_the_newest_is_the_last_written_whatever_clock_and_sequence_say(store):
    store.save(900, NOW, b"old session")
    store.save(3, NOW - NS_PER_S, b"new session, clock stepped back")
    assert store.load_newest(NOW).checkpoint.payload == b"new session, clock stepped back"


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:20], lambda data: data + b"x"])
def test_a_damaged_one_is_set_aside_and_the_one_before_it_is_taken(store, spoil):
    store.save(1, NOW, b"good")
    path = store.save(2, NOW, b"bad")
    path.write_bytes(spoil(path.read_bytes()))
    found = store.load_newest(NOW)
    assert found.checkpoint.payload == b"good"
    assert len(found.warnings) == 1
    assert str(path) in found.warnings[0]
    assert names(store) == ["0000000001.checkpoint", "0000000002.checkpoint.damaged"]
    assert store.save(3, NOW, b"next").name == "0000000002.checkpoint"
    assert store.load_newest(NOW).warnings == ()


def test_every_flipped_byte_is_noticed():
    data = encode_checkpoint(7, NOW, b"payload")
    for position in range(len(data)):
        spoiled = bytearray(data)
        spoiled[position] ^= 0x40
        with pytest.raises(CheckpointError):
            decode_checkpoint(bytes(spoiled))


def test_one_of_a_newer_program_is_said_to_be_that():
    data = bytearray(encode_checkpoint(7, NOW, b""))
    data[7] = 9
    with pytest.raises(CheckpointError, match="newer trader-tui"):
        decode_checkpoint(bytes(data))


def test_one_older_than_an_hour_is_stale_and_still_used(store):
    store.save(1, NOW, b"x")
    fresh = store.load_newest(NOW + STALE_AFTER_S * NS_PER_S)
    assert not fresh.checkpoint.stale
    old = store.load_newest(NOW + (STALE_AFTER_S + 60) * NS_PER_S)
    assert old.checkpoint.stale
    assert "61 minutes old" in old.warnings[0]


def test_one_that_cannot_be_read_is_passed_over(store):
    store.save(1, NOW, b"good")
    store.directory.joinpath("0000000002.checkpoint").mkdir()
    found = store.load_newest(NOW)
    assert found.checkpoint.payload == b"good"
    assert "cannot be read" in found.warnings[0]


def test_a_damaged_one_on_a_read_only_disk_is_passed_over(read_only):
    store = CheckpointStore(read_only.make())
    store.save(1, NOW, b"good")
    bad = store.save(2, NOW, b"bad")
    bad.write_bytes(b"TTCHKPT\x01")
    with read_only(store.directory):
        found = store.load_newest(NOW)
    assert found.checkpoint == Checkpoint(1, NOW, b"good")
    assert "could not be set aside: permission denied" in found.warnings[0]


def test_a_failing_save_keeps_the_older_ones_and_leaves_nothing_behind(store, file_size_limit):
    store.save(1, NOW, b"good")
    with (
        file_size_limit(4096),
        pytest.raises(CheckpointError, match=r"could not write a checkpoint.*are kept"),
    ):
        store.save(2, NOW, b"x" * 10_000)
    assert names(store) == ["0000000001.checkpoint"]
    assert store.load_newest(NOW).checkpoint.payload == b"good"


def test_a_read_only_directory_is_named(read_only):
    directory = read_only.make()
    with read_only(directory), pytest.raises(CheckpointError, match=rf"{directory}.*permission denied"):
        CheckpointStore(directory).save(1, NOW, b"x")


def test_what_a_crash_left_half_written_is_cleaned_up_and_never_loaded(store):
    store.save(1, NOW, b"good")
    store.directory.joinpath("0000000002.checkpoint.tmp").write_bytes(b"half")
    assert store.load_newest(NOW).checkpoint.payload == b"good"
    store.save(2, NOW, b"next")
    assert names(store) == ["0000000001.checkpoint", "0000000002.checkpoint"]
