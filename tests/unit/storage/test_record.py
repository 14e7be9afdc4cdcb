import shutil
import threading

import msgspec
import pytest

from engine.domain.errors import StorageError
from engine.ports import Recorder
from engine.storage.codec import Consumed, Effects, End, Gap, Tape
from engine.storage.record_reader import RecordReader
from engine.storage.record_writer import BACKLOG_BYTES_MAX, SEALED_BYTES, RecordWriter
from engine.storage.records import room_for_session, session_directories
from engine.storage.segments import FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES
from tests.unit.storage import samples
from tests.unit.storage.samples import T0

MANY = 10**9


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "records" / "s1"


def begin(directory, **changes):
    options = {"bytes_max": MANY, "segment_bytes": 2_000, "free_bytes_min": 0} | changes
    return RecordWriter(directory, samples.header(), **options)


def feed(writer, first, last, every=10):
    """Record events first..last with a flush after each few."""
    for sequence in range(first, last + 1):
        writer.consumed(sequence, T0 + sequence, samples.trade(sequence))
        writer.effects(sequence, sequence.to_bytes(8, "big"))
        if sequence % every == 0:
            writer.flush()
    writer.flush()


def sequences(directory, from_sequence=0):
    reader = RecordReader(directory)
    return [entry.sequence for entry in reader.entries(from_sequence) if isinstance(entry, Consumed)]


def segments(directory):
    return sorted(directory.glob("*.segment"))


def test_a_session_comes_back_as_it_was_recorded(directory):
    writer = begin(directory)
    writer.consumed(1, T0, samples.trade(1))
    writer.effects(1, b"12345678")
    writer.tape(2, 5_000)
    writer.flush()
    writer.end(3, "ff", 0)
    writer.close()
    reader = RecordReader(directory)
    assert reader.header == samples.header()
    assert list(reader.entries()) == [
        Consumed(1, T0, samples.trade(1)),
        Effects(1, b"12345678"),
        Tape(2, 5_000),
        End(3, "ff", 0),
    ]
    assert reader.torn == ""
    assert reader.first_sequence == 0
    assert writer.size_bytes == sum(path.stat().st_size for path in segments(directory))


def test_the_writer_is_what_the_core_records_with(directory):
    recorder: Recorder = RecordWriter(directory, samples.header(), bytes_max=MANY)
    recorder.consumed(1, T0, samples.trade(1))
    assert isinstance(recorder, RecordWriter)
    recorder.close()


def test_a_session_that_recorded_nothing_is_whole(directory):
    begin(directory).close()
    assert list(RecordReader(directory).entries()) == []


def test_what_was_flushed_is_there_without_a_close(directory):
    writer = begin(directory)
    writer.consumed(1, T0, samples.trade(1))
    assert sequences(directory) == []
    writer.flush(sync=True)
    assert sequences(directory) == [1]


def test_large_records_lie_in_several_segments_and_can_be_entered_anywhere(directory):
    writer = begin(directory)
    feed(writer, 1, 300)
    writer.close()
    assert len(segments(directory)) > 4
    assert sequences(directory) == list(range(1, 301))
    for start in (0, 1, 57, 150, 300, 301):
        assert sequences(directory, start) == list(range(max(start, 1), 301))


def test_reading_from_a_sequence_finds_its_effects_and_itself_on_both_sides_of_a_rotation(directory):
    writer = begin(directory, segment_bytes=1)
    for sequence in range(1, 5):
        writer.consumed(sequence, T0, samples.trade(sequence))
        writer.flush()
        writer.effects(sequence, b"12345678")
        writer.flush()
    kinds = [type(entry) for entry in RecordReader(directory).entries(3)]
    assert kinds == [Consumed, Effects, Consumed, Effects]


def test_a_full_batch_is_sealed_and_a_long_backlog_is_written_by_the_caller(directory):
    writer = begin(directory, segment_bytes=MANY)
    sequence = 0
    while writer.waiting_bytes <= SEALED_BYTES:
        sequence += 1
        writer.consumed(sequence, T0, samples.trade(sequence))
    size = writer.size_bytes
    while writer.size_bytes == size:
        assert writer.waiting_bytes <= BACKLOG_BYTES_MAX
        sequence += 1
        writer.consumed(sequence, T0, samples.trade(sequence))
    assert writer.waiting_bytes == 0
    assert sequences(directory) == list(range(1, sequence + 1))


