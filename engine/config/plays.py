"""Play files: YAML to a PlaySpec, with every problem of a file named by line, column and field.

    name: ema_cross                       # a-z 0-9 _
    timeframe: base                       # the data's own step, or 30s, 5m, 1h, 1d ...
    symbols: [BTCUSDT]                    # optional; without it, the data decides
    size: {notional: 1000}                # or {equity_fraction: 0.5}
    long: {enter: RULE, exit: RULE}       # either side, or both
    short: {enter: RULE, exit: RULE}
    stop_loss: {percent: 2}               # optional, as take_profit; or {atr: 2, period: 14}
    take_profit: {percent: 4}

Rules are written in the language of engine/strategy/expression.py.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from engine.config.packaged import did_you_mean
from engine.config.yamlfile import FieldPath, Positions, field_name, load_yaml, read_text
from engine.domain.errors import ConfigError
from engine.domain.money import canonical
from engine.domain.play import BASE_TIMEFRAME, Distance, DistanceKind, PlaySpec, Rule, Sizing, SizingKind
from engine.strategy.expression import canonical_rule
from engine.strategy.vocabulary import PERIOD_MAX

ATR_PERIOD = 14
_RULE_ERROR = "rule"


def load_play(path: Path) -> PlaySpec:
    """Read and check a play file. Raises one ConfigError that names every problem."""
    return parse_play(read_text(path), str(path))


def parse_play(text: str, file: str) -> PlaySpec:
    """Check the text of a play; `file` is its name in errors. Raises one ConfigError naming every problem."""
    data, positions = load_yaml(text, file)
    if not isinstance(data, dict):
        found = "the file is empty" if data is None else "this is not a play"
        raise ConfigError(f"{found}; a play is written as `name: value` lines", file=file, line=1)
    try:
        return _Play.model_validate(data).to_spec()
    except ValidationError as error:
        report = _Report(text, file, positions)
        raise _together([report.explained(item) for item in error.errors()]) from None


def _matching(pattern: str, sentence: str) -> AfterValidator:
    """Return a check of a text against a pattern."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


def _checked_rule(text: str) -> str:
    """Return the canonical text of a rule; its errors carry their place in the text as it was written."""
    try:
        return canonical_rule(text).text
    except ConfigError as error:
        place = {"line": error.line, "column": error.column}
        raise PydanticCustomError(_RULE_ERROR, "{message}", {"message": error.message, **place}) from None


_Name = Annotated[str, _matching(r"[a-z0-9_]{1,32}", "must be 1 to 32 of a-z, 0-9 and _")]
_Timeframe = Annotated[
    str,
    _matching(
        rf"{BASE_TIMEFRAME}|[1-9][0-9]{{0,3}}[smhd]",
        f"must be {BASE_TIMEFRAME}, or a whole number and s, m, h or d, as in 5m",
    ),
]
_Symbol = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,31}", "must be a symbol such as BTCUSDT or BTC/USDT:USDT")
]
_RuleText = Annotated[str, AfterValidator(_checked_rule)]
_Fraction = Annotated[Decimal, Field(gt=0, le=1)]
_Notional = Annotated[Decimal, Field(gt=0, le=10**15)]
_Multiple = Annotated[Decimal, Field(gt=0, le=1_000)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Size(_Section):
    notional: _Notional | None = None
    equity_fraction: _Fraction | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.notional is None) == (self.equity_fraction is None):
            raise ValueError("must hold either notional or equity_fraction")
        return self

    def to_sizing(self) -> Sizing:
        kind = SizingKind.EQUITY_FRACTION if self.notional is None else SizingKind.NOTIONAL
        value = self.equity_fraction if self.notional is None else self.notional
        assert value is not None, "one of the two was given"
        return Sizing(kind, Decimal(canonical(value)))


class _Direction(_Section):
    enter: _RuleText | None = None
    exit: _RuleText | None = None

    @model_validator(mode="after")
    def _enters(self) -> Self:
        if self.enter is None:
            raise ValueError("must hold an enter rule; without one it never has anything to exit")
        return self


class _Distance(_Section):
    percent: Annotated[Decimal, Field(gt=0, le=10_000)] | None = None
    atr: _Multiple | None = None
    period: Annotated[int, Field(ge=1, le=PERIOD_MAX, strict=True)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.percent is None) == (self.atr is None):
            raise ValueError("must hold either percent or atr")
        if self.period is not None and self.atr is None:
            raise ValueError("a period belongs to atr")
        return self

    def to_distance(self) -> Distance:
        if self.percent is not None:
            return Distance(DistanceKind.PERCENT, float(self.percent))
        assert self.atr is not None, "one of the two was given"
        return Distance(DistanceKind.ATR, float(self.atr), self.period or ATR_PERIOD)


class _StopLoss(_Distance):
    percent: Annotated[Decimal, Field(gt=0, le=100)] | None = None


