"""The pump: the single writer. It numbers and records events and drives the loop to the end of each."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Protocol

import msgspec
from typing_extensions import TypeIs

from engine.domain.events import Event, OrderRejected, Recalled
from engine.domain.market import Bar, MarketEvent, Quote, Trade
from engine.ports import Recorder
from engine.runtime.latency import Histogram
from engine.runtime.loop import Batch, Loop, Refusals, Steps
from engine.runtime.session import EngineState

DIGEST_BYTES = 8
NO_FINGERPRINT = bytes(32)

_encode = msgspec.msgpack.Encoder(decimal_format="string").encode


def _ignore(_event: Event) -> None:
    """Nobody listens."""


class Committer(Protocol):
    """What makes a batch durable and says which of its orders must not be sent."""

    async def commit(self, batch: Batch, now: int) -> Refusals:
        """Return refused client ids with their reasons."""
        ...


class Pump:
    """Drives the loop; `sequence` counts events and `fingerprint` chains all that was decided."""

    def __init__(self, loop: Loop, *, dispatcher: Committer, recorder: Recorder) -> None:
        self._loop = loop
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._taken: Callable[[Event], None] = _ignore
        self.sequence = 0
        self.fingerprint = NO_FINGERPRINT
        self.tape_offset = 0  # events taken from a tape; they are counted in `sequence`, too
        self.now = 0  # the loop's time: the last stamp
        self.commit_latency = Histogram()
        # Held while an event is worked on: nobody could go on from a state taken in the middle of one.
        self.between_events = asyncio.Lock()

    async def begin(self, now: int) -> None:
        """Start the loop."""
        self.now = now
        await self._drive(self._loop.start(now), now)

    async def consume(self, event: Event, now: int) -> None:
        """Take an event from outside: what fell due before it, then the event and all that follows."""
        async with self.between_events:
            now = max(now, self.now)  # others may have been worked on meanwhile
            # What is recalled comes before all that is due: until then ids would be given out again.
            if self._loop.next_due <= now and type(event) is not Recalled:
                await self._drive(self._loop.due(now), now)
            self.now = now
            self.sequence += 1
            self._recorder.consumed(self.sequence, now, event)
            steps = self._loop.market(event, now) if is_market(event) else self._loop.take(event, now)
            if steps is not None:
                await self._drive(steps, now)
        self._taken(event)

    async def consume_tape(self, event: MarketEvent) -> None:
        """Take the next event of a tape, at the time it carries. The record holds the tape's offset only."""
        async with self.between_events:
            now = event.ts
            if self._loop.next_due <= now:
                await self._drive(self._loop.due(now), now)
            self.now = now
            self.sequence += 1
            self.tape_offset += 1
            steps = self._loop.market(event, now)
            if steps is not None:
                await self._drive(steps, now)

    async def pass_time(self, now: int) -> None:
        """Take what is due by `now`."""
        async with self.between_events:
            if self._loop.next_due <= now:
                await self._drive(self._loop.due(now), now)
            self.now = now

    def mark_tape(self) -> None:
        """Record how far the tape was consumed."""
        self._recorder.tape(self.sequence, self.tape_offset)

    def state(self, session: str, shape: str, files: dict[str, str], *, ended: bool = False) -> EngineState:
        """Return all that a restart needs. Take it while holding `between_events`, or when nothing runs."""
        return EngineState(
            session=session,
            shape=shape,
            files=files,
            birth_s=self._loop.machine.setup.birth_s,
            sequence=self.sequence,
            fingerprint=self.fingerprint,
            tape_offset=self.tape_offset,
            now=self.now,
            loop=self._loop.state(),
            ended=ended,
        )

    def restore(self, state: EngineState) -> None:
        """Go on from a state. Raises CheckpointError where it does not fit."""
        self._loop.restore(state.loop)
        self.sequence, self.fingerprint = state.sequence, state.fingerprint
        self.tape_offset, self.now = state.tape_offset, state.now

    def hand_over(
        self, *, dispatcher: Committer, recorder: Recorder, taken: Callable[[Event], None] = _ignore
    ) -> None:
        """Go on with another dispatcher and recorder: recovery is over, the session begins.

        `taken` is told of each event from outside once all that follows from it is done.
        """
        self._dispatcher, self._recorder, self._taken = dispatcher, recorder, taken

    async def _drive(self, steps: Steps, now: int) -> None:
        """Run steps to their end, making each batch durable in between."""
        try:
            batch = next(steps)
            while True:
                batch = steps.send(await self._commit(batch, now))
        except StopIteration:
            return

    async def _commit(self, batch: Batch, now: int) -> Refusals:
        started = time.perf_counter_ns()
        refusals = await self._dispatcher.commit(batch, now)
        self.commit_latency.add(time.perf_counter_ns() - started)
        for client_id, reason in refusals.items():
            self._recorder.consumed(self.sequence, now, OrderRejected(now, client_id, reason))
        digest, self.fingerprint = link(self.fingerprint, batch)
        self._recorder.effects(self.sequence, digest)
        return refusals


def link(fingerprint: bytes, batch: Batch) -> tuple[bytes, bytes]:
    """Return a batch's own digest and the fingerprint of everything up to it."""
    encoded = _encode(batch)
    digest = hashlib.blake2b(encoded, digest_size=DIGEST_BYTES).digest()
    return digest, hashlib.sha256(fingerprint + digest).digest()


def is_market(event: Event) -> TypeIs[MarketEvent]:
    """Tell whether an event is market data."""
    kind = type(event)
    return kind is Bar or kind is Trade or kind is Quote
