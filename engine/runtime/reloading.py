"""Wires hot-reload to an engine: what runs, what is kept of the market, and which versions were promoted."""

from collections.abc import Iterator
from pathlib import Path

from engine.config.packaged import mode_dir
from engine.core.runner import Runner
from engine.core.twinned import TwinnedMachine
from engine.domain.errors import StorageError
from engine.domain.events import Event, Remark
from engine.domain.market import Bar
from engine.domain.play import PlaySpec
from engine.domain.versions import PlaysApproved
from engine.runtime.binding import load_play_file
from engine.runtime.context import EngineContext
from engine.runtime.factory import holds_versions_back
from engine.runtime.hotreload import PlayReloader
from engine.runtime.playdiff import PlayDiff, compare
from engine.runtime.playfile import mark
from engine.runtime.promotion import approved_hashes, evidence_root
from engine.runtime.reloadentry import RunningPlay, WatchedPlay
from engine.runtime.reloadmemory import ReloadMemory
from engine.storage.promotions import approvals_path


class Reloading:
    """Answers what a reloader asks of an engine."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._machine = context.loop.machine

    def reloader(self) -> PlayReloader:
        """Return a reloader of the engine's plays."""
        context = self._context
        runners = self._machine.trading.runners
        return PlayReloader(
            [
                WatchedPlay(file.path, runner.binding.spec, runner.generation)
                for file, runner in zip(context.source.plays, runners, strict=True)
            ],
            load=self._load,
            models=context.source.models,
            window=self._window,
            now=context.clock.now(),
            running=self._running,
            compare=self._compare,
            memory=ReloadMemory(mode_dir(context.settings)),
            holds_back=holds_versions_back(context.settings),
        )

    def _runner(self, play: str) -> Runner | None:
        return next((r for r in self._machine.trading.runners if r.binding.spec.name == play), None)

    def _running(self, play: str) -> RunningPlay | None:
        """Return what the core runs of a play, and the twin that a changed file would take the place of."""
        machine, runner = self._machine, self._runner(play)
        if runner is None:
            return None
        spec, generation = runner.binding.spec, runner.generation
        if not isinstance(machine, TwinnedMachine):
            return RunningPlay(spec, generation)
        twin, running = machine.twins.by_label.get(play), machine.versions.running.get(play)
        return RunningPlay(
            spec,
            generation,
            rolled_back=running.rolled_back if running is not None else "",
            twin=twin.hash if twin is not None else "",
            twin_generation=twin.facts.generation if twin is not None else 0,
        )

    def _load(self, path: Path) -> PlaySpec:
        """Read a play, and keep its model where the core, a restart and `verify` find it by its hash."""
        play = load_play_file(path)
        if play.model is not None:
            self._context.source.models.put(play.model)
        return play.spec

    def _window(self, spec: PlaySpec) -> tuple[Bar, ...]:
        runner = self._runner(spec.name)
        return self._machine.trading.window(runner) if runner is not None else ()

    def _compare(self, spec: PlaySpec, bars: tuple[Bar, ...]) -> PlayDiff:
        runner = self._runner(spec.name)
        if runner is None:
            return PlayDiff()
        return compare(runner.binding, spec, self._machine.setup, bars, self._context.source.models)


class ApprovalWatch:
    """Looks whether another version was promoted meanwhile; where orders cost no money, never."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._needed = context.config.setup.needs_approval
        self._path = approvals_path(evidence_root(context.settings))
        self._mark = mark(self._path)

    def news(self, now: int) -> Iterator[Event]:
        """Yield what the core must be told; reads a small file where it changed."""
        if not self._needed or mark(self._path) == self._mark:
            return
        self._mark = mark(self._path)
        try:
            yield PlaysApproved(now, approved_hashes(self._context.settings))
        except StorageError as error:
            yield PlaysApproved(now, ())
            yield Remark(now, "promotion", str(error))
