"""Settings from their layers: packaged default < profile < user file < environment < flags.

Every value remembers where it was written, so that an error names file and line, variable or flag.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.config.packaged import (
    absolute,
    data_path,
    did_you_mean,
    file_path,
    named_file,
    play_path,
    user_config_dir,
)
from engine.config.settings import DataFile, Settings
from engine.config.yamlfile import FieldPath, Positions, field_name, load_yaml, read_yaml
from engine.domain.errors import ConfigError
from engine.domain.modes import Mode

ENV_PREFIX = "TRADER_TUI_"
ENV_SEPARATOR = "__"
# Real money is asked for on the command line each time, and so is trading without a further word.
SAID_ONLY: dict[str, frozenset[object]] = {
    "mode": frozenset({Mode.LIVE}),
    "arm": frozenset({True}),
    "confirm": frozenset({True}),
}
REPEATED = {"plays": "--play", "shadows": "--shadow", "symbols": "--symbol"}
SHOWN_MAX = 60  # characters of a refused value


class Source(NamedTuple):
    """Where a value was written: a file with its line and column, a variable, or a flag."""

    name: str
    line: int = 0
    column: int = 0
    base: Path = Path()  # what relative paths in it are relative to


class Layer(NamedTuple):
    """One layer's values and the sources of all of them."""

    data: dict[str, Any]
    sources: dict[FieldPath, Source]


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    env: Mapping[str, str] | None = None,
    user_file: Path | None = None,
    without: tuple[str, ...] = (),
) -> Settings:
    """Merge the layers and check the result.

    `flags` maps field names, nested ones with dots (`console.theme`), to what was said on the command line.
    A flag of None and an empty variable were not said. Unless given, `env` is the process's own environment
    and `user_file` the user's config.yaml. Sections named in `without` are left out of both. Raises one
    ConfigError that names every problem and its source.
    """
    said = flag_layer({key: value for key, value in (flags or {}).items() if value is not None})
    variables = env_layer(os.environ if env is None else env)
    written = user_layer(user_file)
    for section in without:
        variables.data.pop(section, None)
        written.data.pop(section, None)
    default = file_layer(data_path("configs/default.yaml"))
    if said.data.get("mode") in SAID_ONLY["mode"]:
        default.data.pop("plays", None)  # real money never goes to a play that nobody named
    named = profile_layer(default, written, variables, said)
    return check((default, named, written, variables, said))


def file_layer(path: Path) -> Layer:
    """Read a settings file; an empty one says nothing. Raises ConfigError."""
    data, positions = read_yaml(path)
    if data is None:
        return Layer({}, {})
    if not isinstance(data, dict):
        raise ConfigError("settings are written as `name: value` lines", file=str(path), line=1)
    return Layer(data, _file_sources(path, positions))


def user_layer(path: Path | None) -> Layer:
    """Read the user's settings file; without one given, that of the config directory, which may be absent."""
    if path is not None:
        return file_layer(path)
    usual = user_file()
    return file_layer(usual) if usual.is_file() else Layer({}, {})


def user_file() -> Path:
    """Return where the user's settings file is, or would be."""
    return user_config_dir() / "config.yaml"


def profile_layer(*others: Layer) -> Layer:
    """Read the profile that the highest of the other layers names; none is fine. Raises ConfigError."""
    for layer in reversed(others):
        name = layer.data.get("profile")
        if name is None:
            continue
        if name == "":
            break
        try:
            return file_layer(named_file("configs", "profiles", str(name), "profile"))
        except ConfigError as error:
            if error.file:
                raise
            raise _located(error.message, ("profile",), layer.sources) from None
    return Layer({}, {})


def env_layer(env: Mapping[str, str]) -> Layer:
    """Read variables such as `TRADER_TUI_LIMITS__OPEN_ORDERS_MAX`. Raises ConfigError for a broken list."""
    layer = Layer({}, {})
    for variable in sorted(env):
        if variable.startswith(ENV_PREFIX) and env[variable]:
            path = tuple(variable.removeprefix(ENV_PREFIX).lower().split(ENV_SEPARATOR))
            value = _env_value(env[variable], variable)
            _put(layer, path, value, Source(variable, base=Path.cwd()))
    return layer


def flag_name(setting: str) -> str:
    """Return the flag that sets a setting; one that may be repeated is named for one of its values."""
    return REPEATED.get(setting) or f"--{setting.replace('_', '-')}"


def flag_layer(flags: Mapping[str, Any]) -> Layer:
    """Take what was said on the command line."""
    layer = Layer({}, {})
    for name, value in flags.items():
        path = tuple(name.split("."))
        _put(layer, path, value, Source(flag_name(path[-1]), base=Path.cwd()))
    return layer


