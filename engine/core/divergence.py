"""Where two versions of a play differ: signals that only one of them gave."""

from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from engine.core.versionrows import DivergenceRow
from engine.domain.shadow import Whose
from engine.domain.signals import Side, Signal, SignalKind

SIGNALS_MAX = 200
BARS = 500  # how far back signals are compared
_RUNNING, _TWIN = 1, 2
_WHOSE = {_RUNNING: Whose.RUNNING, _TWIN: Whose.TWIN, _RUNNING | _TWIN: Whose.BOTH}

Key = tuple[int, Side, SignalKind]


class DivergenceState(msgspec.Struct, frozen=True):
    """What was compared of late, oldest first, as a checkpoint holds it."""

    given: tuple[tuple[int, Side, SignalKind, int], ...] = ()


class Divergence:
    """Signals of the traded symbol by close time, side and kind, and who gave each. Bounded."""

    def __init__(self, step_ns: int) -> None:
        self._span_ns = BARS * step_ns if step_ns > 1 else 0  # prints have no length: all that is kept counts
        self._given: OrderedDict[Key, int] = OrderedDict()

    def running(self, signal: Signal) -> None:
        """Take note of a signal of the running version."""
        self._note(signal, _RUNNING)

    def twin(self, signal: Signal) -> None:
        """Take note of a signal of the twin."""
        self._note(signal, _TWIN)

    def _note(self, signal: Signal, whose: int) -> None:
        key = signal.ts, signal.side, signal.kind
        self._given[key] = self._given.get(key, 0) | whose
        while len(self._given) > SIGNALS_MAX:
            self._given.popitem(last=False)

    def rows(self, now: int) -> tuple[DivergenceRow, ...]:
        """Return the signals of the last bars, oldest first."""
        return tuple(self._recent(now - self._span_ns if self._span_ns else 0))

    def _recent(self, since: int) -> Iterator[DivergenceRow]:
        for (ts, side, kind), whose in self._given.items():
            if ts >= since:
                yield DivergenceRow(ts, side, kind, _WHOSE[whose])

    def state(self) -> DivergenceState:
        """Return all that a checkpoint needs."""
        return DivergenceState(tuple((*key, whose) for key, whose in self._given.items()))

    def restore(self, state: DivergenceState) -> None:
        """Take up a checkpoint's state."""
        self._given = OrderedDict(((ts, side, kind), whose) for ts, side, kind, whose in state.given)
