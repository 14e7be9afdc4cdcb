"""What hot-reload knows over a restart: the last good version of each file, and what it refused."""

from pathlib import Path

import msgspec

from engine.domain.play import PlaySpec
from engine.storage.atomic import make_directory, write_whole

FILE = "reload.json"
BYTES_MAX = 16_777_216


class Remembered(msgspec.Struct, frozen=True):
    """What is known of one file. `refused` is the sha256 of a content, with why; empty where none stands."""

    good: PlaySpec | None = None
    refused: str = ""
    text: str = ""


class ReloadMemory:
    """Remembers by path in one file of a mode's folder; without a folder for as long as it lives."""

    def __init__(self, directory: Path | None = None) -> None:
        self._path = directory / FILE if directory is not None else None
        self._known = self._read()

    def of(self, path: Path) -> Remembered:
        """Return what is known of a file."""
        return self._known.get(str(path), Remembered())

    def good(self, path: Path, spec: PlaySpec) -> None:
        """Note a version that was loaded; what was refused before it counts no more. Raises OSError."""
        self._note(path, Remembered(spec))

    def refused(self, path: Path, content: str, text: str) -> None:
        """Note a content that is of no use. Raises OSError."""
        self._note(path, Remembered(self.of(path).good, content, text))

    def _note(self, path: Path, known: Remembered) -> None:
        if self.of(path) == known:
            return
        self._known = {**self._known, str(path): known}
        if self._path is not None:
            make_directory(self._path.parent)
            write_whole(self._path, msgspec.json.encode(self._known))

    def _read(self) -> dict[str, Remembered]:
        """Return what the file holds; one that cannot be read is as good as none."""
        if self._path is None:
            return {}
        try:
            if self._path.stat().st_size > BYTES_MAX:
                return {}
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Remembered])
        except (OSError, msgspec.DecodeError):
            return {}
