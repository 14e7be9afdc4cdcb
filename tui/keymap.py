"""The user's keys: a flat YAML file of action id to key, laid over the defaults of the action table."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import ConfigError
from tui.actions import ACTIONS, BY_ID, RESERVED_KEYS, key_name
from tui.actionspec import Group
from tui.keynames import flaw, normal, typed_easily

if TYPE_CHECKING:
    from tui.yaml_file import UserFile

Keymap = Mapping[str, tuple[str, ...]]


def default_keymap() -> dict[str, tuple[str, ...]]:
    """Return the keys of the action table."""
    return {spec.id: spec.keys for spec in ACTIONS}


def load_keymap(file: Path | None) -> dict[str, tuple[str, ...]]:
    """Return the keys in force. A missing file means the defaults.

    A key given in the file is taken from actions that the file does not name, unless they are of control.
    Raises ConfigError for an unknown action, a reserved or unusable key, and two actions on one key.
    """
    keymap = default_keymap()
    if file is None or not file.is_file():
        return keymap
    from tui.yaml_file import UserFile  # noqa: PLC0415 - the YAML library is only needed by those who have a file

    own = UserFile(file)
    for action_id, value in own.values.items():
        if action_id not in BY_ID:
            near = get_close_matches(action_id, BY_ID, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known actions: {', '.join(BY_ID)}"
            raise own.error(f"there is no such action; {hint}", action_id)
        keymap[action_id] = tuple(_keys(value, action_id, own))
    _settle_conflicts(keymap, own)
    return keymap


def _keys(value: object, action_id: str, own: "UserFile") -> Iterator[str]:
    written = value if isinstance(value, list) else str(value).split(",") if value is not None else []
    for item in written:
        key = normal(str(item).strip())
        if not key:
            raise own.error("a key is empty; write it as `arm: a` or `arm: [a, f5]`", action_id)
        if key in RESERVED_KEYS:
            raise own.error(f"{key} belongs to tmux or the terminal; choose another key", action_id)
        if wrong := flaw(key):
            raise own.error(wrong, action_id)
        if action_id == "flatten" and typed_easily(key):
            said = "flatten takes a key that nobody types by accident: F1 to F24, or one with Ctrl"
            raise own.error(said, action_id)
        yield key
    if not written and BY_ID[action_id].always:
        raise own.error("this action must keep a key", action_id)


def _settle_conflicts(keymap: dict[str, tuple[str, ...]], own: "UserFile") -> None:
    """Let the user's keys take those of actions that only move about; refuse any other key of two actions."""
    given = {key for action_id in own.values for key in keymap[action_id]}
    for action_id, keys in keymap.items():
        if action_id not in own.values and BY_ID[action_id].group is not Group.CONTROL:
            keymap[action_id] = tuple(key for key in keys if key not in given)
    owners: dict[str, str] = {}
    for action_id, keys in keymap.items():
        for key in keys:
            other = owners.setdefault(key, action_id)
            if other != action_id:
                mine, its = (action_id, other) if action_id in own.values else (other, action_id)
                said = f"{key_name(key)} is the key of both {mine} and {its}; give one of them another"
                raise own.error(said, mine)


def textual_key(key: str) -> str:
    """Return the name Textual gives a key: an upper-case letter stays itself, punctuation has a name."""
    if len(key) != 1 or key.isalnum():
        return key
    from textual.keys import _character_to_key  # noqa: PLC0415 - the only table of these names

    return _character_to_key(key)


__all__ = ["ConfigError", "Keymap", "default_keymap", "load_keymap", "textual_key"]