def test_a_flush_in_another_thread_loses_and_reorders_nothing(directory):
    writer = begin(directory)
    done = threading.Event()

    def flush_on_and_on():
        while not done.is_set():
            writer.flush()

    thread = threading.Thread(target=flush_on_and_on)
    thread.start()
    for sequence in range(1, 3_001):
        writer.consumed(sequence, T0, samples.trade(sequence))
    done.set()
    thread.join()
    writer.close()
    assert sequences(directory) == list(range(1, 3_001))


def test_a_session_is_never_written_over(directory):
    begin(directory).close()
    with pytest.raises(StorageError, match="could not begin the session record: a file is in the way"):
        begin(directory)


def test_a_read_only_directory_is_named(read_only):
    directory = read_only.make()
    with read_only(directory), pytest.raises(StorageError, match=rf"{directory}/s1.*Make it writable"):
        begin(directory / "s1")


@pytest.mark.parametrize("kept", [SEGMENT_HEADER_BYTES + 1, 0.5, 0.9, -1])
def test_a_torn_tail_is_cut_and_told(directory, kept):
    writer = begin(directory, segment_bytes=MANY)
    feed(writer, 1, 100)
    writer.close()
    last = segments(directory)[-1]
    data = last.read_bytes()
    cut = kept if isinstance(kept, int) else int(len(data) * kept)
    last.write_bytes(data[:cut])
    reader = RecordReader(directory)
    read = [entry.sequence for entry in reader.entries() if isinstance(entry, Consumed)]
    assert read == list(range(1, len(read) + 1))
    assert len(read) < 100
    assert str(last) in reader.torn


@pytest.mark.parametrize("tail", [bytes(5), bytes(5_000)])
def test_zeros_that_a_power_cut_left_are_a_torn_tail(directory, tail):
    writer = begin(directory, segment_bytes=MANY)
    feed(writer, 1, 30)
    writer.close()
    last = segments(directory)[-1]
    last.write_bytes(last.read_bytes() + tail)
    reader = RecordReader(directory)
    assert len(list(reader.entries())) == 60
    assert f"{len(tail)} bytes" in reader.torn


@pytest.mark.parametrize("begun", [b"", b"TTREC", bytes(SEGMENT_HEADER_BYTES)])
def test_a_segment_that_was_only_begun_is_a_torn_tail(directory, begun):
    writer = begin(directory)
    feed(writer, 1, 100)
    writer.close()
    number = len(segments(directory))
    (directory / f"{number:06d}.segment").write_bytes(begun)
    reader = RecordReader(directory)
    assert len(list(reader.entries(50))) == 102
    assert f"{number:06d}.segment: cut at byte 0" in reader.torn


def test_a_torn_frame_before_later_segments_is_damage(directory):
    writer = begin(directory)
    feed(writer, 1, 300)
    writer.close()
    middle = segments(directory)[2]
    middle.write_bytes(middle.read_bytes()[:-1])
    with pytest.raises(StorageError, match=rf"{middle.name}: .*damaged at byte \d+.*later segments"):
        sequences(directory)


def test_a_frame_swapped_for_another_whole_one_breaks_the_chain(directory):
    writer = begin(directory, segment_bytes=MANY)
    feed(writer, 1, 60)
    writer.close()
    path = segments(directory)[-1]
    data = path.read_bytes()
    length = int.from_bytes(data[SEGMENT_HEADER_BYTES : SEGMENT_HEADER_BYTES + 4], "little")
    second = SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES + length
    path.write_bytes(data[:SEGMENT_HEADER_BYTES] + data[second:])
    with pytest.raises(StorageError, match="hash chain is broken"):
        sequences(directory)


def test_a_segment_of_another_session_breaks_the_chain(directory, tmp_path):
    writer, other = begin(directory), begin(tmp_path / "other")
    feed(writer, 1, 300)
    feed(other, 2, 301)
    writer.close()
    other.close()
    shutil.copy(segments(tmp_path / "other")[2], segments(directory)[2])
    with pytest.raises(StorageError, match=r"000002\.segment.*byte 0.*hash chain is broken"):
        sequences(directory)


