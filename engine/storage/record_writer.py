"""Writing a session record: cheap to feed from the core's loop, compressed and written elsewhere."""

import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from engine.domain.events import Event
from engine.storage.atomic import make_directory
from engine.storage.codec import Consumed, Effects, End, EntryCodec, Gap, SessionHeader, Tape
from engine.storage.failures import os_failure, os_reason
from engine.storage.segment_writer import SegmentWriter

SEALED_BYTES = 64 * 1024  # entries of this size make a frame
BACKLOG_BYTES_MAX = 4 * 1024 * 1024  # beyond it the caller writes itself: slower, never lossy
SEGMENT_BYTES = 32 * 1024 * 1024
FREE_BYTES_MIN = 200_000_000  # kept for the journal


class _Sealed(NamedTuple):
    """A batch of entries that waits to be written."""

    first_sequence: int
    entries: int
    encoded: bytearray


class _EntryBuffer:
    """Encoded entries on their way from the core's thread to the one that writes."""

    __slots__ = ("_encoded", "_entries", "_first_sequence", "_lock", "_sealed", "waiting_bytes")

    def __init__(self) -> None:
        self.waiting_bytes = 0
        self._lock = threading.Lock()
        self._sealed: list[_Sealed] = []
        self._first_sequence = 0
        self._entries = 0
        self._encoded = bytearray()

    def add(self, sequence: int, entry: bytes) -> None:
        """Append one entry; a batch that has grown large enough is sealed."""
        with self._lock:
            if not self._entries:
                self._first_sequence = sequence
            self._entries += 1
            self._encoded += entry
            self.waiting_bytes += len(entry)
            if len(self._encoded) >= SEALED_BYTES:
                self._seal()

    def take(self) -> list[_Sealed]:
        """Return all that waits, oldest first, and begin anew."""
        with self._lock:
            if self._entries:
                self._seal()
            taken, self._sealed = self._sealed, []
            self.waiting_bytes = 0
        return taken

    def _seal(self) -> None:
        self._sealed.append(_Sealed(self._first_sequence, self._entries, self._encoded))
        self._entries, self._encoded = 0, bytearray()


