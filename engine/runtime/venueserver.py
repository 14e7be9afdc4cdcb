"""Runs the local exchange as a process of its own: `trader-tui venue`."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S
from engine.runtime.clock import SystemClock
from engine.runtime.faultfile import read_faults
from engine.venues.bybit_server.auth import KEYS
from engine.venues.bybit_server.clock import VenueClock
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.faults import Faults
from engine.venues.bybit_server.limits import Limits
from engine.venues.bybit_server.market import Market, SyntheticMarket
from engine.venues.bybit_server.serve import DEFAULT_PORT, Address, serving
from engine.venues.bybit_server.tape import TapeMarket
from engine.venues.replay import load_tape, parse_source
from engine.venues.synthetic import DEFAULT_EVENTS_PER_S, DEFAULT_SYMBOLS


class VenueWish(msgspec.Struct, frozen=True, kw_only=True):
    """What `trader-tui venue` was asked for."""

    port: int = DEFAULT_PORT
    faults: Path | None = None
    data: tuple[str, ...] = ()
    symbols: tuple[str, ...] = DEFAULT_SYMBOLS
    events_per_s: float = DEFAULT_EVENTS_PER_S
    seed: int = 1
    speed: float = 1.0
    lead_s: float = 0.0
    limits: bool = True
    state: Path | None = None


class Listening(msgspec.Struct, frozen=True):
    """Where the local exchange listens, and the key that opens it."""

    port: int
    rest: str
    public: str
    private: str
    trade: str
    key: str
    secret: str
    symbols: tuple[str, ...]
    pid: int


def run_venue(wish: VenueWish, tell: Callable[[Listening], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises ConfigError."""
    asyncio.run(_run(wish, tell))


async def _run(wish: VenueWish, tell: Callable[[Listening], None]) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    clock = VenueClock(SystemClock().now)
    market = _market(wish, clock.now())
    core = _core(wish, market, clock)
    async with serving(core, market, wish.port) as address:
        tell(_listening(address, core))
        await ending.wait()


def _market(wish: VenueWish, start: int) -> Market:
    if not wish.data:
        return SyntheticMarket(wish.seed, start, wish.symbols, wish.events_per_s)
    tapes = [load_tape(parse_source(text)) for text in wish.data]
    names = [tape.instrument.symbol for tape in tapes]
    if len(set(names)) < len(names):
        raise ConfigError("two files are of one symbol; name them: --data SYMBOL=FILE", field="--data")
    return TapeMarket(tapes, start, speed=wish.speed, lead_ns=int(wish.lead_s * NS_PER_S))


def _core(wish: VenueWish, market: Market, clock: VenueClock) -> Core:
    id_key = f"{wish.seed}:{clock.now()}".encode()
    core = Core(
        Exchange(market.instruments, id_key=id_key), market, clock, Faults(), Limits(enabled=wish.limits)
    )
    if wish.faults is not None:
        core.add_faults(read_faults(wish.faults))
    return core


def _listening(address: Address, core: Core) -> Listening:
    key = next(iter(KEYS.values()))
    return Listening(
        port=address.port,
        rest=address.rest,
        public=address.socket("public/linear"),
        private=address.socket("private"),
        trade=address.socket("trade"),
        key=key.name,
        secret=key.secret,
        symbols=tuple(core.exchange.listings),
        pid=os.getpid(),
    )
