"""The live market of any venue that ccxt.pro streams: trades and best prices, no keys.

ccxt keeps the connections itself and raises an error once where one broke; what was missed is asked for then.
Its numbers are floats of the venue's texts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from engine.domain.errors import TransientError, VenueError
from engine.domain.market import NS_PER_MS, Instrument, Quote
from engine.venues.ccxt_source import CcxtSource, client_of, named_of
from engine.venues.ws_backoff import Backoff
from engine.venues.ws_feed import VenueFeed
from engine.venues.ws_line import Line
from engine.venues.ws_source import Fees
from engine.venues.ws_time import VenueTime
from engine.venues.ws_trades import UnnumberedTrades
from engine.venues.ws_wire import Listener

Row = Mapping[str, Any]


class Told(msgspec.Struct, frozen=True):
    """What ccxt handed out of one symbol: trades, or a best bid and offer."""

    symbol: str
    trades: Sequence[Row] = ()
    touch: tuple[int, float, float, float, float] | None = None  # ms, bid and offer, each with its quantity


class CcxtWire:
    """Puts what ccxt hands out into the lines of a feed."""

    asks_books = False

    def __init__(self, lines: Mapping[str, Line], time: VenueTime) -> None:
        self._lines, self._time = lines, time

    def begin(self) -> None:
        """Nothing is kept of a connection."""

    def renew_book(self, _symbol: str) -> Sequence[str]:
        """Nothing: ccxt keeps books itself."""
        return ()

    def take(self, told: Told, now: int) -> bool:
        """Take what was handed out. Raises msgspec.ValidationError for what is no number."""
        line = self._lines[told.symbol]
        try:
            for row in told.trades:
                named = named_of(told.symbol, row)
                trade = named.trade
                assert trade is not None, "ccxt names trades only"
                self._time.heard(trade.ts, now)
                line.trade(named.id, trade.ts, trade.price, trade.qty, trade.side)
        except (KeyError, TypeError, ValueError) as error:
            raise msgspec.ValidationError(f"a trade of {told.symbol}: {error!r}") from error
        if told.touch is not None:
            at_ms, *prices = told.touch
            ts = at_ms * NS_PER_MS if at_ms else self._time.at(now)
            line.quote(0, Quote(ts, told.symbol, *prices))
        return True


class CcxtStream:
    """Asks ccxt.pro for what is new, symbol by symbol, for as long as its task runs."""

    def __init__(
        self,
        source: CcxtSource,
        symbols: Sequence[str],
        listener: Listener[Told],
        *,
        silent_s: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._source, self._symbols, self._listener = source, symbols, listener
        self._silent_s, self._sleep = silent_s, sleep
        self._backoff = Backoff()
        self.connections = 0

    async def run(self) -> None:
        """Keep the stream alive. Ends by cancellation only."""
        while True:
            self.connections += 1
            self._listener.opened(took_over=False)
            error = await self._follow()
            self._listener.broke(error)
            await self._sleep(self._backoff.pause_s(error))

    def renew(self) -> None:
        """Nothing: ccxt has its own connections."""

    def say(self, text: str) -> None:
        """Nothing: ccxt talks to the venue."""

    async def _follow(self) -> VenueError:
        """Hand on what comes until something breaks; return what did."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[VenueError] = loop.create_future()
        async with asyncio.TaskGroup() as tasks:
            watches = [
                tasks.create_task(self._watch(watch, symbol, ended))
                for symbol in self._symbols
                for watch in (self._trades, self._touch)
            ]
            error = await ended
            for task in watches:
                task.cancel()
        return error

    async def _watch(
        self, watch: Callable[[str], Awaitable[Told]], symbol: str, ended: asyncio.Future[VenueError]
    ) -> None:
        while True:
            try:
                told = await watch(symbol)
            except VenueError as error:
                if not ended.done():
                    ended.set_result(error)
                return
            if self._listener.take(told):
                self._backoff.worked()
            await self._listener.flush()

    async def _trades(self, symbol: str) -> Told:
        client, name = self._source.client, self._source.names[symbol]
        rows = await self._source.asked(client.watch_trades(name))
        return Told(symbol, trades=[dict(row) for row in rows])  # ccxt goes on writing to its own

    async def _touch(self, symbol: str) -> Told:
        """Wait for a best bid and offer, at most as long as a silent stream is put up with."""
        client, name = self._source.client, self._source.names[symbol]
        try:
            async with asyncio.timeout(self._silent_s):
                if client.has.get("watchBidsAsks"):
                    rows = await self._source.asked(client.watch_bids_asks([name]))
                    return Told(symbol, touch=_ticker_touch(rows[name]))
                book = await self._source.asked(client.watch_order_book(name))
                return Told(symbol, touch=_book_touch(book))
        except TimeoutError:
            raise TransientError(
                f"{self._source.venue} told no best price of {symbol} for {self._silent_s:g} s"
            ) from None
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise TransientError(f"{self._source.venue} told a best price without one: {error!r}") from error


def _ticker_touch(row: Row) -> tuple[int, float, float, float, float]:
    qtys = (float(row.get("bidVolume") or 0), float(row.get("askVolume") or 0))
    return int(row.get("timestamp") or 0), float(row["bid"]), qtys[0], float(row["ask"]), qtys[1]


def _book_touch(book: Row) -> tuple[int, float, float, float, float]:
    (bid, bid_qty, *_), (ask, ask_qty, *_) = book["bids"][0], book["asks"][0]
    return int(book.get("timestamp") or 0), float(bid), float(bid_qty), float(ask), float(ask_qty)


class Listing(msgspec.Struct, frozen=True):
    """Some markets' rules, and what ccxt calls them by our symbols."""

    instruments: tuple[Instrument, ...]
    names: dict[str, str]


async def list_markets(venue: str, symbols: Sequence[str], fees: Fees, *, testnet: bool) -> Listing:
    """Ask a venue for the rules of some markets. Raises ConfigError, VenueError."""
    source = CcxtSource(venue, client_of(venue, testnet=testnet))
    try:
        return Listing(await source.instruments(symbols, fees), source.names)
    finally:
        await source.close()


def feed_of(
    venue: str,
    listing: Listing,
    steps_ns: Sequence[int],
    *,
    silent_s: float,
    now: Callable[[], int],
    testnet: bool = False,
) -> VenueFeed[Told]:
    """Return the feed of a venue that ccxt.pro streams."""
    source = CcxtSource(venue, client_of(venue, testnet=testnet), listing.names)
    symbols = tuple(listing.names)
    return VenueFeed[Told](
        venue,
        listing.instruments,
        steps_ns,
        source=source,
        make_wire=lambda lines, time, _hear: CcxtWire(lines, time),
        make_stream=lambda _wire, listener: CcxtStream(source, symbols, listener, silent_s=silent_s),
        make_trades=UnnumberedTrades,
        now=now,
    )
