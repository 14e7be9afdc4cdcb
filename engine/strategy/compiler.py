"""From the tree of a rule to programs that compute its numbers and tests that read them."""

from operator import attrgetter, neg
from typing import assert_never

import msgspec

from engine.domain.errors import ConfigError
from engine.strategy import operators
from engine.strategy.coarse import CoarseBars, Gate
from engine.strategy.counters import Since, Steps, Within
from engine.strategy.indicators import MISSING, BarIndicator, SeriesIndicator
from engine.strategy.indicators.delay import Delay
from engine.strategy.model import Forecaster, forecast_of
from engine.strategy.operators import FALSE, TRUE, Function, Row, Test
from engine.strategy.program import BAR, CLOSE, SCRATCH, Operand, Program, Step
from engine.strategy.syntax import (
    Arithmetic,
    BarsSince,
    Call,
    Clock,
    Coarse,
    CoarseTest,
    Comparison,
    Condition,
    Extent,
    Forecast,
    Known,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Numeric,
    Previous,
    Series,
    Streak,
    WithinLast,
    canonical,
    constant_of,
    is_constant,
    legs_of,
    previous,
)
from engine.strategy.timeframes import step_of
from engine.strategy.vocabulary import CROSSES, FUNCTIONS, MEANS, TIMES

Memory = SeriesIndicator | BarIndicator | Since | Within | Steps | Delay
MEMORY_MAX = 1_000_000  # values, over all indicators of a play
_OF_BAR = Operand(BAR, 1)
_OF_CLOSE = Operand(CLOSE, 1)


