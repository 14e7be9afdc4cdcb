"""The venues with a feed of their own: where they are, and what speaks their language."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec

from engine.domain.market import Instrument
from engine.venues.binance_public import FUTURES_URL, SPOT_URL, BinancePublic
from engine.venues.bybit_public import URL as BYBIT_URL
from engine.venues.bybit_public import BybitPublic
from engine.venues.publicrest import Budget, PublicRest
from engine.venues.ws_binance import BinanceWire
from engine.venues.ws_bybit import BybitWire
from engine.venues.ws_feed import VenueFeed
from engine.venues.ws_line import Line
from engine.venues.ws_source import Address, Source
from engine.venues.ws_stream import Stream, Timing
from engine.venues.ws_time import VenueTime
from engine.venues.ws_trades import NumberedTrades, TradeOrder, UnnumberedTrades
from engine.venues.ws_wire import Hear, SocketWire


class MakeSocketWire(Protocol):
    """Makes a wire from an address; `depth` asks for whole books."""

    def __call__(
        self, url: str, lines: Mapping[str, Line], time: VenueTime, hear: Hear, *, depth: bool
    ) -> SocketWire:
        """Return a wire for these lines."""
        ...


class NativeVenue(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's addresses and protocol."""

    stream_url: str
    query_url: str
    test: Address  # its testnet
    source: Callable[[PublicRest], Source]
    wire: MakeSocketWire
    trades: Callable[[], TradeOrder]


_BYBIT = NativeVenue(
    stream_url="wss://stream.bybit.com/v5/public/linear",
    query_url=BYBIT_URL,
    test=Address("wss://stream-testnet.bybit.com/v5/public/linear", "https://api-testnet.bybit.com"),
    source=BybitPublic,
    wire=BybitWire,
    trades=UnnumberedTrades,
)
NATIVE: dict[str, NativeVenue] = {
    "bybit": _BYBIT,
    "local": _BYBIT,  # with the addresses of the local exchange
    "binance": NativeVenue(
        stream_url="wss://stream.binance.com:9443",
        query_url=SPOT_URL,
        test=Address("wss://stream.testnet.binance.vision", "https://testnet.binance.vision"),
        source=partial(BinancePublic, futures=False),
        wire=BinanceWire,
        trades=NumberedTrades,
    ),
    # Of its three entrances this one has trades, best prices and depth.
    "binanceusdm": NativeVenue(
        stream_url="wss://fstream.binance.com/public",
        query_url=FUTURES_URL,
        test=Address("wss://fstream.binancefuture.com/public", "https://testnet.binancefuture.com"),
        source=partial(BinancePublic, futures=True),
        wire=BinanceWire,
        trades=NumberedTrades,
    ),
}


def source_of(name: str, at: Address, budget: Budget | None = None) -> Source:
    """Return what asks a venue."""
    venue = NATIVE[name]
    return venue.source(PublicRest(name, at.query_url or venue.query_url, budget=budget))


def feed_of(
    name: str,
    at: Address,
    instruments: Sequence[Instrument],
    steps_ns: Sequence[int],
    *,
    depth: bool,
    timing: Timing,
    now: Callable[[], int],
    budget: Budget | None = None,
) -> VenueFeed[bytes]:
    """Return a venue's feed. `depth`: keep whole books, not only the best prices."""
    venue = NATIVE[name]
    return VenueFeed[bytes](
        name,
        instruments,
        steps_ns,
        source=source_of(name, at, budget),
        make_wire=partial(venue.wire, at.stream_url or venue.stream_url, depth=depth),
        make_stream=lambda wire, listener: Stream(wire, listener, timing),
        make_trades=venue.trades,
        now=now,
    )
