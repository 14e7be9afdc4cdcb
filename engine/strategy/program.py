"""Rules, compiled: a row of numbers, the steps that fill it bar by bar, and tests that read it.

Every distinct number of a play has one slot and is computed once a bar, in every bar, whatever the rules look
at: an indicator never has a hole. A missing number is NaN, which compares as false with everything.
"""

from operator import neg
from typing import NamedTuple, assert_never

from engine.strategy import operators
from engine.strategy.indicators import MISSING, Restorable
from engine.strategy.indicators.delay import Delay
from engine.strategy.operators import Function, Row, Test
from engine.strategy.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Logic,
    Negative,
    Not,
    Number,
    Numeric,
    Previous,
    Series,
    canonical,
    is_constant,
    previous,
)
from engine.strategy.vocabulary import CROSSES, FIELDS, FUNCTIONS, MEANS, BarFunction


class Operand(NamedTuple):
    """Where a number is found, and how many bars its first value takes."""

    slot: int
    warmup: int


class Step(NamedTuple):
    """One computation of a bar: `row[slot] = function(row[source])`."""

    slot: int
    function: Function
    source: int


class Program:
    """What the rules of one play compute.

    A bar is run in three parts: `shifts` keep numbers of the bar before, the bar's fields go to slots 0 to 4
    (close, open, high, low, volume; the close alone unless `wide`), `steps` compute the rest in order.
    """

    def __init__(self) -> None:
        self.row: Row = [MISSING] * len(FIELDS)
        self.shifts: list[tuple[int, int]] = []  # (slot, source): row[slot] = row[source]
        self.steps: list[Step] = []
        self.memories: list[Restorable] = []
        self.shown: list[tuple[str, int]] = []  # canonical name and slot of each indicator
        self.wide = False
        self.warmup_bars = 1
        self._operands = {name: Operand(slot, 1) for slot, name in enumerate(FIELDS)}

    @property
    def names(self) -> tuple[str, ...]:
        """All numbers in canonical text: programs with equal names have interchangeable states."""
        return tuple(self._operands)

    def test(self, rule: Condition) -> Test:
        """Compile a rule into a test of the row, true only where the rule is true."""
        return self._test(rule, negated=False)

    def number(self, node: Numeric) -> Operand:
        """Return where a number is found, compiling it where it is new."""
        name = canonical(node)
        operand = self._operands.get(name)
        if operand is None:
            operand = self._operands[name] = self._compiled(node, name)
        self.wide = self.wide or name in FIELDS[1:]
        self.warmup_bars = max(self.warmup_bars, operand.warmup)
        return operand

    def _compiled(self, node: Numeric, name: str) -> Operand:
        match node:
            case Number():
                return self._constant(node.value)
            case Negative(operand=Number(value=value)):
                return self._constant(-value)
            case Negative():
                return self._derived(self.number(node.operand), neg)
            case Series():
                slots = tuple(self.number(Series(field)).slot for field in MEANS[node.name])
                return self._derived(self._operands["close"], operators.mean_of(self.row, slots))
            case Call():
                return self._call(node, name)
            case Previous():
                return self._previous(node)
            case Arithmetic():
                left, right = self.number(node.left), self.number(node.right)
                function = operators.ARITHMETIC[node.operator](self.row, right.slot)
                return self._derived(left, function, right.warmup)
            case _:
                assert_never(node)

    def _slot(self, value: float = MISSING) -> int:
        self.row.append(value)
        return len(self.row) - 1

    def _constant(self, value: float) -> Operand:
        return Operand(self._slot(value), 1)

    def _derived(self, source: Operand, function: Function, warmup: int = 1) -> Operand:
        """Add a step; `warmup` is what its other inputs need."""
        slot = self._slot()
        self.steps.append(Step(slot, function, source.slot))
        return Operand(slot, max(source.warmup, warmup))

    def _call(self, node: Call, name: str) -> Operand:
        function = FUNCTIONS[node.function]
        if isinstance(function, BarFunction):
            self.wide = True
            bars = function.make(node.period)
            self.memories.append(bars)
            operand = self._derived(self._operands["close"], operators.of_bars(self.row, bars), bars.warmup)
        else:
            assert node.source is not None, "the parser fills in the default series"
            source = self.number(node.source)
            series = function.make(node.period)
            self.memories.append(series)
            update = series.update if source.slot < len(FIELDS) else operators.present_only(series)
            operand = self._derived(source, update, source.warmup + series.warmup - 1)
        self.shown.append((name, operand.slot))
        return operand

    def _previous(self, node: Previous) -> Operand:
        """One bar back is a shift, further back a step that remembers; a constant is what it was."""
        source = self.number(node.operand)
        if is_constant(node.operand):
            return source
        warmup = source.warmup + node.bars
        if node.bars == 1:
            slot = self._slot()
            self.shifts.append((slot, source.slot))
            return Operand(slot, warmup)
        delay = Delay(node.bars)
        self.memories.append(delay)
        return self._derived(source, delay.update, warmup)

    def _test(self, rule: Condition, *, negated: bool) -> Test:
        """Compile a condition, or its negation: `not` is pushed down to the comparisons, where it swaps them.

        A comparison and its swapped form are both false on a missing number, which is what three-valued logic
        asks for.
        """
        match rule:
            case Not():
                return self._test(rule.operand, negated=not negated)
            case Logic():
                left, right = self._test(rule.left, negated=negated), self._test(rule.right, negated=negated)
                join = operators.both if (rule.operator == "and") is not negated else operators.either
                return join(left, right)
            case Comparison() if rule.operator in CROSSES:
                return self._cross(rule, negated=negated)
            case Comparison():
                operator = operators.OPPOSITE[rule.operator] if negated else rule.operator
                a, b = self.number(rule.left).slot, self.number(rule.right).slot
                return operators.COMPARISON[operator](self.row, a, b)
            case _:
                assert_never(rule)

    def _cross(self, rule: Comparison, *, negated: bool) -> Test:
        """Compile a cross; `a crosses_below b` is `b crosses_above a`."""
        pair = (rule.left, rule.right) if rule.operator == "crosses_above" else (rule.right, rule.left)
        now = [self.number(side).slot for side in pair]
        before = [self.number(previous(side, 1)).slot for side in pair]
        return (operators.not_crossing if negated else operators.crossing)(self.row, *now, *before)
