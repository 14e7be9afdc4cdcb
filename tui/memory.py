"""What the console remembers between two starts; losing it costs nothing."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from tui.atomic import replace_text


class Remembered(msgspec.Struct, kw_only=True):
    """The file's content. Fields that a newer console wrote are dropped."""

    layouts: dict[str, str] = {}
    welcomed: bool = False


class Memory:
    """A small JSON file in the state folder. A file that cannot be read or written is as good as none."""

    def __init__(self, file: Path | None) -> None:
        """`file` of None remembers nothing."""
        self._file = file
        self._content = Remembered()
        if file is not None:
            with suppress(OSError, ValueError):  # not JSON, not UTF-8, not of this form
                self._content = msgspec.json.decode(file.read_bytes(), type=Remembered)

    def layouts(self) -> dict[str, str]:
        """Return the layout used last at each class of width, by its name."""
        return dict(self._content.layouts)

    def keep_layouts(self, chosen: Mapping[str, str]) -> None:
        """Remember the layouts in use."""
        self._content.layouts = dict(chosen)
        self._write()

    @property
    def welcomed(self) -> bool:
        """Whether somebody has read the first page."""
        return self._content.welcomed

    def keep_welcomed(self) -> None:
        """Remember that the first page was read."""
        self._content.welcomed = True
        self._write()

    def _write(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.parent.mkdir(parents=True, exist_ok=True)
                replace_text(self._file, msgspec.json.encode(self._content).decode() + "\n")
