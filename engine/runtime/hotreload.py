"""Hot-reload of plays: a changed file is validated beside the running version, which stays till it passes."""

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from engine.core.snapshot import ReloadRow
from engine.domain.errors import ConfigError
from engine.domain.events import PlaySwapped
from engine.domain.market import Bar
from engine.domain.play import PlaySpec
from engine.models.checkpoint import UnsettledError
from engine.runtime.playfile import Seen, look, mark
from engine.runtime.trial import Checked
from engine.strategy.legs import evaluator_of
from engine.strategy.model import NO_MODELS, Models

BACKOFF_MAX_S = 300.0
FAULT_MAX = 300  # characters shown; `trader-tui play check` tells all
_FIXED = ("name", "symbols", "legs", "timeframe")  # what positions, feeds and records hang on
_SIDES = (0, 1, -1)

Load = Callable[[Path], PlaySpec]
Window = Callable[[PlaySpec], tuple[Bar, ...]]


class WatchedPlay(msgspec.Struct, frozen=True):
    """A play that runs, and the file it may be replaced from."""

    path: Path
    spec: PlaySpec
    generation: int = 1


class PlayReloader:
    """Watches play files by the hash of their content and hands out swaps.

    A new content is taken once two looks found it the same, so that a half-written file is never loaded. One
    that is rejected is not tried again until it changes. What may pass by itself (a file that is missing,
    empty, unreadable or not yet settled) is tried again after 1, 2, 4 ... 300 s, or as soon as the file is
    touched.
    """

    def __init__(
        self,
        plays: Iterable[WatchedPlay],
        *,
        load: Load,
        window: Window,
        now: int,
        models: Models = NO_MODELS,
    ) -> None:
        """`load` reads a play or raises ConfigError; `window` gives the bars a play would be warmed on.

        `models` holds the model of each play that was loaded.
        """
        self._entries = tuple(_Entry(play, now) for play in plays)
        self._load = load
        self._window = window
        self._models = models
        self._checked_s = 0.0

    async def check(self, now_s: float, wall_now: int) -> tuple[PlaySwapped, ...]:
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

    async def _check(self, entry: "_Entry", now_s: float, wall_now: int) -> PlaySwapped | None:
        path = entry.path
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

    async def _judge(self, entry: "_Entry", now_s: float, wall_now: int) -> PlaySwapped | None:
        """Validate a content that is new and settled."""
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
            entry.reject(fault, wall_now)
        elif spec.hash == entry.hash:
            entry.keep(wall_now, first=first)
        else:
            trial = await asyncio.to_thread(_try_out, spec, self._window(spec), self._models)
            if not trial.fault:
                return entry.swap(spec, trial, wall_now)
            entry.reject(trial.fault, wall_now)
        return None

    def _try_load(self, entry: "_Entry") -> tuple[PlaySpec, str, bool]:
        """Return what the file says, or what runs, why the file is of no use, and whether that may pass."""
        try:
            return self._load(entry.path), "", False
        except ConfigError as error:
            return entry.spec, str(error), isinstance(error, UnsettledError)
        except Exception as error:  # noqa: BLE001 - whatever a file breaks, the running version goes on
            return entry.spec, f"{entry.path}: it cannot be loaded: {error!r}", False


class _Trial(msgspec.Struct, frozen=True):
    """How a play did on the last bars: what broke, and how many more it needs before its first signal."""

    fault: str = ""
    bars_missing: int = 0


def _try_out(spec: PlaySpec, bars: tuple[Bar, ...], models: Models) -> _Trial:
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
        return _Trial(fault=f"it fails on the last {len(bars)} bars: {error}")
    if checked.broken:
        return _Trial(fault=f"on the last {len(bars)} bars its model gives forecasts that are no numbers")
    return _Trial(bars_missing=missing)


def _symbols(spec: PlaySpec, bars: tuple[Bar, ...]) -> tuple[str, ...]:
    """Return a symbol for each leg: those named, else those that the bars are of."""
    known = spec.symbols or tuple(dict.fromkeys(bar.symbol for bar in bars))
    count = max(1, len(spec.legs))
    return (*known, *(f"leg {number}" for number in range(len(known), count)))[:count]


def _needs_restart(before: PlaySpec, after: PlaySpec) -> str:
    """Return what of a change no running engine can take, empty where there is none."""
    for field in _FIXED:
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            return f"{field} changed from {_written(old)} to {_written(new)}, which needs a restart"
    return ""


def _written(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"


class _Entry:
    """One file: what it was found to hold, and what came of it."""

    def __init__(self, play: WatchedPlay, now: int) -> None:
        self.path = play.path
        self.spec = play.spec
        self.hash = play.spec.hash
        self.generation = play.generation
        self.seen = Seen(())
        self.settled = ""  # the content that was judged last
        self.result, self.text, self.at = "loaded", f"generation {play.generation} runs", now
        self.pending = ""  # why what is there now was not judged; hides the result
        self.rejections = 0  # in a row
        self.tries = 0  # in a row, without a content to judge
        self.next_try_s = 0.0

    def wait(self, trouble: str, now_s: float, wall_now: int) -> None:
        """Nothing to judge: try again later, each time after twice as long."""
        self.next_try_s = now_s + min(2.0 ** min(self.tries, 16), BACKOFF_MAX_S)
        self.tries += 1
        self.pending = f"cannot be read: {trouble}; generation {self.generation} runs on"
        self.at = wall_now

    def unsettled(self, wall_now: int) -> None:
        """A new content: look once more before it is judged."""
        self.tries, self.next_try_s = 0, 0.0
        if self.settled:  # at start it is most likely what runs
            self.pending = f"changed; generation {self.generation} runs until it is checked"
            self.at = wall_now

    def calm(self) -> None:
        """The content that was judged last is there, or there again."""
        self.pending, self.tries, self.next_try_s = "", 0, 0.0

    def reject(self, fault: str, wall_now: int) -> None:
        """Keep the running version."""
        self._end("rejected", f"{self.short(fault)}; generation {self.generation} runs on", wall_now)
        self.rejections += 1

    def short(self, fault: str) -> str:
        """Return a fault as it is shown: files by their names alone."""
        return " ".join(fault.replace(f"{self.path.parent}{os.sep}", "").split())[:FAULT_MAX]

    def keep(self, wall_now: int, *, first: bool) -> None:
        """The file says what runs already."""
        if first:
            self.calm()
            return
        how = "the file says it again" if self.rejections else "only comments or layout changed"
        self._end("loaded", f"generation {self.generation} runs; {how}", wall_now)
        self.rejections = 0

    def swap(self, spec: PlaySpec, trial: _Trial, wall_now: int) -> PlaySwapped:
        """Take the new version for the running one."""
        self.spec, self.hash = spec, spec.hash
        self.generation += 1
        quiet = f"; no signal before {trial.bars_missing} more bars" if trial.bars_missing > 0 else ""
        self._end("swapped", f"generation {self.generation} runs{quiet}", wall_now)
        self.rejections = 0
        return PlaySwapped(wall_now, spec, self.generation)

    def row(self, now_s: float) -> ReloadRow:
        """Return what a screen shows."""
        return ReloadRow(
            play=self.spec.name,
            file=str(self.path),
            generation=self.generation,
            hash=self.hash,
            result="waiting" if self.pending else self.result,
            text=self.pending or self.text,
            at=self.at,
            failures=self.rejections + self.tries,
            next_try_s=max(0.0, self.next_try_s - now_s),
        )

    def _end(self, result: str, text: str, wall_now: int) -> None:
        self.calm()
        self.result, self.text, self.at = result, text, wall_now
