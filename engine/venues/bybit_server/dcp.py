"""Disconnection protection: active orders are canceled when the last protected socket stays away too long.

It covers what the `dcp` topic was subscribed for on a private socket; orders that wait for a trigger stay.
"""

from engine.domain.market import NS_PER_S

TOPICS = frozenset({"dcp", "dcp.future"})


class Dcp:
    """When the protection goes off."""

    def __init__(self) -> None:
        self.window_s = 0  # 0: not armed
        self._listeners = 0
        self._deadline: int | None = None

    def joined(self) -> None:
        """A protected socket is there."""
        self._listeners += 1
        self._deadline = None

    def left(self, now: int) -> None:
        """A protected socket is gone."""
        self._listeners -= 1
        if not self._listeners and self.window_s:
            self._deadline = now + self.window_s * NS_PER_S

    def goes_off(self, now: int) -> bool:
        """Tell, once, that the time is up."""
        if self._deadline is None or now < self._deadline:
            return False
        self._deadline = None
        return True
