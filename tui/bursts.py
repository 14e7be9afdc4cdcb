"""Text that comes all at once is pasted, whatever the terminal says of it: it must not command.

A terminal with bracketed paste marks it; others send it as keys. Over a line that stands still for a moment
several keys of a person come at once, too, so that only what a person hardly does counts as pasted: four or
more text keys in one reading, not all of them the same key held down, one of which commands or is Enter.
"""

from collections.abc import Collection, Sequence
from itertools import takewhile

from textual import events
from textual.message import Message

KEYS_MIN = 4  # text keys in one reading, from which on they are pasted
GRACE_S = 0.005  # how long more is waited for after a key that commands
AFTER_S = 0.05  # text that follows a burst so soon is the rest of it


class Bursts:
    """Turns keys that were pasted into a paste; keeps what a person typed as it is."""

    def __init__(self) -> None:
        self._until_s = 0.0

    def wants_more(self, messages: Sequence[Message], commands: Collection[str]) -> bool:
        """Tell whether what was read could be the beginning of a paste that would command."""
        keys = [message for message in messages if isinstance(message, events.Key)]
        return any(key.key in commands for key in keys)

    def sort(
        self,
        messages: Sequence[Message],
        commands: Collection[str],
        now_s: float,
        panic: Collection[str] = (),
    ) -> tuple[Sequence[Message], str]:
        """Return what to handle, and the text that was pasted as keys; empty where none was.

        Panic keys at the beginning and at the end stay what they are: over a line that stood still, whoever
        pressed the kill-switch before or after all sorts of other keys meant the kill-switch.
        """
        keys = [message for message in messages if isinstance(message, events.Key)]
        text = [key for key in keys if key.is_printable or key.key == "enter"]
        names = {key.key for key in text}
        many = len(text) >= KEYS_MIN and len(names) > 1 and any(_acts(name, commands) for name in names)
        if not text or not (many or now_s < self._until_s):
            return messages, ""
        self._until_s = now_s + AFTER_S
        pasted = "".join("\n" if key.key == "enter" else key.character or "" for key in text)
        others = [message for message in messages if not isinstance(message, events.Key)]
        first = list(takewhile(lambda message: _is_key(message, panic), messages))
        last = list(takewhile(lambda message: _is_key(message, panic), reversed(messages)))
        return [*first, *others, events.Paste(pasted), *reversed(last)], pasted


def _is_key(message: Message, names: Collection[str]) -> bool:
    return isinstance(message, events.Key) and message.key in names


def _acts(name: str, commands: Collection[str]) -> bool:
    return name == "enter" or name in commands