class RecordWriter:
    """The Recorder port on disk.

    `consumed`, `tape`, `effects` and `end` belong to one thread and only append to a buffer. `flush`, `prune`
    and `close` block and may run in any thread (asyncio.to_thread). A record that cannot grow stops, leaves a
    Gap and never stops the engine: `stopped` says why, empty while all is well.
    """

    def __init__(
        self,
        directory: Path,
        header: SessionHeader,
        *,
        bytes_max: int,
        segment_bytes: int = SEGMENT_BYTES,
        free_bytes_min: int = FREE_BYTES_MIN,
    ) -> None:
        """Create the session's directory and write its header durably. Raises StorageError."""
        self.directory = directory
        self.stopped = ""
        self._bytes_max, self._free_bytes_min = bytes_max, free_bytes_min
        self._codec = EntryCodec()
        self._encode = self._codec.encode
        self._buffer = _EntryBuffer()
        self._lock = threading.Lock()
        self._unwritten_gap: Gap | None = None
        self._prunable_before = 0
        self._unsynced_from: int | None = None
        self._segments = SegmentWriter(directory, segment_bytes)
        try:
            make_directory(directory, exist_ok=False)
            self._segments.append(0, self._codec.join(self._encode(header), 1))
            self._segments.finish_segment()
        except OSError as error:
            raise os_failure(directory, "begin the session record", error) from error

    @property
    def size_bytes(self) -> int:
        """What the record takes on disk."""
        return self._segments.total_bytes

    @property
    def waiting_bytes(self) -> int:
        """What waits to be written, uncompressed; from SEALED_BYTES on an early flush is worth it."""
        return self._buffer.waiting_bytes

    def consumed(self, sequence: int, now: int, event: Event) -> None:
        """Record one event."""
        self._add(sequence, Consumed(sequence, now, event))

    def tape(self, sequence: int, offset: int) -> None:
        """Record that a historical feed was consumed up to an offset."""
        self._add(sequence, Tape(sequence, offset))

    def effects(self, sequence: int, digest: bytes) -> None:
        """Record the digest of the commands that an event led to."""
        self._add(sequence, Effects(sequence, digest))

    def end(self, sequence: int, fingerprint: str, exit_code: int) -> None:
        """Record that the session ended in order, and how."""
        self._add(sequence, End(sequence, fingerprint, exit_code))

    def flush(self, *, sync: bool = False) -> None:
        """Write what waits; with `sync` it then survives a power cut too. Never raises for a failing disk."""
        with self._lock:
            for batch in self._buffer.take():
                if not self.stopped:
                    self._write(batch)
            if sync and not self.stopped:
                self._sync()

    def prune(self, before_sequence: int) -> int:
        """After a durable checkpoint: let go what lies before it where the record nears its bound.

        Returns the bytes freed. A record that had stopped goes on from here if there is room again.
        """
        with self._lock:
            self._prunable_before = before_sequence
            freed = self._free()
            if self.stopped and not self._obstacle():
                self._resume()
            return freed

    def close(self) -> None:
        """Write and sync what waits, and let go of the files."""
        self.flush(sync=True)
        with self._lock, suppress(OSError):
            self._segments.finish_segment()

    def _add(self, sequence: int, entry: Consumed | Tape | Effects | End) -> None:
        if self.stopped:
            return
        self._buffer.add(sequence, self._encode(entry))
        if self._buffer.waiting_bytes > BACKLOG_BYTES_MAX:
            self.flush()

    def _write(self, batch: _Sealed) -> None:
        obstacle = self._obstacle()
        if obstacle and self._free():
            obstacle = self._obstacle()
        if obstacle:
            self._stop(batch.first_sequence, obstacle)
            return
        try:
            self._segments.append(batch.first_sequence, self._codec.join(batch.encoded, batch.entries))
        except OSError as error:
            self._stop(batch.first_sequence, os_reason(error))
        if self._unsynced_from is None:
            self._unsynced_from = batch.first_sequence

    def _sync(self) -> None:
        try:
            self._segments.sync()
        except OSError as error:
            self._stop(self._unsynced_from or 0, os_reason(error))
        self._unsynced_from = None

    def _obstacle(self) -> str:
        """Return why the record may not grow now, empty where it may."""
        if self._segments.total_bytes >= self._bytes_max:
            return f"the record reached its bound of {self._bytes_max} bytes (record_max_gb)"
        try:
            free_bytes = shutil.disk_usage(self.directory).free
        except OSError as error:
            return os_reason(error)
        if free_bytes < self._free_bytes_min:
            return f"only {free_bytes} bytes are free on the disk; {self._free_bytes_min} are kept for orders"
        return ""

    def _free(self) -> int:
        try:
            return self._segments.prune(self._prunable_before, self._bytes_max)
        except OSError:
            return 0  # a segment that cannot be deleted is tried again at the next checkpoint

    def _stop(self, sequence: int, why: str) -> None:
        """Record no more, and leave a gap where that is possible."""
        self.stopped = why
        self._unwritten_gap = Gap(sequence, why)
        with suppress(OSError):
            self._write_gap()

    def _resume(self) -> None:
        """Go on after a gap; whatever was still waiting belongs to it."""
        self._buffer.take()
        try:
            self._write_gap()
        except OSError as error:
            self.stopped = os_reason(error)
            return
        self.stopped = ""

    def _write_gap(self) -> None:
        """Write the gap that is not on disk yet."""
        gap = self._unwritten_gap
        if gap is None:
            return
        self._segments.append(gap.sequence, self._codec.join(self._encode(gap), 1))
        self._unwritten_gap = None
