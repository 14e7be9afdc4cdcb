"""The ground of an account at a real venue, or at the local exchange: `venue check` and tests play on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

from engine.domain.errors import ConfigError, TransientError
from engine.domain.ids import IdSpace
from engine.venues.ccxt_account import Account
from engine.venues.ccxt_markets import decimal_of
from engine.venues.conformance.ground import PATIENCE_S, Ground


@asynccontextmanager
async def ccxt_ground(
    account: Account, ids: IdSpace, *, now: Callable[[], int], patience_s: float = PATIENCE_S
) -> AsyncIterator[Ground]:
    """Open an account and let its adapter run while the block lasts; orders go to its first instrument.

    Raises ConfigError where the instrument is in use: what others hold there is not ours to close.
    """
    try:
        await account.open()
        instrument = account.instruments[0]
        unified = account.contracts.of(instrument.symbol).unified

        async def price() -> Decimal:
            answered = await account.calls.read(lambda: account.client.fetch_ticker(unified))
            last = decimal_of(answered.value.get("last"))
            if last is None:
                raise TransientError(f"{account.wish.profile.name} tells no price of {instrument.symbol}")
            return last

        ground = Ground(
            account.venue,
            instrument,
            ids,
            now=now,
            price=price,
            break_off=account.client.close_ws_clients,
            patience_s=patience_s,
        )
        account.venue.own(ids.owns)
        running = asyncio.create_task(account.venue.run(ground.post))
        try:
            await _refuse_used(ground)
            yield ground
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    finally:
        await account.close()


async def _refuse_used(ground: Ground) -> None:
    held = await ground.position()
    if held:
        raise ConfigError(
            f"the account holds {held} {ground.instrument.symbol}: the cases need an instrument that nobody "
            "uses; close the position or name another --symbol",
            field="--symbol",
        )
