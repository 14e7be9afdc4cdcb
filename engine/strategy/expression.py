"""The rule language: text to a typed tree.

A rule is a condition on numbers: `ema(12) crosses_above ema(26) and rsi(14) < 70`.

    series      close open high low volume hl2 hlc3 ohlc4
    functions   ema sma rsi (of close), highest (of high), lowest (of low), atr: `name(period)`, or
                `name(series, period)` for another series, which may be any number: `sma(high - low, 20)`
    previous    `x[n]`, the value of x n bars ago
    numbers     + - * / and parentheses
    conditions  < <= > >= == != crosses_above crosses_below, joined by and, or, not

From loosest to tightest: or; and; not; comparisons; + -; * /; unary -; [n].
`a crosses_above b` is true where a was not above b on the bar before and is above it now.

Missing values: a number is missing until its indicators have warmed up, where a division is by zero, and
where it is made of a missing number. A comparison with a missing number is neither true nor false; `and`,
`or` and `not` carry that on (three-valued logic), and a rule fires only where it is true. An indicator of a
number that is missing on a bar is missing there, too, and goes on with the next one present.
"""

from typing import Final

from engine.domain.errors import ConfigError
from engine.domain.play import Rule
from engine.strategy.syntax import (
    NEGATIVE_STRENGTH,
    STRENGTH,
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Numeric,
    Series,
    canonical,
    is_constant,
    previous,
)
from engine.strategy.tokens import Token, TokenKind, fault, tokenize
from engine.strategy.vocabulary import (
    CROSSES,
    FUNCTIONS,
    PERIOD_MAX,
    SERIES,
    WORDS,
    SeriesFunction,
    suggestion,
)

NESTING_MAX = 40
_COMPARISON_STRENGTH: Final = STRENGTH["<"]
_LOGIC_STRENGTH: Final = STRENGTH["and"]
_PERIOD_RULE: Final = f"{{}} is a whole number from 1 to {PERIOD_MAX:,}"
_KNOWN: Final = f"; there is {', '.join((*SERIES, *FUNCTIONS))}"
_SHAPE: Final = ("a series, then a period, as in {}(close, 20)", "a period only, as in {}(14)")


def parse_rule(text: str) -> Condition:
    """Parse the text of a rule. Raises ConfigError whose line and column count within the text."""
    return _Parser(text).rule()


def canonical_rule(text: str) -> Rule:
    """Check the text of a rule and return it in canonical form. Raises ConfigError as parse_rule does."""
    return Rule(canonical(parse_rule(text)))


