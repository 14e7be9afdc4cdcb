"""The user's keys: a flat YAML file of action id to key, laid over the defaults of the action table."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import ConfigError
from tui.actions import ACTIONS, BY_ID, RESERVED_KEYS

if TYPE_CHECKING:
    from tui.yaml_file import FlatFile

Keymap = Mapping[str, tuple[str, ...]]

_NAMED = {
    "?": "question_mark",
    "ctrl+\\": "ctrl+backslash",
    "esc": "escape",
    "minus": "-",
    "equals_sign": "=",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "slash": "/",
}


def default_keymap() -> dict[str, tuple[str, ...]]:
    """Return the keys of the action table."""
    return {spec.id: spec.keys for spec in ACTIONS}


def load_keymap(file: Path | None) -> dict[str, tuple[str, ...]]:
    """Return the keys in force. A missing file means the defaults.

    Raises ConfigError for an unknown action, a reserved or unusable key, and two actions on one key.
    """
    keymap = default_keymap()
    if file is None or not file.is_file():
        return keymap
    from tui.yaml_file import FlatFile  # noqa: PLC0415 - the YAML library is only needed by those who have a file

    flat = FlatFile(file)
    for action_id, value in flat.values.items():
        if action_id not in BY_ID:
            near = get_close_matches(action_id, BY_ID, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known actions: {', '.join(BY_ID)}"
            raise flat.error(action_id, f"there is no such action; {hint}")
        keymap[action_id] = tuple(_keys(value, action_id, flat))
    _refuse_conflicts(keymap, flat)
    return keymap


def _keys(value: object, action_id: str, flat: "FlatFile") -> Iterator[str]:
    written = value if isinstance(value, list) else str(value).split(",") if value is not None else []
    for item in written:
        key = _normal(str(item).strip())
        if not key:
            raise flat.error(action_id, "a key is empty; write it as `arm: a` or `arm: [a, f5]`")
        if key in RESERVED_KEYS:
            raise flat.error(action_id, f"{key} belongs to tmux or the terminal; choose another key")
        yield key
    if not written and BY_ID[action_id].always:
        raise flat.error(action_id, "this action must keep a key")


def _normal(key: str) -> str:
    key = key.replace("Ctrl-", "ctrl+").replace("ctrl-", "ctrl+")
    return _NAMED.get(key, key if len(key) == 1 else key.lower())


def _refuse_conflicts(keymap: Keymap, flat: "FlatFile") -> None:
    owners: dict[str, str] = {}
    for action_id, keys in keymap.items():
        for key in keys:
            other = owners.setdefault(key, action_id)
            if other != action_id:
                mine = action_id if action_id in flat.values else other
                raise flat.error(
                    mine, f"{key} is the key of both {other} and {action_id}; change one of them"
                )


def textual_key(key: str) -> str:
    """Return the name Textual gives a key: an upper-case letter stays itself, punctuation has a name."""
    if len(key) != 1 or key.isalnum():
        return key
    from textual.keys import _character_to_key  # noqa: PLC0415 - the only table of these names

    return _character_to_key(key)


__all__ = ["ConfigError", "Keymap", "default_keymap", "load_keymap", "textual_key"]
