"""What a session is made of on disk: the facts it was built from, and the state a restart goes on from."""

import hashlib

import msgspec

from engine.core.setup import CoreSetup
from engine.domain.errors import CheckpointError
from engine.domain.ids import base36
from engine.domain.market import NS_PER_MS
from engine.runtime.loop import LoopState
from engine.venues.simulated import SimulatedConfig

STATE_VERSION = 1


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Enough to build the same loop again; the record's header holds it."""

    setup: CoreSetup
    venue: SimulatedConfig
    data: tuple[tuple[str, str], ...]  # symbol and path of each tape, empty for a live feed
    settings: str  # as JSON
    orders: str = ""  # the venue and site that orders go to, empty for the simulated one
    market: str = ""  # the venue whose live market it is on, empty for tapes and the embedded one

    @property
    def shape(self) -> str:
        """The sha256 of what a state depends on: a state fits only the shape it was made with."""
        setup = self.setup
        plays = tuple((b.spec.name, b.symbol, b.step_ns) for b in setup.plays)
        facts = (setup.mode, setup.instance, setup.currency, setup.instruments, plays, self.venue)
        whole = (*facts, *(name for name in (self.market, self.orders) if name))
        return hashlib.sha256(msgspec.msgpack.encode(whole, order="deterministic")).hexdigest()


class EngineState(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint's payload."""

    version: int = STATE_VERSION
    session: str
    shape: str
    files: dict[str, str]
    birth_s: int
    sequence: int
    fingerprint: bytes
    tape_offset: int
    now: int
    loop: LoopState
    ended: bool = False  # the session ended in order with this state


def encode_config(config: SessionConfig) -> bytes:
    """Write a session's config for the record's header."""
    return msgspec.msgpack.encode(config)


def decode_config(data: bytes) -> SessionConfig:
    """Read what `encode_config` wrote. Raises CheckpointError."""
    try:
        return msgspec.msgpack.decode(data, type=SessionConfig)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"the session's configuration cannot be read: {error}") from None


def encode_state(state: EngineState) -> bytes:
    """Write a state for a checkpoint."""
    return msgspec.msgpack.encode(state)


def decode_state(data: bytes) -> EngineState:
    """Read what `encode_state` wrote. Raises CheckpointError."""
    try:
        state = msgspec.msgpack.decode(data, type=EngineState)
    except msgspec.DecodeError as error:
        raise CheckpointError(f"the checkpoint cannot be read: {error}") from None
    if state.version != STATE_VERSION:
        raise CheckpointError(
            f"the checkpoint has version {state.version}, this engine reads {STATE_VERSION}"
        )
    return state


def session_name(started: int) -> str:
    """Name a session by its start, so that names sort by time: milliseconds in base 36."""
    return "s" + base36(started // NS_PER_MS, 9)
