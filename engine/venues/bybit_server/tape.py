"""A recorded file as the exchange's market: its trades again, moved to the present, with a book around them.

A bar becomes four prints inside its time: open, the nearer extreme, the other one, close. Where quotes are
not recorded, the best bid and offer stand one tick apart beside the last trade.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from heapq import merge
from operator import attrgetter

import numpy as np

from engine.domain.market import NS_PER_S, Bar, Instrument, MarketEvent, Quote, Trade
from engine.venues.barbuilder import bars_of_bars, bars_of_trades
from engine.venues.datafile import BarColumns, TradeColumns
from engine.venues.replay import FileFeed, Tape

QUOTED_TRADES = 4.0  # the best bid and offer show so many times the size of the last trade
NS_PER_MINUTE = 60 * NS_PER_S
CATCH_UP_NS = 60 * NS_PER_S  # of the past that is played at once, so that there is a price
BAR_PRINTS = (0.0, 0.33, 0.66, 0.999)  # when inside a bar its four prices trade


class TapeMarket:
    """Plays files once, from `lead_ns` after their first row on; then the market stands still."""

    def __init__(self, tapes: Sequence[Tape], start: int, *, speed: float = 1.0, lead_ns: int = 0) -> None:
        self.start = start
        self.instruments = tuple(tape.instrument for tape in tapes)
        self._tapes = {tape.instrument.symbol: tape for tape in tapes}
        first = min(int(tape.columns.ts[0]) - tape.base_step_ns for tape in tapes)
        # Moved by whole minutes, so that the file's minutes stay minutes.
        moved = -(-(start - first - lead_ns) // NS_PER_MINUTE) * NS_PER_MINUTE
        self._origin = start - moved  # the file's time that plays at `start`
        self._speed = speed
        self._events = merge(*(self._of(tape) for tape in tapes), key=attrgetter("ts"))
        self._head = next(self._events, None)

    def skip_to(self, now: int) -> None:
        """Pass over what lies before a time, but for the last price: the market went on without us."""
        while self._head is not None and self._head.ts < now - CATCH_UP_NS:
            self._head = next(self._events, None)

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Return the events up to `now` that were not handed out before, oldest first."""
        events: list[MarketEvent] = []
        while self._head is not None and self._head.ts <= now:
            events.append(self._head)
            self._head = next(self._events, None)
        return events

    def next_at(self) -> int | None:
        """Return when the next event is due, ns UTC; None at the end of the tape."""
        return None if self._head is None else self._head.ts

    def past(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return bars from before the start; times before it run at the file's own pace."""
        tape = self._tapes[symbol]
        shift, digits = self.start - self._origin, tape.instrument.qty_digits
        columns = tape.columns
        is_bars = isinstance(columns, BarColumns)
        span = (since - shift, min(until, self.start) - shift)
        low, high = np.searchsorted(columns.ts, span, side="right" if is_bars else "left").tolist()
        if (is_bars and step_ns < tape.base_step_ns) or low >= high:
            return []
        ts, *others = (getattr(columns, field.name)[low:high] for field in fields(columns))
        built = (
            bars_of_bars(BarColumns(ts + shift, *others), step_ns, digits)
            if is_bars
            else bars_of_trades(TradeColumns(ts + shift, *others), step_ns, digits)
        ).bars
        columns_built = (getattr(built, field.name).tolist() for field in fields(built))
        return [
            Bar(row[0], symbol, row[1], row[2], row[3], row[4], row[5], step_ns, row[6])
            for row in zip(*columns_built, strict=True)
        ]

    def opening(self, symbol: str, now: int) -> float:
        """Return the last price before the tape begins to play, or its first one."""
        columns = self._tapes[symbol].columns
        prices = columns.close if isinstance(columns, BarColumns) else columns.price
        played = int(np.searchsorted(columns.ts, self._origin + (now - self.start)))
        return float(prices[max(0, played - 1)])

    def _of(self, tape: Tape) -> Iterator[Trade | Quote]:
        ticks = float(tape.instrument.tick)
        feed = FileFeed(tape)
        for event in feed.events():
            if isinstance(event, Bar) and not feed.has_trades:
                prints: Iterator[Trade] = _prints(event)
            elif isinstance(event, Trade):
                prints = iter((event,))
            else:
                continue
            for trade in prints:
                if trade.ts >= self._origin:
                    yield from self._quoted(trade, tape.instrument, ticks)

    def _quoted(self, trade: Trade, rules: Instrument, tick: float) -> Iterator[Trade | Quote]:
        """Move a trade to the present, and put the best bid and offer around it."""
        ts = self.start + int((trade.ts - self._origin) / self._speed)
        digits = rules.price_digits
        bid = trade.price - tick if trade.side >= 0 else trade.price
        size = max(trade.qty, float(rules.lot)) * QUOTED_TRADES
        if bid > 0:
            yield Quote(ts, trade.symbol, round(bid, digits), size, round(bid + tick, digits), size)
        yield Trade(ts, *_rest(trade))


def _rest(trade: Trade) -> tuple[str, float, float, int, float, float, int]:
    return trade.symbol, trade.price, trade.qty, trade.side, trade.high, trade.low, trade.count


def _prints(bar: Bar) -> Iterator[Trade]:
    rising = bar.close >= bar.open
    inside = (bar.low, bar.high) if rising else (bar.high, bar.low)
    path = (bar.open, *inside, bar.close)
    begun, before = bar.ts - bar.step_ns, bar.open
    for share, price in zip(BAR_PRINTS, path, strict=True):
        side = 1 if price >= before else -1
        ts = begun + int(bar.step_ns * share)
        yield Trade(ts, bar.symbol, price, bar.volume / len(path), side, price, price)
        before = price
