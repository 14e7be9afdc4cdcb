"""`trader-tui venue check`: plays the order cases on a real testnet, and keeps what unlocks the venue."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from engine.config.keys import find_keys
from engine.config.packaged import keys_path, state_root
from engine.config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.ids import IdSpace
from engine.domain.market import NS_PER_S
from engine.runtime.accounts import account_of, lock_of, locked_by
from engine.storage.venuechecks import CheckedCase, VenueCheck, ccxt_version, save_check
from engine.venues.ccxt_profiles import ADAPTER_VERSION, LOCAL, Endpoint, profile_of
from engine.venues.conformance.cases import ORDER_CASES
from engine.venues.conformance.running import Verdict, run_cases

Tell = Callable[[str, str, str, str], None]  # of a case: number, verdict, promise, what was seen
PLAYED_AS = "venuecheck"  # the instance in the cases' client ids


def check_venue(settings: Settings, symbol: str, tell: Tell) -> VenueCheck:
    """Play all order cases with the user's demo keys and keep the result.

    Raises ConfigError, VenueError, LockHeldError where an engine trades on the account.
    """
    return asyncio.run(_check(settings, symbol, tell))


def _site(settings: Settings) -> Endpoint:
    if settings.venue == LOCAL:
        return Endpoint.LOCAL
    profile = profile_of(settings.venue)
    return Endpoint.TESTNET if profile.has_testnet else Endpoint.DEMO


async def _check(settings: Settings, symbol: str, tell: Tell) -> VenueCheck:
    from engine.venues.conformance.ccxt_ground import ccxt_ground  # noqa: PLC0415 - it imports ccxt

    site, began = _site(settings), time.time_ns()
    if settings.venue != LOCAL and profile_of(settings.venue).stop_flaw:
        raise ConfigError(f"{settings.venue} cannot be unlocked: {locked_by(settings)}", field="venue")
    keys = find_keys(settings.venue, keys_path(settings), real_money=False)
    if keys.credentials is None:
        raise ConfigError(keys.flaw)
    ids = IdSpace(began // NS_PER_S, PLAYED_AS)
    async with AsyncExitStack() as stack:
        lock = lock_of(settings, site, keys.credentials)
        lock.acquire(PLAYED_AS, began)
        stack.callback(lock.release)
        account = account_of(settings, site, (symbol,), keys.credentials, now=time.time_ns)
        ground = await stack.enter_async_context(ccxt_ground(account, ids, now=time.time_ns))
        results = await run_cases(
            ORDER_CASES, ground, lambda case: tell(case.number, case.verdict, case.promise, case.text)
        )
    check = VenueCheck(
        venue=settings.venue,
        site=site.value,
        at=began,
        ccxt=ccxt_version(),
        adapter=ADAPTER_VERSION,
        passed=not any(result.verdict is Verdict.FAIL for result in results),
        cases=tuple(CheckedCase(each.number, each.verdict.value, each.text) for each in results),
    )
    save_check(settings.state_dir or state_root(), check)
    return check
