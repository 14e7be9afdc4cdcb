"""Chooses the adapters of a mode: the one place where the mode decides anything."""

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from engine.config.secrets import Credentials
from engine.config.settings import Settings, Synchronous
from engine.core.runner import evaluator_for
from engine.core.setup import CoreSetup, PlayBinding
from engine.core.snapshot import VenueSection
from engine.domain.errors import ConfigError
from engine.domain.ids import IdSpace
from engine.domain.limits import Limits
from engine.domain.market import NS_PER_MS, NS_PER_S, Instrument
from engine.domain.modes import PAID_MODES, REAL_MODES, Mode
from engine.ports import Clock, LiveFeed, PushFeed, VenueProbe
from engine.runtime.account import account_currency, traded
from engine.runtime.accounts import AccountProbe, Trading, account_of, site_of
from engine.runtime.binding import PlayFile, bind, bind_beside, steps_of
from engine.runtime.building import build_loop, loop_on
from engine.runtime.clock import SystemClock
from engine.runtime.livemarket import open_stream
from engine.runtime.loop import Loop
from engine.runtime.session import SessionConfig
from engine.runtime.tapes import load_tapes, tape_feed
from engine.storage.modelstore import ModelStore
from engine.strategy.model import UNASKED
from engine.venues.ccxt_profiles import Endpoint
from engine.venues.datafile import TradeColumns
from engine.venues.replay import FileFeed, MergedFeed, Tape
from engine.venues.simulated import MatchOn, SimulatedConfig
from engine.venues.synthetic import SyntheticFeed

STALE_CHECK_NS = NS_PER_S
WINDOW_BARS = 600
WINDOW_BARS_MAX = 10_000  # they are in every checkpoint
FLATTEN_BARS = 3  # of the longest step on a tape
MS_PER_S = 1_000
TAPE_MODES = frozenset({Mode.BACKTEST, Mode.REPLAY})
SIMULATED = "simulated"
MARKET_MODES = frozenset({Mode.PAPER, Mode.SHADOW})  # what this version can run besides tapes


def venue_config(settings: Settings, by_symbol: dict[str, MatchOn]) -> SimulatedConfig:
    """Say how the embedded venue behaves: orders match on the finest stream that each symbol has."""
    return SimulatedConfig(
        match_on_by_symbol=by_symbol,
        latency_ns=round(settings.simulated.latency_ms * NS_PER_MS),
        participation=Decimal(repr(settings.simulated.participation)),
    )


def core_setup(
    settings: Settings,
    *,
    instruments: Sequence[Instrument],
    plays: tuple[PlayBinding, ...],
    birth_s: int,
    files: Mapping[str, Path],
    shadows: tuple[PlayBinding, ...] = (),
) -> CoreSetup:
    """Gather the facts the core is built from; `files` holds the data file of each symbol that has one.

    Raises ConfigError where the traded instruments do not fit one account.
    """
    mode, tape = settings.mode, settings.mode in TAPE_MODES
    currency = account_currency(settings.account.currency, traded(instruments, plays), files)
    # One question brings orders and positions: it is asked as often as either is wanted.
    rhythm = settings.runtime.reconcile_s, settings.runtime.reconcile_positions_s
    return CoreSetup(
        mode=mode,
        instance=settings.instance,
        birth_s=birth_s,
        confirm_name=plays[0].spec.name if plays else settings.instance,
        instruments=tuple(instruments),
        plays=plays,
        limits=settings.limits.to_limits(),
        calendar=settings.blackout.to_calendar(),
        confirms_loosening=is_real_money(settings),
        breaker=settings.breaker.to_policy(),
        stops=settings.stops.to_policy(),
        calibration=settings.model.to_policy(),
        currency=currency,
        start_equity=settings.account.equity,
        takes_orders=mode is not Mode.SHADOW,
        needs_approval=is_real_money(settings),
        hosts_twins=mode is not Mode.BACKTEST,
        shadow_horizon_bars=settings.shadow.horizon_bars,
        armed=settings.arm or mode is Mode.BACKTEST,
        stale_check_ns=0 if tape else STALE_CHECK_NS,
        reconcile_ns=0 if tape else round(min(rhythm) * NS_PER_S),
        reconcile_positions_ns=0 if tape else round(rhythm[1] * NS_PER_S),
        dead_man_ms=0 if tape else round((settings.runtime.dead_man_s or 0) * MS_PER_S),
        shadows=shadows,
        window_bars=window_for((*plays, *shadows)),
    )


