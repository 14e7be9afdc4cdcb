"""The machine with shadow twins beside it, and the versions of plays that come and go between two events."""

import msgspec
from typing_extensions import override

from engine.core.intervening import NOTICE
from engine.core.machine import Machine
from engine.core.machine_state import MachineState
from engine.core.operator import Refused
from engine.core.runner import Runner
from engine.core.setup import CoreSetup
from engine.core.twin import Simulate
from engine.core.twins import TWINS_MAX, Twins, TwinsState
from engine.core.versionrows import EarlierVersion, TwinRow
from engine.core.versions import BEFORE_MAX, Asked, Version, Versions, VersionsState, Waiting
from engine.domain.commands import Command, Notice, NoticeLevel, SaveTransition, TransitionKind
from engine.domain.errors import CheckpointError
from engine.domain.events import Action, Backfill, Control, Event, PlaySwapped
from engine.domain.limits import LimitsChanged
from engine.domain.market import NS_PER_S, Bar, Quote, Trade
from engine.domain.play import FIXED, PlaySpec
from engine.domain.reasons import Reason
from engine.domain.shadow import SaveShadow, SaveStage
from engine.domain.versions import TwinChanged
from engine.strategy.model import NO_MODELS, Models

STAGE_NS = 600 * NS_PER_S  # how often it is stored for how long versions have run
RELOAD_ACTOR = "reload"
_MARKET = frozenset({Bar, Trade, Quote})
_VERSION_ACTIONS = frozenset({Action.PROMOTE, Action.ROLL_BACK})
_LIMITING = frozenset({Control, LimitsChanged})  # what may change the limits in force
_STORES = frozenset({Action.STOP, *_VERSION_ACTIONS})

Commands = tuple[Command, ...]


class TwinnedState(msgspec.Struct, frozen=True):
    """What a checkpoint holds beside the machine that has no twins."""

    twins: TwinsState = TwinsState()
    versions: VersionsState = VersionsState()
    approved: tuple[str, ...] = ()
    stage_due: int = 0


