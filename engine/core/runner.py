"""A play at work: its evaluator, and what it remembers of its position, its entry and its trades."""

from typing import Self

import msgspec

from engine.core.setup import PlayBinding
from engine.domain.ids import OrderRole
from engine.domain.orders import Order
from engine.domain.play import PlaySpec
from engine.domain.positions import Position
from engine.domain.signals import Side, Signal, SignalKind
from engine.execution.course import needs_course
from engine.risk import protections
from engine.risk.protections import GuardState
from engine.risk.sizing import Refusal
from engine.strategy.evaluator import Evaluator
from engine.strategy.legs import evaluator_of
from engine.strategy.model import NO_MODELS, Models


class SitOut(msgspec.Struct, frozen=True):
    """Why a play does not enter again at once: an operator closed its position, or canceled its entry.

    It lasts while the rule that led there goes on to hold: until a bar closes without an entry on its side,
    or with one on the other. `bars` is the evaluator's count when that was looked at last; `until_flat`: not
    before the position is gone.
    """

    side: Side
    bars: int
    until_flat: bool


class RunnerState(msgspec.Struct, frozen=True):
    """A runner as a checkpoint holds it."""

    spec: PlaySpec
    generation: int
    side: int
    evaluator: bytes
    expires: int = 0
    waiting: Signal | None = None
    guard: GuardState | None = None
    sits_out: SitOut | None = None


class Runner(msgspec.Struct):
    """A play at work. `side` is the sign of its own position, `follows` whether that is followed bar by bar.

    `expires` counts the bars until a resting entry is canceled, 0 where none is to be. `waiting` is the
    signal that comes in the place of an entry once that has ended.
    """

    binding: PlayBinding
    evaluator: Evaluator
    generation: int = 1
    side: int = 0
    follows: bool = False
    expires: int = 0
    waiting: Signal | None = None
    guard: GuardState | None = None  # None where the play has no protections
    barred: Refusal | None = None  # why it may not enter until a person says so
    sits_out: SitOut | None = None  # after a close or a cancel by hand: until its next signal

    @classmethod
    def of(cls, binding: PlayBinding, models: Models = NO_MODELS) -> Self:
        """Return a play that begins, flat."""
        runner = cls(binding, evaluator_for(binding, models))
        runner.run(binding, runner.evaluator, Position(play=binding.spec.name, symbol=binding.symbol))
        return runner

    def run(self, binding: PlayBinding, evaluator: Evaluator, position: Position) -> None:
        """Run a version of the play from now on; what its trades were is remembered."""
        self.binding, self.evaluator = binding, evaluator
        self.follows = needs_course(binding.spec)
        if binding.spec.protections is None:
            self.guard = None
        elif self.guard is None:
            self.guard = protections.begin(position)

    @property
    def asks_model(self) -> bool:
        """Whether the play asks a model, whose forecasts are followed bar by bar."""
        return self.binding.spec.model is not None

    @property
    def needs_bars(self) -> bool:
        """Whether something beside its rules looks at every bar now: then none may be skimmed."""
        follows = self.follows and self.side != 0
        return self.expires > 0 or follows or self.asks_model or self.sits_out is not None

    def sit_out(self, signal: Signal) -> bool:
        """Tell whether an entry comes too soon after an operator's hand; one of the other side ends that."""
        sitting = self.sits_out
        assert sitting is not None, "asked only while it sits out"
        if signal.side is not sitting.side:
            self.sits_out = None
            return False
        self.sits_out = SitOut(sitting.side, self.evaluator.bars, sitting.until_flat)
        return True

    def may_return(self) -> None:
        """End the sitting out after a bar on which its rule led to no entry."""
        sitting = self.sits_out
        waits = sitting is None or sitting.bars == self.evaluator.bars or (sitting.until_flat and self.side)
        if not waits:
            self.sits_out = None

    def refusal(self, signal: Signal) -> Refusal | None:
        """Return why its model or its protections do not let the play enter."""
        guards = self.binding.spec.protections
        if self.barred is not None or guards is None or self.guard is None:
            return self.barred
        opens = signal.kind is SignalKind.ENTRY
        return protections.refusal(self.guard, guards, signal.ts, self.binding.step_ns, opens=opens)

    def guard_after(self, position: Position, order: Order, now: int, equity: float) -> None:
        """Let the protections follow a fill of a play that has some."""
        guards, state = self.binding.spec.protections, self.guard
        assert guards is not None, "a play that is guarded says how"
        assert state is not None, "and remembers its trades"
        stopped = order.request.role is OrderRole.STOP
        self.guard = protections.after_fill(state, guards, position, now, stopped=stopped, equity=equity)

    def write_off(self, position: Position) -> None:
        """Let the protections forget a trade that the books were corrected for."""
        if self.guard is not None and self.guard.is_open:
            self.guard = protections.written_off(self.guard, position)

    def state(self) -> RunnerState:
        """Return all that a checkpoint needs."""
        return RunnerState(
            self.binding.spec,
            self.generation,
            self.side,
            self.evaluator.state(),
            self.expires,
            self.waiting,
            self.guard,
            self.sits_out,
        )

    def restore(self, state: RunnerState, models: Models = NO_MODELS) -> None:
        """Take up a checkpoint's state: the version that ran then runs on."""
        binding = msgspec.structs.replace(self.binding, spec=state.spec)
        evaluator = evaluator_for(binding, models)
        evaluator.restore(state.evaluator)
        self.generation, self.side = state.generation, state.side
        self.expires, self.waiting, self.guard = state.expires, state.waiting, state.guard
        self.sits_out = state.sits_out
        self.run(binding, evaluator, Position(play=state.spec.name, symbol=binding.symbol))


def evaluator_for(binding: PlayBinding, models: Models = NO_MODELS) -> Evaluator:
    """Return the evaluator of a play on its instruments; `models` holds its model if it asks one."""
    return evaluator_of(binding.spec, *binding.symbols, step_ns=binding.step_ns, models=models)
