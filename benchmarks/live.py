"""Measures the live path: from an event's arrival to the last effect of it, headless, at a given rate.

The embedded market draws its events before the clock starts, so that what is measured is the engine and not
the drawing. All else is as in `run --headless`: inbox, record, journal, checkpoints. Run as a process of its
own: `python -m benchmarks.live EVENTS_PER_S SECONDS PLAY` prints JSON.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from engine.api import block_signals, load_settings

if __name__ == "__main__":
    block_signals()  # before the imports below: they start threads, which must not take the signal

from engine.domain.market import NS_PER_S, Bar, Instrument, MarketEvent
from engine.ports import LiveFeed
from engine.runtime.context import open_context
from engine.runtime.engine import Engine
from engine.venues.synthetic import SLOT_NS

LEAD_NS = 2 * NS_PER_S  # for what the engine does before it asks for the first event


class Drawn:
    """A live feed whose next seconds were drawn before they are asked for."""

    def __init__(self, feed: LiveFeed, start: int, seconds: float) -> None:
        self._feed = feed
        self._events: list[MarketEvent] = []
        for slot in range(int(seconds * NS_PER_S / SLOT_NS)):
            self._events += feed.poll(start + slot * SLOT_NS)
        self._events = [event for event in self._events if event.ts >= start]
        self._at = 0

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What the feed is of."""
        return self._feed.instruments

    @property
    def base_step_ns(self) -> int:
        """The finest bar's step."""
        return self._feed.base_step_ns

    @property
    def skipped_ns(self) -> int:
        """Nothing is skipped."""
        return 0

    @property
    def drawn(self) -> int:
        """How many events there are."""
        return len(self._events)

    def history(self, bars: int) -> Sequence[Bar]:
        """Return the feed's own past."""
        return self._feed.history(bars)

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Return what was drawn for up to `now`."""
        first = self._at
        while self._at < len(self._events) and self._events[self._at].ts <= now:
            self._at += 1
        return self._events[first : self._at]

    def next_at(self) -> int:
        """Return when the next event is due; the end of the drawn ones is far away."""
        return (
            self._events[self._at].ts
            if self._at < len(self._events)
            else self._events[-1].ts + 3600 * NS_PER_S
        )


async def measure(rate: float, seconds: float, play: str, folder: str) -> dict[str, float]:
    """Return percentiles in ms, and the events that were taken a second."""
    flags = {"state_dir": folder, "plays": (play,), "arm": True, "synthetic.events_per_s": rate}
    async with open_context(load_settings(flags), headless=True) as context:
        assert context.feed is not None, "the embedded market is a live feed"
        start = context.clock.now() + LEAD_NS
        drawn = Drawn(context.feed, start, seconds)
        source = msgspec.structs.replace(context.source, live=drawn)
        engine = Engine(replace(context, source=source))
        run = asyncio.create_task(engine.run())
        await asyncio.sleep(seconds + (start - context.clock.now()) / NS_PER_S - 0.5)
        health = engine.snapshot().health
        engine.stop("measured")
        await run
    assert health is not None, "an engine tells its health"
    return {
        "p50_ms": health.latency_p50_ms,
        "p99_ms": health.latency_p99_ms,
        "p999_ms": health.latency_p999_ms,
        "events_per_s": health.events / seconds,
    }


def main() -> int:
    """Print what was measured."""
    rate, seconds, play = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        print(json.dumps(asyncio.run(measure(rate, seconds, play, folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
