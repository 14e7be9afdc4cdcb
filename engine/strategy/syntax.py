"""The tree of a rule, and the one text it is written as.

There are three types: number, time of day and condition. What is in a tree is typed.
"""

from collections.abc import Callable
from operator import add, mul, sub, truediv
from typing import assert_never

import msgspec

from engine.strategy.literals import clock_text, number_text
from engine.strategy.vocabulary import FUNCTIONS, MODEL, TIMES


class Number(msgspec.Struct, frozen=True):
    """A constant, never negative."""

    value: float


class Clock(msgspec.Struct, frozen=True):
    """A time of day, in minutes since midnight UTC; it is compared with `time` alone."""

    minute: int


class Series(msgspec.Struct, frozen=True):
    """What the bar of a leg holds: close, volume, hl2 and so on; `leg` is empty for the one that is traded.

    Or what the bar's close time tells: hour, minute, weekday; `time` is of type time of day.
    """

    name: str
    leg: str = ""


class Forecast(msgspec.Struct, frozen=True):
    """What the play's model says, 0 to 1: the probability of what it was trained on."""


class Call(msgspec.Struct, frozen=True):
    """A function and its arguments in order, all of them.

    `source` is what a series function is applied to; a function of bars has none, and a leg. `output` is
    empty for the first one.
    """

    function: str
    source: "Numeric | None"
    arguments: tuple[float, ...]
    output: str = ""
    leg: str = ""


class Extent(msgspec.Struct, frozen=True):
    """abs of one number; min or max of two."""

    function: str
    operands: tuple["Numeric", ...]


class Previous(msgspec.Struct, frozen=True):
    """The value of a number `bars` bars ago."""

    operand: "Numeric"
    bars: int


class Negative(msgspec.Struct, frozen=True):
    """A number with its sign turned."""

    operand: "Numeric"


class Arithmetic(msgspec.Struct, frozen=True):
    """Two numbers made one: + - * /."""

    operator: str
    left: "Numeric"
    right: "Numeric"


class BarsSince(msgspec.Struct, frozen=True):
    """How many bars ago a condition was true last, 0 on a bar where it is."""

    condition: "Condition"


class Coarse(msgspec.Struct, frozen=True):
    """A number as of the last closed bar of a coarser timeframe."""

    operand: "Numeric"
    timeframe: str


class Comparison(msgspec.Struct, frozen=True):
    """Two numbers or two times compared: < <= > >= == !=, numbers also crosses_above crosses_below."""

    operator: str
    left: "Numeric"
    right: "Numeric"


class Not(msgspec.Struct, frozen=True):
    """A condition turned round."""

    operand: "Condition"


class Logic(msgspec.Struct, frozen=True):
    """Two conditions joined: and, or."""

    operator: str
    left: "Condition"
    right: "Condition"


class Known(msgspec.Struct, frozen=True):
    """A number is there, and not missing; this one condition is always true or false."""

    operand: "Numeric"


class Streak(msgspec.Struct, frozen=True):
    """rising, falling: a number moved one way on each of the last `bars` bars."""

    function: str
    operand: "Numeric"
    bars: int


class WithinLast(msgspec.Struct, frozen=True):
    """A condition was true on one of the last `bars` bars, the present one included."""

    condition: "Condition"
    bars: int


class CoarseTest(msgspec.Struct, frozen=True):
    """A condition as of the last closed bar of a coarser timeframe."""

    operand: "Condition"
    timeframe: str


Numeric = (
    Number | Clock | Series | Forecast | Call | Extent | Previous | Negative | Arithmetic | BarsSince | Coarse
)
Condition = Comparison | Not | Logic | Known | Streak | WithinLast | CoarseTest
Node = Numeric | Condition

TIME = Series("time")

# How tightly an operator binds what is beside it.
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "crosses_above", "crosses_below", "between")
STRENGTH = {"or": 1, "and": 2, "not": 3, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5, "*": 6, "/": 6}
NEGATIVE_STRENGTH = 7
_COARSE_STRENGTH = 8
_PREVIOUS_STRENGTH = 9
_ATOM_STRENGTH = 10


def is_constant(node: Node) -> bool:
    """Tell whether a number or time is written out: 5, -5 or 08:30."""
    return isinstance(node.operand if isinstance(node, Negative) else node, Number | Clock)


