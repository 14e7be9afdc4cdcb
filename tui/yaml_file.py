"""Flat YAML files that users write for the console: read with line numbers for the messages."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from engine.api import ConfigError


class FlatFile:
    """The mapping of a file and the line of each of its keys."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises ConfigError where it is missing, not YAML or not a mapping."""
        self.file = str(file)
        self.values: dict[str, Any] = {}
        self._lines: dict[str, int] = {}
        data = self._parse(file)
        if data is None:
            return
        if not isinstance(data, dict):
            raise ConfigError("expected `key: value` lines", file=self.file, line=1)
        self.values = {str(key): value for key, value in data.items()}
        for key in data:
            self._lines[str(key)] = data.lc.key(key)[0] + 1  # type: ignore[attr-defined]  # ruamel's CommentedMap

    def _parse(self, file: Path) -> Any:
        try:
            return YAML(typ="rt").load(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot be read: {error}", file=self.file) from error
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark is not None else 0
            problem = getattr(error, "problem", None) or str(error).splitlines()[0]
            raise ConfigError(f"is not valid YAML: {problem}", file=self.file, line=line) from error

    def error(self, key: str, message: str) -> ConfigError:
        """Return the error to raise about one key."""
        return ConfigError(message, file=self.file, line=self._lines.get(key, 0), field=key)
