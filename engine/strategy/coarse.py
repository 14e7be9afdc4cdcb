"""Coarser bars, made of a program's own as they close, and what waits for them."""

from collections.abc import Iterable

from engine.domain.market import Bar
from engine.strategy.indicators import MISSING, State
from engine.strategy.program import CoarseState, Program


class CoarseBars:
    """Makes bars of a coarser step and runs a program on each as it closes.

    They are aligned to multiples of their step since 1970 UTC. A coarse bar closes with the bar that ends
    when it does, or, where that one is missing, before the next bar there is; an interval without bars has
    none. The first counts only if it was seen from its begin.
    """

    def __init__(self, step_ns: int, leg: str) -> None:
        self.step_ns = step_ns
        self.program = Program(leg)
        self._open: Bar | None = None
        self._ignored = -1  # the end of the interval whose begin was not seen; -1 before the first bar

    def update(self, bar: Bar) -> float:
        """Take in a closed bar; the number returned means nothing."""
        end = -(-bar.ts // self.step_ns) * self.step_ns
        if self._ignored < 0:
            self._ignored = end if bar.ts - bar.step_ns > end - self.step_ns else 0
        if end == self._ignored:
            return MISSING
        now = self._open
        if now is not None and now.ts < end:
            self._close(now)
            now = None
        now = _begun(bar, end, self.step_ns) if now is None else _grown(now, bar)
        if end == bar.ts:
            self._close(now)
        else:
            self._open = now
        return MISSING

    def _close(self, bar: Bar) -> None:
        self._open = None
        self.program.run(bar)

    def state(self) -> CoarseState:
        """Return all that is remembered."""
        return CoarseState(self._ignored, self._open, self.program.state())

    def restore(self, state: CoarseState) -> None:
        """Take up a state. Raises ValueError or IndexError where it is of something else."""
        self._ignored, self._open = state.ignored, state.open_bar
        self.program.restore(state.program)


def _begun(bar: Bar, end: int, step_ns: int) -> Bar:
    return Bar(end, bar.symbol, bar.open, bar.high, bar.low, bar.close, bar.volume, step_ns, bar.count)


def _grown(bar: Bar, more: Bar) -> Bar:
    return Bar(
        bar.ts,
        bar.symbol,
        bar.open,
        max(bar.high, more.high),
        min(bar.low, more.low),
        more.close,
        bar.volume + more.volume,
        bar.step_ns,
        bar.count + more.count,
    )


class Gate:
    """Stays shut until all other programs have warmed up, and then for as long as what reads them takes."""

    __slots__ = ("_programs", "_seen", "_since", "_tail", "warmup")

    def __init__(self, programs: Iterable[Program], tail: int) -> None:
        self.warmup = 1
        self._programs, self._tail = tuple(programs), tail
        self._seen = 0.0  # bars
        self._since = 0.0  # the bar on which all were warm

    def update(self, _: object) -> float:
        """Take note of a bar, after all else of it; the number returned means nothing."""
        self._seen += 1.0
        if not self._since and all(program.is_warm for program in self._programs):
            self._since = self._seen
        return MISSING

    @property
    def is_open(self) -> bool:
        """Whether signals may pass."""
        return self._since > 0.0 and self._seen - self._since + 1.0 >= self._tail

    def state(self) -> State:
        """Return [bars, the bar on which all were warm]."""
        return [self._seen, self._since]

    def restore(self, state: State) -> None:
        """Take up a state."""
        self._seen, self._since = state
