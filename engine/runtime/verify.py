"""`trader-tui verify`: re-runs a recorded session and compares every decision with what was recorded."""

import asyncio
from collections import deque
from pathlib import Path

import msgspec

from engine.domain.errors import StorageError
from engine.domain.events import Event
from engine.runtime.building import build_loop
from engine.runtime.loop import Batch, Refusals
from engine.runtime.pump import Pump
from engine.runtime.rehandle import RecordedRefusals, begins_at, recorded_refusals, rehandle
from engine.runtime.session import decode_config, decode_state
from engine.runtime.tapes import reopen_feed
from engine.storage.codec import Effects, End
from engine.storage.modelstore import models_of
from engine.storage.record_reader import RecordReader


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found. `difference` is empty where every decision is the same."""

    session: str
    identical: bool
    events: int
    decisions: int
    fingerprint: str
    difference: str
    torn: str
    ended: bool


class DifferenceError(Exception):
    """The first decision that is not the recorded one."""


class Comparison:
    """A recorder that compares instead of recording, and a dispatcher that remembers what it compares."""

    def __init__(self, expected: deque[Effects], refusals: RecordedRefusals) -> None:
        self._expected = expected
        self._refusals = refusals
        self._batch: Batch = ()
        self.decisions = 0

    async def commit(self, batch: Batch, now: int) -> Refusals:
        """Answer as the session's dispatcher did."""
        self._batch = batch
        return await self._refusals.commit(batch, now)

    def consumed(self, sequence: int, now: int, event: Event) -> None:
        """Nothing to record."""

    def tape(self, sequence: int, offset: int) -> None:
        """Nothing to record."""

    def effects(self, sequence: int, digest: bytes) -> None:
        """Hold a decision against the recorded one. Raises DifferenceError."""
        if not self._expected:
            return  # past the end of what was written before a crash
        recorded = self._expected.popleft()
        self.decisions += 1
        if (recorded.sequence, recorded.digest) != (sequence, digest):
            decided = msgspec.json.encode(self._batch).decode()
            raise DifferenceError(
                f"event {sequence}: this engine decides {decided} (digest {digest.hex()}); "
                f"the record has digest {recorded.digest.hex()} at event {recorded.sequence}"
            )

    def missing(self, sequence: int) -> str:
        """Name a recorded decision that was not taken again by event `sequence`, empty where none is left.

        What belongs to the last event may have been cut off with what would have led to it.
        """
        if not self._expected or self._expected[0].sequence >= sequence:
            return ""
        recorded = self._expected[0]
        return (
            f"event {recorded.sequence}: this engine decides nothing; "
            f"the record has digest {recorded.digest.hex()}"
        )


def verify_session(directory: Path) -> Verdict:
    """Re-run the session whose record lies in a directory. Raises StorageError or ConfigError."""
    return asyncio.run(_verify(directory))


async def _verify(directory: Path) -> Verdict:
    reader = RecordReader(directory)
    if reader.first_sequence > 0:
        raise StorageError(
            f"{directory}: the beginning of this record was pruned (record_max_gb); "
            "what is left cannot be re-run from its start."
        )
    config = decode_config(reader.header.config)
    feed = reopen_feed(config, reader.header.files)
    expected, ended = _recorded(reader)
    comparison = Comparison(expected, RecordedRefusals(recorded_refusals(reader.entries())))
    pump = Pump(build_loop(config, models_of(directory)), dispatcher=comparison, recorder=comparison)
    difference, end = "", None
    try:
        if reader.header.initial_state is None:
            await pump.begin(begins_at(feed, reader.header.started))
        else:
            pump.restore(decode_state(reader.header.initial_state))
        end = await rehandle(pump, reader.entries(), feed)
    except DifferenceError as error:
        difference = str(error)
    else:
        difference = comparison.missing(pump.sequence)
        if not difference and end is not None and end.fingerprint != pump.fingerprint.hex():
            difference = f"the record ends with {end.fingerprint}, this engine with {pump.fingerprint.hex()}"
    return Verdict(
        session=reader.header.session,
        identical=not difference,
        events=pump.sequence,
        decisions=comparison.decisions,
        fingerprint=pump.fingerprint.hex(),
        difference=difference,
        torn=reader.torn,
        ended=ended,
    )


def _recorded(reader: RecordReader) -> tuple[deque[Effects], bool]:
    """Return the recorded decisions in order, and whether the session ended in order."""
    decisions: deque[Effects] = deque()
    ended = False
    for entry in reader.entries():
        if isinstance(entry, Effects):
            decisions.append(entry)
        ended = isinstance(entry, End)
    return decisions, ended
