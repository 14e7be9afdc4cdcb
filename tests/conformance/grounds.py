"""The grounds that the cases are played on here, one a kind of adapter."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from pathlib import Path

from engine.core.snapshot import BudgetRow
from engine.domain.ids import IdSpace
from engine.domain.market import NS_PER_MS, NS_PER_S, Quote, Trade
from engine.venues.ccxt_account import Account, AccountWish
from engine.venues.ccxt_client import AccountKeys
from engine.venues.ccxt_profiles import LOCAL, Endpoint, profile_of
from engine.venues.conformance.ccxt_ground import ccxt_ground
from engine.venues.conformance.data import DataGround
from engine.venues.conformance.ground import Ground
from engine.venues.ratelimits import Kind
from engine.venues.replay import DataSource, load_tape, open_feed
from engine.venues.simulated import MatchOn, SimulatedConfig, SimulatedVenue
from engine.venues.synthetic import SyntheticFeed
from tests.unit.venues.bybit_server.floor import StillMarket as Still
from tests.unit.venues.bybit_server.floor import open_floor
from tests.unit.venues.market_builders import instrument

PRICE = 20_000.0
SPREAD = 0.1
START = 1_750_000_000_000_000_000
LOCAL_KEYS = AccountKeys("local-key", "local-secret")
IDS = IdSpace(1_700_000_000, "conformance")


class StillMarket:
    """The simulated venue in a market that trades on and on at one price, a millisecond a turn."""

    def __init__(self) -> None:
        config = SimulatedConfig(match_on=MatchOn.QUOTES, latency_ns=NS_PER_MS)
        self.venue = SimulatedVenue((instrument(),), config)
        self.now = START
        self.ground = Ground(
            self.venue,
            instrument(),
            IDS,
            now=lambda: self.now,
            price=self.price,
            turn=self.turn,
            patience_s=3,
        )

    async def price(self) -> Decimal:
        """Return the one price."""
        return Decimal(repr(PRICE))

    async def turn(self) -> None:
        """Let a moment pass: answers that are due, then the market."""
        self.now += NS_PER_MS
        symbol = instrument().symbol
        events = [*self.venue.on_time(self.now)]
        events += self.venue.on_market(Quote(self.now, symbol, PRICE - SPREAD, 5.0, PRICE, 5.0))
        events += self.venue.on_market(Trade(self.now, symbol, PRICE, 5.0, 1, PRICE, PRICE))
        for event in events:
            self.ground.post(event)


class Free:
    """A rate budget without limits."""

    async def take(self, kind: Kind, cost: int = 1) -> None:
        """Let through."""

    flaw = ""

    def hold_back(self, seconds: float) -> None:
        """Wait for nothing."""

    def use(self) -> tuple[BudgetRow, ...]:
        """Count nothing."""
        return ()

    def close(self) -> None:
        """Let go of nothing."""


@asynccontextmanager
async def ccxt_on_local() -> AsyncIterator[Ground]:
    """Play through ccxt on the local exchange, over sockets, in a market that stands still."""
    market = Still()
    market.stand_at(PRICE - 0.5, PRICE, 5.0)
    async with open_floor(market) as (_, address):
        wish = AccountWish(
            profile=profile_of(LOCAL),
            endpoint=Endpoint.LOCAL,
            keys=LOCAL_KEYS,
            symbols=("BTCUSDT",),
            local_url=address.rest,
        )
        account = Account(wish, Free(), now=time.time_ns)
        async with ccxt_ground(account, IDS, now=time.time_ns, patience_s=5) as ground:
            yield ground


def embedded_market() -> DataGround:
    """Look at the embedded market."""

    def feed() -> SyntheticFeed:
        return SyntheticFeed(7, START, symbols=("BTCUSDT", "ETHUSDT"), events_per_s=50)

    return DataGround(feed().instruments, lambda offset: feed().poll(START + 120 * NS_PER_S)[offset:])


def replayed_file(folder: Path) -> DataGround:
    """Look at a file of trades that is played."""
    lines = ["ts_ms,price,qty,side"]
    lines += [f"{START // NS_PER_MS + n * 700},{20_000 + n % 17 / 2},0.{n % 9 + 1},buy" for n in range(500)]
    path = folder / "BTCUSDT.csv"
    path.write_text("\n".join(lines) + "\n")
    feed = open_feed([load_tape(DataSource(path, None))], {5 * NS_PER_S})
    return DataGround(feed.instruments, lambda offset: list(feed.events(offset)))


@asynccontextmanager
async def simulated() -> AsyncIterator[Ground]:
    """Play on the simulated venue."""
    yield StillMarket().ground


ORDER_GROUNDS: dict[str, Callable[[], AbstractAsyncContextManager[Ground]]] = {
    "simulated": simulated,
    "ccxt on the local exchange": ccxt_on_local,
}
DATA_GROUNDS: dict[str, Callable[[Path], DataGround]] = {
    "simulated": lambda _: embedded_market(),
    "replay": replayed_file,
}
