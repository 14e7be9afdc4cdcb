"""Reading a session record back, checking every checksum and the hash chain on the way."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.domain.errors import StorageError
from engine.storage.codec import RECORD_VERSION, Entry, EntryCodec, SessionHeader
from engine.storage.failures import os_failure
from engine.storage.segments import (
    CHAIN_START,
    FRAME_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    Frame,
    SegmentHeader,
    TornTail,
    damaged,
    read_frame,
    read_segment_header,
    segment_files,
)


class RecordReader:
    """One session's record. `torn` says what a crash left unfinished at its end, empty where nothing did."""

    def __init__(self, directory: Path) -> None:
        """Open a record and read its header. Raises StorageError."""
        self.directory = directory
        self.torn = ""
        self._codec = EntryCodec()
        self._files = segment_files(directory)
        if not self._files or int(self._files[0].stem) != 0:
            raise StorageError(
                f"{directory}: there is no session record here. Name the directory of a session."
            )
        self.header = self._read_session_header(self._files[0])

    @property
    def first_sequence(self) -> int:
        """Where the record begins now: above 0 once its oldest segments were pruned."""
        if len(self._files) < 2 or int(self._files[1].stem) == 1:
            return 0
        return read_segment_header(self._files[1], _head(self._files[1])).first_sequence

    def entries(self, from_sequence: int = 0) -> Iterator[Entry]:
        """Yield the entries of `from_sequence` and later, in order, without the session header.

        A torn tail ends the record and is told in `torn`. Raises StorageError naming segment and offset for
        damage anywhere else, a missing segment included.
        """
        before: SegmentHeader | None = None  # as it would stand in the next segment's header
        for path in self._files[self._start(from_sequence) :]:
            data = _read(path)
            if path == self._files[-1] and _is_torn_header(data):
                self.torn = f"{path}: cut at byte 0: {len(data)} bytes of an unfinished segment"
                return
            head = read_segment_header(path, data)
            _check_order(path, head, before)
            before = head
            for frame in self._frames(path, data, head.chain):
                before = head._replace(chain=frame.chain)
                for entry in self._decode(path, frame):
                    if not isinstance(entry, SessionHeader) and entry.sequence >= from_sequence:
                        yield entry

    def _frames(self, path: Path, data: bytes, chain: bytes) -> Iterator[Frame]:
        """Yield the frames of a segment up to its end or its torn tail."""
        offset = SEGMENT_HEADER_BYTES
        while offset < len(data):
            frame = read_frame(path, data, offset, chain)
            if isinstance(frame, TornTail):
                if path != self._files[-1]:
                    raise damaged(path, offset, "a frame is cut off, and later segments follow")
                self.torn = f"{path}: cut at byte {offset}: {frame.size} bytes of an unfinished frame"
                return
            yield frame
            offset += FRAME_HEADER_BYTES + len(frame.payload)
            chain = frame.chain

    def _decode(self, path: Path, frame: Frame) -> list[Entry]:
        try:
            return self._codec.decode(zlib.decompress(frame.payload))
        except (zlib.error, msgspec.DecodeError) as error:
            raise damaged(path, frame.offset, f"a frame cannot be decoded ({error})") from error

    def _read_session_header(self, path: Path) -> SessionHeader:
        data = _read(path)
        head = read_segment_header(path, data)
        frames = self._frames(path, data, head.chain)
        entries = [entry for frame in frames for entry in self._decode(path, frame)]
        if head.chain != CHAIN_START or len(entries) != 1 or not isinstance(entries[0], SessionHeader):
            raise damaged(path, SEGMENT_HEADER_BYTES, "it does not hold the session header")
        header = entries[0]
        if header.version > RECORD_VERSION:
            raise StorageError(
                f"{path}: a newer trader-tui wrote this session record; read it with that one."
            )
        return header

    def _start(self, from_sequence: int) -> int:
        """Return the index of the segment to begin with: the last that begins before the sequence.

        Not the one that begins with it: an event and its effects may lie on both sides of a rotation.
        """
        start = 0
        for index, path in enumerate(self._files[1:], start=1):
            data = _head(path)
            if _is_torn_header(data) or read_segment_header(path, data).first_sequence >= from_sequence:
                break
            start = index
        return start


def _check_order(path: Path, head: SegmentHeader, before: SegmentHeader | None) -> None:
    """Check that a segment follows the one before it; a gap right after the session header is pruning."""
    if head.number != int(path.stem):
        raise damaged(path, 0, f"it holds segment {head.number}")
    if before is None or (before.number == 0 and head.number > 1):
        return
    if head.number != before.number + 1:
        raise damaged(path, 0, f"segment {before.number + 1} is missing before it")
    if head.chain != before.chain:
        raise damaged(path, 0, "the hash chain is broken: the segment before it was changed")


def _is_torn_header(data: bytes) -> bool:
    """Tell whether a crash came while a segment was begun."""
    return len(data) < SEGMENT_HEADER_BYTES or not any(data[:SEGMENT_HEADER_BYTES])


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SEGMENT_HEADER_BYTES)
    except OSError as error:
        raise os_failure(path, "read the session record", error) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise os_failure(path, "read the session record", error) from error
