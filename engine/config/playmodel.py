"""The fields of a play file: what each may hold, and the PlaySpec they make."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from engine.domain.errors import ConfigError
from engine.domain.money import canonical
from engine.domain.play import BASE_TIMEFRAME, Distance, DistanceKind, PlaySpec, Rule, Sizing, SizingKind
from engine.execution.flatten import PLAY as FLATTEN_PLAY
from engine.strategy.expression import canonical_rule
from engine.strategy.scope import NOTHING, Scope
from engine.strategy.timeframes import TIMEFRAME
from engine.strategy.vocabulary import PERIOD_MAX, WORDS

ATR_PERIOD = 14
SYMBOLS_MAX = 10
NAMES_MAX = 100
RULE_ERROR, SENTENCE = "rule", "sentence"  # kinds of errors that carry a message of ours
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


def _checked_rule(text: str, info: ValidationInfo) -> str:
    """Return the canonical text of a rule; its errors carry their place in the text as it was written."""
    try:
        return canonical_rule(text, _around(info).scope).text
    except ConfigError as error:
        place = {"line": error.line, "column": error.column}
        raise PydanticCustomError(RULE_ERROR, "{message}", {"message": error.message, **place}) from None


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
_NAME, _TIMEFRAME = r"[a-z0-9_]{1,32}", rf"{BASE_TIMEFRAME}|{TIMEFRAME}"
_SYMBOL = r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,31}"
_Name = Annotated[
    str,
    _matching(_NAME, "must be 1 to 32 of a-z, 0-9 and _"),
    AfterValidator(_unreserved),
    _pattern(_NAME),
]
_Timeframe = Annotated[
    str,
    _matching(_TIMEFRAME, f"must be {BASE_TIMEFRAME}, or a whole number and s, m, h or d, as in 5m"),
    _pattern(_TIMEFRAME),
]
_Symbol = Annotated[
    str, _matching(_SYMBOL, "must be a symbol such as BTCUSDT or BTC/USDT:USDT"), _pattern(_SYMBOL)
]
_Leg = Annotated[
    str,
    _matching(LEG, "must be a word of letters, digits and _, as in eth"),
    AfterValidator(_leg),
    _pattern(LEG),
]
_RuleText = Annotated[str, AfterValidator(_checked_rule)]
_Fraction = Annotated[Decimal, Field(gt=0, le=1), _VALUED]
_Notional = Annotated[Decimal, Field(gt=0, le=10**15), _VALUED]
_Multiple = Annotated[Decimal, Field(gt=0, le=1_000), _VALUED]
_Percent = Annotated[Decimal, Field(gt=0, le=10_000), _VALUED]
_PercentDown = Annotated[Decimal, Field(gt=0, le=100), _VALUED]
_Period = Annotated[int, Field(ge=1, le=PERIOD_MAX, strict=True), _VALUED]
Value = Annotated[Decimal, Field(ge=-(10**15), le=10**15)]


class Section(BaseModel):
    """A part of a file: no other fields than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Size(Section):
    """How much an entry is worth."""

    notional: _Notional | None = None
    equity_fraction: _Fraction | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.notional is None) == (self.equity_fraction is None):
            raise ValueError("must hold either notional or equity_fraction")
        return self

    def to_sizing(self) -> Sizing:
        """Return it as the engine has it."""
        kind = SizingKind.EQUITY_FRACTION if self.notional is None else SizingKind.NOTIONAL
        value = self.equity_fraction if self.notional is None else self.notional
        assert value is not None, "one of the two was given"
        return Sizing(kind, Decimal(canonical(value)))


class Direction(Section):
    """When to open a position of one side, and when to close it."""

    enter: _RuleText | None = None
    exit: _RuleText | None = None

    @model_validator(mode="after")
    def _enters(self) -> Self:
        if self.enter is None:
            raise ValueError("must hold an enter rule; without one it never has anything to exit")
        return self


class TakeProfit(Section):
    """How far from the entry price a target lies."""

    percent: _Percent | None = None
    atr: _Multiple | None = None
    period: _Period | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.percent is None) == (self.atr is None):
            raise ValueError("must hold either percent or atr")
        if self.period is not None and self.atr is None:
            raise ValueError("a period belongs to atr")
        return self

    def to_distance(self) -> Distance:
        """Return it as the engine has it."""
        if self.percent is not None:
            return Distance(DistanceKind.PERCENT, float(self.percent))
        assert self.atr is not None, "one of the two was given"
        return Distance(DistanceKind.ATR, float(self.atr), self.period or ATR_PERIOD)


class StopLoss(TakeProfit):
    """How far from the entry price a stop lies; one of more than 100 percent could never be hit."""

    percent: _PercentDown | None = None


class ParameterFields(Section):
    """A number that rules and fields refer to as $name, and the range that it may be tried in."""

    default: Value
    min: Value | None = None
    max: Value | None = None
    step: Annotated[Decimal, Field(gt=0, le=10**15)] | None = None

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        low = self.default if self.min is None else self.min
        high = self.default if self.max is None else self.max
        if not low <= self.default <= high:
            raise ValueError("must have min, default and max in this order")
        return self


class PlayModel(Section):
    """A play file. `params` and `define` are read before it, into its surroundings."""

    name: _Name
    timeframe: _Timeframe = BASE_TIMEFRAME
    symbols: Annotated[tuple[_Symbol, ...], Field(max_length=SYMBOLS_MAX)] = ()
    legs: Annotated[tuple[_Leg, ...], Field(max_length=SYMBOLS_MAX)] = ()
    params: Any = None
    define: Any = None
    size: Size
    long: Direction | None = None
    short: Direction | None = None
    stop_loss: StopLoss | None = None
    take_profit: TakeProfit | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.long is None and self.short is None:
            raise ValueError("must hold long or short, with an enter rule: this play never trades")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("must name each of its symbols once")
        if len(set(self.legs)) < len(self.legs):
            raise ValueError("must name each of its legs once")
        if self.symbols and len(self.symbols) != max(1, len(leg_names(self.symbols, self.legs))):
            legs = "a name for each of its symbols in legs, as in legs: [btc, eth]"
            raise ValueError(f"must hold {legs}; the first one is traded, rules write eth.close")
        return self

    def to_spec(self) -> PlaySpec:
        """Return the play as the engine has it."""
        long, short = self.long or _NEITHER, self.short or _NEITHER
        return PlaySpec(
            name=self.name,
            symbols=self.symbols,
            legs=_several(leg_names(self.symbols, self.legs)),
            timeframe=self.timeframe,
            sizing=self.size.to_sizing(),
            long_entry=_rule(long.enter),
            long_exit=_rule(long.exit),
            short_entry=_rule(short.enter),
            short_exit=_rule(short.exit),
            stop_loss=_distance(self.stop_loss),
            take_profit=_distance(self.take_profit),
        )


def leg_names(symbols: tuple[str, ...], legs: tuple[str, ...]) -> tuple[str, ...]:
    """Return what rules call the symbols: their legs, else themselves; nothing where these are no names."""
    names = legs or symbols
    return names if all(re.fullmatch(LEG, name) and name not in WORDS for name in names) else ()


def _several(legs: tuple[str, ...]) -> tuple[str, ...]:
    """A play on one symbol has no legs: what its rules call it does not count."""
    return legs if len(legs) > 1 else ()


_NEITHER = Direction.model_construct()


def _rule(text: str | None) -> Rule | None:
    return None if text is None else Rule(text)


def _distance(section: TakeProfit | None) -> Distance | None:
    return None if section is None else section.to_distance()
