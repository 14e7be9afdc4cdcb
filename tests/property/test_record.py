"""Whatever is cut off, flipped or cut out of a session record, reading tells a prefix of it or an error."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.domain.errors import StorageError
from engine.domain.market import Trade
from engine.storage.codec import Consumed, SessionHeader
from engine.storage.record_reader import RecordReader
from engine.storage.record_writer import RecordWriter
from engine.storage.segments import FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES

HEADER = SessionHeader(session="s", started=0, instance="i", birth=0, engine_version="0", config=b"")


def record(directory: Path, lengths: list[int], segment_bytes: int) -> list[Consumed]:
    """Write a record of some flushes and return its entries."""
    writer = RecordWriter(directory, HEADER, bytes_max=10**9, segment_bytes=segment_bytes, free_bytes_min=0)
    entries: list[Consumed] = []
    for length in lengths:
        for _ in range(length):
            sequence = len(entries) + 1
            event = Trade(sequence, "X", float(sequence % 13), 1.0, 1, 1.0, 1.0)
            entries.append(Consumed(sequence, sequence * 7, event))
            writer.consumed(sequence, sequence * 7, event)
        writer.flush()
    writer.close()
    return entries


shapes = st.tuples(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.sampled_from([1, 150, 400, 10**6]))


@settings(max_examples=60)  # each one writes and syncs files
@given(shapes, st.integers(0, 80))
def test_a_record_reads_as_it_was_written_from_any_sequence(shape, start):
    with TemporaryDirectory() as name:
        directory = Path(name) / "s"
        entries = record(directory, *shape)
        reader = RecordReader(directory)
        assert list(reader.entries(start)) == [entry for entry in entries if entry.sequence >= start]
        assert reader.torn == ""


@settings(max_examples=60)  # each one writes and syncs files
@given(shapes, st.data())
def test_a_crash_at_any_byte_leaves_a_prefix(shape, data):
    with TemporaryDirectory() as name:
        directory = Path(name) / "s"
        entries = record(directory, *shape)
        last = max(directory.glob("*.segment"))
        size = last.stat().st_size
        keep = data.draw(st.integers(0, size))
        assume(last.stem != "000000")
        content = last.read_bytes()
        last.write_bytes(content[:keep])
        read, told = read_all(directory)
        assert read == entries[: len(read)]
        assert told or keep == size or keep in frame_ends(content)


@settings(max_examples=60)  # each one writes and syncs files
@given(shapes, st.data())
def test_a_flipped_bit_anywhere_never_changes_what_is_read(shape, data):
    with TemporaryDirectory() as name:
        directory = Path(name) / "s"
        entries = record(directory, *shape)
        path = data.draw(st.sampled_from(sorted(directory.glob("*.segment"))))
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(content)
        read, told = read_all(directory)
        assert read == entries[: len(read)]
        assert str(directory) in told, "a torn tail or an error: never silence"


def read_all(directory: Path) -> tuple[list[object], str]:
    """Return what can be read, and what was said of the rest."""
    read: list[object] = []
    try:
        reader = RecordReader(directory)
        read.extend(reader.entries())
    except StorageError as error:
        return read, str(error)
    return read, reader.torn


def frame_ends(content: bytes) -> set[int]:
    """Return where a cut leaves whole frames only: reading cannot know that there were more."""
    ends, end = {SEGMENT_HEADER_BYTES}, SEGMENT_HEADER_BYTES
    while end < len(content):
        end += FRAME_HEADER_BYTES + int.from_bytes(content[end : end + 4], "little")
        ends.add(end)
    return ends
