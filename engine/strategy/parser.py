"""The grammar of a rule: what binds what, and of which type."""

from typing import Final

from engine.strategy.calls import between, read_call, read_special, whole
from engine.strategy.literals import clock_minute
from engine.strategy.reader import Reader, kind_of
from engine.strategy.scope import Scope
from engine.strategy.syntax import (
    NEGATIVE_STRENGTH,
    STRENGTH,
    Arithmetic,
    Clock,
    Coarse,
    CoarseTest,
    Comparison,
    Condition,
    Forecast,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Numeric,
    Previous,
    Series,
    asks_model,
    canonical,
    constant_of,
    is_constant,
    is_time,
    legs_of,
    previous,
    timeframes_of,
)
from engine.strategy.timeframes import COARSE_MAX_NS, is_timeframe, misfit, step_of, timeframe_of
from engine.strategy.tokens import Token, TokenKind
from engine.strategy.vocabulary import (
    CROSSES,
    DAYS,
    FUNCTIONS,
    MODEL,
    PERIOD_MAX,
    SERIES,
    SPECIAL,
    TIMES,
    WORDS,
    suggestion,
)

NESTING_MAX = 40
_COMPARISON_STRENGTH: Final = STRENGTH["<"]
_LOGIC_STRENGTH: Final = STRENGTH["and"]
_KNOWN: Final = f"; series are {', '.join(SERIES)}; functions are in docs/plays.md"


