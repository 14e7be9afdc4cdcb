"""Takes up changes of the theme's and the keymap's files while the console runs."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

FILE_BYTES_MAX = 262_144
WATCH_S = 1.0


class FileWatch:
    """Tells of files whose content is another one, once two looks in a row found it the same.

    A file that is missing, empty or too large is as good as unchanged: editors put a new one in its place.
    One that was not there at the first look counts as changed when it comes.
    """

    def __init__(self, files: Callable[[], tuple[Path | None, ...]]) -> None:
        """`files` tells which ones count now; None stands for one that does not."""
        self._files = files
        self._seen: dict[Path, str] = {}
        self._settled: dict[Path, str] = {}

    async def changed(self) -> tuple[Path, ...]:
        """Look at every file, in a thread; return those to read again."""
        found = []
        for path in filter(None, self._files()):
            content = await asyncio.to_thread(_content, path)
            self._settled.setdefault(path, content)
            if not content:
                continue
            before, self._seen[path] = self._seen.get(path), content
            if content == before and content != self._settled[path]:
                self._settled[path] = content
                found.append(path)
        return tuple(found)


def _content(path: Path) -> str:
    """Return the sha256 of a file, empty where there is nothing to read."""
    try:
        if not path.is_file() or path.stat().st_size > FILE_BYTES_MAX:
            return ""
        data = path.read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(data).hexdigest() if data.strip() else ""