def test_a_missing_segment_is_damage_that_names_it(directory):
    writer = begin(directory)
    feed(writer, 1, 300)
    writer.close()
    segments(directory)[2].unlink()
    with pytest.raises(StorageError, match="segment 2 is missing"):
        sequences(directory)


def test_a_renamed_segment_is_damage(directory):
    writer = begin(directory)
    feed(writer, 1, 300)
    writer.close()
    segments(directory)[2].replace(directory / "000001.segment")
    with pytest.raises(StorageError, match="it holds segment 2"):
        sequences(directory)


def test_a_directory_without_a_session_is_said_to_be_that(tmp_path):
    with pytest.raises(StorageError, match="no session record here"):
        RecordReader(tmp_path)
    (tmp_path / "000003.segment").write_bytes(b"")
    with pytest.raises(StorageError, match="no session record here"):
        RecordReader(tmp_path)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "header is cut off"),
        (b"x" * SEGMENT_HEADER_BYTES, "not a segment"),
        (b"TTRECRD\x09" + bytes(SEGMENT_HEADER_BYTES), "newer trader-tui"),
        (b"TTRECRD\x01" + bytes(SEGMENT_HEADER_BYTES), "header's checksum"),
    ],
)
def test_a_broken_session_header_is_told(tmp_path, data, what):
    (tmp_path / "000000.segment").write_bytes(data)
    with pytest.raises(StorageError, match=what):
        RecordReader(tmp_path)


def test_a_session_header_that_was_not_finished_is_told(directory):
    begin(directory).close()
    path = segments(directory)[0]
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(StorageError, match="does not hold the session header"):
        RecordReader(directory)


def test_a_record_of_a_newer_program_is_refused(directory):
    header = msgspec.structs.replace(samples.header(), version=99)
    RecordWriter(directory, header, bytes_max=MANY).close()
    with pytest.raises(StorageError, match="newer trader-tui"):
        RecordReader(directory)


def test_a_segment_that_cannot_be_read_is_named(directory):
    writer = begin(directory)
    feed(writer, 1, 300)
    writer.close()
    path = segments(directory)[2]
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError, match=r"000002\.segment: could not read"):
        sequences(directory)
    with pytest.raises(StorageError, match=r"000002\.segment: could not read"):
        sequences(directory, 300)


def test_pruning_spares_what_is_not_behind_a_checkpoint_and_what_is_not_needed(directory):
    writer = begin(directory, bytes_max=20_000)
    feed(writer, 1, 100)
    assert writer.prune(100) == 0, "there is room"
    feed(writer, 101, 900)
    assert writer.prune(0) == 0, "nothing is behind the checkpoint"
    assert writer.prune(500) > 0
    assert writer.size_bytes <= 15_000
    writer.close()
    reader = RecordReader(directory)
    assert 0 < reader.first_sequence <= 500
    assert sequences(directory) == list(range(reader.first_sequence, sequences(directory)[-1] + 1))


def test_a_pruned_record_keeps_its_header_and_its_chain(directory):
    writer = begin(directory, bytes_max=20_000)
    for first in range(1, 2_000, 100):
        feed(writer, first, first + 99)
        writer.prune(first + 99)
    writer.close()
    assert writer.stopped == ""
    reader = RecordReader(directory)
    assert reader.header == samples.header()
    assert sequences(directory)[-1] == 2_000
    assert sequences(directory)[0] > 1


def test_a_record_at_its_bound_stops_with_a_gap_and_goes_on_after_a_checkpoint(directory):
    writer = begin(directory, bytes_max=6_000)
    feed(writer, 1, 1_000)
    assert "record_max_gb" in writer.stopped
    last = sequences(directory)[-1]
    [gap] = [entry for entry in RecordReader(directory).entries() if isinstance(entry, Gap)]
    assert gap.sequence == last + 1
    assert writer.prune(1_000) > 0
    assert writer.stopped == ""
    feed(writer, 1_001, 1_010)
    writer.close()
    assert sequences(directory)[-10:] == list(range(1_001, 1_011))


