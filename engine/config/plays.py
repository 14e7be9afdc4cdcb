"""Play files: YAML to a PlaySpec, with every problem of a file named by line, column and field.

    name: ema_cross                       # a-z 0-9 _
    timeframe: base                       # the data's own step, or 30s, 5m, 1h, 1d ...
    symbols: [BTCUSDT, ETHUSDT]           # optional; without it, the data decides
    legs: [btc, eth]                      # what rules call the symbols; the first one is traded
    params: {fast: {default: 12, min: 5, max: 50}}
    define: {uptrend: "ema(50)@1h > ema(200)@1h"}
    size: {notional: 1000}                # or {equity_fraction: 0.5}
    long: {enter: RULE, exit: RULE}       # either side, or both
    short: {enter: RULE, exit: RULE}
    stop_loss: {percent: 2}               # optional, as take_profit; or {atr: 2, period: 14}
    take_profit: {percent: 4}
    model: {file: drift.npz, features: [rsi(14)], horizon: 12}   # then rules may say model > 0.6

Rules are written in the language of engine/strategy/expression.py. Rules, definitions and numbers may refer
to parameters as `$fast`, rules and definitions to definitions as `$uptrend`.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError

from engine.config.modelpart import read_model, weights_path
from engine.config.playfields import RULE_ERROR
from engine.config.playmodel import PlayModel
from engine.config.playnames import Names, Parameter
from engine.config.playreport import Report, together
from engine.config.yamlfile import Positions, load_yaml, read_text
from engine.domain.errors import ConfigError
from engine.domain.play import ModelRef, PlaySpec
from engine.strategy.legs import evaluator_of
from engine.strategy.model import UNASKED

if TYPE_CHECKING:
    from engine.models.checkpoint import Checkpoint


class LoadedPlay(msgspec.Struct, frozen=True):
    """A play, the parameters it was compiled with, and the model that it asks."""

    spec: PlaySpec
    parameters: tuple[Parameter, ...]
    model: "Checkpoint | None" = None
    weights: Path | None = None  # where the model's weights are, or would be


def load_play(path: Path, overrides: Mapping[str, Decimal] | None = None) -> PlaySpec:
    """Read and check a play file; `overrides` are values of parameters in the place of the defaults.

    Raises one ConfigError that names every problem.
    """
    return read_play(path, overrides).spec


def read_play(path: Path, overrides: Mapping[str, Decimal] | None = None) -> LoadedPlay:
    """Read and check a play file as load_play does; return its parameters and its model, too.

    Raises UnsettledError, a ConfigError, where nothing but the model's two files is wrong, which do not go
    together or are not there.
    """
    return _parsed(read_text(path), str(path), overrides or {})


def read_untrained(path: Path, overrides: Mapping[str, Decimal] | None = None) -> LoadedPlay:
    """Read a play whose model need not be there yet, as read_play reads one."""
    return _parsed(read_text(path), str(path), overrides or {}, trained=False)


def parse_play(text: str, file: str, overrides: Mapping[str, Decimal] | None = None) -> PlaySpec:
    """Check the text of a play; `file` is its name in errors. Raises one ConfigError naming every problem."""
    return _parsed(text, file, overrides or {}).spec


def _parsed(text: str, file: str, overrides: Mapping[str, Decimal], *, trained: bool = True) -> LoadedPlay:
    data, positions = _read_yaml(text, file)
    if not isinstance(data, dict):
        found = "the file is empty" if data is None else "this is not a play"
        raise ConfigError(f"{found}; a play is written as `name: value` lines", file=file, line=1)
    report = Report(text, file, positions)
    names = Names(data, report, overrides)
    try:
        fields = PlayModel.model_validate(data, context=names.surroundings)
    except ValidationError as error:
        raise together([*names.problems, *_others(error, names, report)]) from None
    if names.problems:
        raise together(names.problems)
    spec, model = fields.to_spec(), None
    if spec.model is not None and fields.model is not None and trained:
        spec, model = _with_model(spec, spec.model, fields.model.file, report)
    _require_bearable(spec, file)
    weights = None if fields.model is None else weights_path(Path(file), fields.model.file)
    return LoadedPlay(spec, tuple(names.parameters.values()), model, weights)


def _with_model(
    spec: PlaySpec, wanted: ModelRef, written: str, report: Report
) -> "tuple[PlaySpec, Checkpoint]":
    """Read the model of a play. Raises ConfigError at the field of the section that is wrong."""
    try:
        found, model = read_model(Path(report.file), written, wanted)
    except ConfigError as error:
        place = report.at(("model", error.field), error.message)
        kind, field = type(error), place.field
        raise kind(
            place.message, file=place.file, line=place.line, column=place.column, field=field
        ) from None
    return msgspec.structs.replace(spec, model=found), model


def _require_bearable(spec: PlaySpec, file: str) -> None:
    """Raise ConfigError where the rules are right one by one, and too much together."""
    try:
        evaluator_of(spec, *(spec.legs or ("",)), models=UNASKED)
    except ConfigError as error:
        raise ConfigError(error.message, file=file, line=1) from None


def _read_yaml(text: str, file: str) -> tuple[Any, Positions]:
    """Parse the text; within braces YAML takes brackets and commas for its own, which is easily missed."""
    try:
        return load_yaml(text, file)
    except ConfigError as error:
        if "flow mapping" not in error.message:
            raise
        message = f"{error.message}; within {{ }} a rule is written in quotes"
        raise ConfigError(message, file=file, line=error.line, column=error.column) from None


def _others(error: ValidationError, names: Names, report: Report) -> list[ConfigError]:
    """Return what is wrong besides the names."""
    items = error.errors()
    own = [i for i in items if i["type"] != RULE_ERROR or not names.is_echo(str(i["input"]))]
    return [report.found(item, ()) for item in own]