def window_for(plays: Sequence[PlayBinding]) -> int:
    """Return how many bars to keep, so that a new version of a play is warm at once where it can be."""
    warmups = (evaluator_for(play, UNASKED).warmup_bars for play in plays)
    return max(WINDOW_BARS, min(max(warmups, default=0), WINDOW_BARS_MAX))


def tape_config(
    settings: Settings,
    tapes: Sequence[Tape],
    plays: Sequence[PlayFile],
    birth_s: int,
    shadows: Sequence[PlayFile] = (),
) -> SessionConfig:
    """Gather what a run over tapes is built from."""
    instruments = tuple(tape.instrument for tape in tapes)
    steps = {tape.base_step_ns for tape in tapes}
    printed = {tape.instrument.symbol for tape in tapes if isinstance(tape.columns, TradeColumns)}
    bindings = bind(plays, instruments, min(steps), printed=printed)
    setup = core_setup(
        settings,
        instruments=instruments,
        plays=bindings,
        shadows=bind_beside(shadows, bindings, instruments, min(steps), printed=printed),
        birth_s=birth_s,
        files={tape.instrument.symbol: tape.path for tape in tapes},
    )
    setup = msgspec.structs.replace(setup, limits=_patient(setup.limits, max(steps)))
    matching = {
        symbol: MatchOn.TRADES if symbol in printed else MatchOn.BARS
        for symbol in (instrument.symbol for instrument in instruments)
    }
    return SessionConfig(
        setup=setup,
        venue=venue_config(settings, matching),
        data=tuple((tape.instrument.symbol, str(tape.path)) for tape in tapes),
        settings=settings.to_json(),
    )


def _patient(limits: Limits, step_ns: int) -> Limits:
    """Give a flatten time for some bars of a tape: what closes a position trades at the next bar's open."""
    deadline_s = max(limits.flatten_deadline_s, FLATTEN_BARS * step_ns / NS_PER_S)
    return msgspec.structs.replace(limits, flatten_deadline_s=deadline_s)


def synthetic_market(settings: Settings, plays: Sequence[PlayFile], start: int) -> SyntheticFeed:
    """Open the embedded market. Raises ConfigError."""
    wish = settings.synthetic
    base_step_ns = wish.base_step_s * NS_PER_S
    return SyntheticFeed(
        wish.seed,
        start,
        symbols=wish.symbols,
        base_step_ns=base_step_ns,
        steps_ns=sorted(steps_of(plays, [base_step_ns])),
        events_per_s=wish.events_per_s,
    )


def market_config(
    settings: Settings,
    plays: Sequence[PlayFile],
    feed: LiveFeed | PushFeed,
    birth_s: int,
    *,
    market: str = "",
    shadows: Sequence[PlayFile] = (),
) -> SessionConfig:
    """Gather what a run on the embedded market, or on the live `market` of a venue, is built from."""
    matching = {instrument.symbol: MatchOn.QUOTES for instrument in feed.instruments}
    bindings = bind(plays, feed.instruments, feed.base_step_ns, printed=matching)
    setup = core_setup(
        settings,
        instruments=feed.instruments,
        plays=bindings,
        shadows=bind_beside(shadows, bindings, feed.instruments, feed.base_step_ns, printed=matching),
        birth_s=birth_s,
        files={},
    )
    return SessionConfig(
        setup=setup,
        venue=venue_config(settings, matching),
        data=(),
        settings=settings.to_json(),
        market=market,
    )


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a session's market comes from. `files` holds sha256 by path of its tapes."""

    settings: Settings
    plays: tuple[PlayFile, ...]
    files: dict[str, str]
    shadows: tuple[PlayFile, ...] = ()
    tapes: tuple[Tape, ...] = ()
    tape: FileFeed | MergedFeed | None = None
    live: LiveFeed | None = None
    stream: PushFeed | None = None
    load_s: float = 0.0
    venue_section: Callable[[], VenueSection] = VenueSection  # how the venue is, where it is outside
    notes: tuple[str, ...] = ()  # what was wrong with the cache of columns, for the log
    trading: Trading | None = None  # the account that orders go to, None for the simulated venue
    models: ModelStore = msgspec.field(default_factory=ModelStore)

    def configure(self, birth_s: int) -> SessionConfig:
        """Gather what the session is built from."""
        if self.live is not None:
            return market_config(self.settings, self.plays, self.live, birth_s, shadows=self.shadows)
        if self.stream is not None:
            name, shadows = self.stream.name, self.shadows
            config = market_config(
                self.settings, self.plays, self.stream, birth_s, market=name, shadows=shadows
            )
            return config if self.trading is None else _traded_on(config, self.trading)
        return tape_config(self.settings, self.tapes, self.plays, birth_s, self.shadows)

    def build(self, config: SessionConfig) -> Loop:
        """Build the loop of a session with the venue that its orders go to. Raises ConfigError."""
        if self.trading is None:
            return build_loop(config, self.models)
        venue, setup = self.trading.venue, config.setup
        venue.own(IdSpace(setup.birth_s, setup.instance).owns)
        return loop_on(config, venue, self.models)


