"""Opens the account that a session's orders go to, where its mode has one."""

from collections.abc import Callable
from contextlib import AsyncExitStack

import msgspec

from engine.config.secrets import Credentials
from engine.config.settings import Settings
from engine.domain.errors import AuthError
from engine.runtime.accounts import account_of, lock_of, site_of, trade_on
from engine.runtime.clearance import clear_at_venue, keys_refused
from engine.runtime.factory import Source, is_real_money


def take_account(
    stack: AsyncExitStack, settings: Settings, credentials: Credentials | None, now: int
) -> None:
    """Take the lock of the account that the mode's orders go to; the stack gives it back.

    Raises LockHeldError that names who trades on it, StorageError where the usual place of instances cannot
    be written: without the lock nobody knows.
    """
    if credentials is None:
        return
    lock = lock_of(settings, site_of(settings, real_money=is_real_money(settings)), credentials)
    lock.acquire(settings.instance, now)
    stack.callback(lock.release)


async def open_trading(
    stack: AsyncExitStack,
    source: Source,
    credentials: Credentials | None,
    now: Callable[[], int],
    *,
    clears: bool = True,
) -> Source:
    """Open the account that the mode's orders go to, and have the venue clear the start; the stack closes it.

    Raises ConfigError that names all that speaks against the start, VenueError where nobody answers.
    """
    settings, stream = source.settings, source.stream
    if credentials is None or stream is None:
        return source
    real_money = is_real_money(settings)
    site = site_of(settings, real_money=real_money)
    symbols = tuple(instrument.symbol for instrument in stream.instruments)
    account = account_of(settings, site, symbols, credentials, now=now)
    stack.push_async_callback(account.close)
    try:
        await account.open()
    except AuthError as error:
        raise keys_refused(settings, error, real_money=real_money) from None
    if clears:
        await clear_at_venue(settings, account, real_money=real_money, symbols=symbols)
    trading = await trade_on(account, stream.instruments, settings, credentials)
    locked = (f"{trading.name} takes no entries: {trading.locked}",) if trading.locked else ()
    notes = (*source.notes, *locked)
    return msgspec.structs.replace(source, trading=trading, venue_section=trading.section, notes=notes)
