"""The entries of a session record and their bytes: msgpack, tagged, decodable by any later version."""

import msgspec

from engine.domain.events import Event

RECORD_VERSION = 1
DIGEST_BYTES = 8


class SessionHeader(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="h"):
    """What a session began with: enough to build the same core again.

    `config` and `initial_state` are opaque here: the runtime gives and takes them. `files` holds sha256 by
    path.
    """

    version: int = RECORD_VERSION
    session: str
    started: int
    instance: str
    birth: int
    engine_version: str
    config: bytes
    initial_state: bytes | None = None
    files: dict[str, str] = {}


class Consumed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="c"):
    """The core consumed an event as number `sequence` at `now` (ns UTC)."""

    sequence: int
    now: int
    event: Event


class Tape(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="t"):
    """A historical feed was consumed up to `offset`; its events are in the file, not here."""

    sequence: int
    offset: int


class Effects(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="e"):
    """The digest of the commands that the event `sequence` led to."""

    sequence: int
    digest: bytes


class Gap(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """From event `sequence` on something is missing: the disk or the record's bound was reached."""

    sequence: int
    text: str


class End(msgspec.Struct, frozen=True, array_like=True, tag="z"):
    """The session ended in order, with this fingerprint of everything it decided."""

    sequence: int
    fingerprint: str
    exit_code: int


Entry = SessionHeader | Consumed | Tape | Effects | Gap | End

_ARRAY_32 = b"\xdd"  # msgpack: an array whose length follows in four bytes


class EntryCodec:
    """Encodes entries one by one and decodes them by the batch. Not shared between threads."""

    def __init__(self) -> None:
        self.encode = msgspec.msgpack.Encoder().encode
        self._decoder = msgspec.msgpack.Decoder(list[Entry])

    @staticmethod
    def join(encoded: bytes | bytearray, count: int) -> bytes:
        """Make one batch of `count` entries whose bytes were put one after the other."""
        return b"".join((_ARRAY_32, count.to_bytes(4, "big"), encoded))

    def decode(self, batch: bytes) -> list[Entry]:
        """Read a batch. Raises msgspec.DecodeError or msgspec.ValidationError."""
        return self._decoder.decode(batch)
