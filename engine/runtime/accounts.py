"""Opens accounts at real venues: what a session trades on, and what is asked before a start.

ccxt takes a second to import, so it is imported by what needs it here, and never in a console's process.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from engine.config.keys import find_keys
from engine.config.packaged import budget_dir, keys_path, state_root
from engine.config.secrets import Credentials, Redactor
from engine.config.settings import Settings
from engine.core.snapshot import VenueSection
from engine.domain.errors import ConfigError
from engine.domain.events import Event
from engine.domain.market import Instrument
from engine.domain.modes import PAID_MODES, REAL_MODES
from engine.ports import OutsideVenue
from engine.risk.clearance import VenueFacts
from engine.runtime.redacting import redacting
from engine.runtime.retry import at_start
from engine.storage.accountlock import account_lock
from engine.storage.lock import InstanceLock
from engine.storage.venuechecks import why_locked
from engine.venues.ccxt_profiles import ADAPTER_VERSION, LOCAL, Endpoint, profile_of
from engine.venues.ratelimit import VenueBudget
from engine.venues.ratelimits import limits_of

if TYPE_CHECKING:
    from engine.venues.ccxt_account import Account


class Trading(msgspec.Struct, frozen=True, kw_only=True):
    """The account that a session's orders go to."""

    name: str  # venue and site
    venue: OutsideVenue
    equity: Decimal
    redactor: Redactor  # knows the account's keys
    section: Callable[[], VenueSection]  # how the venue is, for the screen
    locked: str = ""  # why the venue takes no entries, empty where its order cases passed

    async def run(self, post: Callable[[Event], bool]) -> None:
        """Let the venue work until cancelled; secrets are taken out of what it says."""
        await self.venue.run(redacting(post, self.redactor))


def account_name(settings: Settings, site: Endpoint) -> str:
    """Name the place of an account: venue and site, of the local exchange its address."""
    place = settings.local.rest_url if site is Endpoint.LOCAL else site.value
    return f"{settings.venue} {place}"


def lock_of(settings: Settings, site: Endpoint, credentials: Credentials) -> InstanceLock:
    """Return the lock of an account, not taken yet."""
    return account_lock(state_root(), account_name(settings, site), credentials.api_key.reveal())


def refuse_second(settings: Settings) -> None:
    """Raise LockHeldError where an engine trades on the account, before the work of a start is begun.

    What is wrong with venue or keys is told with all else that speaks against the start.
    """
    if settings.mode not in REAL_MODES:
        return
    real_money = settings.mode in PAID_MODES
    with suppress(ConfigError):
        keys = find_keys(settings.venue, keys_path(settings), real_money=real_money)
        if keys.credentials is not None:
            lock_of(settings, site_of(settings, real_money=real_money), keys.credentials).refuse_while_held()


def account_of(
    settings: Settings,
    site: Endpoint,
    symbols: Iterable[str],
    credentials: Credentials,
    *,
    now: Callable[[], int],
) -> "Account":
    """Return an account of the settings' venue, not opened yet. Raises ConfigError."""
    from engine.venues.ccxt_account import Account, AccountWish  # noqa: PLC0415 - it imports ccxt
    from engine.venues.ccxt_calls import Timeouts  # noqa: PLC0415 - likewise
    from engine.venues.ccxt_client import AccountKeys  # noqa: PLC0415 - likewise

    profile = profile_of(settings.venue)
    local_url = settings.local.rest_url if site is Endpoint.LOCAL else ""
    budget = VenueBudget(
        budget_dir(),
        venue=profile.name,
        host=local_url or site.value,
        key=credentials.api_key.reveal(),
        limits=limits_of(profile.name, share=settings.budget.share, reserve=settings.budget.reserve),
    )
    wish = AccountWish(
        profile=profile,
        endpoint=site,
        keys=AccountKeys(*(secret.reveal() for secret in credentials)),
        symbols=tuple(symbols),
        local_url=local_url,
        timeouts=Timeouts(settings.orders.submit_timeout_s, settings.orders.query_timeout_s),
    )
    return Account(wish, budget, now=now, again=at_start(is_local=site is Endpoint.LOCAL))


def site_of(settings: Settings, *, real_money: bool) -> Endpoint:
    """Return which of the venue's sites orders go to. Raises ConfigError."""
    if settings.venue == LOCAL:
        if real_money:
            raise ConfigError("the local exchange has no real money; run it with --mode demo", field="venue")
        return Endpoint.LOCAL
    profile_of(settings.venue)
    return Endpoint.LIVE if real_money else Endpoint(settings.orders.demo_site.value)


async def trade_on(
    account: "Account", market: Iterable[Instrument], settings: Settings, credentials: Credentials
) -> Trading:
    """Return the account as a session takes it, once it was opened.

    Raises ConfigError where its rules differ from the market's, VenueError where it does not answer.
    """
    agree(market, account.instruments, settings.venue)
    refuse_long_switch(settings)
    venue, site, redactor = settings.venue, account.wish.endpoint.value, Redactor(credentials)
    name = venue if venue == site else f"{venue} {site}"

    def section() -> VenueSection:
        return VenueSection(
            name=name,
            clock_offset_ms=float(account.clock.offset_ms),
            last_error=redactor.text(account.calls.last_error),
            last_error_at=account.calls.last_error_at,
            budgets=account.budget.use(),
            budget_flaw=account.budget.flaw,
        )

    return Trading(
        name=name,
        redactor=redactor,
        section=section,
        venue=account.venue,
        equity=await account.equity(account.instruments[0].settle),
        locked=locked_by(settings),
    )


def locked_by(settings: Settings) -> str:
    """Return why the venue takes no entries; the local exchange's cases run with this program's own tests."""
    if settings.venue == LOCAL:
        return ""
    flaw = profile_of(settings.venue).stop_flaw
    if flaw:
        return f"its stops are not to be relied on in this version: {flaw}"
    return why_locked(settings.state_dir or state_root(), settings.venue, ADAPTER_VERSION)


def agree(market: Iterable[Instrument], account: Iterable[Instrument], venue: str) -> None:
    """Refuse a start where market and account have other rules for an instrument. Raises ConfigError."""
    theirs = {each.symbol: (each.tick, each.lot) for each in account}
    for ours in market:
        if theirs.get(ours.symbol) != (ours.tick, ours.lot):
            raise ConfigError(
                f"{venue} tells two sets of rules for {ours.symbol}: its market has tick {ours.tick} and lot "
                f"{ours.lot}, its account {theirs.get(ours.symbol)}",
                field="venue",
            )


def refuse_long_switch(settings: Settings) -> None:
    """Refuse a time of the dead-man's switch that the venue does not take. Raises ConfigError."""
    most_s = profile_of(settings.venue).switch_max_s
    if (settings.runtime.dead_man_s or 0) > most_s:
        raise ConfigError(
            f"{settings.venue} takes {most_s} s at most; write a smaller number",
            field="runtime.dead_man_s",
        )


class AccountProbe:
    """Opens an account for as long as it takes to ask what a start must know."""

    def __init__(self, account: "Account") -> None:
        self._account = account

    async def facts(self) -> VenueFacts:
        """Return what the venue says. Raises VenueError, ConfigError."""
        try:
            await self._account.open()
            return await self._account.facts()
        finally:
            await self._account.close()
