"""Runs the local exchange as a process of its own: `trader-tui venue`."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack, closing
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec

from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S
from engine.runtime.clock import SystemClock
from engine.runtime.faultfile import read_faults
from engine.venues.bybit_server.account import DEFAULT_EQUITY
from engine.venues.bybit_server.auth import KEYS
from engine.venues.bybit_server.clock import VenueClock
from engine.venues.bybit_server.core import Core
from engine.venues.bybit_server.exchange import Exchange
from engine.venues.bybit_server.faults import Faults
from engine.venues.bybit_server.limits import Limits
from engine.venues.bybit_server.market import Market, SyntheticMarket
from engine.venues.bybit_server.serve import DEFAULT_PORT, Address, serving
from engine.venues.bybit_server.statefile import StateFile
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
    """Serve until SIGINT or SIGTERM. Raises ConfigError, LockHeldError and StorageError."""
    asyncio.run(_run(wish, tell))


async def _run(wish: VenueWish, tell: Callable[[Listening], None]) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    clock = VenueClock(SystemClock().now)
    with ExitStack() as stack:
        start, equity, state = clock.now(), DEFAULT_EQUITY, None
        if wish.state is not None:
            state = stack.enter_context(closing(StateFile.open(wish.state)))
            head = state.begin(start, equity)
            start, equity = head.start, head.equity
        market = _market(wish, start, clock.now())
        core = _core(wish, market, clock, equity, state)
        async with serving(core, market, wish.port) as address:
            tell(_listening(address, core))
            await ending.wait()


def _market(wish: VenueWish, start: int, now: int) -> Market:
    """Open the market. A recorded one goes on from when its exchange was first started."""
    if not wish.data:
        return SyntheticMarket(wish.seed, now, wish.symbols, wish.events_per_s)
    tapes = [load_tape(parse_source(text)) for text in wish.data]
    names = [tape.instrument.symbol for tape in tapes]
    if len(set(names)) < len(names):
        raise ConfigError("two files are of one symbol; name them: --data SYMBOL=FILE", field="--data")
    market = TapeMarket(tapes, start, speed=wish.speed, lead_ns=int(wish.lead_s * NS_PER_S))
    market.skip_to(now)
    return market


def _core(
    wish: VenueWish, market: Market, clock: VenueClock, equity: Decimal, state: StateFile | None
) -> Core:
    exchange = Exchange(market.instruments, id_key=f"{wish.seed}:{clock.now()}".encode(), equity=equity)
    core = Core(exchange, market, clock, Faults(), Limits(enabled=wish.limits))
    if state is not None:
        state.restore(exchange)
        core.keep = partial(state.keep, exchange)
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
