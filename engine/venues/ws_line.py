"""One symbol of a stream: its trades in order, its bars, its best bid and offer, its book."""

from collections.abc import Sequence

from engine.domain.market import Instrument, MarketEvent, Quote, Trade
from engine.venues.ws_bars import BarSeries
from engine.venues.ws_book import Touch
from engine.venues.ws_sync import SyncedBook
from engine.venues.ws_trades import Named, TradeId, TradeOrder


class Line:
    """Puts what a venue says of one symbol into market events; they are appended to `out`."""

    __slots__ = (
        "_last_ts",
        "_number",
        "_out",
        "_quote_ts",
        "_shown",
        "book",
        "instrument",
        "series",
        "symbol",
        "trades",
    )

    def __init__(
        self,
        instrument: Instrument,
        trades: TradeOrder,
        series: Sequence[BarSeries],
        out: list[MarketEvent],
    ) -> None:
        self.instrument, self.symbol = instrument, instrument.symbol
        self.series, self.book = series, SyncedBook()
        self.trades, self._out = trades, out
        self._last_ts = 0  # of the trade that was handed on last
        self._number = self._quote_ts = 0  # of the quote that was shown last
        self._shown: Touch | None = None

    def trade(self, trade_id: TradeId, ts: int, price: float, qty: float, side: int) -> None:
        """Take a trade."""
        trade = Trade(ts, self.symbol, price, qty, side, price, price)
        for ready in self.trades.add(trade_id, trade):
            self._hand_on(ready)

    def no_trade(self, trade_id: int) -> None:
        """Take a number that is no trade of the market: a liquidation that an insurance fund took, say."""
        for ready in self.trades.add(trade_id, None):
            self._hand_on(ready)

    def fill(self, asked: Sequence[Named], now: int) -> bool:
        """Take trades that the venue was asked for; without any, give up what is missing.

        Return whether trades are lost. Bars that lack them are not whole, up to `now`, the venue's time.
        """
        lost = self.trades.lost
        ready = self.trades.fill(asked)
        if is_lost := self.trades.lost > lost:
            self.doubt(self._last_ts, ready[-1].ts if ready else now)
        for trade in ready:
            self._hand_on(trade)
        return is_lost

    def quote(self, number: int, quote: Quote) -> None:
        """Take a best bid and offer; `number` is the book's, 0 where the venue gives none.

        What is older than the one shown last is not shown, nor is what is crossed.
        """
        if (number and number <= self._number) or quote.bid >= quote.ask:
            return
        self._number = number
        self._out.append(quote)

    def show_book(self, ts: int, *, anyhow: bool = False) -> None:
        """Show the book's best bid and offer where they changed, `anyhow` where they did not."""
        touch = self.book.touch()
        number = self.book.last
        if touch is None or number < self._number or ts < self._quote_ts:
            return
        if not anyhow and (touch == self._shown or number == self._number):
            return
        self._shown, self._number, self._quote_ts = touch, number, ts
        self._out.append(Quote(ts, self.symbol, touch.bid, touch.bid_qty, touch.ask, touch.ask_qty))

    def forget_quotes(self) -> None:
        """Take whatever number comes next as the newest: a new connection may be another server's."""
        self._number = self._quote_ts = 0
        self._shown = None

    def close_bars(self, now: int) -> None:
        """Close the bars whose end has come by the venue's time."""
        for series in self.series:
            self._out.extend(series.close(now))

    def begin(self, now: int) -> None:
        """Trades come from now on, the venue's time: bars that have begun are not whole."""
        for series in self.series:
            series.begin(now)

    def doubt(self, since: int, until: int) -> None:
        """Take bars that overlap with a stretch of the venue's time as not whole."""
        for series in self.series:
            series.doubt(since, until)

    def _hand_on(self, trade: Trade) -> None:
        out = self._out
        for series in self.series:
            bars = series.add(trade)
            if bars:
                out.extend(bars)
        out.append(trade)
        self._last_ts = trade.ts