class _Play(_Section):
    name: _Name
    timeframe: _Timeframe = BASE_TIMEFRAME
    symbols: Annotated[tuple[_Symbol, ...], Field(max_length=50)] = ()
    size: _Size
    long: _Direction | None = None
    short: _Direction | None = None
    stop_loss: _StopLoss | None = None
    take_profit: _Distance | None = None

    @model_validator(mode="after")
    def _trades_something(self) -> Self:
        if self.long is None and self.short is None:
            raise ValueError("must hold long or short, with an enter rule: this play never trades")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("must name each of its symbols once")
        return self

    def to_spec(self) -> PlaySpec:
        long, short = self.long or _NEITHER, self.short or _NEITHER
        return PlaySpec(
            name=self.name,
            symbols=self.symbols,
            timeframe=self.timeframe,
            sizing=self.size.to_sizing(),
            long_entry=_rule(long.enter),
            long_exit=_rule(long.exit),
            short_entry=_rule(short.enter),
            short_exit=_rule(short.exit),
            stop_loss=_distance(self.stop_loss),
            take_profit=_distance(self.take_profit),
        )


_NEITHER = _Direction.model_construct()


def _rule(text: str | None) -> Rule | None:
    return None if text is None else Rule(text)


def _distance(section: _Distance | None) -> Distance | None:
    return None if section is None else section.to_distance()


class _Report:
    """Turns what pydantic found into sentences of ours, each with its place in the file."""

    def __init__(self, text: str, file: str, positions: Positions) -> None:
        self._lines = text.split("\n")
        self._file, self._positions = file, positions

    def explained(self, item: ErrorDetails) -> ConfigError:
        """Return one problem."""
        path = tuple(item["loc"])
        line, column = self._place(path)
        context = item.get("ctx", {})
        if item["type"] == _RULE_ERROR:
            return self._of_rule(path, str(item["input"]), context)
        sentence = _SENTENCES.get(item["type"], _as_pydantic_says)
        message = sentence(item, path)
        return ConfigError(message, file=self._file, line=line, column=column, field=field_name(path))

    def _place(self, path: FieldPath) -> tuple[int, int]:
        """Return where the field, or else the nearest section around it, was written."""
        return next(
            self._positions[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self._positions
        )

    def _of_rule(self, path: FieldPath, rule: str, error: dict[str, Any]) -> ConfigError:
        """Point into a rule that is written in one line; else say where in the rule it is."""
        line, column = self._place(path)
        message, rest = str(error["message"]), self._lines[line - 1][column - 1 :]
        lead = next((skip for skip in (0, 1) if rest[skip:].startswith(rule)), None)
        if lead is not None:
            column += lead + error["column"] - 1
        elif error["line"] > 1:
            message += f" (line {error['line']}, column {error['column']} of the rule)"
        else:
            message += f" (column {error['column']} of the rule)"
        return ConfigError(message, file=self._file, line=line, column=column, field=field_name(path))


def _together(problems: list[ConfigError]) -> ConfigError:
    """Return one error that lists all problems in the order of the file, one a line."""
    first, *others = sorted(problems, key=lambda problem: (problem.line, problem.column))
    message = "\n".join([first.message, *(str(problem) for problem in others)])
    return ConfigError(message, file=first.file, line=first.line, column=first.column, field=first.field)


def _as_pydantic_says(item: ErrorDetails, _path: FieldPath) -> str:
    return item["msg"].removeprefix("Value error, ").replace("Input should", "must")


def _unknown(_item: ErrorDetails, path: FieldPath) -> str:
    return f"there is no such field{did_you_mean(str(path[-1]), list(_section_at(path[:-1]).model_fields))}"


def _no_section(item: ErrorDetails, path: FieldPath) -> str:
    fields = ", ".join(_section_at(path).model_fields)
    return f"must hold fields ({fields}), and is {item['input']!r:.60}"


def _must(what: str) -> Callable[[ErrorDetails, FieldPath], str]:
    """Return a sentence that names the bound, where there is one, and what was found."""

    def sentence(item: ErrorDetails, _path: FieldPath) -> str:
        return f"must be {what.format(**item.get('ctx', {}))}, and is {item['input']!r:.60}"

    return sentence


_SENTENCES: dict[str, Callable[[ErrorDetails, FieldPath], str]] = {
    "extra_forbidden": _unknown,
    "missing": lambda _item, _path: "must be given",
    "model_type": _no_section,
    "string_type": _must("a text"),
    "tuple_type": _must("a list, as in [BTCUSDT]"),
    "decimal_type": _must("a number"),
    "decimal_parsing": _must("a number"),
    "finite_number": _must("a number"),
    "int_type": _must("a whole number"),
    "greater_than": _must("more than {gt}"),
    "greater_than_equal": _must("at least {ge}"),
    "less_than_equal": _must("at most {le}"),
}


def _section_at(path: FieldPath) -> type[BaseModel]:
    """Return the model that describes a section of a play."""
    section: type[BaseModel] = _Play
    for part in path:
        section = next(_models(section.model_fields[str(part)].annotation))
    return section


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind
