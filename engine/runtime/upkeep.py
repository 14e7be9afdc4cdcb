"""What an engine does beside its work: flush the record, beat, watch its files, save checkpoints."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator

import msgspec

from engine.config.layers import load_settings, user_file
from engine.core.snapshot import ReloadRow
from engine.domain.errors import CheckpointError
from engine.domain.events import ClockChecked, Event, Remark
from engine.domain.news import CheckpointNews, News, ReloadNews
from engine.runtime.context import EngineContext
from engine.runtime.gauges import Health
from engine.runtime.inbox import Inbox
from engine.runtime.limitsreload import LimitsReloader
from engine.runtime.reloading import ApprovalWatch, Reloading
from engine.runtime.session import encode_state

FLUSH_S = 0.1
FLUSH_DECIDED_S = 0.005  # what follows from one event comes together
RELOAD_S = 1.0
LAG_PROBE_S = 0.25
CLOCK_STEP_MS = 50.0  # a smaller change of the clocks is not worth an event

Work = Coroutine[object, object, None]


class Upkeep:
    """The tasks beside the pump. None of them changes the core: what they find becomes an event."""

    def __init__(
        self,
        context: EngineContext,
        *,
        tell: Callable[[News], None],
        health: Health,
        inbox: Inbox,
        offer: Callable[[Event], bool],
        now: Callable[[], int],
        store: Callable[[int], Awaitable[bool]],
    ) -> None:
        """`store` writes the evidence that waits for the disk, and says whether it could."""
        self._context, self._health, self._inbox = context, health, inbox
        self._offer, self._now, self._store, self._tell = offer, now, store, tell
        self.flush_s = FLUSH_S  # how long evidence may wait for the disk
        self._record_stopped = ""
        self._decided = asyncio.Event()
        self._reloader = Reloading(context).reloader()
        self._approvals = ApprovalWatch(context)
        profile = {"profile": context.settings.profile}
        self._limits = LimitsReloader(
            user_file(),
            start=context.settings,
            load=lambda: load_settings(profile),
            now=context.clock.now(),
        )
        self._clock_offset_ms = 0.0  # as it was told last

    def storing(self) -> Iterator[tuple[str, Work]]:
        """Yield what brings things to the disk, each with its name."""
        yield "stores", self._flush_stores()
        yield "checkpoints", self._keep_checkpoints()

    def watching(self) -> Iterator[tuple[str, Work]]:
        """Yield what looks after the engine itself and its files, each with its name."""
        yield "heartbeat", self._beat()
        yield "lag", self._probe_lag()
        yield "reload", self._watch_files()

    def reloads(self) -> tuple[ReloadRow, ...]:
        """Return what a screen shows of hot-reload."""
        return (*self._reloader.rows(), *self._limits.rows())

    def follow_approvals(self) -> None:
        """Tell the core of versions that were promoted meanwhile, before it is asked to swap one in."""
        for event in self._approvals.news(self._now()):
            self._offer(event)

    async def _flush_stores(self) -> None:
        while True:
            await self._until_due()
            await self._store(self._now())
            await asyncio.to_thread(self._context.recorder.flush)
            self._watch_record()

    async def _until_due(self) -> None:
        """Wait for the next turn, or only a moment after a decision: a kill -9 takes what waits."""
        try:
            async with asyncio.timeout(self.flush_s):
                await self._decided.wait()
        except TimeoutError:
            return
        await asyncio.sleep(FLUSH_DECIDED_S)
        self._decided.clear()

    def decided(self) -> None:
        """Something was decided: it should soon be on disk."""
        self._decided.set()

    def _watch_record(self) -> None:
        """Say when the record stops and when it goes on: recovery and `verify` end at the gap."""
        stopped = self._context.recorder.stopped
        if stopped == self._record_stopped:
            return
        self._record_stopped = stopped
        text = f"the session's record stopped: {stopped}" if stopped else "the session's record goes on"
        self._offer(Remark(self._now(), "record", text))

    async def _beat(self) -> None:
        """Log how things are, and collect garbage while nothing waits."""
        while True:
            await asyncio.sleep(self._context.settings.runtime.heartbeat_s)
            self._health.sample()
            facts = msgspec.structs.asdict(self._health.section())
            self._context.log.info("heartbeat", **facts)
            self._tell_clock()
            if not len(self._inbox):
                gc.collect(1)

    async def _probe_lag(self) -> None:
        """Measure how late the event loop wakes, and tell the watchdog that it still does."""
        while True:
            before = time.monotonic()
            self._health.beat_s = before
            await asyncio.sleep(LAG_PROBE_S)
            self._health.lag_ms = max(0.0, time.monotonic() - before - LAG_PROBE_S) * 1000
            self._health.sample()

    def _tell_clock(self) -> None:
        """Tell the core how far the venue's clock is from ours where that has changed."""
        venue = self._context.source.venue_section()
        offset_ms = venue.clock_offset_ms
        if offset_ms is not None and abs(offset_ms - self._clock_offset_ms) >= CLOCK_STEP_MS:
            self._clock_offset_ms = offset_ms
            self._offer(ClockChecked(self._now(), venue.name, offset_ms))

    async def _watch_files(self) -> None:
        said = {row.file: row.text for row in self.reloads()}
        while True:
            await asyncio.sleep(RELOAD_S)
            self.follow_approvals()
            for change in await self._reloader.check(time.monotonic(), self._now()):
                self._offer(change)
            changed = await self._limits.check(self._now())
            if changed is not None:
                self._offer(changed)
            for row in self.reloads():
                if said.get(row.file) != row.text:
                    self._tell_reload(row)
                said[row.file] = row.text

    def _tell_reload(self, row: ReloadRow) -> None:
        now = self._now()
        self._tell(ReloadNews(now, row.play, row.generation, row.result, row.text))
        if row.result == "rejected":
            self._offer(Remark(now, "reload", f"{row.play} not reloaded: {row.text}"))

    async def _keep_checkpoints(self) -> None:
        while True:
            await self._checkpoint()
            await asyncio.sleep(self._context.settings.runtime.checkpoint_s)

    async def _checkpoint(self) -> None:
        """Save a checkpoint; one that cannot be written is said, and the older ones stay."""
        context = self._context
        pump = context.pump
        begun_s = time.monotonic()
        async with pump.between_events:
            pump.mark_tape()
            sequence = pump.sequence
            state = pump.state(context.session, context.config.shape, context.source.files)
            payload = encode_state(state)  # before the core goes on: the state refers to what it changes
        if not await self._store(self._now()):
            context.log.warning("checkpoint put off", text="what it rests on could not be stored")
            return
        try:
            await asyncio.to_thread(context.recorder.flush)
            await _finished(context.checkpoints.save, sequence, context.clock.now(), payload)
        except CheckpointError as error:
            context.log.error("checkpoint failed", error=str(error))
            return
        self._health.checkpoint_s = time.monotonic()
        took_ms = (self._health.checkpoint_s - begun_s) * 1000
        self._tell(CheckpointNews(self._now(), sequence, len(payload), took_ms))
        await asyncio.to_thread(context.recorder.prune, sequence)


async def _finished(work: Callable[..., object], *arguments: object) -> None:
    """Do work in a thread and wait for its end, also when cancelled: a thread cannot be called back.

    An engine that ends would else write its last checkpoint before one that was on its way.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait((working,))
        raise
