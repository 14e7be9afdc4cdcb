"""Opens the live market of a real venue: which symbols, by which rules, in bars of which lengths."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from engine.config.settings import BookKind, Settings
from engine.domain.errors import ConfigError, TransientError
from engine.domain.market import NS_PER_S, Instrument
from engine.ports import Clock, PushFeed
from engine.runtime.binding import PlayFile, steps_of
from engine.venues.ws_source import Address, Fees
from engine.venues.ws_stream import Timing

S_PER_H = 3_600
LOCAL = "local"  # the local exchange, which speaks Bybit's protocol
REMEDY = ("check the network, or try again later", "start the local exchange with `trader-tui venue`")
LOCAL_PATH = "/v5/public/linear"

T = TypeVar("T")


def open_stream(settings: Settings, plays: Sequence[PlayFile], clock: Clock) -> PushFeed:
    """Ask the venue for the rules of the symbols, and return its feed.

    Not to be called in an event loop. Raises ConfigError for a venue or symbol that is not there, VenueError
    where the venue does not answer.
    """
    from engine.venues.ws_venues import NATIVE  # noqa: PLC0415 - its packages are for real venues only

    opens = _open_native if settings.venue in NATIVE else _open_other
    return opens(settings, plays, clock)


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


def address_of(settings: Settings) -> Address:
    """Return where the venue is, if not where it usually is."""
    stream, at = settings.stream, Address()
    if settings.venue == LOCAL:
        host = f"{settings.local.host}:{settings.local.port}"
        at = Address(f"ws://{host}{LOCAL_PATH}", f"http://{host}")
    return Address(stream.stream_url or at.stream_url, stream.query_url or at.query_url)


def timing_of(settings: Settings) -> Timing:
    """Return the stream's rhythm."""
    stream = settings.stream
    return Timing(
        ping_s=stream.ping_s, pong_s=stream.ping_s, silent_s=stream.silent_s, renew_s=stream.renew_h * S_PER_H
    )


def _open_native(settings: Settings, plays: Sequence[PlayFile], clock: Clock) -> PushFeed:
    from engine.venues.ws_venues import feed_of, source_of  # noqa: PLC0415

    at = address_of(settings)
    symbols, fees = wanted(settings, plays), Fees(settings.simulated.maker_fee, settings.simulated.taker_fee)

    async def ask() -> tuple[Instrument, ...]:
        source = source_of(settings.venue, at)
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
    )


def _open_other(settings: Settings, plays: Sequence[PlayFile], clock: Clock) -> PushFeed:
    """Open a venue through ccxt."""
    from engine.venues.ccxt_stream import feed_of, list_markets  # noqa: PLC0415

    fees = Fees(settings.simulated.maker_fee, settings.simulated.taker_fee)
    symbols = wanted(settings, plays)
    listing = _named(settings, lambda: list_markets(settings.venue, symbols, fees), plays)
    silent_s = settings.stream.silent_s
    return feed_of(settings.venue, listing, steps(settings, plays), silent_s=silent_s, now=clock.now)


def _named(settings: Settings, ask: Callable[[], Coroutine[Any, Any, T]], plays: Sequence[PlayFile]) -> T:
    """Ask for instruments; an unknown symbol that a play names is told with the play's file."""
    try:
        return asyncio.run(ask())
    except ConfigError as error:
        for play in plays:
            if any(f"{symbol!r}" in error.message for symbol in play.spec.symbols):
                raise ConfigError(error.message, file=str(play.path), field="symbols") from None
        raise
    except TransientError as error:
        raise TransientError(f"{error}. Nothing was started: {REMEDY[settings.venue == LOCAL]}.") from error
