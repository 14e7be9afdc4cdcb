"""Hot-reload of plays: a changed file is validated beside the running version, which stays till it passes."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from engine.core.snapshot import ReloadRow
from engine.domain.errors import ConfigError
from engine.domain.events import PlaySwapped
from engine.domain.market import Bar
from engine.domain.play import FIXED, TRADE_TIMEFRAME, PlaySpec
from engine.domain.versions import TwinChanged
from engine.domain.warming import Warmed
from engine.models.checkpoint import UnsettledError
from engine.runtime.playdiff import PlayDiff
from engine.runtime.playfile import look, mark
from engine.runtime.reloadentry import Entry, RunningPlay, Trial, WatchedPlay
from engine.runtime.reloadmemory import ReloadMemory
from engine.runtime.trial import Checked
from engine.strategy.evaluator import Evaluator
from engine.strategy.legs import evaluator_of
from engine.strategy.model import NO_MODELS, Models

SWITCH_S = 0.0002  # the loop waits no longer for the interpreter; 5 ms is usual
_SIDES = (0, 1, -1)

Load = Callable[[Path], PlaySpec]
Window = Callable[[PlaySpec], tuple[Bar, ...]]
Compare = Callable[[PlaySpec, tuple[Bar, ...]], PlayDiff]  # a new version with the one that runs
Change = PlaySwapped | TwinChanged


def _nothing_to_compare(_spec: PlaySpec, _bars: tuple[Bar, ...]) -> PlayDiff:
    return PlayDiff()


class PlayReloader:
    """Watches play files by the hash of their content and hands out swaps.

    A new content is taken once two looks found it the same, so that a half-written file is never loaded. One
    that is rejected is not tried again until it changes. What may pass by itself (a file that is missing,
    empty, unreadable or not yet settled) is tried again after 1, 2, 4 ... 300 s, or as soon as the file is
    touched. What was rejected stays so over a restart, as the last good version does.
    """

    def __init__(
        self,
        plays: Iterable[WatchedPlay],
        *,
        load: Load,
        window: Window,
        now: int,
        models: Models = NO_MODELS,
        running: Callable[[str], RunningPlay | None] = lambda _: None,
        compare: Compare = _nothing_to_compare,
        memory: ReloadMemory | None = None,
        holds_back: bool = False,
    ) -> None:
        """`load` reads a play or raises ConfigError; `window` gives the bars a play would be warmed on.

        `models` holds the model of each play that was loaded, `running` tells what the core runs of a play.
        With `holds_back` a new version does not take the running one's place: it is watched beside it.
        """
        self._memory = memory or ReloadMemory()
        self._entries = tuple(Entry(play, now, self._memory) for play in plays)
        self._running, self._compare, self._holds_back = running, compare, holds_back
        self._load = load
        self._window = window
        self._models = models
        self._checked_s = 0.0

    async def check(self, now_s: float, wall_now: int) -> tuple[Change, ...]:
        """Look at every file; return the versions to put in the place of running ones.

        `now_s` is monotonic time in seconds, `wall_now` ns UTC. Files are read and plays validated in a
        thread; nothing is raised for what a file holds.
        """
        self._checked_s = now_s
        swaps = [await self._check(entry, now_s, wall_now) for entry in self._entries]
        return tuple(swap for swap in swaps if swap is not None)

    def rows(self) -> tuple[ReloadRow, ...]:
        """Return what a screen shows of each file, as of the last check."""
        return tuple(entry.row(self._checked_s) for entry in self._entries)

    async def _check(self, entry: Entry, now_s: float, wall_now: int) -> Change | None:
        path = entry.path
        entry.follow(self._running(entry.spec.name))
        if now_s < entry.next_try_s and await asyncio.to_thread(mark, path, entry.seen) == entry.seen.mark:
            return None
        before, entry.seen = entry.seen, await asyncio.to_thread(look, path, entry.seen)
        if entry.seen.trouble:
            entry.wait(entry.seen.trouble, now_s, wall_now)
        elif entry.seen.content == entry.settled:
            entry.calm()
        elif entry.seen.content != before.content:
            entry.unsettled(wall_now)
        else:
            return await self._judge(entry, now_s, wall_now)
        return None

    async def _judge(self, entry: Entry, now_s: float, wall_now: int) -> Change | None:
        """Validate a content that is new and settled; threads that compute give way to the loop meanwhile."""
        usual = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        try:
            return await self._weigh(entry, now_s, wall_now)
        finally:
            sys.setswitchinterval(usual)

    async def _weigh(self, entry: Entry, now_s: float, wall_now: int) -> Change | None:
        """Load, check, try out and compare it."""
        content = entry.seen.content
        spec, fault, passes = await asyncio.to_thread(self._try_load, entry)
        entry.seen = await asyncio.to_thread(look, entry.path, entry.seen)
        if entry.seen.content != content:
            entry.wait(entry.seen.trouble or "it changed while it was read", now_s, wall_now)
            return None
        if passes:
            entry.wait(entry.short(fault), now_s, wall_now)
            return None
        first, entry.settled = not entry.settled, content
        fault = fault or _needs_restart(entry.spec, spec)
        if fault:
            await self._reject(entry, fault, wall_now)
            return None
        change: Change | None = None
        if spec.hash == entry.hash:
            change = entry.keep(wall_now, first=first)
        elif entry.knows(spec.hash):
            entry.leave(spec, wall_now)
        else:
            bars = self._window(spec)
            trial = await asyncio.to_thread(_try_out, spec, bars, self._models)
            if trial.fault:
                await self._reject(entry, trial.fault, wall_now)
                return None
            diff = await asyncio.to_thread(self._compare, spec, bars)
            take = entry.watch if self._holds_back else entry.swap
            change = take(spec, trial, diff, wall_now)
        await self._remember(self._memory.good, entry.path, spec)
        return change

    async def _reject(self, entry: Entry, fault: str, wall_now: int) -> None:
        entry.reject(fault, wall_now)
        await self._remember(self._memory.refused, entry.path, entry.settled, entry.text)

    async def _remember(self, note: Callable[..., None], *facts: object) -> None:
        """Note something for the next start; it is none the worse for a disk that is full."""
        with suppress(OSError):
            await asyncio.to_thread(note, *facts)

    def _try_load(self, entry: Entry) -> tuple[PlaySpec, str, bool]:
        """Return what the file says, or what runs, why the file is of no use, and whether that may pass."""
        try:
            return self._load(entry.path), "", False
        except ConfigError as error:
            return entry.spec, str(error), isinstance(error, UnsettledError)
        except Exception as error:  # noqa: BLE001 - whatever a file breaks, the running version goes on
            return entry.spec, f"{entry.path}: it cannot be loaded: {error!r}", False


def _try_out(spec: PlaySpec, bars: tuple[Bar, ...], models: Models) -> Trial:
    """Run a play over bars as one that is flat, long and short."""
    symbols = _symbols(spec, bars)
    step_ns = bars[0].step_ns if bars else 0
    missing = 0
    checked = Checked(models)
    try:
        for side in _SIDES:
            evaluator = evaluator_of(spec, *symbols, step_ns=step_ns, models=checked)
            for bar in bars:
                evaluator.update(bar, side)
            missing = max(missing, evaluator.warmup_bars - evaluator.bars)
    except Exception as error:  # noqa: BLE001 - whatever a new version breaks, the running one goes on
        return Trial(fault=f"it fails on the last {len(bars)} bars: {error}")
    if checked.broken:
        return Trial(fault=f"on the last {len(bars)} bars its model gives forecasts that are no numbers")
    return Trial(bars_missing=missing, warmed=_warmed(spec, evaluator, bars))


def _warmed(spec: PlaySpec, evaluator: Evaluator, bars: tuple[Bar, ...]) -> Warmed | None:
    """Return the numbers of a version that has seen the bars; of prints, several may have one time."""
    if spec.timeframe == TRADE_TIMEFRAME or not bars:
        return None
    return Warmed(evaluator.state(), {bar.symbol: bar.ts for bar in bars})


def _symbols(spec: PlaySpec, bars: tuple[Bar, ...]) -> tuple[str, ...]:
    """Return a symbol for each leg: those named, else those that the bars are of."""
    known = spec.symbols or tuple(dict.fromkeys(bar.symbol for bar in bars))
    count = max(1, len(spec.legs))
    return (*known, *(f"leg {number}" for number in range(len(known), count)))[:count]


def _needs_restart(before: PlaySpec, after: PlaySpec) -> str:
    """Return what of a change no running engine can take, empty where there is none."""
    for field in FIXED:
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            return f"{field} changed from {_written(old)} to {_written(new)}, which needs a restart"
    return ""


def _written(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"
