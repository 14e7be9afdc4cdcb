"""YAML files that users write for the console, with the line of each value for the messages."""

from pathlib import Path

from engine.api import ConfigError, read_yaml


class UserFile:
    """The mapping that a file holds, and the line of each of its values."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises ConfigError where it is missing, not YAML, too large or not a mapping."""
        self.file = str(file)
        data, self._places = read_yaml(file)
        if data is not None and not isinstance(data, dict):
            raise ConfigError("expected `key: value` lines", file=self.file, line=1)
        self.values: dict[str, object] = data or {}

    def error(self, message: str, *path: str | int) -> ConfigError:
        """Return the error to raise about a value, or about what is missing in the one around it."""
        field = ".".join(str(part) for part in path if isinstance(part, str))
        line, _ = self._places.get(path, (0, 0))  # a column would be the value's, also where the key is wrong
        return ConfigError(message, file=self.file, line=line, field=field)