class Compiler:
    """Compiles the rules of a play: `main` runs on the bars of the leg that is traded, `legs` on the others'.

    Numbers and conditions made of one other leg alone are computed on that leg's bars, and are missing in
    `main` on a close for which that leg has no bar.
    """

    def __init__(
        self,
        legs: tuple[str, ...] = (),
        features: tuple[Numeric, ...] = (),
        forecaster: Forecaster | None = None,
    ) -> None:
        """`forecaster` is that of the play's model, `features` is what it is given."""
        self.main = Program()
        self.legs = {leg: Program(leg) for leg in legs[1:]}
        self.shown: dict[str, int] = {}  # canonical name of each indicator, and its slot in `main`
        self._remembers = 0
        self._indicators: dict[tuple[int, str], Memory] = {}
        self._features, self._forecaster = features, forecaster

    def number(self, node: Numeric) -> Operand:
        """Return where in `main` a number is found, compiling it where it is new."""
        return self._number(self.main, node)

    def test(self, rule: Condition) -> Test:
        """Compile a rule into a test of `main`, true only where the rule is true."""
        return self._test(self.main, rule, negated=False)

    def seal(self) -> Gate | None:
        """Make all programs ready; return what holds signals back until all but `main` are warm, if any."""
        own = (self.main, *self.legs.values())
        others = [*self.legs.values(), *(bars.program for program in own for bars in program.coarse.values())]
        gate = Gate(others, self.main.tail) if others else None
        if gate is not None:
            self.main.memories.append(gate)
            self.main.steps.append(Step(SCRATCH, gate.update, BAR))
        for program in own:
            program.seal()
        return gate

    def _number(self, program: Program, node: Numeric) -> Operand:
        name = canonical(node)
        operand = program.operands.get(name)
        if operand is None:
            home = self._home(program, node)
            inner = None if home is program else self._number(home, node)
            operand = self._compiled(program, node) if inner is None else _copied(program, home, home, inner)
            program.add(name, operand)
        shown = node.operand if isinstance(node, Coarse) else node
        if program is self.main and isinstance(shown, Call | Forecast):
            self.shown.setdefault(name, operand.slot)
        return operand

    def _home(self, program: Program, node: Node) -> Program:
        """Return the program that a node belongs to: another leg's, where that leg's bars alone are in it."""
        legs = legs_of(node) if self.legs and not program.leg else ()
        leg = next(iter(legs)) if len(legs) == 1 else ""
        return self.legs[leg] if leg else program

    def _compiled(self, program: Program, node: Numeric) -> Operand:
        match node:
            case Number() | Clock() | Negative(operand=Number()):
                return Operand(program.slot(_constant(node)), 1)
            case Negative():
                return program.derive(neg, self._number(program, node.operand))
            case Series():
                return self._series(program, node)
            case Forecast():
                return self._forecast(program)
            case Call():
                return self._call(program, node)
            case Extent():
                return self._extent(program, node)
            case Arithmetic():
                return self._joined(program, node.operator, node.left, node.right)
            case Previous():
                return self._previous(program, node)
            case BarsSince():
                return self._remembered(program, Since(), self._truth(program, node.condition))
            case Coarse():
                return self._coarse(program, node.timeframe, node.operand)
            case _:
                assert_never(node)

    def _series(self, program: Program, node: Series) -> Operand:
        if node.name in TIMES:
            return program.derive(operators.OF_TIME[node.name], _OF_BAR)
        if node.name not in MEANS:
            return program.derive(attrgetter(node.name), _OF_BAR)
        slots = [self._number(program, Series(field, node.leg)).slot for field in MEANS[node.name]]
        return program.derive(operators.mean_of(program.row, tuple(slots)), _OF_CLOSE)

    def _forecast(self, program: Program) -> Operand:
        """Ask the model on every bar; it is warm where all of its features are."""
        assert self._forecaster is not None, "a rule asks no model that the play has not"
        first, *others = (self._number(program, feature) for feature in self._features)
        slots = tuple(operand.slot for operand in (first, *others))
        return program.derive(forecast_of(program.row, slots, self._forecaster), first, *others)

    def _extent(self, program: Program, node: Extent) -> Operand:
        first, *others = node.operands
        if not others:
            return program.derive(abs, self._number(program, first))
        return self._joined(program, node.function, first, *others)

    def _joined(self, program: Program, word: str, left: Numeric, right: Numeric) -> Operand:
        a, b = self._number(program, left), self._number(program, right)
        return program.derive(operators.ARITHMETIC[word](program.row, b.slot), a, b)

    def _call(self, program: Program, node: Call) -> Operand:
        """Feed an indicator; its further outputs are read off it."""
        first = msgspec.structs.replace(node, output="")
        key = id(program), canonical(first)
        if node.output:
            operand = self._number(program, first)
            return program.derive(operators.output_of(self._indicators[key], node.output), operand)
        made = FUNCTIONS[node.function].make(node.arguments)
        self._indicators[key] = made
        source = _OF_BAR if node.source is None else self._number(program, node.source)
        return self._remembered(program, made, source)

    def _remembered(self, program: Program, memory: Memory, source: Operand) -> Operand:
        program.memories.append(memory)
        self._remembers += memory.warmup
        if self._remembers > MEMORY_MAX:
            raise ConfigError(f"the play remembers more than {MEMORY_MAX:,} values; shorten its periods")
        return program.derive(memory.update, source, more=memory.warmup - 1)

    def _previous(self, program: Program, node: Previous) -> Operand:
        """One bar back is kept, further back a step remembers; a constant is what it was."""
        source = self._number(program, node.operand)
        if is_constant(node.operand):
            return source
        return program.keep(source) if node.bars == 1 else self._remembered(program, Delay(node.bars), source)

    def _coarse(self, program: Program, timeframe: str, node: Node) -> Operand:
        """Copy what a coarser program says, which this one feeds."""
        bars = program.coarse.get(timeframe)
        if bars is None:
            bars = program.coarse[timeframe] = CoarseBars(step_of(timeframe), program.leg)
            program.steps.append(Step(SCRATCH, bars.update, BAR))
        inner = self._operand(bars.program, node)
        return _copied(program, bars.program, program, inner)

    def _operand(self, program: Program, node: Node) -> Operand:
        """Return a number, or a condition as one."""
        return self._truth(program, node) if isinstance(node, Condition) else self._number(program, node)

    def _truth(self, program: Program, rule: Condition) -> Operand:
        """Return where a condition is found as a number: TRUE, FALSE or missing."""
        name = canonical(rule)
        operand = program.operands.get(name)
        if operand is None:
            home = self._home(program, rule)
            inner = None if home is program else self._truth(home, rule)
            operand = self._judged(program, rule) if inner is None else _copied(program, home, home, inner)
            program.add(name, operand)
        return operand

    def _judged(self, program: Program, rule: Condition) -> Operand:
        match rule:
            case WithinLast():
                return self._remembered(program, Within(rule.bars), self._truth(program, rule.condition))
            case Streak():
                steps = Steps(rule.bars, rising=rule.function == "rising")
                return self._remembered(program, steps, self._number(program, rule.operand))
            case CoarseTest():
                return self._coarse(program, rule.timeframe, rule.operand)
            case Comparison() | Logic() | Not() | Known():
                yes, no = (self._test(program, rule, negated=negated) for negated in (False, True))
                return program.derive(operators.truth_of(yes, no), _OF_CLOSE, *self._inputs(program, rule))
            case _:
                assert_never(rule)

    def _inputs(self, program: Program, rule: Condition) -> list[Operand]:
        """Return the numbers that a condition looks at."""
        match rule:
            case Not():
                return self._inputs(program, rule.operand)
            case Logic():
                return self._inputs(program, rule.left) + self._inputs(program, rule.right)
            case Comparison():
                return [self._number(program, side) for side in _sides(rule)]
            case Known():
                return [self._number(program, rule.operand)]
            case Streak() | WithinLast() | CoarseTest():
                return [self._truth(program, rule)]
            case _:
                assert_never(rule)

    def _test(self, program: Program, rule: Condition, *, negated: bool) -> Test:
        """Compile a condition, or its negation: `not` is pushed down to the comparisons, where it swaps them.

        A comparison and its swapped form are both false on a missing number, which is what three-valued logic
        asks for.
        """
        match rule:
            case Not():
                return self._test(program, rule.operand, negated=not negated)
            case Logic():
                left = self._test(program, rule.left, negated=negated)
                right = self._test(program, rule.right, negated=negated)
                join = operators.both if (rule.operator == "and") is not negated else operators.either
                return join(left, right)
            case Comparison() if rule.operator in CROSSES:
                return self._cross(program, rule, negated=negated)
            case Comparison():
                operator = operators.OPPOSITE[rule.operator] if negated else rule.operator
                a, b = self._number(program, rule.left), self._number(program, rule.right)
                return operators.COMPARISON[operator](program.row, a.slot, b.slot)
            case Known():
                slot = self._number(program, rule.operand).slot
                return (operators.missing if negated else operators.present)(program.row, slot)
            case Streak() | WithinLast() | CoarseTest():
                slot = self._truth(program, rule).slot
                return operators.holding(program.row, slot, FALSE if negated else TRUE)
            case _:
                assert_never(rule)

    def _cross(self, program: Program, rule: Comparison, *, negated: bool) -> Test:
        slots = [self._number(program, side).slot for side in _sides(rule)]
        return (operators.not_crossing if negated else operators.crossing)(program.row, *slots)


