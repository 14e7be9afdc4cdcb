"""YAML as users write it: plain values with the place of each, within limits, and errors that name theirs."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.domain.errors import ConfigError

SIZE_MAX_KB = 256
NODES_MAX = 20_000
ALIASES_MAX = 100
DEPTH_MAX = 32
OPEN_MAX = 200  # brackets open at once, wherever they stand: the parser takes their square in time
_BRACKET = re.compile(r"[\[\]{}]")

FieldPath = tuple[str | int, ...]
Positions = dict[FieldPath, tuple[int, int]]

_TAG = "tag:yaml.org,2002:"
_INT_BASES = {"0x": 16, "0o": 8, "0b": 2}


def load_yaml(text: str, file: str) -> tuple[Any, Positions]:
    """Parse one YAML 1.2 document into plain dicts, lists and scalars.

    The positions map the path of every field to (line, column), both from 1: those of the value where it is a
    scalar, those of the key where it is a mapping or a list. Dates stay text. Raises ConfigError.
    """
    if len(text.encode(errors="replace")) > SIZE_MAX_KB * 1024:
        raise ConfigError(f"the file is larger than {SIZE_MAX_KB} kB", file=file)
    if _opens_too_many(text):
        raise ConfigError(f"values are nested more than {DEPTH_MAX} deep", file=file)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise _syntax_error(error, file) from None
    except YAMLError as error:
        raise ConfigError(f"this is not YAML: {' '.join(str(error).split())}", file=file) from None
    except RecursionError:
        raise ConfigError(f"values are nested more than {DEPTH_MAX} deep", file=file) from None
    reader = _Reader(file)
    data = None if root is None else reader.value(root, (), _place(root))
    return data, reader.positions


def _opens_too_many(text: str) -> bool:
    """Tell whether more brackets are open at once than any file of ours nests, those in strings included."""
    opened = 0
    for bracket in _BRACKET.finditer(text):
        opened = opened + 1 if bracket[0] in "[{" else max(0, opened - 1)
        if opened > OPEN_MAX:
            return True
    return False


def read_yaml(path: Path) -> tuple[Any, Positions]:
    """Read and parse a YAML file. Raises ConfigError for a file that cannot be read, too."""
    return load_yaml(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Read a UTF-8 file, no further than just past the limit of load_yaml. Raises ConfigError."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(SIZE_MAX_KB * 1024 + 1)
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file is not UTF-8 text (byte {error.start})", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {error.strerror}", file=str(path)) from None


def field_name(path: FieldPath) -> str:
    """Write a path as users do: `rules[0].when`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class _Reader:
    """Walks composed nodes; counts them, so that a few aliases cannot grow into millions of values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.positions: Positions = {}
        self._count = 0
        self._aliases = 0
        self._seen: set[int] = set()

    def value(self, node: Node, path: FieldPath, place: tuple[int, int]) -> Any:
        self._check_limits(node, path)
        self.positions[path] = place
        match node:
            case ScalarNode():
                return self._scalar(node, path)
            case SequenceNode():
                self._check_tag(node, "seq", path)
                return [self.value(item, (*path, at), _place(item)) for at, item in enumerate(node.value)]
            case MappingNode():
                self._check_tag(node, "map", path)
                return self._mapping(node, path)
            case _:
                raise AssertionError(f"YAML has no node {type(node).__name__}")

    def _mapping(self, node: MappingNode, path: FieldPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            inner = (*path, key)
            if key in data:
                first = self.positions[inner][0]
                raise self._error(f"the key is already in line {first}", inner, key_node)
            at = value_node if isinstance(value_node, ScalarNode) and value_node.value else key_node
            data[key] = self.value(value_node, inner, _place(at))
        return data

    def _key(self, node: Node, path: FieldPath) -> str:
        if not isinstance(node, ScalarNode):
            raise self._error("a key must be a word", path, node)
        if node.tag == f"{_TAG}merge":
            raise self._error("merge keys (<<) are not read; write the fields out", path, node)
        return str(node.value)

    def _scalar(self, node: ScalarNode, path: FieldPath) -> Any:
        kind = str(node.tag).removeprefix(_TAG)
        convert = _SCALARS.get(kind)
        if convert is None:
            raise self._error(f"the tag !{kind} is not read; write a plain value", path, node)
        try:
            return convert(str(node.value))
        except ValueError:
            raise self._error(f"{node.value!r} is not a {kind}", path, node) from None

    def _check_tag(self, node: Node, kind: str, path: FieldPath) -> None:
        if node.tag != f"{_TAG}{kind}":
            raise self._error(f"the tag {node.tag} is not read; write a plain value", path, node)

    def _check_limits(self, node: Node, path: FieldPath) -> None:
        self._count += 1
        self._aliases += id(node) in self._seen
        self._seen.add(id(node))
        if len(path) > DEPTH_MAX:
            raise self._error(f"values are nested more than {DEPTH_MAX} deep", path[:3], node)
        if self._aliases > ALIASES_MAX:
            raise self._error(f"more than {ALIASES_MAX} values come from aliases", path[:3], node)
        if self._count > NODES_MAX:
            raise self._error(f"there are more than {NODES_MAX} values", path[:3], node)

    def _error(self, message: str, path: FieldPath, node: Node) -> ConfigError:
        line, column = _place(node)
        return ConfigError(message, file=self.file, line=line, column=column, field=field_name(path))


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _syntax_error(error: MarkedYAMLError, file: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    message = " ".join(part for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return ConfigError(f"this is not YAML: {message}", file=file, line=line, column=column)


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    return sign * int(digits, _INT_BASES.get(digits[:2], 10))


def _float(text: str) -> float:
    number = text.replace("_", "").lower()
    if number.lstrip("+-") == ".inf":
        return -math.inf if number.startswith("-") else math.inf
    return math.nan if number == ".nan" else float(number)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "null": lambda _text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": _float,
    "str": str,
    "timestamp": str,
}
