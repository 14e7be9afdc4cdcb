"""The double key: two presses of one panic key in a row within a window, whoever reads the keys."""

import threading
from collections.abc import Callable, Iterable
from enum import StrEnum


class Press(StrEnum):
    """What a key meant to the watch."""

    OTHER = "other"
    FIRST = "first"
    FIRE = "fire"


class PanicWatch:
    """Watches keys for the double press. Safe to call from any thread.

    Any other key or a paste in between starts anew, so that a pasted text never adds up to a press.
    """

    def __init__(self, keys: Iterable[str], clock: Callable[[], float], window_s: float = 2.0) -> None:
        self.keys = frozenset(keys)
        self.window_s = window_s
        self._clock = clock
        self._lock = threading.Lock()
        self._last_key = ""
        self._last_at = 0.0

    def press(self, key: str) -> Press:
        """Take one key press and tell whether it is the first or the firing one of a pair."""
        now = self._clock()
        with self._lock:
            if key not in self.keys:
                self._last_key = ""
                return Press.OTHER
            again = key == self._last_key and now - self._last_at <= self.window_s
            self._last_key, self._last_at = ("", 0.0) if again else (key, now)
            return Press.FIRE if again else Press.FIRST

    @property
    def waiting(self) -> bool:
        """Whether a second press would fire now."""
        with self._lock:
            return bool(self._last_key) and self._clock() - self._last_at <= self.window_s

    def reset(self) -> None:
        """Forget a first press: text was pasted, or the operator turned back."""
        with self._lock:
            self._last_key = ""
