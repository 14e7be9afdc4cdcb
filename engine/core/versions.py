"""Which version of each play runs, which ones ran before it, and which one waits to take its place."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from engine.core.runner import Runner
from engine.core.versionrows import EarlierVersion
from engine.domain.commands import Command, SaveFill, SaveSignal
from engine.domain.play import PlaySpec
from engine.domain.shadow import Role, Stage
from engine.execution.ledger import Ledger

AT_ONCE = "now"
BEFORE_MAX = 5  # versions that a roll back can go back through


class Version(msgspec.Struct, frozen=True):
    """A version of a play."""

    spec: PlaySpec
    generation: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A version that takes the running one's place as soon as the play is flat."""

    version: Version
    label: str  # of the twin that it is, and that the running one will be
    actor: str
    reason: str
    rolls_back: bool = False


class Running(msgspec.Struct):
    """What ran of a play until now; `bars` and `pnl` are what the books said when this version began."""

    hash: str
    began: int
    bars: int
    pnl: Decimal
    signals: int = 0
    trades: int = 0
    before: tuple[Version, ...] = ()  # newest last
    rolled_back: str = ""  # the hash that a person took out of the running


class VersionsState(msgspec.Struct, frozen=True):
    """The versions as a checkpoint holds them, by play."""

    running: dict[str, Running] = {}
    waiting: dict[str, Waiting] = {}


class Asked(msgspec.Struct, frozen=True):
    """The argument of a promotion (`LABEL TWIN RUNNING now`) or of a roll back (`PLAY RUNNING now`).

    Hashes are those of the versions that were shown to whoever decided, shortened or left out.
    """

    name: str
    hashes: tuple[str, str]
    at_once: bool

    @classmethod
    def of(cls, argument: str) -> "Asked":
        """Read an argument."""
        name, *options = argument.split() or [""]
        first, second = (*(word for word in options if word != AT_ONCE), "", "")[:2]
        return cls(name, (first, second), AT_ONCE in options)


class Versions:
    """Keeps the history of each running play."""

    def __init__(self, ledger: Ledger, mode: str) -> None:
        self._ledger, self._mode = ledger, mode
        self.running: dict[str, Running] = {}
        self.waiting: dict[str, Waiting] = {}

    def begin(self, runner: Runner, now: int) -> None:
        """Begin to count what a version does."""
        spec = runner.binding.spec
        before = self.running.get(spec.name)
        self.running[spec.name] = Running(
            hash=spec.hash,
            began=now,
            bars=runner.evaluator.bars,
            pnl=self._booked(runner),
            before=() if before is None else before.before,
            rolled_back="" if before is None else before.rolled_back,
        )

    def earlier(self, runners: Iterable[Runner]) -> tuple[EarlierVersion, ...]:
        """Return what plays can be rolled back to."""
        found = []
        for runner in runners:
            spec = runner.binding.spec
            running = self.running.get(spec.name)
            if running is not None and running.before:
                was, now = running.before[-1], runner.generation
                found.append(EarlierVersion(spec.name, was.generation, was.spec.hash, now, spec.hash))
        return tuple(found)

    def note(self, commands: tuple[Command, ...]) -> None:
        """Count the signals and the closed trades of running plays."""
        for command in commands:
            if type(command) is SaveSignal and command.signal.play in self.running:
                self.running[command.signal.play].signals += 1
            elif type(command) is SaveFill and command.position.is_flat:
                running = self.running.get(command.position.play)
                if running is not None:
                    running.trades += 1

    def stage(self, runner: Runner, until: int) -> Stage:
        """Return for how long the running version has run, and what it made."""
        spec = runner.binding.spec
        if spec.name not in self.running:  # an earlier release did not count
            self.begin(runner, until)
        running = self.running[spec.name]
        return Stage(
            hash=running.hash,
            play=spec.name,
            role=Role.RUNNING,
            mode=self._mode,
            began=running.began,
            until=until,
            bars=max(0, runner.evaluator.bars - running.bars),
            signals=running.signals,
            trades=running.trades,
            pnl=self._booked(runner) - running.pnl,
        )

    def _booked(self, runner: Runner) -> Decimal:
        position = self._ledger.position(runner.binding.spec.name, runner.binding.symbol)
        return position.realized - position.fees

    def state(self) -> VersionsState:
        """Return all that a checkpoint needs."""
        running = {name: msgspec.structs.replace(r) for name, r in self.running.items()}
        return VersionsState(running, dict(self.waiting))

    def restore(self, state: VersionsState) -> None:
        """Take up a checkpoint's state."""
        self.running, self.waiting = dict(state.running), dict(state.waiting)
