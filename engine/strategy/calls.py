"""Reading what has parentheses: the functions of the vocabulary, and those that the language itself has."""

from collections.abc import Callable

from engine.strategy.functions import Argument, ArgumentKind, Function
from engine.strategy.literals import number_text
from engine.strategy.reader import Reader
from engine.strategy.syntax import (
    TIME,
    BarsSince,
    Call,
    Clock,
    Comparison,
    Condition,
    Extent,
    Known,
    Logic,
    Node,
    Numeric,
    Series,
    Streak,
    WithinLast,
    canonical,
    constant_of,
)
from engine.strategy.tokens import Token, TokenKind
from engine.strategy.vocabulary import EXTENTS, PERIOD, SESSIONS, SPECIAL, STREAKS, suggestion

Expression = Callable[[], Node]  # reads one argument
Given = tuple[Token, Node]  # an argument and where it begins


def read_call(reader: Reader, expression: Expression, function: Function, leg: str, at: Token) -> Call:
    """Read the arguments of a function, and which of its outputs is meant."""
    given = _given(reader, expression)
    source: Numeric | None = None
    if function.series:
        source = Series(function.series, leg)
        if given and constant_of(given[0][1]) is None:
            start, node = given.pop(0)
            source = reader.number(node, start, f"{function.name} takes a series of numbers")
    arguments = _arguments(reader, function, given, at)
    return Call(function.name, source, arguments, _output(reader, function), "" if source else leg)


def read_special(reader: Reader, expression: Expression, at: Token) -> Node:
    """Read one of the language's own functions."""
    word, given = at.text, _given(reader, expression)
    shape = SPECIAL[word]
    if len(given) != shape.takes:
        raise reader.fault(at, f"{word} is written {shape.example}")
    start, first = given[0]
    if word in EXTENTS:
        return Extent(
            word, tuple(reader.number(node, place, f"{word} takes numbers") for place, node in given)
        )
    if word in STREAKS:
        operand = reader.number(first, start, f"{word} takes a number")
        return Streak(word, operand, whole(reader, f"the n of {word}", *given[1]))
    if word == "in_session":
        return _session(reader, given)
    if word == "known":
        return Known(reader.number(first, start, f"{word} takes a number"))
    condition = reader.condition(first, start, f"{word} takes a condition")
    if word == "bars_since":
        return BarsSince(condition)
    return WithinLast(condition, whole(reader, f"the n of {word}", *given[1]))


def between(operand: Numeric, low: Numeric, high: Numeric) -> Condition:
    """Return the test for a range, ends included; one of times may go past midnight."""
    over_midnight = isinstance(low, Clock) and isinstance(high, Clock) and low.minute > high.minute
    join = "or" if over_midnight else "and"
    return Logic(join, Comparison(">=", operand, low), Comparison("<=", operand, high))


def whole(reader: Reader, what: str, start: Token, node: Node) -> int:
    """Return a number of bars."""
    value = constant_of(node)
    if value is None or not PERIOD.takes(value):
        raise reader.fault(start, f"{what} is {PERIOD.rule}{_found(value)}")
    return int(value)


def _session(reader: Reader, given: list[Given]) -> Condition:
    ends = []
    for start, node in given:
        if not isinstance(node, Clock):
            raise reader.fault(start, f"in_session is written {SPECIAL['in_session'].example}")
        ends.append(node)
    return between(TIME, *ends)


def _given(reader: Reader, expression: Expression) -> list[Given]:
    """Read what stands in the parentheses; the name of a session is its two ends."""
    reader.expect("(")
    given: list[Given] = []
    if reader.take_if(")"):
        return given
    while True:
        start = reader.peek()
        if start.kind is TokenKind.WORD and start.text in SESSIONS:
            reader.take()
            given += [(start, Clock(minute)) for minute in SESSIONS[start.text]]
        else:
            given.append((start, expression()))
        if not reader.take_if(","):
            break
    reader.expect(")")
    return given


def _arguments(reader: Reader, function: Function, given: list[Given], at: Token) -> tuple[float, ...]:
    values: list[float] = []
    for number, argument in enumerate(function.arguments):
        if number < len(given):
            values.append(_argument(reader, function, argument, *given[number]))
        elif argument.default is None:
            raise reader.fault(at, f"{function.name} needs its {argument.name}, as in {function.example}")
        else:
            values.append(argument.default)
    if len(given) > len(values):
        raise reader.fault(given[len(values)][0], f"{function.name} is written {function.shape}")
    return tuple(values)


def _argument(reader: Reader, function: Function, argument: Argument, start: Token, node: Node) -> float:
    if argument.kind is ArgumentKind.CLOCK and isinstance(node, Clock):
        return node.minute
    value = constant_of(node)
    if value is not None and argument.takes(value):
        return int(value) if argument.kind is ArgumentKind.WHOLE else value
    if value is None and not function.series:
        raise reader.fault(
            start, f"{function.name} is written {function.shape}, and has no place for {canonical(node)!r}"
        )
    raise reader.fault(start, f"the {argument.name} of {function.name} is {argument.rule}{_found(value)}")


def _found(value: float | None) -> str:
    return "" if value is None else f", and is {number_text(value)}"


def _output(reader: Reader, function: Function) -> str:
    """Read `.signal`; nothing stands for the first output."""
    if not reader.take_if("."):
        return ""
    token = reader.take()
    if token.text in function.outputs:
        return "" if token.text == function.outputs[0] else token.text
    if not function.outputs:
        raise reader.fault(token, f"{function.name} has one value, and no .{token.text}")
    known = suggestion(token.text, function.outputs) or f"; it has .{', .'.join(function.outputs)}"
    raise reader.fault(token, f"{function.name} has no .{token.text}{known}")
