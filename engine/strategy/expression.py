"""The rule language: text to a typed tree. docs/plays.md describes it for those who write plays.

A rule is a condition on numbers: `ema(12) crosses_above ema(26) and rsi(14) < 70`.

    series      close open high low volume hl2 hlc3 ohlc4; hour minute weekday (1 is monday) of the close, UTC
    time        `time between 08:00 and 16:30`, a type of its own; in_session(london)
    functions   those of the vocabulary, as `name(arguments)`, or `name(series, arguments)` for another series
                than the default one, which may be any number; `.output` for another output than the first
    language    abs min max; rising(x, n) falling(x, n); bars_since(condition); within_last(condition, n);
                known(x), whether x is there
    previous    `x[n]`, the value of x n bars ago
    timeframe   `x@1h`, x as of the last closed bar of one hour, for numbers and conditions
    legs        `eth.close`, `eth.ema(20)`: of another instrument of the play
    model       the forecast of the play's model, 0 to 1
    names       `$fast`: a parameter or definition of the file
    numbers     + - * / and parentheses
    conditions  < <= > >= == != crosses_above crosses_below, x between a and b; joined by and, or, not

From loosest to tightest: or; and; not; comparisons; + -; * /; unary -; @; [n].
`a crosses_above b` is true where a was not above b on the bar before and is above it now.

Missing values: a number is missing until its indicators have warmed up, where a division is by zero, and
where it is made of a missing number. A comparison with a missing number is neither true nor false; `and`,
`or` and `not` carry that on (three-valued logic), and a rule fires only where it is true. An indicator of a
number that is missing on a bar is missing there, too, and goes on with the next one present.
"""

from engine.domain.errors import ConfigError
from engine.domain.play import Rule
from engine.strategy.parser import Parser
from engine.strategy.scope import NOTHING, Scope
from engine.strategy.syntax import Condition, Node, Numeric, asks_model, canonical
from engine.strategy.tokens import fault, tokenize


def parse_rule(text: str, scope: Scope = NOTHING) -> Condition:
    """Parse the text of a rule. Raises ConfigError whose line and column count within the text."""
    return Parser(text, scope).rule()


def parse_definition(text: str, scope: Scope) -> Node:
    """Parse the text of a number or condition that rules refer to. Raises ConfigError as parse_rule does."""
    return Parser(text, scope).whole()


def canonical_rule(text: str, scope: Scope = NOTHING) -> Rule:
    """Check the text of a rule and return it in canonical form, in which it refers to no name.

    Raises ConfigError as parse_rule does, also for one that is too long once it is written out.
    """
    return Rule(_written_out(text, parse_rule(text, scope)))


def parse_price(text: str, scope: Scope = NOTHING) -> Numeric:
    """Parse the text of a number that is a price. Raises ConfigError as parse_rule does."""
    return Parser(text, scope).price()


def parse_feature(text: str, scope: Scope = NOTHING) -> Numeric:
    """Parse the text of a number that a model is given. Raises ConfigError as parse_rule does."""
    node = Parser(text, scope).feature()
    if asks_model(node):
        raise fault(text, 0, "a feature cannot be made of the model's own forecast")
    return node


def canonical_feature(text: str, scope: Scope = NOTHING) -> str:
    """Check the text of a feature and return it in canonical form, as canonical_rule does for a rule."""
    return _written_out(text, parse_feature(text, scope))


def canonical_price(text: str, scope: Scope = NOTHING) -> str:
    """Check the text of a price and return it in canonical form, as canonical_rule does for a rule."""
    return _written_out(text, parse_price(text, scope))


def _written_out(text: str, node: Node) -> str:
    written = canonical(node)
    try:
        tokenize(written)
    except ConfigError as error:
        raise fault(text, 0, f"with all that it refers to written out, {error.message}") from None
    return written