def check(layers: tuple[Layer, ...]) -> Settings:
    """Merge layers, lowest first, check them, and make their paths absolute. Raises ConfigError."""
    data: dict[str, Any] = {}
    sources: dict[FieldPath, Source] = {}
    for layer in layers:
        _merge(data, layer.data)
        sources = _replaced(sources, layer)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise _together([_explained(item, sources) for item in error.errors()]) from None
    problems = list(_refused(settings, layers[-1], sources))
    located = _with_paths(settings, sources, problems)
    if problems:
        raise _together(problems)
    return located


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Lay one layer over another: sections merge, everything else replaces."""
    for key, value in above.items():
        if isinstance(value, dict):
            inner = below.get(key)
            if not isinstance(inner, dict):
                inner = below[key] = {}
            _merge(inner, value)
        else:
            below[key] = value


def _replaced(sources: dict[FieldPath, Source], layer: Layer) -> dict[FieldPath, Source]:
    """Lay a layer's sources over those below, forgetting the items of lists that it replaces."""
    gone = set(_values(layer.data))
    kept = {
        path: source
        for path, source in sources.items()
        if not any(path[:length] in gone for length in range(1, len(path) + 1))
    }
    return kept | layer.sources


def _values(data: Mapping[str, Any], path: FieldPath = ()) -> Iterator[FieldPath]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _values(value, (*path, key))
        else:
            yield (*path, key)


def _put(layer: Layer, path: tuple[str, ...], value: Any, source: Source) -> None:
    section = layer.data
    for name in path[:-1]:
        inner = section.get(name)
        if not isinstance(inner, dict):
            inner = section[name] = {}
        section = inner
    section[path[-1]] = value
    layer.sources[path] = source


def _env_value(text: str, variable: str) -> Any:
    """Text stays text; lists, mappings and null are written as in YAML."""
    if text.strip() in {"null", "~"}:
        return None
    if not text.lstrip().startswith(("[", "{")):
        return text
    return load_yaml(text, variable)[0]


def _file_sources(path: Path, positions: Positions) -> dict[FieldPath, Source]:
    base = path.absolute().parent
    return {field: Source(str(path), line, column, base) for field, (line, column) in positions.items()}


def _source_of(path: FieldPath, sources: Mapping[FieldPath, Source]) -> Source:
    """Return where the field, or else the nearest section around it, was written."""
    for length in range(len(path), 0, -1):
        if path[:length] in sources:
            return sources[path[:length]]
    return sources[()]  # the default's, at least


def _located(message: str, path: FieldPath, sources: Mapping[FieldPath, Source]) -> ConfigError:
    at = _source_of(path, sources)
    field = "" if at.name.startswith("--") else field_name(path)  # a flag names its field already
    return ConfigError(message, file=at.name, line=at.line, column=at.column, field=field)


def _explained(item: ErrorDetails, sources: Mapping[FieldPath, Source]) -> ConfigError:
    """Turn one finding of pydantic into a sentence of ours."""
    path: FieldPath = item["loc"]
    if item["type"] == "extra_forbidden":
        known = sorted(_section_at(path[:-1]).model_fields)
        return _located(f"there is no such setting{did_you_mean(str(path[-1]), known)}", path, sources)
    if item["type"] == "missing":
        return _located("this setting must be given", path, sources)
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    got = repr(item["input"])
    return _located(f"{message} (got {got if len(got) <= SHOWN_MAX else '...'})", path, sources)


def _section_at(path: FieldPath) -> type[BaseModel]:
    section: type[BaseModel] = Settings
    for part in path:
        if isinstance(part, int):
            return DataFile
        inner = section.model_fields[part].annotation if part in section.model_fields else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return section


def _refused(settings: Settings, said: Layer, sources: Mapping[FieldPath, Source]) -> Iterator[ConfigError]:
    """Yield what a file or variable decided that only a person at the command line may."""
    for name, values in SAID_ONLY.items():
        value = getattr(settings, name)
        if value in values and name not in said.data:
            yield _located(f"{str(value).lower()} is chosen on the command line only", (name,), sources)


def _with_paths(
    settings: Settings, sources: Mapping[FieldPath, Source], problems: list[ConfigError]
) -> Settings:
    """Make plays, data files and the state directory absolute; collect those that are not there."""

    def found(find: Callable[[str, Path], Path], written: Path, field: FieldPath) -> Path:
        try:
            return find(str(written), _source_of(field, sources).base)
        except ConfigError as error:
            problems.append(_located(error.message, field, sources))
            return written

    update: dict[str, Any] = {
        **{
            name: tuple(found(play_path, play, (name, at)) for at, play in enumerate(getattr(settings, name)))
            for name in ("plays", "shadows")
        },
        "data": tuple(
            entry.model_copy(update={"path": found(file_path, entry.path, ("data", at))})
            for at, entry in enumerate(settings.data)
        ),
    }
    for name in ("state_dir", "keys_file"):
        written: Path | None = getattr(settings, name)
        if written is not None:
            update[name] = absolute(str(written), _source_of((name,), sources).base)
    return settings.model_copy(update=update)


def _together(problems: list[ConfigError]) -> ConfigError:
    """Return the one problem, or one error that lists them all."""
    if len(problems) == 1:
        return problems[0]
    lines = "\n".join(f"  {problem}" for problem in problems)
    return ConfigError(f"{len(problems)} settings cannot be used:\n{lines}")
