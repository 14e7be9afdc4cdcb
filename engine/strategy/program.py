"""A compiled play at work: a row of numbers, and the steps that fill it bar by bar.

Every distinct number of a play has one slot and is computed once a bar, in every bar, whatever the rules look
at: an indicator never has a hole. A missing number is NaN, which compares as false with everything.

A program is fed the bars of one leg and one length. What is read of another leg or of a coarser timeframe is
computed by a program of that one's own, and copied (see `compiler`).
"""

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.domain.market import Bar
from engine.strategy.indicators import MISSING, Restorable, State
from engine.strategy.operators import Function, Row

if TYPE_CHECKING:
    from engine.strategy.coarse import CoarseBars

# The first slots of a row: what each bar brings, and one for what nobody reads.
CLOSE, SCRATCH, BAR = range(3)


class Operand(NamedTuple):
    """Where a number is found, and how many bars its first value takes.

    `tail` counts the bars from the first one on which all that is copied from other programs is there, 0
    where nothing is.
    """

    slot: int
    warmup: int
    tail: int = 0


class Step(NamedTuple):
    """One computation of a bar: `row[slot] = function(row[source])`."""

    slot: int
    function: Function
    source: int


class ProgramState(msgspec.Struct, frozen=True, array_like=True):
    """All that a program remembers between bars."""

    names: tuple[str, ...]
    bars: int
    at: int
    row: list[float]
    memories: list[State]
    coarse: list["CoarseState"]


class CoarseState(msgspec.Struct, frozen=True, array_like=True):
    """A coarse bar in the making, None between two, and the program it will be fed to."""

    ignored: int
    open_bar: Bar | None
    program: ProgramState


class Program:
    """What is computed from the bars of one leg and one length.

    A bar goes to its slots, then the steps compute the rest in order. A number whose last value is wanted has
    a second slot, which takes it over before the first one gets the next: `last_close` for the close, those
    in `kept` for the steps.
    """

    def __init__(self, leg: str = "") -> None:
        self.leg = leg
        self.row: Row = [MISSING, MISSING, None]
        self.last_close = 0  # the slot of the close before, 0 where nobody looks at it
        self.steps: list[Step] = []
        self.kept: dict[int, int] = {}  # slot of a step: slot of its value on the bar before
        self.memories: list[Restorable] = []
        self.coarse: dict[str, CoarseBars] = {}
        self.operands = {"close" if not leg else f"{leg}.close": Operand(CLOSE, 1)}
        self.warmup = 1
        self.tail = 0
        self.bars = 0
        self.at = 0  # the close of the last bar
        self.runs: tuple[
            tuple[int, Function, int, int], ...
        ] = ()  # the steps, each with where its value goes

    def slot(self, value: float = MISSING) -> int:
        """Return a new slot that holds a value."""
        self.row.append(value)
        return len(self.row) - 1

    def derive(self, function: Function, source: Operand, *others: Operand, more: int = 0) -> Operand:
        """Add a step; `others` are what it reads besides its source, `more` the bars it needs on top."""
        slot = self.slot()
        self.steps.append(Step(slot, function, source.slot))
        warmup = max(source.warmup, *(other.warmup for other in others), 1)
        tail = max(source.tail, *(other.tail for other in others), 0)
        return Operand(slot, warmup + more, tail + more if tail else 0)

    def keep(self, source: Operand) -> Operand:
        """Return a number's value on the bar before."""
        slot = self.slot()
        if source.slot == CLOSE:
            self.last_close = slot
        else:
            self.kept[source.slot] = slot
        return Operand(slot, source.warmup + 1, source.tail + 1 if source.tail else 0)

    def add(self, name: str, operand: Operand) -> Operand:
        """Remember a number by its canonical name."""
        self.operands[name] = operand
        self.warmup = max(self.warmup, operand.warmup)
        self.tail = max(self.tail, operand.tail)
        return operand

    def seal(self) -> None:
        """Make ready to run: one loop over steps of one shape is the fastest, though few values are kept."""
        self.runs = tuple((*step, self.kept.get(step.slot, SCRATCH)) for step in self.steps)
        for coarse in self.coarse.values():
            coarse.program.seal()

    @property
    def reads_bars(self) -> bool:
        """Whether any step looks at the whole bar, and not at its close alone."""
        return any(step.source == BAR for step in self.steps)

    def run(self, bar: Bar) -> None:
        """Take a closed bar. Evaluator.update does the same without this call."""
        row = self.row
        if self.last_close:
            row[self.last_close] = row[CLOSE]
        row[CLOSE] = bar.close
        row[BAR] = bar
        for slot, function, source, kept in self.runs:
            row[kept] = row[slot]
            row[slot] = function(row[source])
        self.bars += 1
        self.at = bar.ts

    @property
    def is_warm(self) -> bool:
        """Whether every number could have had its first value."""
        return self.bars >= self.warmup

    def state(self) -> ProgramState:
        """Return all that is remembered."""
        return ProgramState(
            names=tuple(self.operands),
            bars=self.bars,
            at=self.at,
            row=[*self.row[:BAR], *self.row[BAR + 1 :]],
            memories=[memory.state() for memory in self.memories],
            coarse=[coarse.state() for coarse in self.coarse.values()],
        )

    def restore(self, state: ProgramState) -> None:
        """Take up a state of a program of the same numbers. Raises ValueError or IndexError."""
        if state.names != tuple(self.operands) or len(state.row) != len(self.row) - 1:
            raise ValueError("it is one of other indicators")
        for memory, remembered in zip(self.memories, state.memories, strict=True):
            memory.restore(remembered)
        for coarse, before in zip(self.coarse.values(), state.coarse, strict=True):
            coarse.restore(before)
        self.row[:] = [*state.row[:BAR], None, *state.row[BAR:]]
        self.bars, self.at = state.bars, state.at
