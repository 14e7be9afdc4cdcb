"""How people write keys, and which keys there are."""

from difflib import get_close_matches

MODIFIERS = ("ctrl", "shift", "alt")
NAMED = frozenset(
    {
        *("escape", "enter", "tab", "space", "backspace", "delete", "insert"),
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
        *(f"f{number}" for number in range(1, 25)),
    }
)
CONTROL_SIGNS = frozenset({"backslash", "right_square_bracket", "circumflex_accent", "underscore", "at"})
# Other names of keys: people's, the screen's own, and Textual's names of signs.
ALIASES = {
    "?": "question_mark",
    "ctrl+\\": "ctrl+backslash",
    "ctrl+]": "ctrl+right_square_bracket",
    "esc": "escape",
    "pgdn": "pagedown",
    "pgup": "pageup",
    "del": "delete",
    "ins": "insert",
    "return": "enter",
    "minus": "-",
    "equals_sign": "=",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "slash": "/",
}


def normal(written: str) -> str:
    """Return the one name of a key: `Ctrl-D` is ctrl+d, `?` question_mark, a letter itself."""
    if len(written) == 1:
        return ALIASES.get(written, written)
    key = written.lower()
    for modifier in MODIFIERS:
        key = key.replace(f"{modifier}-", f"{modifier}+")
    return ALIASES.get(key, key)


def flaw(key: str) -> str:
    """Return why a terminal never sends a key; empty where it may."""
    *modifiers, base = key.split("+") if len(key) > 1 else [key]
    unknown = next((name for name in modifiers if name not in MODIFIERS), "")
    if unknown:
        return f"there is no {unknown}+; a key may begin with ctrl+, shift+ or alt+"
    if key == "question_mark" or base in NAMED or (len(base) == 1 and base.isprintable()):
        return ""
    if modifiers == ["ctrl"] and base in CONTROL_SIGNS:
        return ""
    near = get_close_matches(base, NAMED, n=1)
    meant = "+".join((*modifiers, near[0])) if near else ""
    return f"there is no key {key}" + (f"; did you mean {meant}?" if meant else "")


def typed_easily(key: str) -> bool:
    """Tell whether a key is one that writing presses: a letter, digit or sign, Enter, Tab, an arrow."""
    return not (key.startswith(("ctrl+", "alt+")) or (key[0] == "f" and key[1:].isdigit()))
