"""The names of a play file: parameters, which are numbers, and definitions, which are parts of rules."""

import re
from collections.abc import Mapping
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, localcontext
from typing import Any

import msgspec
from pydantic import ValidationError

from engine.config.packaged import did_you_mean
from engine.config.playfields import NAME, NAMES_MAX, Surroundings
from engine.config.playmodel import ParameterFields, leg_names
from engine.config.playreport import Report
from engine.domain.errors import ConfigError
from engine.domain.money import canonical
from engine.domain.play import BASE_TIMEFRAME
from engine.strategy.expression import parse_definition
from engine.strategy.scope import Named, Scope
from engine.strategy.syntax import Negative, Number
from engine.strategy.timeframes import is_timeframe, step_of
from engine.strategy.tokens import TokenKind, tokenize

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero])  # what it cannot hold, it refuses
ANY = Named(Number(1.0))  # stands for what is wrong


class Parameter(msgspec.Struct, frozen=True):
    """A number that a play may be tried with other values of, within its range where it has one."""

    name: str
    value: Decimal
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    step: Decimal | None = None

    def refuses(self, value: Decimal) -> str:
        """Say why a value cannot be taken; empty where it can."""
        low, high = self.minimum, self.maximum
        if value.is_finite() and (low is None or low <= value) and (high is None or value <= high):
            return self._off_grid(value)
        ends = [f"at least {canonical(low)}"] if low is not None else []
        ends += [f"at most {canonical(high)}"] if high is not None else []
        return f"must be {' and '.join(ends) or 'a number'}, and is set to {value}"

    def _off_grid(self, value: Decimal) -> str:
        """Say which values of the grid lie beside one that is none of them.

        The grid begins at the minimum; without one, at the default (which `value` is before it is replaced).
        """
        if self.step is None:
            return ""
        origin = self.value if self.minimum is None else self.minimum
        try:
            with localcontext(EXACT):
                rest = (value - origin) % self.step
                if not rest:
                    return ""
                below = value - (rest if rest > 0 else rest + self.step)
                near = [each for each in (below, below + self.step) if not self.refuses(each)]
        except ArithmeticError:
            return f"cannot be held against steps of {self.step}: {value} has too many digits beside it"
        beside = " or ".join(canonical(each) for each in near)
        grid = f"must be a whole number of steps of {canonical(self.step)} from {canonical(origin)}"
        return f"{grid}, and is set to {canonical(value)}; nearest: {beside}"


