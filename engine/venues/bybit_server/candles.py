"""Klines of one symbol: minutes built from the trades since the start, and what was before."""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from engine.domain.market import NS_PER_S, Bar, Instrument, Trade
from engine.venues.barbuilder import BarBuilder

MINUTE_NS = 60 * NS_PER_S
HOUR_NS = 60 * MINUTE_NS
INTERVALS = {
    **{str(minutes): minutes * MINUTE_NS for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": 1440 * MINUTE_NS,
}
MINUTES_KEPT = 20_000


class Past(Protocol):
    """Where bars from before the start come from."""

    def past(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars of a step that lie inside [since, until), ns UTC."""
        ...


class Candles:
    """The klines of one symbol; `start` is when its market began to be heard."""

    def __init__(self, rules: Instrument, past: Past, start: int) -> None:
        self._rules, self._past = rules, past
        self._heard_from = start
        self._minutes: deque[Bar] = deque(maxlen=MINUTES_KEPT)
        self._builder = BarBuilder(rules.symbol, MINUTE_NS, rules.qty_digits)

    def add(self, trade: Trade) -> Bar | None:
        """Take in a trade; return the minute that ended before it."""
        return self._keep(self._builder.add_trade(trade))

    def close_at(self, now: int) -> Bar | None:
        """Close and return the minute that has ended by `now`, where one has."""
        return self._keep(self._builder.close_at(now))

    def between(self, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return the bars that open in [since, until], oldest first; the last one may be unfinished."""
        first = -(-since // step_ns) * step_ns
        seam = self._heard_from // step_ns * step_ns
        bars = self._past.past(self._rules.symbol, step_ns, first, min(until + step_ns, seam))
        builder = BarBuilder(self._rules.symbol, step_ns, self._rules.qty_digits)
        for bar in self._heard(max(first, seam)):
            ended = builder.add_bar(bar)
            if ended is not None:
                bars.append(ended)
        if (last := builder.flush()) is not None:
            bars.append(last)
        return [bar for bar in bars if first <= bar.ts - step_ns <= until]

    def _heard(self, begin: int) -> Iterator[Bar]:
        """Yield what is known from `begin` on, in pieces that no bar cuts."""
        at = begin
        for step in (HOUR_NS, MINUTE_NS) if begin % HOUR_NS == 0 else (MINUTE_NS,):
            end = self._heard_from // step * step
            yield from self._past.past(self._rules.symbol, step, at, end)
            at = max(at, end)
        for bar in self._minutes:
            if bar.ts > begin:
                yield bar
        if (running := self._running()) is not None and running.ts > begin:
            yield running

    def _running(self) -> Bar | None:
        state = self._builder.state()
        if not state.end:
            return None
        volume = state.volume_scaled / 10.0**self._rules.qty_digits
        prices = (state.open, state.high, state.low, state.close)
        return Bar(state.end, self._rules.symbol, *prices, volume, MINUTE_NS, state.count)

    def _keep(self, bar: Bar | None) -> Bar | None:
        if bar is not None:
            if len(self._minutes) == MINUTES_KEPT:
                self._heard_from = self._minutes[0].ts
            self._minutes.append(bar)
        return bar
