"""The tree of a rule, and the one text it is written as.

There are two types, number and condition, and each node has one by its class: what is in a tree is typed.
"""

from typing import assert_never

import msgspec

from engine.strategy.vocabulary import FUNCTIONS, SeriesFunction


class Number(msgspec.Struct, frozen=True):
    """A constant, never negative."""

    value: float


class Series(msgspec.Struct, frozen=True):
    """What the bar holds: close, volume, hl2 and so on."""

    name: str


class Call(msgspec.Struct, frozen=True):
    """A function and its period; `source` is what a series function is applied to, None for one of bars."""

    function: str
    source: "Numeric | None"
    period: int


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


class Comparison(msgspec.Struct, frozen=True):
    """Two numbers held against each other: < <= > >= == != crosses_above crosses_below."""

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


Numeric = Number | Series | Call | Previous | Negative | Arithmetic
Condition = Comparison | Not | Logic
Node = Numeric | Condition

# How tightly an operator binds what is beside it.
STRENGTH = {
    "or": 1,
    "and": 2,
    "not": 3,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "crosses_above", "crosses_below"), 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
}
NEGATIVE_STRENGTH = 7
POSTFIX_STRENGTH = 8
_ATOM_STRENGTH = 9


def is_constant(node: Node) -> bool:
    """Tell whether a number is written out: 5 or -5."""
    return isinstance(node.operand if isinstance(node, Negative) else node, Number)


def previous(operand: Numeric, bars: int) -> Previous:
    """Return the value of `bars` bars ago; a look back from a look back is one look back."""
    if isinstance(operand, Previous):
        return Previous(operand.operand, operand.bars + bars)
    return Previous(operand, bars)


def canonical(node: Node) -> str:
    """Write a tree in its one form: single spaces, no needless parentheses, no argument that is the default.

    Parsing the text gives the tree back.
    """
    return _written(node)[0]


def number_text(value: float) -> str:
    """Write a constant in the shortest form that reads back as itself."""
    return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)


def _written(node: Node) -> tuple[str, int]:
    """Return the text and how tightly it holds together."""
    match node:
        case Number():
            return number_text(node.value), _ATOM_STRENGTH
        case Series():
            return node.name, _ATOM_STRENGTH
        case Call():
            return _call(node), _ATOM_STRENGTH
        case Previous():
            return f"{_within(node.operand, POSTFIX_STRENGTH)}[{node.bars}]", POSTFIX_STRENGTH
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


def _call(node: Call) -> str:
    function = FUNCTIONS[node.function]
    default = isinstance(function, SeriesFunction) and node.source == Series(function.default)
    if node.source is None or default:
        return f"{node.function}({node.period})"
    return f"{node.function}({canonical(node.source)}, {node.period})"