def _traded_on(config: SessionConfig, trading: Trading) -> SessionConfig:
    """Let a session trade on a real account: its money, and whether its venue is unlocked."""
    setup = msgspec.structs.replace(
        config.setup, start_equity=trading.equity, venue_checked=not trading.locked
    )
    return msgspec.structs.replace(config, setup=setup, orders=trading.name)


def is_real(settings: Settings) -> bool:
    """Tell whether orders reach a venue outside this program, for which an account's keys are needed."""
    return settings.mode in REAL_MODES


def is_real_money(settings: Settings) -> bool:
    """Tell whether orders cost money."""
    return settings.mode in PAID_MODES


def holds_versions_back(settings: Settings) -> bool:
    """Tell whether a changed play is watched as a shadow twin first: where orders reach a venue outside."""
    return is_real(settings)


def watches_itself(settings: Settings) -> bool:
    """Tell whether each play has a twin of itself: where no order is sent, nothing else has books."""
    return settings.mode is Mode.SHADOW


def unwatched(settings: Settings) -> tuple[Mode, ...]:
    """Return the modes whose positions at real venues a simulated session leaves alone."""
    return () if is_real(settings) else tuple(sorted(REAL_MODES))


def venue_probe(settings: Settings, credentials: Credentials) -> VenueProbe:
    """Return who can ask the venue before the first order. Raises ConfigError."""
    site = site_of(settings, real_money=is_real_money(settings))
    return AccountProbe(account_of(settings, site, (), credentials, now=time.time_ns))


def check_start(settings: Settings) -> None:
    """Refuse what this version cannot run: a mode, a tape with a venue or without a file.

    A start on a real venue must be cleared, too (runtime/clearance.py). Raises ConfigError.
    """
    if is_real(settings) and settings.venue != SIMULATED:
        site_of(settings, real_money=is_real_money(settings))
    if settings.mode in TAPE_MODES and settings.venue != SIMULATED:
        raise ConfigError(
            f"is {settings.venue!r}; orders of a {settings.mode} go to {SIMULATED!r}", field="venue"
        )
    if settings.mode in TAPE_MODES and not settings.data:
        raise ConfigError(f"{settings.mode} needs a file of market data: give --data FILE")


def open_source(
    settings: Settings,
    plays: tuple[PlayFile, ...],
    now: int,
    clock: Clock | None = None,
    shadows: tuple[PlayFile, ...] = (),
) -> Source:
    """Open the market data of the mode; a venue's live market reads the `clock`.

    Raises ConfigError for a mode or venue this version cannot run, VenueError where a venue does not answer.
    """
    check_start(settings)
    seen = (*plays, *shadows)
    if settings.mode in TAPE_MODES:
        started = time.perf_counter()
        notes: list[str] = []
        tapes = load_tapes(settings, notes.append)
        feed = tape_feed(tapes, seen)
        load_s = time.perf_counter() - started
        return Source(
            settings=settings,
            plays=plays,
            shadows=shadows,
            files=feed.fingerprint(),
            tapes=tapes,
            tape=feed,
            load_s=load_s,
            notes=tuple(notes),
        )
    if is_real(settings) and settings.venue == SIMULATED:
        raise ConfigError(f"mode {settings.mode} needs a real venue: --venue NAME", field="venue")
    if settings.venue != SIMULATED:
        site = site_of(settings, real_money=is_real_money(settings)) if is_real(settings) else None
        testnet = site is Endpoint.TESTNET
        stream = open_stream(settings, seen, clock or SystemClock(), testnet=testnet)
        return Source(settings=settings, plays=plays, shadows=shadows, files={}, stream=stream)
    live = synthetic_market(settings, seen, now)
    return Source(settings=settings, plays=plays, shadows=shadows, files={}, live=live)


def goes_on_after_end(settings: Settings) -> bool:
    """Tell whether a session that ended in order is gone on with: an account lives on, a tape begins anew."""
    return settings.mode not in TAPE_MODES


def synchronous_of(settings: Settings) -> Synchronous:
    """Return how durable a commit must be: a tape can be played again, so the kernel's word is enough."""
    return Synchronous.NORMAL if settings.mode in TAPE_MODES else settings.runtime.synchronous
