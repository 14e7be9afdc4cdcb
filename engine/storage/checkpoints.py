"""Checkpoints of the core's state: the newest three, each whole or not at all.

A file is: magic (8), sequence (u64), created (i64, ns UTC), payload length (u64), sha256 (32), payload; the
sha256 covers the three numbers and the payload. Calls block: run them with asyncio.to_thread.
"""

import hashlib
import struct
from pathlib import Path

import msgspec

from engine.domain.errors import CheckpointError
from engine.domain.market import NS_PER_S
from engine.storage.atomic import TEMPORARY_SUFFIX, make_directory, write_whole
from engine.storage.failures import os_reason

STALE_AFTER_S = 3_600
KEPT = 3
SUFFIX = ".checkpoint"
DAMAGED_SUFFIX = ".damaged"
_MAGIC = b"TTCHKPT\x01"  # the last byte is the format's version
_NUMBERS = struct.Struct("<QqQ")
_DIGEST_BYTES = 32
_HEADER_BYTES = len(_MAGIC) + _NUMBERS.size + _DIGEST_BYTES


class Checkpoint(msgspec.Struct, frozen=True):
    """A state as it was after event `sequence`; `stale` when it was made over an hour ago."""

    sequence: int
    created: int
    payload: bytes
    stale: bool = False


class Found(msgspec.Struct, frozen=True):
    """The newest whole checkpoint, and what was found wrong on the way to it."""

    checkpoint: Checkpoint | None
    warnings: tuple[str, ...]


def encode_checkpoint(sequence: int, created: int, payload: bytes) -> bytes:
    """Return a checkpoint file's bytes. Pure, so it may be called where nothing may block on a disk."""
    numbers = _NUMBERS.pack(sequence, created, len(payload))
    return b"".join((_MAGIC, numbers, _digest(numbers, payload), payload))


def decode_checkpoint(data: bytes) -> Checkpoint:
    """Read a checkpoint file's bytes. Raises CheckpointError, which says what does not fit."""
    if data[: len(_MAGIC) - 1] != _MAGIC[:-1]:
        raise CheckpointError("it is not a checkpoint")
    if data[len(_MAGIC) - 1] > _MAGIC[-1]:
        raise CheckpointError("a newer trader-tui wrote it")
    if len(data) < _HEADER_BYTES:
        raise CheckpointError("its header is cut off")
    numbers = data[len(_MAGIC) : len(_MAGIC) + _NUMBERS.size]
    sequence, created, length = _NUMBERS.unpack(numbers)
    payload = data[_HEADER_BYTES:]
    if len(payload) != length:
        raise CheckpointError(f"it holds {len(payload)} of {length} bytes")
    if data[_HEADER_BYTES - _DIGEST_BYTES : _HEADER_BYTES] != _digest(numbers, payload):
        raise CheckpointError("its checksum does not fit")
    return Checkpoint(sequence, created, payload)


class CheckpointStore:
    """A directory of checkpoints, numbered as they come: a clock that steps back does not reorder them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, sequence: int, now: int, payload: bytes) -> Path:
        """Store a checkpoint durably and drop all but the newest three. Raises CheckpointError."""
        return self.write(encode_checkpoint(sequence, now, payload))

    def write(self, data: bytes) -> Path:
        """Store what encode_checkpoint returned. Raises CheckpointError; the older ones stay then."""
        try:
            make_directory(self.directory)
            kept = self._files()
            number = int(kept[-1].stem) + 1 if kept else 1
            path = self.directory / f"{number:010d}{SUFFIX}"
            write_whole(path, data)
            for old in [*kept[: 1 - KEPT], *self.directory.glob(f"*{TEMPORARY_SUFFIX}")]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise CheckpointError(
                f"{self.directory}: could not write a checkpoint: {os_reason(error)} The older ones are kept."
            ) from error
        return path

    def load_newest(self, now: int) -> Found:
        """Return the newest checkpoint that is whole; damaged ones are set aside and never fatal."""
        warnings: list[str] = []
        for path in reversed(self._files()):
            try:
                checkpoint = decode_checkpoint(path.read_bytes())
            except OSError as error:
                warnings.append(
                    f"{path}: the checkpoint cannot be read and was passed over: {os_reason(error)}"
                )
            except CheckpointError as error:
                warnings.append(f"{path}: the checkpoint is damaged ({error}); {_set_aside(path)}.")
            else:
                age_s = (now - checkpoint.created) // NS_PER_S
                if age_s > STALE_AFTER_S:
                    warnings.append(
                        f"{path}: the newest checkpoint is {age_s // 60} minutes old; "
                        "what came after it is taken from the record and the venue."
                    )
                stale = age_s > STALE_AFTER_S
                return Found(msgspec.structs.replace(checkpoint, stale=stale), tuple(warnings))
        return Found(None, tuple(warnings))

    def _files(self) -> list[Path]:
        """Return the checkpoint files, oldest first."""
        return sorted(path for path in self.directory.glob(f"*{SUFFIX}") if path.stem.isdecimal())


def _digest(numbers: bytes, payload: bytes) -> bytes:
    digest = hashlib.sha256(numbers)
    digest.update(payload)
    return digest.digest()


def _set_aside(path: Path) -> str:
    """Rename a damaged file so that it is kept and never tried again; say what became of it."""
    aside = path.with_name(path.name + DAMAGED_SUFFIX)
    try:
        path.replace(aside)
    except OSError as error:
        return f"it could not be set aside: {os_reason(error).rstrip('.')}"
    return f"it was set aside as {aside.name}"
