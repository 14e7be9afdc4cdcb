"""Looking at a play's files while somebody may be writing them: bounded, never blocking, never half.

They are the play itself and, where it asks a model, the two files of that.
"""

import hashlib
import os
import stat
from pathlib import Path

import msgspec

from engine.config.modelpart import weights_path
from engine.config.yamlfile import load_yaml
from engine.domain.errors import ConfigError
from engine.models.checkpoint import manifest_path
from engine.models.weights import WEIGHTS_BYTES_MAX

PLAY_BYTES_MAX = 262_144


Mark = tuple[int, ...]


class Part(msgspec.Struct, frozen=True):
    """One file of a model: its place, its mark and the sha256 of its content, empty where it has none."""

    path: Path
    mark: Mark
    sha256: str


class Seen(msgspec.Struct, frozen=True):
    """What one look at a play's files found: the hash of their content, or why there is none.

    `mark` changes with the files (a new one under a name, a write), and is cheap to compare. `play` is the
    hash of the play's own file, `parts` are the files of its model.
    """

    mark: Mark
    content: str = ""
    trouble: str = ""
    play: str = ""
    parts: tuple[Part, ...] = ()


def look(path: Path, before: Seen | None = None) -> Seen:
    """Read a play's files. All that can go wrong with them is part of what was found.

    What `before` found is taken for files whose mark has not changed since: a model may be large.
    """
    found, data = _look(path)
    if found.trouble:
        return found
    known = before.parts if before is not None and before.play == found.content else None
    places = _model_files(path, data) if known is None else tuple(part.path for part in known)
    if not places:
        return msgspec.structs.replace(found, play=found.content)
    held = {part.path: part for part in (before.parts if before is not None else ())}
    parts = tuple(_part(place, held.get(place)) for place in places)
    whole = hashlib.sha256("".join((found.content, *(part.sha256 for part in parts))).encode()).hexdigest()
    marks = tuple(number for part in parts for number in part.mark)
    return Seen((*found.mark, *marks), content=whole, play=found.content, parts=parts)


def mark(path: Path, seen: Seen | None = None) -> Mark:
    """Return what `look` would give as the files' mark, without reading them; empty where one is missing."""
    parts = seen.parts if seen is not None else ()
    return (*_mark_of(path), *(number for part in parts for number in _mark_of(part.path)))


def _model_files(path: Path, data: bytes) -> tuple[Path, ...]:
    """Return the places of a model's files, none where the play names none or is no play."""
    if b"model" not in data:
        return ()
    try:
        fields, _ = load_yaml(data.decode("utf-8-sig"), str(path))
        written = fields["model"]["file"]
    except (ConfigError, UnicodeDecodeError, KeyError, TypeError):
        return ()
    if not isinstance(written, str) or "\0" in written:
        return ()
    weights = weights_path(path, written)
    return (weights, manifest_path(weights)) if weights.name else ()


def _part(path: Path, before: Part | None) -> Part:
    """Look at one file of a model; one that cannot be read has no content."""
    now = _mark_of(path)
    if before is not None and before.mark == now:
        return before
    try:
        with open(path, "rb", opener=_opened) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > WEIGHTS_BYTES_MAX:
                return Part(path, _mark(facts), "")
            return Part(path, _mark(facts), hashlib.file_digest(file, "sha256").hexdigest())
    except (OSError, ValueError):
        return Part(path, now, "")


def _look(path: Path) -> tuple[Seen, bytes]:
    """Read the play's own file."""
    try:
        with open(path, "rb", opener=_opened) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return Seen(_mark(facts), trouble="it is not a file"), b""
            data = file.read(PLAY_BYTES_MAX + 1)
    except OSError as error:
        return Seen(_mark_of(path), trouble=error.strerror or str(error)), b""
    if not data.strip():
        return Seen(_mark(facts), trouble="it is empty"), b""
    if len(data) > PLAY_BYTES_MAX:
        return Seen(_mark(facts), trouble=f"it is larger than {PLAY_BYTES_MAX // 1024} KiB"), b""
    return Seen(_mark(facts), content=hashlib.sha256(data).hexdigest()), data


def _mark_of(path: Path) -> Mark:
    try:
        return _mark(path.stat())
    except (OSError, ValueError):
        return ()


def _mark(facts: os.stat_result) -> Mark:
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_mode


def _opened(path: str, flags: int) -> int:
    """Open without waiting: somebody may have put a pipe there."""
    return os.open(path, flags | os.O_NONBLOCK)