class Names:
    """Reads what a file names, before its fields are checked; collects what is wrong with that."""

    def __init__(self, data: Mapping[str, Any], report: Report, overrides: Mapping[str, Decimal]) -> None:
        self.problems: list[ConfigError] = []
        self.parameters: dict[str, Parameter] = {}
        self._broken: set[str] = set()
        self._report = report
        self._names: dict[str, Named] = {}
        timeframe = data.get("timeframe", BASE_TIMEFRAME)
        known = isinstance(timeframe, str) and is_timeframe(timeframe)
        self._legs = leg_names(_texts(data.get("symbols")), _texts(data.get("legs")))
        self._step_ns = step_of(timeframe) if known else 0
        self._model = isinstance(data.get("model"), dict)
        self._read_parameters(self._section(data, "params"), overrides)
        self._read_definitions(self._section(data, "define"))

    @property
    def surroundings(self) -> Surroundings:
        """What the fields may refer to."""
        values = {name: each.value for name, each in self.parameters.items()}
        return Surroundings(self._scope, dict.fromkeys(self._broken, Decimal(1)) | values)

    def is_echo(self, rule: str) -> bool:
        """Tell whether a rule refers to a name that is wrong: what is said of that need not be said again."""
        return not self._broken.isdisjoint(_referred(rule))

    @property
    def _scope(self) -> Scope:
        return Scope(self._legs, self._names, self._step_ns, self._model)

    def _section(self, data: Mapping[str, Any], field: str) -> dict[str, Any]:
        """Return what a section names."""
        section = data.get(field)
        if section is None:
            return {}
        if not isinstance(section, dict):
            self._say((field,), "must hold names, as in params: {fast: 12}")
            return {}
        if len(section) > NAMES_MAX:
            self._say((field,), f"must hold at most {NAMES_MAX} names")
        for name in section:
            if not re.fullmatch(NAME, name):
                self._say(
                    (field, name), "a name is 1 to 32 of a-z, 0-9 and _, and does not begin with a digit"
                )
        return section

    def _say(self, path: tuple[str, ...], message: str) -> None:
        self.problems.append(self._report.at(path, message))

    def _read_parameters(self, section: Mapping[str, Any], overrides: Mapping[str, Decimal]) -> None:
        for name, written in section.items():
            parameter = self._parameter(name, written)
            if parameter is None:
                self._break(name)
                continue
            value = overrides.get(name, parameter.value)
            refused = parameter.refuses(parameter.value)
            if refused:
                self._say(("params", name, "default"), refused)
            elif refused := parameter.refuses(value):
                self._say(("params", name), refused)
            if refused:
                self._break(name)
                continue
            self.parameters[name] = msgspec.structs.replace(parameter, value=value)
            size = Number(abs(float(value)))
            self._names[name] = Named(size) if value >= 0 else Named(Negative(size), 2)
        for name in overrides:
            if name not in section:
                hint = did_you_mean(name, list(section)) or "; the play has none"
                self._say(("params",), f"there is no parameter {name!r}{hint}")

    def _parameter(self, name: str, written: Any) -> Parameter | None:
        """Read `12` or `{default: 12, min: 5, max: 50, step: 1}`."""
        short = not isinstance(written, dict)
        try:
            fields = ParameterFields.model_validate({"default": written} if short else written)
        except ValidationError as error:
            for item in error.errors():
                path: tuple[str, ...] = ("params", name)
                if short:
                    item["loc"] = ()
                self.problems.append(self._report.found(item, path, ParameterFields))
            return None
        return Parameter(name, fields.default, fields.min, fields.max, fields.step)

    def _read_definitions(self, section: Mapping[str, Any]) -> None:
        """Read each definition after those that it refers to; a round of them refers to itself."""
        waiting: dict[str, tuple[str, set[str]]] = {}
        for name, text in section.items():
            if name in self._names:
                self._say(("define", name), "is the name of a parameter, too; choose another one")
            elif not isinstance(text, str):
                self._break(name)
                self._say(("define", name), f"must be a text, and is {text!r:.60}")
            else:
                waiting[name] = text, _referred(text)
        while waiting:
            ready = [name for name, (_, refers) in waiting.items() if not refers & waiting.keys()]
            if not ready:
                self._say_round(waiting)
                return
            for name in ready:
                self._define(name, waiting.pop(name)[0])

    def _define(self, name: str, text: str) -> None:
        if self.is_echo(text):
            self._break(name)
            return
        try:
            self._names[name] = Named.of(parse_definition(text, self._scope))
        except ConfigError as error:
            place = error.line, error.column
            self.problems.append(self._report.in_rule(("define", name), text, error.message, place))
            self._break(name)

    def _say_round(self, waiting: Mapping[str, tuple[str, set[str]]]) -> None:
        """Name a round of definitions, from the first one in the file that is part of one."""
        seen: list[str] = []
        name = next(iter(waiting))
        while name not in seen:
            seen.append(name)
            name = next(other for other in waiting if other in waiting[name][1])
        path = [*seen[seen.index(name) :], name]
        self._say(("define", name), f"refers to itself: {' -> '.join(f'${each}' for each in path)}")
        for each in waiting:
            self._break(each)

    def _break(self, name: str) -> None:
        self._names[name] = ANY
        self._broken.add(name)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _referred(text: str) -> set[str]:
    """Return the names that a text refers to; one that cannot be cut into words refers to none."""
    try:
        return {token.text[1:] for token in tokenize(text) if token.kind is TokenKind.NAME}
    except ConfigError:
        return set()
