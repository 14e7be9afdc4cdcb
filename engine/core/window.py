"""The last closed bars of one symbol and length."""

from collections import deque
from collections.abc import Iterable

import msgspec

from engine.domain.market import Bar, Stretch


class _Part(msgspec.Struct, frozen=True, gc=False):
    """Some bars of a stretch, not built yet."""

    stretch: Stretch
    first: int
    last: int


class BarWindow:
    """Keeps the newest bars; those of a stretch are built when somebody looks."""

    __slots__ = ("_bars_max", "_parts", "append")

    def __init__(self, bars_max: int, bars: Iterable[Bar] = ()) -> None:
        self._bars_max = bars_max
        # So many parts are always enough: each holds at least one bar.
        self._parts: deque[Bar | _Part] = deque(bars, maxlen=bars_max)
        self.append = self._parts.append

    def extend(self, stretch: Stretch, first: int, last: int) -> None:
        """Take the bars of [first, last), at least one."""
        self._parts.append(_Part(stretch, first, last))

    def bars(self, most: int | None = None) -> tuple[Bar, ...]:
        """Return the bars that are kept or the newest `most` of them, oldest first."""
        wanted = self._bars_max if most is None else min(most, self._bars_max)
        newest: list[Bar] = []
        for part in reversed(self._parts):
            if len(newest) == wanted:
                break
            if type(part) is _Part:
                first = max(part.first, part.last - (wanted - len(newest)))
                newest += reversed(tuple(part.stretch.bars(first, part.last)))
            else:
                assert type(part) is Bar, "a part is a bar or some of a stretch"
                newest.append(part)
        return tuple(reversed(newest))
