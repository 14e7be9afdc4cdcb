"""An exchange without sockets for tests, and one with sockets on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from engine.domain.market import NS_PER_MS, NS_PER_S, Bar, Instrument, MarketEvent, Quote, Trade
from engine.domain.signals import Side
from engine.venues.bybit_server.clock import VenueClock
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.faults import Faults
from engine.venues.bybit_server.limits import Limits
from engine.venues.bybit_server.market import Market
from engine.venues.bybit_server.orders import ExchangeOrder, Kind, Ticket
from engine.venues.bybit_server.serve import Address, serving

START = 1_700_000_000 * NS_PER_S
SYMBOL = "BTCUSDT"


def rules(symbol: str = SYMBOL) -> Instrument:
    """Return a contract with a tick of 0.5 and a lot of 0.001."""
    return Instrument(
        symbol=symbol,
        tick=Decimal("0.5"),
        lot=Decimal("0.001"),
        qty_min=Decimal("0.001"),
        notional_min=Decimal(5),
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        settle="USDT",
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        price_digits=1,
        qty_digits=3,
    )


def exchange(*, bid: float = 100.0, ask: float = 100.5, size: float = 1.0) -> Exchange:
    """Return an exchange whose market stands at bid and ask, and traded at the bid."""
    made = Exchange([rules()], id_key=b"test", equity=Decimal(10_000))
    made.on_quote(Quote(START, SYMBOL, bid, size, ask, size))
    made.on_trade(trade(bid))
    made.blotter.drain()
    return made


def trade(price: float, qty: float = 1.0, ts: int = START) -> Trade:
    """Return a print."""
    return Trade(ts, SYMBOL, price, qty, 1, price, price)


def quote(bid: float, ask: float, size: float = 1.0, ts: int = START) -> Quote:
    """Return a best bid and offer of one size."""
    return Quote(ts, SYMBOL, bid, size, ask, size)


def ticket(side: Side, qty: str, price: str | None = None, **more: Any) -> Ticket:
    """Return an order: a limit where a price is given, else a market one."""
    return Ticket(
        symbol=SYMBOL,
        side=side,
        kind=Kind.MARKET if price is None else Kind.LIMIT,
        qty=Decimal(qty),
        price=None if price is None else Decimal(price),
        **more,
    )


def place(made: Exchange, side: Side, qty: str, price: str | None = None, **more: Any) -> ExchangeOrder:
    """Send an order."""
    return made.create(ticket(side, qty, price, **more), START)


class StillMarket:
    """A market that moves only when a test says so."""

    def __init__(self, *symbols: str) -> None:
        self.instruments = tuple(rules(symbol) for symbol in symbols or (SYMBOL,))
        self.coming: list[MarketEvent] = []

    def poll(self, now: int) -> Sequence[MarketEvent]:
        """Hand out what the test put there."""
        events, self.coming = self.coming, []
        return events

    def next_at(self) -> int | None:
        """Say that something may come at any time."""
        return None

    def past(self, symbol: str, step_ns: int, since: int, until: int) -> list[Bar]:
        """Return flat bars."""
        return [
            Bar(begin + step_ns, symbol, 100.0, 101.0, 99.0, 100.0, 5.0, step_ns, 10)
            for begin in range(since, until - step_ns + 1, step_ns)
        ]

    def opening(self, symbol: str, now: int) -> float | None:
        """Say that nothing stands."""
        return None

    def stand_at(self, bid: float, ask: float, size: float = 1.0) -> None:
        """Quote, and trade at the bid."""
        now = time.time_ns()
        for rules_of in self.instruments:
            symbol = rules_of.symbol
            self.coming.append(Quote(now, symbol, bid, size, ask, size))
            self.coming.append(Trade(now, symbol, bid, size, -1, bid, bid))


def core_of(market: Market, *, limits: bool = False) -> Core:
    """Return an exchange around a market, without limits unless asked for."""
    made = Exchange(market.instruments, id_key=b"test", equity=Decimal(10_000))
    return Core(made, market, VenueClock(time.time_ns), Faults(), Limits(enabled=limits))


@asynccontextmanager
async def open_floor(market: Market, *, limits: bool = False) -> AsyncIterator[tuple[Core, Address]]:
    """Serve an exchange on a free port of loopback."""
    core = core_of(market, limits=limits)
    async with serving(core, market, 0) as address:
        yield core, address


async def until(probe: Callable[[], bool]) -> None:
    """Let the loop run until something is so; fail after 5 s."""
    async with asyncio.timeout(5):
        for _ in iter(probe, True):
            await asyncio.sleep(0.005)


def milliseconds() -> int:
    """Return the time, ms UTC."""
    return time.time_ns() // NS_PER_MS