def test_a_record_at_its_bound_first_lets_go_what_a_checkpoint_has_covered(directory):
    writer = begin(directory, bytes_max=6_000)
    writer.prune(10**6)
    feed(writer, 1, 1_000)
    assert writer.stopped == ""
    assert sequences(directory)[-1] == 1_000


def test_a_disk_that_is_nearly_full_is_left_to_the_journal(directory):
    writer = begin(directory, free_bytes_min=2**62)
    feed(writer, 1, 10)
    assert "kept for orders" in writer.stopped
    assert sequences(directory) == []
    assert [type(entry) for entry in RecordReader(directory).entries()] == [Gap]
    assert writer.prune(10) == 0
    assert writer.stopped, "there is still no room"


def test_a_failing_disk_stops_the_record_whole_and_it_goes_on_when_the_disk_does(directory, file_size_limit):
    writer = begin(directory, segment_bytes=MANY)
    feed(writer, 1, 30)
    size = segments(directory)[-1].stat().st_size
    with file_size_limit(size + 40):
        feed(writer, 31, 60)
        assert "may not grow" in writer.stopped
        assert segments(directory)[-1].stat().st_size == size, "half a frame is cut away again"
        writer.prune(60)
        assert "may not grow" in writer.stopped
    assert writer.prune(60) == 0
    feed(writer, 61, 70)
    writer.close()
    entries = list(RecordReader(directory).entries())
    assert [entry.sequence for entry in entries if isinstance(entry, Gap)] == [31]
    assert sequences(directory) == [*range(1, 31), *range(61, 71)]


def test_a_segment_that_cannot_be_begun_leaves_no_trace(directory, file_size_limit):
    writer = begin(directory)
    with file_size_limit(SEGMENT_HEADER_BYTES - 1):
        feed(writer, 1, 10)
    assert writer.stopped
    assert len(segments(directory)) == 1
    writer.prune(10)
    feed(writer, 11, 20)
    writer.close()
    assert sequences(directory) == list(range(11, 21))


def test_a_record_whose_directory_is_gone_stops(directory):
    writer = begin(directory)
    shutil.rmtree(directory)
    feed(writer, 1, 5)
    assert "no such file or directory" in writer.stopped
    writer.close()


def test_a_segment_that_cannot_be_deleted_is_tried_again_later(read_only):
    directory = read_only.make() / "s1"
    writer = begin(directory, bytes_max=20_000)
    feed(writer, 1, 900)
    with read_only(directory):
        assert writer.prune(500) == 0
    assert writer.prune(500) > 0
    writer.close()


def test_sessions_are_listed_by_name(tmp_path):
    assert session_directories(tmp_path / "absent") == []
    for name in ("b", "a"):
        begin(tmp_path / name).close()
    (tmp_path / "notes").mkdir()
    assert [path.name for path in session_directories(tmp_path)] == ["a", "b"]


def test_the_oldest_sessions_make_room_and_the_newest_stays(tmp_path):
    assert room_for_session(tmp_path / "absent", 1_000) == 1_000
    for name in ("a", "b", "c"):
        writer = begin(tmp_path / name)
        feed(writer, 1, 200)
        writer.close()
    size = writer.size_bytes
    assert room_for_session(tmp_path, 10 * size) == 7 * size
    assert room_for_session(tmp_path, 5 * size) == 3 * size
    assert [path.name for path in session_directories(tmp_path)] == ["b", "c"]
    assert room_for_session(tmp_path, size) == size // 2
    assert [path.name for path in session_directories(tmp_path)] == ["c"]


def test_sessions_that_cannot_be_deleted_are_named(read_only):
    records = read_only.make()
    for name in ("a", "b"):
        begin(records / name).close()
        (records / name).chmod(0o755)
    with read_only(records), pytest.raises(StorageError, match=rf"{records}/a: could not delete"):
        room_for_session(records, 0)


def test_sessions_that_cannot_be_measured_are_named(tmp_path):
    begin(tmp_path / "a").close()
    (tmp_path / "a" / "000001.segment").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StorageError, match="could not measure"):
        room_for_session(tmp_path, 0)
