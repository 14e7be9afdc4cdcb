"""The kinds of fields in a play file: numbers within bounds, names, rules and prices of the rule language."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from engine.domain.errors import ConfigError
from engine.domain.play import BASE_TIMEFRAME, TRADE_TIMEFRAME
from engine.execution.flatten import PLAY as FLATTEN_PLAY
from engine.strategy.expression import canonical_feature, canonical_price, canonical_rule
from engine.strategy.scope import NOTHING, Scope
from engine.strategy.timeframes import TIMEFRAME
from engine.strategy.vocabulary import PERIOD_MAX, WORDS

SYMBOLS_MAX = 10
NAMES_MAX = 100
# Kinds of errors that carry a message of ours; the last one also where in the section it belongs.
RULE_ERROR, SENTENCE, MISPLACED = "rule", "sentence", "misplaced"
RULE, PRICE, NUMBER = "rule", "price", "number"  # what the schema calls a text of the rule language
NAME = r"[a-z_][a-z0-9_]{0,31}"
LEG = r"[A-Za-z_][A-Za-z0-9_]{0,31}"


class Surroundings(msgspec.Struct, frozen=True):
    """What the fields of one file may refer to: for rules a scope, for numbers the parameters' values."""

    scope: Scope = NOTHING
    parameters: Mapping[str, Decimal] = {}


def _around(info: ValidationInfo) -> Surroundings:
    assert isinstance(info.context, Surroundings), "a play is checked in its surroundings"
    return info.context


def _matching(pattern: str, sentence: str) -> AfterValidator:
    """Return a check of a text against a pattern."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _pattern(pattern: str) -> WithJsonSchema:
    """Return what a schema says of the same check."""
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})$"})


def misplaced(message: str, *path: str | int) -> PydanticCustomError:
    """Return an error of a whole section that belongs to one of its fields."""
    return PydanticCustomError(MISPLACED, "{message}", {"message": message, "path": path})


def _checked_rule(text: str, info: ValidationInfo) -> str:
    """Return the canonical text of a rule; its errors carry their place in the text as it was written."""
    try:
        return canonical_rule(text, _around(info).scope).text
    except ConfigError as error:
        raise _in_rule(error) from None


def _checked_price(text: str, info: ValidationInfo) -> str:
    """Return the canonical text of a price, as _checked_rule does that of a rule."""
    try:
        return canonical_price(text, _around(info).scope)
    except ConfigError as error:
        raise _in_rule(error) from None


def _checked_feature(text: str, info: ValidationInfo) -> str:
    """Return the canonical text of a number that a model is given, as _checked_rule does that of a rule."""
    try:
        return canonical_feature(text, _around(info).scope)
    except ConfigError as error:
        raise _in_rule(error) from None


def _in_rule(error: ConfigError) -> PydanticCustomError:
    place = {"line": error.line, "column": error.column}
    return PydanticCustomError(RULE_ERROR, "{message}", {"message": error.message, **place})


def _valued(value: Any, info: ValidationInfo) -> Any:
    """Return the value of a parameter where one is named."""
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    around = _around(info)
    found = around.parameters.get(value[1:])
    if found is not None:
        return int(found) if found == found.to_integral_value() else found
    known = ", ".join(f"${name}" for name in around.parameters) or "none"
    if value[1:] in around.scope.names:
        text = f"{value} is a definition, and a field takes a parameter; there is {known}"
    else:
        text = f"there is no parameter {value}; there is {known}"
    raise PydanticCustomError(SENTENCE, "{message}", {"message": text})


def _leg(value: str) -> str:
    if value in WORDS:
        raise ValueError(f"{value!r} is a word of the rule language; choose another name")
    return value


def _unreserved(value: str) -> str:
    if value == FLATTEN_PLAY:
        raise ValueError(f"{value!r} is the name under which a flatten trades; choose another")
    return value


_VALUED = BeforeValidator(_valued)  # a number that may be written as a parameter
_NAME, _TIMEFRAME = r"[a-z0-9_]{1,32}", rf"{BASE_TIMEFRAME}|{TRADE_TIMEFRAME}|{TIMEFRAME}"
_SYMBOL = r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,31}"
Name = Annotated[
    str,
    _matching(_NAME, "must be 1 to 32 of a-z, 0-9 and _"),
    AfterValidator(_unreserved),
    _pattern(_NAME),
]
Timeframe = Annotated[
    str,
    _matching(
        _TIMEFRAME,
        f"must be {BASE_TIMEFRAME}, {TRADE_TIMEFRAME}, or a whole number and s, m, h or d, as in 5m",
    ),
    _pattern(_TIMEFRAME),
]
Symbol = Annotated[
    str, _matching(_SYMBOL, "must be a symbol such as BTCUSDT or BTC/USDT:USDT"), _pattern(_SYMBOL)
]
Leg = Annotated[
    str,
    _matching(LEG, "must be a word of letters, digits and _, as in eth"),
    AfterValidator(_leg),
    _pattern(LEG),
]
Duration = Annotated[
    str,
    _matching(TIMEFRAME, "must be a whole number and s, m, h or d, as in 4h"),
    _pattern(TIMEFRAME),
]
RuleText = Annotated[str, AfterValidator(_checked_rule), WithJsonSchema({"type": "string", "format": RULE})]
PriceText = Annotated[
    str, AfterValidator(_checked_price), WithJsonSchema({"type": "string", "format": PRICE})
]
FeatureText = Annotated[
    str, AfterValidator(_checked_feature), WithJsonSchema({"type": "string", "format": NUMBER})
]
Fraction = Annotated[Decimal, Field(gt=0, le=1), _VALUED]
Notional = Annotated[Decimal, Field(gt=0, le=10**15), _VALUED]
Multiple = Annotated[Decimal, Field(gt=0, le=1_000), _VALUED]
Percent = Annotated[Decimal, Field(gt=0, le=10_000), _VALUED]
PercentDown = Annotated[Decimal, Field(gt=0, le=100), _VALUED]
Period = Annotated[int, Field(ge=1, le=PERIOD_MAX, strict=True), _VALUED]
Count = Annotated[int, Field(ge=1, le=1_000, strict=True), _VALUED]
Profit = Annotated[Decimal, Field(ge=-10_000, le=10_000), _VALUED]
Offset = Annotated[Decimal, Field(ge=0, le=100), _VALUED]
Factor = Annotated[Decimal, Field(gt=0, le=10), _VALUED]
Flag = Annotated[bool, Field(strict=True)]
Value = Annotated[Decimal, Field(ge=-(10**15), le=10**15)]


class Section(BaseModel):
    """A part of a file: no other fields than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)
