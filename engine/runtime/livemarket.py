"""Opens the live market of a real venue: which symbols, by which rules, in bars of which lengths."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from engine.config.packaged import budget_dir
from engine.config.settings import BookKind, Settings
from engine.domain.errors import ConfigError, TransientError
from engine.domain.market import NS_PER_S, Instrument
from engine.ports import Clock, PushFeed
from engine.runtime.binding import PlayFile, steps_of
from engine.runtime.retry import at_start
from engine.venues.ratelimit import VenueBudget
from engine.venues.ratelimits import Kind, Scope, limits_of
from engine.venues.ws_source import Address, Fees
from engine.venues.ws_stream import Timing

S_PER_H = 3_600
LOCAL = "local"  # the local exchange, which speaks Bybit's protocol
REMEDY = ("check the network, or try again later", "start the local exchange with `trader-tui venue`")
LIVE = "live"  # the host, for the budget, where the venue is where it usually is
LOCAL_PATH = "/v5/public/linear"

T = TypeVar("T")


class QueryBudget:
    """The part of the venue's rate limits that market data takes, counted with all else that asks there."""

    def __init__(self, settings: Settings, at: Address) -> None:
        share, reserve = settings.budget.share, settings.budget.reserve
        self._budget = VenueBudget(
            budget_dir(),
            venue=settings.venue,
            host=at.query_url or LIVE,
            limits=limits_of(settings.venue, share=share, reserve=reserve),
        )

    async def take(self, weight: int) -> None:
        """Wait until a query of this weight may be sent."""
        await self._budget.take(Kind.QUERY, weight)

    def hold_back(self, seconds: float) -> None:
        """Let nobody of this machine ask for a while."""
        self._budget.hold_back(seconds, Scope.HOST)

    def close(self) -> None:
        """Let go of the counts."""
        self._budget.close()


def open_stream(
    settings: Settings, plays: Sequence[PlayFile], clock: Clock, *, testnet: bool = False
) -> PushFeed:
    """Ask the venue for the rules of the symbols, and return its feed, or that of its testnet.

    Not to be called in an event loop. Raises ConfigError for a venue or symbol that is not there, VenueError
    where the venue does not answer.
    """
    from engine.venues.ws_venues import NATIVE  # noqa: PLC0415 - its packages are for real venues only

    opens = _open_native if settings.venue in NATIVE else _open_other
    return opens(settings, plays, clock, testnet=testnet)


def wanted(settings: Settings, plays: Sequence[PlayFile]) -> tuple[str, ...]:
    """Return the symbols that plays name, and those of the settings where one names none."""
    named = [symbol for play in plays for symbol in play.spec.symbols]
    free = settings.stream.symbols if not plays or any(not play.spec.symbols for play in plays) else ()
    return tuple(dict.fromkeys((*named, *free)))


def steps(settings: Settings, plays: Sequence[PlayFile]) -> tuple[int, ...]:
    """Return the lengths of all bars, the base first: a play's own where that is shorter than the base."""
    base = settings.stream.base_step_s * NS_PER_S
    lengths = steps_of(plays, [base])
    return tuple(sorted({min({base, *lengths}), *lengths}))


def address_of(settings: Settings, test: Address | None = None) -> Address:
    """Return where the venue is, if not where it usually is; `test` is its testnet's, where that is meant."""
    stream, at = settings.stream, test or Address()
    if settings.venue == LOCAL:
        rest_url = settings.local.rest_url
        at = Address(f"ws{rest_url.removeprefix('http')}{LOCAL_PATH}", rest_url)
    return Address(stream.stream_url or at.stream_url, stream.query_url or at.query_url)


def timing_of(settings: Settings) -> Timing:
    """Return the stream's rhythm."""
    stream = settings.stream
    return Timing(
        ping_s=stream.ping_s, pong_s=stream.ping_s, silent_s=stream.silent_s, renew_s=stream.renew_h * S_PER_H
    )


def _open_native(settings: Settings, plays: Sequence[PlayFile], clock: Clock, *, testnet: bool) -> PushFeed:
    from engine.venues.ws_venues import NATIVE, feed_of, source_of  # noqa: PLC0415

    at = address_of(settings, NATIVE[settings.venue].test if testnet else None)
    symbols, fees = wanted(settings, plays), Fees(settings.simulated.maker_fee, settings.simulated.taker_fee)

    async def ask() -> tuple[Instrument, ...]:
        source = source_of(settings.venue, at, QueryBudget(settings, at))
        try:
            return await source.instruments(symbols, fees)
        finally:
            await source.close()

    return feed_of(
        settings.venue,
        at,
        _named(settings, ask, plays),
        steps(settings, plays),
        depth=settings.stream.book is BookKind.DEPTH,
        timing=timing_of(settings),
        now=clock.now,
        budget=QueryBudget(settings, at),
    )


def _open_other(settings: Settings, plays: Sequence[PlayFile], clock: Clock, *, testnet: bool) -> PushFeed:
    """Open a venue through ccxt."""
    from engine.venues.ccxt_stream import feed_of, list_markets  # noqa: PLC0415

    fees = Fees(settings.simulated.maker_fee, settings.simulated.taker_fee)
    symbols = wanted(settings, plays)
    listing = _named(settings, lambda: list_markets(settings.venue, symbols, fees, testnet=testnet), plays)
    silent_s = settings.stream.silent_s
    return feed_of(
        settings.venue, listing, steps(settings, plays), silent_s=silent_s, now=clock.now, testnet=testnet
    )


def _named(settings: Settings, ask: Callable[[], Awaitable[T]], plays: Sequence[PlayFile]) -> T:
    """Ask for instruments; an unknown symbol that a play names is told with the play's file."""
    again = at_start(is_local=settings.venue == LOCAL)
    try:
        return asyncio.run(again(ask))
    except ConfigError as error:
        for play in plays:
            if any(f"{symbol!r}" in error.message for symbol in play.spec.symbols):
                raise ConfigError(error.message, file=str(play.path), field="symbols") from None
        raise
    except TransientError as error:
        raise TransientError(f"{error}. Nothing was started: {REMEDY[settings.venue == LOCAL]}.") from error
