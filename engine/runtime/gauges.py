"""How the engine itself is: what the drivers measure and what the heartbeat reads."""

import time

import psutil

from engine import __version__
from engine.core.snapshot import FeedRow, HealthSection
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.ports import PushFeed
from engine.runtime.context import EngineContext
from engine.runtime.drivers import Gauges
from engine.runtime.inbox import Inbox

_BYTES_PER_MB = 1_000_000
_RATE_WINDOW_S = 1.0


class Health:
    """Gathers the health section; what costs a system call is read once a second."""

    def __init__(self, context: EngineContext, gauges: Gauges, inbox: Inbox) -> None:
        self._context, self._gauges, self._inbox = context, gauges, inbox
        self._process = psutil.Process()
        self._started_s = time.monotonic()
        self._rate_at_s, self._rate_events, self._rate = self._started_s, 0, 0.0
        self._rss_mb = 0.0
        self.venue = context.source.venue_section()
        self.lag_ms = 0.0
        self.beat_s = self._started_s  # when the event loop last turned
        self.checkpoint_s: float | None = None  # monotonic time of the last checkpoint

    def sample(self) -> None:
        """Read what changes slowly: memory and the rate of events."""
        now_s = time.monotonic()
        events = self._gauges.events
        elapsed_s = now_s - self._rate_at_s
        if elapsed_s >= _RATE_WINDOW_S:
            self._rate = (events - self._rate_events) / elapsed_s
            self._rate_at_s, self._rate_events = now_s, events
        self.venue = self._context.source.venue_section()
        self._rss_mb = self._process.memory_info().rss / _BYTES_PER_MB

    def section(self) -> HealthSection:
        """Return the health section as it is now."""
        now_s = time.monotonic()
        p50, p99, p999 = self._gauges.latency.percentiles_ms(0.5, 0.99, 0.999)
        (commit_p99,) = self._context.pump.commit_latency.percentiles_ms(0.99)
        return HealthSection(
            pid=self._process.pid,
            uptime_s=round(now_s - self._started_s, 1),
            events=self._gauges.events,
            events_per_s=round(self._rate, 1),
            latency_p50_ms=p50,
            latency_p99_ms=p99,
            latency_p999_ms=p999,
            loop_lag_ms=round(self.lag_ms, 2),
            inbox_depth=len(self._inbox),
            inbox_bound=self._inbox.bound,
            conflated=self._inbox.conflated,
            commit_p99_ms=commit_p99,
            record_mb=round(self._context.recorder.size_bytes / _BYTES_PER_MB, 2),
            checkpoint_age_s=-1.0 if self.checkpoint_s is None else round(now_s - self.checkpoint_s, 1),
            rss_mb=round(self._rss_mb, 1),
            session=self._context.session,
            version=__version__,
        )

    def feeds(self) -> tuple[FeedRow, ...]:
        """Return the state of the one feed there is."""
        context = self._context
        if context.source.stream is not None:
            return (self._stream_row(context.source.stream),)
        machine = context.loop.machine
        now = context.pump.now if context.tape else context.clock.now()
        ages = [machine.market.age_ns(symbol, now) for symbol in machine.market.symbols()]
        known = [age for age in ages if age is not None]
        state = "ended" if machine.feed_ended else "connected" if known else "waiting"
        name = "tape" if context.tape else "synthetic"
        skipped_s = context.feed.skipped_ns / NS_PER_S if context.feed else 0.0
        text = f"{skipped_s:.1f} s skipped after stalls" if skipped_s else ""
        age_ms = min(known) / NS_PER_MS if known else -1.0
        return (FeedRow(name, state, round(age_ms, 1), self._gauges.events, text),)

    def _stream_row(self, stream: PushFeed) -> FeedRow:
        """Return the state of a venue's live market."""
        market, now, facts = self._context.loop.machine.market, self._context.clock.now(), stream.facts()
        ages = [age for symbol in market.symbols() if (age := market.age_ns(symbol, now)) is not None]
        age_ms = round(min(ages) / NS_PER_MS, 1) if ages else -1.0
        counts = {
            "losses": facts.lost,
            "late": facts.late,
            "book breaks": facts.book_breaks,
            "unread": facts.garbled,
        }
        return FeedRow(
            name=stream.name,
            state=facts.state,
            age_ms=age_ms,
            events=facts.messages,
            text=", ".join(f"{count} {name}" for name, count in counts.items() if count),
            reconnects=max(0, facts.connections - 1),
            error=facts.error,
            offset_ms=facts.offset_ms,
        )
