"""One watched play file: what it was found to hold, what came of it, and what a screen shows of that."""

import os
from pathlib import Path

import msgspec

from engine.core.snapshot import ReloadRow
from engine.domain.events import PlaySwapped
from engine.domain.play import PlaySpec
from engine.domain.versions import TwinChanged
from engine.domain.warming import Warmed
from engine.runtime.playdiff import PlayDiff
from engine.runtime.playfile import Seen
from engine.runtime.reloadmemory import ReloadMemory

BACKOFF_MAX_S = 300.0
FAULT_MAX = 300  # characters shown; `trader-tui play check` tells all


class WatchedPlay(msgspec.Struct, frozen=True):
    """A play that runs, and the file it may be replaced from."""

    path: Path
    spec: PlaySpec
    generation: int = 1


class RunningPlay(msgspec.Struct, frozen=True):
    """What the core runs under a play's name, and what it watches beside it; hashes are empty for none."""

    spec: PlaySpec
    generation: int
    rolled_back: str = ""
    twin: str = ""
    twin_generation: int = 0


class Trial(msgspec.Struct, frozen=True):
    """How a play did on the last bars: what broke, and how many more it needs before its first signal."""

    fault: str = ""
    bars_missing: int = 0
    warmed: Warmed | None = None


class Entry:
    """One file: what it was found to hold, and what came of it."""

    def __init__(self, play: WatchedPlay, now: int, memory: ReloadMemory) -> None:
        self.path = play.path
        self.spec = play.spec
        self.hash = play.spec.hash
        self.generation = self.newest = play.generation
        self.known: RunningPlay | None = None  # what the core was found to run last
        self.watched = 0  # the generation that this file brought as a twin, 0 for none
        self.diff = PlayDiff()
        self.seen = Seen(())
        remembered = memory.of(play.path)
        self.settled = remembered.refused  # the content that was judged last
        self.result, self.text, self.at = "loaded", f"generation {play.generation} runs", now
        self.pending = ""  # why what is there now was not judged; hides the result
        self.rejections = 0  # in a row
        if self.settled:
            self.result, self.text, self.rejections = "rejected", remembered.text, 1
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

    def follow(self, running: RunningPlay | None) -> None:
        """Take over what the core runs where a person has changed it."""
        if running is None or running == self.known:
            return
        if self.known is not None and running.generation != self.generation and not self.pending:
            self.text = f"generation {running.generation} runs"
        self.known, self.spec, self.hash = running, running.spec, running.spec.hash
        self.generation = running.generation
        self.newest = max(self.newest, running.generation, running.twin_generation)

    def knows(self, hash_: str) -> bool:
        """Tell whether a version is watched already, or was taken out of the running by a person."""
        return self.known is not None and hash_ in (self.known.rolled_back, self.known.twin)

    def leave(self, spec: PlaySpec, wall_now: int) -> None:
        """Leave a version that the core knows where it is."""
        known = self.known
        assert known is not None, "what runs is known"
        if spec.hash == known.rolled_back:
            self._end(
                "loaded", f"generation {self.generation} runs; the file's version was rolled back", wall_now
            )
        else:
            self.watched = known.twin_generation
            self._end("shadow", self._beside(known.twin_generation), wall_now)
        self.rejections = 0

    def _beside(self, generation: int) -> str:
        return (
            f"generation {generation} is a shadow twin, {self.generation} runs; "
            f"`trader-tui promote {self.spec.name}` swaps"
        )

    def keep(self, wall_now: int, *, first: bool) -> TwinChanged | None:
        """The file says what runs already: what it said before is watched no longer."""
        if first:
            self.calm()
            return None
        how = "the file says it again" if self.rejections else "only comments or layout changed"
        self._end("loaded", f"generation {self.generation} runs; {how}", wall_now)
        self.rejections = 0
        watched, self.watched = self.watched, 0
        if not watched or self.known is None or self.known.twin_generation != watched:
            return None
        name = self.spec.name
        return TwinChanged(wall_now, name, name, why="the file says again what runs")

    def watch(self, spec: PlaySpec, trial: Trial, diff: PlayDiff, wall_now: int) -> TwinChanged:
        """Let the new version run as the shadow twin of the running one."""
        self.newest += 1
        self.watched, self.diff = self.newest, diff
        self._end("shadow", self._beside(self.newest) + _quiet(trial), wall_now)
        self.rejections = 0
        name = spec.name
        return TwinChanged(wall_now, name, name, spec, self.newest, why=diff.text)

    def swap(self, spec: PlaySpec, trial: Trial, diff: PlayDiff, wall_now: int) -> PlaySwapped:
        """Take the new version for the running one."""
        self.spec, self.hash, self.diff = spec, spec.hash, diff
        self.newest += 1
        self.generation = self.newest
        self._end("swapped", f"generation {self.generation} runs{_quiet(trial)}", wall_now)
        self.rejections = 0
        return PlaySwapped(wall_now, spec, self.generation, diff.text, trial.warmed)

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
            changes=self.diff.changes,
            signals=self.diff.signals if self.diff.changes else "",
        )

    def _end(self, result: str, text: str, wall_now: int) -> None:
        self.calm()
        self.result, self.text, self.at = result, text, wall_now


def _quiet(trial: Trial) -> str:
    """Say where the bars that are kept do not warm a version: its numbers are not exact until then."""
    return f"; no signal before {trial.bars_missing} more bars" if trial.bars_missing > 0 else ""
