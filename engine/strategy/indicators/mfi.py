"""The money flow index."""

from collections import deque
from typing import ClassVar

from engine.domain.market import Bar
from engine.strategy.indicators import BAR, MISSING, State
from engine.strategy.indicators.exact import SCALE, unscaled, window

ROUNDING = 1e-14  # typical prices that differ by less, relatively, are equal: TA-Lib's bound


class Mfi:
    """MFI(n): 100 * up / (up + down), the money flow on bars that rose and that fell; 0 to 100; n + 1 bars.

    The flow of a bar is its typical price, (high + low + close) / 3, times its volume; 0 where nothing
    flowed, as on data without volume. Both sums are exact.
    Source: Gene Quong and Avrum Soudack, Stocks & Commodities 7:3 (1989); TA-Lib's MFI.
    """

    TAKES: ClassVar[str] = BAR
    __slots__ = ("_down", "_left", "_price", "_ring", "_up", "warmup")

    def __init__(self, period: int) -> None:
        self.warmup = period + 1
        self._left = period + 1
        self._ring = deque([0] * period, maxlen=period)  # flows, scaled; negative on bars that fell
        self._price = 0.0
        self._up = 0
        self._down = 0

    def update(self, bar: Bar) -> float:
        """Take the next bar; see BarIndicator."""
        price = (bar.high + bar.low + bar.close) / 3.0
        before, self._price = self._price, price
        if self._left > len(self._ring):
            self._left -= 1
            return MISSING
        self._push(price, price - before, bar.volume)
        if self._left:
            self._left -= 1
            if self._left:
                return MISSING
        up, flow = self._up, self._up + self._down
        return 100.0 * (up / float(flow)) if flow else 0.0

    def _push(self, price: float, change: float, volume: float) -> None:
        """Let the flow of a bar into the window, and the oldest out."""
        ring = self._ring
        old = ring[0]
        if old > 0:
            self._up -= old
        else:
            self._down += old
        if abs(change) <= ROUNDING * (abs(price) + abs(price - change)):
            ring.append(0)
            return
        flow = int(price * volume * SCALE)
        if change > 0.0:
            self._up += flow
            ring.append(flow)
        else:
            self._down += flow
            ring.append(-flow)

    def state(self) -> State:
        """Return [bars to the first value, last typical price, then the flows of the window, in order]."""
        return [float(self._left), self._price, *unscaled(self._ring)]

    def restore(self, state: State) -> None:
        """Take up a state."""
        left, self._price, *flows = state
        self._left = int(left)
        self._ring = window(flows, self.warmup - 1)
        self._up = sum(flow for flow in self._ring if flow > 0)
        self._down = -sum(flow for flow in self._ring if flow < 0)
