"""How a session record lies on disk: numbered segments of checked frames, chained by sha256.

Segment: magic (8), number (u32), first sequence (u64), chain so far (32), crc32 of these (u32), then frames.
Frame: payload length (u32), payload crc32 (u32), crc32 of these two (u32), chain (16), zlib payload.
The chain is sha256(chain before + payload), of which a frame carries the first half: what was cut out, put
in or changed in between does not fit. Segment 0 holds the session header alone and is never pruned.
"""

import hashlib
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from engine.domain.errors import StorageError

SUFFIX = ".segment"
PAYLOAD_BYTES_MAX = 64 * 1024 * 1024  # a longer one is damage: the writer seals a batch at a fraction of it
CHAIN_START = bytes(32)
_MAGIC = b"TTRECRD\x01"  # the last byte is the format's version
_SEGMENT = struct.Struct("<8sIQ32sI")
_FRAME = struct.Struct("<III16s")
_LENGTHS = struct.Struct("<II")
SEGMENT_HEADER_BYTES = _SEGMENT.size
FRAME_HEADER_BYTES = _FRAME.size


class SegmentHeader(NamedTuple):
    """The first bytes of a segment."""

    number: int
    first_sequence: int
    chain: bytes


class Frame(NamedTuple):
    """One frame as read: where it began, its payload, and the chain after it."""

    offset: int
    payload: bytes
    chain: bytes


class TornTail(NamedTuple):
    """The end of a segment that a crash left unfinished."""

    offset: int
    size: int


def segment_path(directory: Path, number: int) -> Path:
    """Return the path of a segment."""
    return directory / f"{number:06d}{SUFFIX}"


def segment_files(directory: Path) -> list[Path]:
    """Return the segments of a record in order."""
    return sorted(path for path in directory.glob(f"*{SUFFIX}") if path.stem.isdecimal())


def extend_chain(chain: bytes, payload: bytes) -> bytes:
    """Return the chain after a payload."""
    return hashlib.sha256(chain + payload).digest()


def pack_segment_header(header: SegmentHeader) -> bytes:
    """Return a segment's first bytes."""
    head = _SEGMENT.pack(_MAGIC, *header, 0)[:-4]
    return head + zlib.crc32(head).to_bytes(4, "little")


def pack_frame(payload: bytes, chain: bytes) -> bytes:
    """Return a frame; `chain` is the one after its payload."""
    lengths = _LENGTHS.pack(len(payload), zlib.crc32(payload))
    return _FRAME.pack(len(payload), zlib.crc32(payload), zlib.crc32(lengths), chain[:16]) + payload


def read_segment_header(path: Path, data: bytes) -> SegmentHeader:
    """Read a segment's first bytes. Raises StorageError."""
    if len(data) < SEGMENT_HEADER_BYTES:
        raise damaged(path, 0, "its header is cut off")
    magic, number, first_sequence, chain, crc = _SEGMENT.unpack_from(data)
    if magic[:-1] != _MAGIC[:-1]:
        raise damaged(path, 0, "it is not a segment of a session record")
    if magic[-1] > _MAGIC[-1]:
        raise StorageError(f"{path}: a newer trader-tui wrote this session record; read it with that one.")
    if crc != zlib.crc32(data[: SEGMENT_HEADER_BYTES - 4]):
        raise damaged(path, 0, "its header's checksum does not fit")
    return SegmentHeader(number, first_sequence, chain)


def read_frame(path: Path, data: bytes, offset: int, chain: bytes) -> Frame | TornTail:
    """Read the frame at `offset`, which follows `chain`.

    Returns a TornTail where the rest is what a crash leaves: a frame that is cut off, one that is the last
    and fails its checksum, or nothing but zeros. Raises StorageError for any other damage.
    """
    rest = len(data) - offset
    torn = TornTail(offset, rest)
    if rest < FRAME_HEADER_BYTES:
        return torn
    length, payload_crc, lengths_crc, stored_chain = _FRAME.unpack_from(data, offset)
    if lengths_crc != zlib.crc32(data[offset : offset + _LENGTHS.size]) or length > PAYLOAD_BYTES_MAX:
        if not any(data[offset:]):
            return torn
        raise damaged(path, offset, "a frame's header does not fit its checksum")
    if rest < FRAME_HEADER_BYTES + length:
        return torn
    start = offset + FRAME_HEADER_BYTES
    payload = data[start : start + length]
    if payload_crc != zlib.crc32(payload):
        if rest == FRAME_HEADER_BYTES + length:
            return torn
        raise damaged(path, offset, "a frame does not fit its checksum")
    after = extend_chain(chain, payload)
    if after[:16] != stored_chain:
        raise damaged(path, offset, "the hash chain is broken: something before this frame was changed")
    return Frame(offset, payload, after)


def damaged(path: Path, offset: int, what: str) -> StorageError:
    """Build the error for damage that a crash does not explain."""
    return StorageError(
        f"{path}: the session record is damaged at byte {offset}: {what}. "
        "What comes before it can be read; restore the file from a copy to read the rest."
    )