class Parser:
    """A Pratt parser: one method reads a value, one goes on while operators bind tightly enough."""

    def __init__(self, text: str, scope: Scope) -> None:
        self._reader = Reader(text, scope)
        self._scope = scope
        self._nesting = 0
        self._leg = ""  # whose series are meant where none is named

    def rule(self) -> Condition:
        """Read a whole text that must be a condition."""
        start = self._reader.peek()
        return self._reader.condition(self.whole(), start, "a rule is a condition")

    def price(self) -> Numeric:
        """Read a whole text that must be a number."""
        start = self._reader.peek()
        return self._reader.number(self.whole(), start, "a price is a number")

    def feature(self) -> Numeric:
        """Read a whole text that must be a number that a model can be given."""
        start = self._reader.peek()
        return self._reader.number(self.whole(), start, "a feature is a number")

    def whole(self) -> Node:
        """Read a whole text of any type."""
        reader = self._reader
        if reader.peek().kind is TokenKind.END:
            raise reader.fault(reader.peek(), "the rule is empty")
        node = self._expression()
        if reader.peek().kind is not TokenKind.END:
            raise reader.unexpected(reader.peek())
        return node

    def _expression(self, strength: int = 0) -> Node:
        """Read as far as operators bind more tightly than `strength`."""
        reader = self._reader
        self._nesting += 1
        start = reader.peek()
        if self._nesting > NESTING_MAX:
            raise reader.fault(start, f"the rule is nested more than {NESTING_MAX} deep")
        left = self._prefix()
        while STRENGTH.get(reader.peek().text, 0) > strength and reader.peek().text != "not":
            left = self._infix(reader.take(), left, start)
        self._nesting -= 1
        return left

    def _infix(self, operator: Token, left: Node, start: Token) -> Node:
        reader, word, strength = self._reader, operator.text, STRENGTH[operator.text]
        right_start = reader.peek()
        right = self._expression(strength)
        if strength <= _LOGIC_STRENGTH:
            rule = f"{word!r} joins conditions"
            return Logic(
                word, reader.condition(left, start, rule), reader.condition(right, right_start, rule)
            )
        if strength > _COMPARISON_STRENGTH:
            rule = f"{word!r} takes numbers"
            return Arithmetic(word, reader.number(left, start, rule), reader.number(right, right_start, rule))
        if isinstance(left, Comparison):
            raise reader.fault(operator, "comparisons do not chain; write a < b and b < c, or between")
        if word == "between":
            return self._between(left, start, right, right_start)
        return self._compared(word, left, start, right, right_start)

    def _compared(self, word: str, left: Node, start: Token, right: Node, right_start: Token) -> Comparison:
        """Numbers are compared with numbers, times of day with times of day."""
        reader = self._reader
        if is_time(left) and word not in CROSSES:
            if not is_time(right):
                text = f"time is compared with a time of day such as 08:30, and {canonical(right)!r}"
                raise reader.fault(right_start, f"{text} is a {kind_of(right)}")
            assert not isinstance(left, Condition), "a time is no condition"
            assert not isinstance(right, Condition), "a time is no condition"
            return Comparison(word, left, right)
        rule = f"{word!r} takes numbers"
        return Comparison(word, reader.number(left, start, rule), reader.number(right, right_start, rule))

    def _between(self, left: Node, start: Token, low: Node, low_start: Token) -> Condition:
        """Read the upper end; `x between a and b` is two comparisons."""
        reader = self._reader
        if not reader.take_if("and"):
            raise reader.fault(reader.peek(), "'between' takes two ends, as in rsi(14) between 40 and 60")
        high_start = reader.peek()
        high = self._expression(_COMPARISON_STRENGTH)
        above = self._compared(">=", left, start, low, low_start)
        below = self._compared("<=", left, start, high, high_start)
        return between(above.left, above.right, below.right)

    def _prefix(self) -> Node:
        reader = self._reader
        token = reader.peek()
        if reader.take_if("not"):
            start, operand = reader.peek(), self._expression(STRENGTH["not"] - 1)
            return Not(reader.condition(operand, start, "'not' turns a condition round"))
        if reader.take_if("-"):
            start, operand = reader.peek(), self._expression(NEGATIVE_STRENGTH)
            return Negative(reader.number(operand, start, "'-' takes a number"))
        return self._postfix(self._primary(), token)

    def _postfix(self, node: Node, start: Token) -> Node:
        reader = self._reader
        while reader.peek().text == "[":
            node = self._back(node, start)
        if reader.peek().kind is TokenKind.FRAME:
            node = self._coarse(node, start)
            if reader.peek().text == "[":
                written = canonical(node)
                frame = written.rpartition("@")[2]
                text = f"which bar is meant? write x[n]@{frame} to go back bars of {frame}"
                raise reader.fault(reader.peek(), f"{text}, ({written})[n] to go back the play's own bars")
        return node

    def _back(self, node: Node, start: Token) -> Previous:
        """Read [n]. A bar that has not closed yet cannot be written."""
        reader = self._reader
        reader.take()
        operand = reader.number(node, start, "[n] takes a number")
        count_start, count = reader.peek(), self._expression(_COMPARISON_STRENGTH)
        ahead = constant_of(count)
        if ahead is not None and ahead < 0:
            text = f"[{canonical(count)}] looks ahead, at a bar that has not closed yet"
            raise reader.fault(count_start, f"{text}; [n] counts bars back")
        looked = previous(operand, whole(reader, "the n of [n]", count_start, count))
        reader.expect("]")
        if looked.bars > PERIOD_MAX:
            raise reader.fault(start, f"[n] looks back at most {PERIOD_MAX:,} bars")
        return looked

    def _coarse(self, node: Node, start: Token) -> Coarse | CoarseTest:
        """Read @1h."""
        reader, token = self._reader, self._reader.take()
        written = token.text[1:]
        if not is_timeframe(written) or step_of(written) > COARSE_MAX_NS:
            text = f"must be a whole number and s, m, h or d, as in @1h, up to @{timeframe_of(COARSE_MAX_NS)}"
            raise reader.fault(token, f"a timeframe {text}")
        timeframe = timeframe_of(step_of(written))
        trouble = misfit(timeframe, self._scope.step_ns)
        if trouble:
            raise reader.fault(token, trouble)
        if is_constant(node) or not legs_of(node):
            raise reader.fault(start, f"{canonical(node)!r} is the same on every timeframe")
        if asks_model(node):
            raise reader.fault(start, "a model sees the play's own bars; put timeframes on its features")
        if timeframes_of(node):
            raise reader.fault(token, f"{canonical(node)!r} has a timeframe already")
        if len(legs_of(node)) > 1:
            raise reader.fault(
                token, "a timeframe is one leg's; write it on each, as in close@1h / eth.close@1h"
            )
        return CoarseTest(node, timeframe) if isinstance(node, Condition) else Coarse(node, timeframe)

    def _primary(self) -> Node:
        reader = self._reader
        token = reader.take()
        match token.kind:
            case TokenKind.NUMBER:
                return Number(self._value(token))
            case TokenKind.CLOCK:
                return self._clock(token)
            case TokenKind.NAME:
                return reader.named(token)
            case TokenKind.WORD:
                return self._word(token)
            case _ if token.text == "(":
                node = self._expression()
                reader.expect(")")
                return node
            case _:
                raise reader.unexpected(token)

    def _word(self, token: Token) -> Node:
        reader, word = self._reader, token.text
        if word in self._scope.legs:
            if not reader.take_if("."):
                raise reader.fault(token, f"{word} is a leg; write {word}.close or {word}.ema(20)")
            leg = "" if word == self._scope.legs[0] else word
            return self._of_leg(reader.take(), leg)
        if word in SPECIAL:
            self._need_parentheses(token, SPECIAL[word].example)
            return read_special(reader, self._expression, token)
        if word in DAYS:
            return Number(DAYS.index(word) + 1.0)
        if word in TIMES:
            return Series(word)
        if word == MODEL:
            return self._forecast(token)
        return self._of_leg(token, self._leg)

    def _forecast(self, token: Token) -> Forecast:
        if not self._scope.model:
            text = "there is no model here; a play that asks one names it under model:"
            raise self._reader.fault(token, text)
        if self._reader.peek().text == "(":
            raise self._reader.fault(token, f"{MODEL} is a number and takes no parentheses")
        return Forecast()

    def _of_leg(self, token: Token, leg: str) -> Node:
        """Read a series or a function of a leg."""
        reader, word = self._reader, token.text
        function = FUNCTIONS.get(word)
        if function is not None:
            self._need_parentheses(token, function.example)
            outer, self._leg = self._leg, leg
            call = read_call(reader, self._expression, function, leg, token)
            self._leg = outer
            return call
        if word not in SERIES or word in TIMES:
            raise self._unknown(token)
        if reader.peek().text == "(":
            raise reader.fault(token, f"{word} is a series and takes no parentheses")
        return Series(word, leg)

    def _need_parentheses(self, token: Token, example: str) -> None:
        if self._reader.peek().text != "(":
            raise self._reader.fault(token, f"{token.text} is a function, as in {example}")

    def _unknown(self, token: Token) -> Exception:
        reader, word = self._reader, token.text
        if word in STRENGTH or word in TIMES or token.kind is not TokenKind.WORD:
            return reader.unexpected(token)
        if reader.peek().text == ".":
            legs = ", ".join(self._scope.legs) or "none: name them under legs:"
            return reader.fault(token, f"there is no leg {word!r}; there is {legs}")
        names = [f"${name}" for name in self._scope.names]
        hint = (
            f"; did you mean ${word}?"
            if f"${word}" in names
            else suggestion(word, (*WORDS, *names, *self._scope.legs))
        )
        return reader.fault(token, f"there is no {word!r}{hint or _KNOWN}")

    def _value(self, token: Token) -> float:
        value = float(token.text)
        if value > 1e200:
            raise self._reader.fault(token, f"{token.text} is too large")
        return value

    def _clock(self, token: Token) -> Clock:
        minute = clock_minute(token.text)
        if minute is None:
            raise self._reader.fault(token, f"{token.text} is no time of day from 00:00 to 24:00")
        return Clock(minute)
