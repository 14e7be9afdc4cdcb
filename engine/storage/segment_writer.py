"""Appending frames to numbered segments: a frame is whole on disk or cut away again."""

import os
import zlib
from pathlib import Path
from typing import NamedTuple

from engine.storage.atomic import sync_directory
from engine.storage.segments import (
    CHAIN_START,
    PAYLOAD_BYTES_MAX,
    SegmentHeader,
    extend_chain,
    pack_frame,
    pack_segment_header,
    segment_path,
)

_COMPRESSION = 1  # level 6 saves 12 % more and takes three times as long
_KEPT_PART = 0.75  # pruning leaves room for the next minutes, not only for the next frame


class _Finished(NamedTuple):
    """A segment that is written to no more."""

    path: Path
    first_sequence: int
    size: int


class SegmentWriter:
    """One record's segments. Every call blocks and may raise OSError; what was written before stays whole."""

    def __init__(self, directory: Path, segment_bytes: int) -> None:
        self.directory = directory
        self.total_bytes = 0  # on disk now: pruned segments are no longer counted
        self._segment_bytes = segment_bytes
        self._chain = CHAIN_START
        self._number = -1
        self._descriptor = -1
        self._size = 0
        self._first_sequence = 0
        self._finished: list[_Finished] = []

    def append(self, first_sequence: int, batch: bytes) -> None:
        """Compress a batch of entries and write it as one frame, in a new segment where the last is full."""
        payload = zlib.compress(batch, _COMPRESSION)
        assert len(payload) <= PAYLOAD_BYTES_MAX, "a batch is sealed long before it is that large"
        if self._descriptor >= 0 and self._size >= self._segment_bytes:
            self.finish_segment()
        if self._descriptor < 0:
            self._begin_segment(first_sequence)
        chain = extend_chain(self._chain, payload)
        self._write_whole(pack_frame(payload, chain))
        self._chain = chain

    def sync(self) -> None:
        """Make all that was appended survive a power cut."""
        if self._descriptor >= 0:
            os.fsync(self._descriptor)

    def finish_segment(self) -> None:
        """Close the open segment durably; the next frame begins a new one."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        path = segment_path(self.directory, self._number)
        self._finished.append(_Finished(path, self._first_sequence, self._size))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def prune(self, before_sequence: int, bytes_max: int) -> int:
        """Delete the oldest segments while the record is over 3/4 of its bound; return the bytes freed.

        Only segments whose entries all come before `before_sequence` go, and never the session header.
        """
        freed = 0
        while self.total_bytes > bytes_max * _KEPT_PART and len(self._finished) > 1:
            oldest = self._finished[1]
            following = self._finished[2].first_sequence if len(self._finished) > 2 else self._open_first()
            if following >= before_sequence:
                break
            oldest.path.unlink(missing_ok=True)
            del self._finished[1]
            self.total_bytes -= oldest.size
            freed += oldest.size
        return freed

    def _open_first(self) -> int:
        """Return where the open segment begins; without one, nothing can be said to lie behind."""
        return self._first_sequence if self._descriptor >= 0 else 2**63

    def _begin_segment(self, first_sequence: int) -> None:
        number = self._number + 1
        path = segment_path(self.directory, number)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._descriptor, self._number, self._size = descriptor, number, 0
        self._first_sequence = first_sequence
        try:
            self._write_whole(pack_segment_header(SegmentHeader(number, first_sequence, self._chain)))
            sync_directory(self.directory)
        except OSError:
            self._abandon(path)
            raise

    def _abandon(self, path: Path) -> None:
        """Take back a segment that could not be begun; its number is used again."""
        os.close(self._descriptor)
        path.unlink(missing_ok=True)
        self.total_bytes -= self._size
        self._descriptor, self._number, self._size = -1, self._number - 1, 0

    def _write_whole(self, data: bytes) -> None:
        """Write all or nothing: what a full disk took of the data is cut away again."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += written
        self.total_bytes += written
