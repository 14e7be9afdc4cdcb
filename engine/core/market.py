"""The market as the core saw it: last prices, the day's change, bar windows and the age of each symbol."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter

import msgspec

from engine.core.snapshot import TickRow
from engine.core.window import BarWindow
from engine.domain.market import NS_PER_DAY, PRINT_STEP_NS, Bar, Instrument, Quote, Stretch, Trade

HISTORY_POINTS = 40
HISTORY_STEP_NS = 1_000_000_000


class SymbolState(msgspec.Struct):
    """What is known of one symbol; `seen` is when the engine took its last event."""

    symbol: str
    seen: int = 0
    price: float = 0.0
    bid: float = 0.0
    ask: float = 0.0
    day_end: int = 0
    day_open: float = 0.0
    day_volume: float = 0.0
    has_trades: bool = False
    history: list[float] = []
    history_next: int = 0


class MarketState(msgspec.Struct, frozen=True):
    """The market as a checkpoint holds it."""

    symbols: tuple[SymbolState, ...]
    windows: tuple[tuple[str, int, tuple[Bar, ...]], ...]


class Market:
    """Last prices and windows by symbol; nothing here decides."""

    def __init__(self, instruments: tuple[Instrument, ...], window_bars: int) -> None:
        self._window_bars = window_bars
        self._symbols = {i.symbol: SymbolState(i.symbol) for i in instruments}
        self._digits = {i.symbol: i.price_digits for i in instruments}
        self._windows: dict[tuple[str, int], BarWindow] = {}
        # The window and step of each symbol's last bar: a tuple key on every bar costs more than the rest.
        self._last: dict[str, BarWindow] = {}
        self._last_step: dict[str, int] = {}

    def on_bar(self, bar: Bar, now: int) -> None:
        """Take a closed bar."""
        symbol, ts = bar.symbol, bar.ts
        state = self._symbols[symbol]
        state.seen = now
        state.price = bar.close
        if ts >= state.day_end:
            self._begin_day(state, ts, bar.open)
        if not state.has_trades:
            state.day_volume += bar.volume
        if bar.step_ns != self._last_step.get(symbol):
            self._choose_window(symbol, bar.step_ns)
        self._last[symbol].append(bar)

    def day_end(self, symbol: str, step_ns: int) -> int:
        """Return until when bars of a length only move what the last one moved, 0 where this is not known."""
        known = step_ns == PRINT_STEP_NS or self._last_step.get(symbol) == step_ns
        return self._symbols[symbol].day_end if known else 0

    def on_stretch(self, stretch: Stretch, first: int, last: int) -> None:
        """Take the bars of [first, last), each at its close: the same as `on_bar` until the day ends."""
        symbol = stretch.symbol
        state = self._symbols[symbol]
        state.seen = stretch.ts[last - 1]
        state.price = stretch.close[last - 1]
        if not state.has_trades:
            state.day_volume = _added(state.day_volume, stretch.volume[first:last])
        self._last[symbol].extend(stretch, first, last)

    def on_prints(self, stretch: Stretch, first: int, last: int, *, keep: bool) -> None:
        """Take the prints of [first, last): the same as `on_trade` (and `keep`) with each in a day."""
        symbol, told = stretch.symbol, stretch.told
        state = self._symbols[symbol]
        state.seen = told[last - 1]
        state.price = stretch.close[last - 1]
        state.has_trades = True
        at = bisect_left(told, state.history_next, first, last)
        while at < last:
            self._remember(state, told[at], stretch.close[at])
            at = bisect_left(told, state.history_next, at, last)
        state.day_volume = _added(state.day_volume, stretch.volume[first:last])
        if keep:
            self._window(symbol, PRINT_STEP_NS).extend(stretch, first, last)

    def on_trade(self, trade: Trade, now: int) -> None:
        """Take a print."""
        state = self._symbols[trade.symbol]
        ts = trade.ts
        state.seen = now
        state.price = trade.price
        state.has_trades = True
        if ts >= state.history_next:
            if ts >= state.day_end:
                self._begin_day(state, ts, trade.price)
            self._remember(state, ts, trade.price)
        state.day_volume += trade.qty

    def keep(self, bar: Bar) -> None:
        """Take a print's own bar into a window, for versions of a play that begin later."""
        self._window(bar.symbol, bar.step_ns).append(bar)

    def on_quote(self, quote: Quote, now: int) -> None:
        """Take a best bid and offer."""
        state = self._symbols[quote.symbol]
        state.seen = now
        state.bid, state.ask = quote.bid, quote.ask

    def _begin_day(self, state: SymbolState, ts: int, price: float) -> None:
        state.day_end = (ts // NS_PER_DAY + 1) * NS_PER_DAY
        state.day_open = price
        state.day_volume = 0.0

    def _remember(self, state: SymbolState, ts: int, price: float) -> None:
        state.history_next = (ts // HISTORY_STEP_NS + 1) * HISTORY_STEP_NS
        state.history.append(price)
        if len(state.history) > HISTORY_POINTS:
            del state.history[0]

    def backfill(self, bars: tuple[Bar, ...]) -> None:
        """Take bars of the past into the windows and the sparkline."""
        for bar in bars:
            self._choose_window(bar.symbol, bar.step_ns)
            self._last[bar.symbol].append(bar)
            history = self._symbols[bar.symbol].history
            history.append(bar.close)
            del history[:-HISTORY_POINTS]

    def last_close(self, symbol: str, step_ns: int) -> int:
        """Return when (ns UTC) the last bar of a symbol and step closed, 0 before the first."""
        bars = self.window(symbol, step_ns)
        return bars[-1].ts if bars else 0

    def window(self, symbol: str, step_ns: int) -> tuple[Bar, ...]:
        """Return the last closed bars of a symbol and step, oldest first."""
        window = self._windows.get((symbol, step_ns))
        return window.bars() if window is not None else ()

    def steps(self, symbol: str) -> tuple[int, ...]:
        """Return the lengths of bars that are kept of a symbol."""
        return tuple(step for name, step in self._windows if name == symbol)

    def windows(self, symbols: Iterable[str], step_ns: int) -> tuple[Bar, ...]:
        """Return the last closed bars of some symbols and a step, oldest first; ties keep their order."""
        bars = chain.from_iterable(self.window(symbol, step_ns) for symbol in symbols)
        return tuple(sorted(bars, key=attrgetter("ts")))

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols there are."""
        return tuple(self._symbols)

    def price(self, symbol: str) -> float:
        """Return the last traded price of a symbol, 0 before the first."""
        return self._symbols[symbol].price

    def age_ns(self, symbol: str, now: int) -> int | None:
        """Return how long ago the symbol's last event was taken, None before the first."""
        seen = self._symbols[symbol].seen
        return now - seen if seen else None

    def rows(self) -> tuple[TickRow, ...]:
        """Return what a screen shows of every symbol."""
        return tuple(
            TickRow(
                symbol=s.symbol,
                ts=s.seen,
                price=s.price,
                bid=s.bid,
                ask=s.ask,
                change=s.price / s.day_open - 1.0 if s.day_open else 0.0,
                volume=s.day_volume,
                price_digits=self._digits[s.symbol],
                history=self._history(s),
            )
            for s in self._symbols.values()
        )

    def _history(self, state: SymbolState) -> tuple[float, ...]:
        """Return the points of a sparkline: prices a second apart, the last closes where only bars come."""
        steps = self.steps(state.symbol)
        if state.has_trades or not steps:
            return tuple(state.history)
        window = self._windows[state.symbol, min(steps)]
        return tuple(bar.close for bar in window.bars(HISTORY_POINTS))

    def _choose_window(self, symbol: str, step_ns: int) -> None:
        """Make a step's window the one that bars of the symbol go to until the step changes."""
        self._last[symbol], self._last_step[symbol] = self._window(symbol, step_ns), step_ns

    def _window(self, symbol: str, step_ns: int) -> BarWindow:
        window = self._windows.get((symbol, step_ns))
        if window is None:
            window = self._windows[symbol, step_ns] = BarWindow(self._window_bars)
        return window

    def state(self) -> MarketState:
        """Return all that a checkpoint needs."""
        return MarketState(
            tuple(map(_copy, self._symbols.values())),
            tuple((symbol, step, window.bars()) for (symbol, step), window in self._windows.items()),
        )

    def restore(self, state: MarketState) -> None:
        """Take up a checkpoint's state."""
        self._symbols.update({s.symbol: _copy(s) for s in state.symbols if s.symbol in self._symbols})
        self._windows = {
            (symbol, step): BarWindow(self._window_bars, bars) for symbol, step, bars in state.windows
        }
        self._last.clear()
        self._last_step.clear()


def _added(total: float, volumes: Iterable[float]) -> float:
    for volume in volumes:  # sum() adds in another way in later versions of Python
        total += volume
    return total


def _copy(state: SymbolState) -> SymbolState:
    """Copy what goes on changing: a checkpoint may be written while the market moves on."""
    return msgspec.structs.replace(state, history=state.history.copy())