def is_time(node: Node) -> bool:
    """Tell whether a node is a time of day."""
    return isinstance(node, Clock) or node == TIME


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below one."""
    match node:
        case Number() | Clock() | Series() | Forecast():
            return ()
        case Call():
            return () if node.source is None else (node.source,)
        case Extent():
            return node.operands
        case BarsSince() | WithinLast():
            return (node.condition,)
        case Previous() | Negative() | Not() | Known() | Streak() | Coarse() | CoarseTest():
            return (node.operand,)
        case Arithmetic() | Comparison() | Logic():
            return node.left, node.right
        case _:
            assert_never(node)


def previous(operand: Numeric, bars: int) -> Previous:
    """Return the value of `bars` bars ago; a look back from a look back is one look back."""
    if isinstance(operand, Previous):
        return Previous(operand.operand, operand.bars + bars)
    return Previous(operand, bars)


def canonical(node: Node) -> str:
    """Write a tree in its one form: single spaces, no needless parentheses, no series that is the default.

    Parsing the text gives the tree back.
    """
    return _written(node)[0]


def _written(node: Node) -> tuple[str, int]:
    """Return the text and how tightly it holds together."""
    match node:
        case Number():
            return number_text(node.value), _ATOM_STRENGTH
        case Clock():
            return clock_text(node.minute), _ATOM_STRENGTH
        case Series():
            return _of_leg(node.leg, node.name), _ATOM_STRENGTH
        case Forecast():
            return MODEL, _ATOM_STRENGTH
        case Call() | Extent() | BarsSince() | Known() | Streak() | WithinLast():
            return _called(node), _ATOM_STRENGTH
        case Previous():
            return f"{_within(node.operand, _PREVIOUS_STRENGTH)}[{node.bars}]", _PREVIOUS_STRENGTH
        case Coarse() | CoarseTest():
            return f"{_within(node.operand, _PREVIOUS_STRENGTH)}@{node.timeframe}", _COARSE_STRENGTH
        case Negative():
            return f"-{_within(node.operand, NEGATIVE_STRENGTH)}", NEGATIVE_STRENGTH
        case Not():
            return f"not {_within(node.operand, STRENGTH['not'])}", STRENGTH["not"]
        case Comparison():
            return _infix(node, STRENGTH[node.operator] + 1)
        case Arithmetic() | Logic():
            return _infix(node, STRENGTH[node.operator])
        case _:
            assert_never(node)


def _infix(node: Comparison | Arithmetic | Logic, left_strength: int) -> tuple[str, int]:
    """Operators group from the left, so an equal one on the right keeps its parentheses."""
    strength = STRENGTH[node.operator]
    left, right = _within(node.left, left_strength), _within(node.right, strength + 1)
    return f"{left} {node.operator} {right}", strength


def _within(node: Node, strength: int) -> str:
    text, own = _written(node)
    return text if own >= strength else f"({text})"


def _called(node: Call | Extent | BarsSince | Known | Streak | WithinLast) -> str:
    match node:
        case Call():
            return _call(node)
        case Extent():
            return f"{node.function}({', '.join(map(canonical, node.operands))})"
        case BarsSince():
            return f"bars_since({canonical(node.condition)})"
        case Known():
            return f"known({canonical(node.operand)})"
        case Streak():
            return f"{node.function}({canonical(node.operand)}, {node.bars})"
        case WithinLast():
            return f"within_last({canonical(node.condition)}, {node.bars})"
        case _:
            assert_never(node)


def _call(node: Call) -> str:
    """All arguments are written, so that no default of a later version changes what a rule means."""
    function = FUNCTIONS[node.function]
    default = node.source is None or node.source == Series(function.series)
    written = [] if default or node.source is None else [canonical(node.source)]
    written += [function.write(at, value) for at, value in enumerate(node.arguments)]
    output = f".{node.output}" if node.output else ""
    return _of_leg(node.leg, f"{node.function}({', '.join(written)}){output}")


def _of_leg(leg: str, text: str) -> str:
    return f"{leg}.{text}" if leg else text


def constant_of(node: Node) -> float | None:
    """Return the value of a number that is made of constants alone, None where a node is not one."""
    match node:
        case Number():
            return node.value
        case Negative():
            value = constant_of(node.operand)
            return None if value is None else -value
        case Arithmetic():
            left, right = constant_of(node.left), constant_of(node.right)
            if left is None or right is None or (node.operator == "/" and not right):
                return None
            return _ARITHMETIC[node.operator](left, right)
        case _:
            return None


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {"+": add, "-": sub, "*": mul, "/": truediv}


def legs_of(node: Node) -> frozenset[str]:
    """Return the legs whose bars a node is made of; the time of day belongs to none."""
    match node:
        case Series():
            return frozenset() if node.name in TIMES else frozenset((node.leg,))
        case Call(source=None):
            return frozenset((node.leg,))
        case Forecast():
            return frozenset(("",))  # it is asked on the bars that are traded, whatever its features are of
        case _:
            return frozenset[str]().union(*map(legs_of, children(node)))


def timeframes_of(node: Node) -> frozenset[str]:
    """Return the coarser timeframes that a node looks at."""
    own = frozenset((node.timeframe,)) if isinstance(node, Coarse | CoarseTest) else frozenset[str]()
    return own.union(*map(timeframes_of, children(node)))


def asks_model(node: Node) -> bool:
    """Tell whether a node is made of the model's forecast."""
    return isinstance(node, Forecast) or any(map(asks_model, children(node)))
