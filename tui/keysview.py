"""What `trader-tui keys` prints."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.api import ConfigError, user_directory
from tui.actions import ACTIONS, RESERVED_KEYS, key_name
from tui.actionspec import Group
from tui.keymap import Keymap, default_keymap, load_keymap

NAME = "keymap.yaml"


def show(file: Path | None, *, as_json: bool) -> int:
    """Print the keys of a file, or those in force. Raises ConfigError for a file that cannot be used."""
    if file is not None and not file.is_file():
        raise ConfigError("there is no such file", file=str(file))
    source = file or user_directory() / NAME
    keymap = load_keymap(source)
    if as_json:
        facts = {
            "file": str(source) if source.is_file() else None,
            "keys": {name: list(keys) for name, keys in keymap.items()},
            "reserved": sorted(RESERVED_KEYS),
        }
        sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(source, keymap)) + "\n")
    return 0


def _lines(source: Path, keymap: Keymap) -> Iterator[str]:
    shipped = default_keymap()
    if source.is_file():
        yield f"Keys of {source}; * differs from what ships."
    else:
        yield f"The keys that ship; {source} would change them."
    for group in Group:
        yield ""
        yield group.value
        for spec in ACTIONS:
            if spec.group is group:
                mark = "*" if keymap[spec.id] != shipped[spec.id] else " "
                names = ", ".join(map(key_name, keymap[spec.id])) or "(palette)"
                yield f"{mark} {names:<16} {spec.id:<16} {spec.title}".rstrip()
    yield ""
    reserved = ", ".join(map(key_name, sorted(RESERVED_KEYS)))
    yield f"Not to be had, for tmux or the terminal take them: {reserved}"