class _Parser:
    """A Pratt parser: one method reads a value, one goes on while operators bind tightly enough."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._next = 0
        self._nesting = 0

    def rule(self) -> Condition:
        start = self._peek()
        if start.kind is TokenKind.END:
            raise self._fault(start, "the rule is empty")
        node = self._expression(0)
        rest = self._peek()
        if rest.kind is not TokenKind.END:
            raise self._unexpected(rest)
        return self._condition(node, start, "a rule is a condition")

    def _expression(self, strength: int) -> Node:
        """Read as far as operators bind more tightly than `strength`."""
        self._nesting += 1
        if self._nesting > NESTING_MAX:
            raise self._fault(self._peek(), f"the rule is nested more than {NESTING_MAX} deep")
        start = self._peek()
        left = self._prefix()
        while STRENGTH.get(self._peek().text, 0) > strength and self._peek().text != "not":
            operator = self._take()
            left = self._infix(operator, left, start)
        self._nesting -= 1
        return left

    def _infix(self, operator: Token, left: Node, start: Token) -> Node:
        word, strength = operator.text, STRENGTH[operator.text]
        right_start = self._peek()
        right = self._expression(strength)
        if strength <= _LOGIC_STRENGTH:
            rule = f"{word!r} joins conditions"
            return Logic(word, self._condition(left, start, rule), self._condition(right, right_start, rule))
        if strength == _COMPARISON_STRENGTH and isinstance(left, Comparison):
            raise self._fault(operator, "comparisons do not chain; write a < b and b < c")
        rule = f"{word!r} takes numbers"
        pair = self._number(left, start, rule), self._number(right, right_start, rule)
        return Comparison(word, *pair) if strength == _COMPARISON_STRENGTH else Arithmetic(word, *pair)

    def _prefix(self) -> Node:
        token = self._peek()
        if token.text == "not":
            self._take()
            start = self._peek()
            return Not(
                self._condition(self._expression(STRENGTH["not"] - 1), start, "'not' turns a condition round")
            )
        if token.text == "-":
            self._take()
            start = self._peek()
            return Negative(self._number(self._expression(NEGATIVE_STRENGTH), start, "'-' takes a number"))
        return self._postfix(self._primary(), token)

    def _postfix(self, node: Node, start: Token) -> Node:
        while self._peek().text == "[":
            self._take()
            operand = self._number(node, start, "[n] takes a number")
            node = previous(operand, self._period("the n of [n]"))
            self._expect("]")
            if node.bars > PERIOD_MAX:
                raise self._fault(start, f"[n] looks back at most {PERIOD_MAX:,} bars")
        return node

    def _primary(self) -> Node:
        token = self._take()
        match token.kind:
            case TokenKind.NUMBER:
                return Number(self._value(token))
            case TokenKind.WORD:
                return self._named(token)
            case _ if token.text == "(":
                node = self._expression(0)
                self._expect(")")
                return node
            case _:
                raise self._unexpected(token)

    def _named(self, token: Token) -> Numeric:
        word = token.text
        called = self._peek().text == "("
        if word in FUNCTIONS:
            if not called:
                raise self._fault(token, f"{word} needs a period, as in {word}(20)")
            return self._call(token)
        if word not in SERIES:
            if word in STRENGTH:
                raise self._unexpected(token)
            raise self._fault(token, f"there is no {word!r}{suggestion(word) or _KNOWN}")
        if called:
            raise self._fault(token, f"{word} is a series and takes no parentheses")
        return Series(word)

    def _call(self, token: Token) -> Call:
        self._expect("(")
        word, function = token.text, FUNCTIONS[token.text]
        source: Numeric | None = Series(function.default) if isinstance(function, SeriesFunction) else None
        if not self._at_period():
            start = self._peek()
            if start.text == ")":
                raise self._fault(start, f"{word} needs a period, as in {word}(20)")
            given = self._number(self._expression(0), start, f"{word} takes a series of numbers")
            if source is None:
                raise self._fault(start, f"{word} takes {_SHAPE[True].format(word)}")
            if is_constant(given):
                raise self._fault(start, _PERIOD_RULE.format(f"the period of {word}"))
            if self._peek().text != ",":
                raise self._fault(
                    start, f"{word} needs a period after its series, as in {word}({canonical(given)}, 20)"
                )
            self._take()
            source = given
        period = self._period(f"the period of {word}")
        if self._peek().text == ",":
            raise self._fault(self._peek(), f"{word} takes {_SHAPE[source is None].format(word)}")
        self._expect(")")
        return Call(word, source, period)

    def _at_period(self) -> bool:
        """Tell whether a number alone comes next: the period, and not the begin of a series."""
        return self._peek().kind is TokenKind.NUMBER and self._tokens[self._next + 1].text in {")", ",", ""}

    def _period(self, what: str) -> int:
        token = self._take()
        whole = (
            token.kind is TokenKind.NUMBER
            and token.text.isdigit()
            and len(token.text) <= len(str(PERIOD_MAX))
        )
        period = int(token.text) if whole else 0
        if not 1 <= period <= PERIOD_MAX:
            raise self._fault(token, _PERIOD_RULE.format(what))
        return period

    def _value(self, token: Token) -> float:
        value = float(token.text)
        if value > 1e200:
            raise self._fault(token, f"{token.text} is too large")
        return value

    def _number(self, node: Node, start: Token, rule: str) -> Numeric:
        if isinstance(node, Condition):
            raise self._fault(start, f"{rule}, and {canonical(node)!r} is a condition")
        return node

    def _condition(self, node: Node, start: Token, rule: str) -> Condition:
        if not isinstance(node, Condition):
            raise self._fault(start, f"{rule}, and {canonical(node)!r} is a number; compare it with another")
        return node

    def _expect(self, mark: str) -> None:
        token = self._take()
        if token.text != mark:
            raise self._fault(
                token, f"{mark!r} is missing before {token.text!r}" if token.text else f"{mark!r} is missing"
            )

    def _unexpected(self, token: Token) -> ConfigError:
        if token.kind is TokenKind.END:
            return self._fault(token, "the rule ends where a value should follow")
        known = token.kind is not TokenKind.WORD or token.text in WORDS
        hint = "" if known else suggestion(token.text, (*CROSSES, "and", "or", "not"))
        return self._fault(token, f"{token.text!r} cannot stand here{hint}")

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _fault(self, token: Token, message: str) -> ConfigError:
        return fault(self._text, token.at, message)