def _constant(node: Number | Clock | Negative) -> float:
    if isinstance(node, Clock):
        return float(node.minute)
    value = constant_of(node)
    assert value is not None, "a constant has a value"
    return value


def _sides(rule: Comparison) -> tuple[Numeric, ...]:
    """Return what is compared; of a cross also the bar before. `a crosses_below b` is `b crosses_above a`."""
    if rule.operator not in CROSSES:
        return rule.left, rule.right
    pair = (rule.left, rule.right) if rule.operator == "crosses_above" else (rule.right, rule.left)
    return (*pair, *(previous(side, 1) for side in pair))


def _copied(program: Program, origin: Program, clock: Program, found: Operand) -> Operand:
    """Copy a number of another program; `clock` is the one that takes its leg's own bars."""
    row, slot = origin.row, found.slot
    function = operators.copied(row, slot) if clock is program else _while_new(program, clock, row, slot)
    copy = program.derive(function, _OF_CLOSE)
    return Operand(copy.slot, 1, max(1, found.tail))


def _while_new(program: Program, clock: Program, row: Row, slot: int) -> Function:
    """Return a number of another leg: missing on a close that this leg has no bar for."""
    own = program.row

    def read(_: object) -> float:
        return row[slot] if clock.at == own[BAR].ts else MISSING

    return read