class TwinnedMachine(Machine):
    """A machine that also watches other versions of its plays; they cost nothing where there are none."""

    def __init__(self, setup: CoreSetup, simulate: Simulate, models: Models = NO_MODELS) -> None:
        super().__init__(setup, models)
        self.twins = Twins(
            setup, simulate, models, market=self.market, ledger=self.ledger, policy=self.policy
        )
        self.versions = Versions(self.ledger, setup.mode.value)
        self._stage_due = 0

    @override
    def start(self, now: int) -> Commands:
        """Return what must run from the beginning, and begin to count what each version does."""
        commands = super().start(now)
        for runner in self.trading.runners:
            self.versions.begin(runner, now)
        self._stage_due = now + STAGE_NS
        return commands

    @override
    def handle(self, event: Event, now: int) -> Commands:
        """Take one event as any machine; then the twins take it, and a version that waits may swap in."""
        kind = type(event)
        if kind in _MARKET:
            commands = super().handle(event, now)
            if commands:
                self._note(commands)
            if self.twins.by_label:
                commands += tuple(self.twins.on_market(event, now))  # type: ignore[arg-type]  # by its kind
            if now >= self._stage_due:
                commands += self._stages(now)
        else:
            commands = self._other(event, now)
        if self.versions.waiting:
            commands += self._swap_flat(now)
        return commands

    def _other(self, event: Event, now: int) -> Commands:
        if type(event) is TwinChanged:
            return self._on_twin(event, now)
        if type(event) is PlaySwapped:
            return self._on_swap(event, now)
        if (
            type(event) is Control
            and event.action is Action.DECLINE
            and event.argument in self.versions.waiting
        ):
            return self._decline(event, now)
        if type(event) is Control and event.action in _STORES:
            commands = self._stages(now)
            if event.action in _VERSION_ACTIONS:
                return commands + self._on_version(event, now)
            return commands + super().handle(event, now)
        if type(event) is Backfill:
            return self._on_past(event, now)
        commands = super().handle(event, now)
        if commands:
            self._note(commands)
        if type(event) in _LIMITING:
            self.twins.follow_limits(now)
        return commands

    def _on_past(self, event: Backfill, now: int) -> Commands:
        """Take bars of the past: they warm twins, too, and count for no version's time."""
        for twin in self.twins.by_label.values():
            twin.warm(event.bars)
        before = [runner.evaluator.bars for runner in self.trading.runners]
        commands = super().handle(event, now)
        for runner, bars in zip(self.trading.runners, before, strict=True):
            running = self.versions.running.get(runner.binding.spec.name)
            if running is not None:
                running.bars += runner.evaluator.bars - bars
        return commands

    def _note(self, commands: Commands) -> None:
        self.versions.note(commands)
        if self.twins.by_label:
            self.twins.note(commands)

    def _stages(self, now: int) -> Commands:
        """Return for how long each version has run, and when that is told again."""
        self._stage_due = now + STAGE_NS
        own = (SaveStage(self.versions.stage(runner, now)) for runner in self.trading.runners)
        return (*own, *self.twins.stages())

    def _runner_of(self, play: str) -> Runner | None:
        return next((r for r in self.trading.runners if r.binding.spec.name == play), None)

    # twins

    def _on_twin(self, event: TwinChanged, now: int) -> Commands:
        """Begin or end a twin; what waited to be promoted under its label does so no longer."""
        ended = self.twins.by_label.pop(event.label, None)
        commands: Commands = ()
        if ended is not None:
            commands = (SaveStage(ended.stage()), *map(SaveShadow, ended.end(now)))
        for play, waiting in tuple(self.versions.waiting.items()):
            if waiting.label == event.label:
                del self.versions.waiting[play]
        if event.spec is None:
            text = f"the shadow twin {event.label} ended"
        elif len(self.twins.by_label) >= TWINS_MAX:
            text = f"{event.label} does not run as a shadow twin: {TWINS_MAX} run already"
        else:
            twin = self.twins.begin(event, self._runner_of(event.of), now)
            after = f"{event.label} {twin.hash} (twin)"
            commands += (SaveTransition(now, TransitionKind.VERSION, "", after, RELOAD_ACTOR, event.why),)
            beside = f"beside {event.of}" if event.of else "beside no running play"
            text = f"{event.label} generation {event.generation} ({twin.hash[:12]}) is a shadow twin {beside}"
        why = f": {event.why}" if event.why else ""
        return commands + self._say(now, NoticeLevel.INFO, text + why)

    def _say(self, now: int, level: NoticeLevel, text: str, kind: str = "reload") -> Commands:
        notice = Notice(now, level, kind, text)
        self.board.notices.append(notice)
        return (notice,)

    # versions

    def _on_swap(self, event: PlaySwapped, now: int) -> Commands:
        """Let a version take the place of the running one at once, and remember that one."""
        runner = self._runner_of(event.spec.name)
        if runner is None:
            return super().handle(event, now)
        play, was = event.spec.name, runner.binding.spec.hash
        self.versions.waiting.pop(play, None)
        commands = self._swap(runner, event, RELOAD_ACTOR, event.why or "the file changed", now)
        twin = self.twins.by_label.get(play)
        if twin is None or twin.hash != was:
            return commands
        # a twin of the running version itself goes with it: without orders nothing else has books
        follows = TwinChanged(
            now, play, play, event.spec, event.generation, why="what runs is another version"
        )
        return commands + self._on_twin(follows, now)

    def _swap(self, runner: Runner, event: PlaySwapped, actor: str, reason: str, now: int) -> Commands:
        play, was = runner.binding.spec.name, Version(runner.binding.spec, runner.generation)
        commands: Commands = (SaveStage(self.versions.stage(runner, now)),)
        commands += super().handle(event, now)
        self.versions.begin(runner, now)
        running = self.versions.running[play]
        running.before = (*running.before, was)[-BEFORE_MAX:]
        running.rolled_back = ""
        kind, hashes = TransitionKind.VERSION, (was.spec.hash, event.spec.hash)
        before, after = (f"{play} {one}" for one in hashes)
        return (*commands, SaveTransition(now, kind, before, after, actor, reason))

    def _on_version(self, control: Control, now: int) -> Commands:
        """Promote a twin or roll a play back: at once, or as soon as the play is flat."""
        if not self.authority.admits(control, now):
            return self._take()
        asked = Asked.of(control.argument)
        found = self._promoted(asked) if control.action is Action.PROMOTE else self._before(asked)
        if isinstance(found, Refused):
            self.authority.refuse(control, found, now)
            return self._take()
        runner, version, label = found
        play, spec = runner.binding.spec.name, version.spec
        if self.setup.needs_approval and spec.hash not in self.trading.entering.approved:
            self.authority.refuse(control, Refused(Reason.PLAY_NOT_APPROVED, {"hash": spec.hash[:12]}), now)
            return self._take()
        rolls_back = control.action is Action.ROLL_BACK
        self.versions.waiting[play] = Waiting(
            version=version,
            label=label,
            actor=control.actor,
            reason=control.reason.strip(),
            rolls_back=rolls_back,
        )
        if asked.at_once or self._is_flat(runner):
            return self._take_place(runner, now)
        text = f"{play} waits to be flat for generation {version.generation} ({spec.hash[:12]})"
        return self._say(now, NoticeLevel.INFO, text, NOTICE)

    def _decline(self, control: Control, now: int) -> Commands:
        """Let a version wait no longer; its twin is watched on."""
        play = control.argument
        if not self.authority.admits(control, now):
            return self._take()
        waiting = self.versions.waiting.pop(play)
        was, why = f"{play} waits for {waiting.version.spec.hash}", control.reason.strip()
        change = SaveTransition(now, TransitionKind.VERSION, was, "declined", control.actor, why)
        text = f"{play}: generation {waiting.version.generation} waits no longer, declined by {control.actor}"
        return (change, *self._say(now, NoticeLevel.INFO, text + (f" ({why})" if why else ""), NOTICE))

    def _promoted(self, asked: Asked) -> tuple[Runner, Version, str] | Refused:
        """Return what a twin would take the place of, or why it cannot."""
        label = asked.name
        twin = self.twins.by_label.get(label)
        if twin is None or not twin.hash.startswith(asked.hashes[0]):
            known = " ".join(f"{t.facts.label}({t.hash[:12]})" for t in self.twins.by_label.values())
            return Refused(
                Reason.NO_SUCH_TWIN, {"asked": f"{label} {asked.hashes[0]}".strip(), "twins": known or "none"}
            )
        runner, spec = self._runner_of(twin.facts.of), twin.facts.binding.spec
        if runner is None or differs(runner.binding.spec, spec):
            return Refused(Reason.TWIN_NEEDS_RESTART, {"twin": label, "running": twin.facts.of or "none"})
        return _unless_changed(runner, asked.hashes[1]) or (
            runner,
            Version(spec, twin.facts.generation),
            label,
        )

    def _before(self, asked: Asked) -> tuple[Runner, Version, str] | Refused:
        """Return the version that ran before, or why there is none."""
        play = asked.name
        runner, running = self._runner_of(play), self.versions.running.get(play)
        if runner is None or running is None or not running.before:
            return Refused(Reason.NOTHING_TO_ROLL_BACK, {"play": play})
        return _unless_changed(runner, asked.hashes[0]) or (runner, running.before[-1], play)

    def _is_flat(self, runner: Runner) -> bool:
        """Tell whether a play has no position, no order and no signal that waits."""
        play = runner.binding.spec.name
        working = any(order.request.play == play for order in self.desk.book.open.values())
        position = self.ledger.position(play, runner.binding.symbol)
        return position.is_flat and not working and runner.waiting is None

    def _swap_flat(self, now: int) -> Commands:
        """Swap what waited for its play to be flat."""
        commands: Commands = ()
        for play in tuple(self.versions.waiting):
            runner = self._runner_of(play)
            if runner is not None and self._is_flat(runner):
                commands += self._take_place(runner, now)
        return commands

    def _take_place(self, runner: Runner, now: int) -> Commands:
        """Let the version that waits run; the one that ran is watched as a twin from now on."""
        play, was = runner.binding.spec.name, Version(runner.binding.spec, runner.generation)
        waiting = self.versions.waiting.pop(play)
        swapped = PlaySwapped(now, waiting.version.spec, waiting.version.generation)
        commands = self._swap(runner, swapped, waiting.actor, waiting.reason, now)
        running = self.versions.running[play]
        if waiting.rolls_back:
            running.before = running.before[:-2]
            running.rolled_back = was.spec.hash
        verb = "rolled back to" if waiting.rolls_back else "promoted to"
        text = f"{play} {verb} generation {waiting.version.generation} by {waiting.actor}"
        text += f" ({waiting.reason})" if waiting.reason else ""
        commands += self._say(now, NoticeLevel.GOOD, text, NOTICE)
        twin = TwinChanged(now, waiting.label, play, was.spec, was.generation, why="it ran until now")
        return commands + self._on_twin(twin, now)

    # reading

    def twin_rows(self, now: int) -> tuple[TwinRow, ...]:
        """Return what a screen shows of the twins."""
        labels = (waiting.label for waiting in self.versions.waiting.values())
        return self.twins.rows(self.trading, tuple(labels), now)

    # checkpoint

    @override
    def state(self) -> MachineState:
        """Return all that a checkpoint needs."""
        own = TwinnedState(
            self.twins.state(), self.versions.state(), self.trading.entering.approved, self._stage_due
        )
        return msgspec.structs.replace(super().state(), twinned=msgspec.msgpack.encode(own))

    @override
    def restore(self, state: MachineState) -> None:
        """Take up a checkpoint's state. Raises CheckpointError."""
        super().restore(state)
        try:
            own = (
                msgspec.msgpack.decode(state.twinned, type=TwinnedState) if state.twinned else TwinnedState()
            )
        except msgspec.DecodeError as error:
            raise CheckpointError(f"the checkpoint's shadow twins cannot be read: {error}") from None
        self.twins.restore(own.twins)
        self.versions.restore(own.versions)
        self.trading.entering.approved = own.approved
        self._stage_due = own.stage_due


def _unless_changed(runner: Runner, shown: str) -> Refused | None:
    """Refuse where another version runs than the one that was shown to whoever decided."""
    spec = runner.binding.spec
    if spec.hash.startswith(shown):
        return None
    return Refused(Reason.CHANGED_SINCE_SHOWN, {"play": spec.name, "shown": shown, "runs": spec.hash[:12]})


def differs(before: PlaySpec, after: PlaySpec) -> str:
    """Return the first field that no running engine can change, empty where there is none."""
    return next((field for field in FIXED if getattr(before, field) != getattr(after, field)), "")


def twin_rows(machine: Machine, now: int) -> tuple[TwinRow, ...]:
    """Return what a screen shows of a machine's twins."""
    return machine.twin_rows(now) if isinstance(machine, TwinnedMachine) else ()


def swaps_waiting(machine: Machine) -> tuple[str, ...]:
    """Return the plays for which another version waits until they are flat."""
    return tuple(machine.versions.waiting) if isinstance(machine, TwinnedMachine) else ()


def earlier_versions(machine: Machine) -> tuple[EarlierVersion, ...]:
    """Return what a machine's plays can be rolled back to."""
    return machine.versions.earlier(machine.trading.runners) if isinstance(machine, TwinnedMachine) else ()
