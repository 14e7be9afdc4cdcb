"""Opens an account at a venue: its time, its markets, its position mode, then the adapter of its orders."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from engine.domain.errors import ConfigError, TransientError
from engine.domain.market import Instrument
from engine.risk.clearance import KeyFacts, VenueFacts
from engine.venues.ccxt_answers import KeyAnswer, checked
from engine.venues.ccxt_calls import Budget, Calls, Timeouts
from engine.venues.ccxt_client import STEPS, AccountKeys, Evidence, build_client
from engine.venues.ccxt_clock import VenueClock
from engine.venues.ccxt_contracts import Contracts, contracts_of
from engine.venues.ccxt_markets import decimal_of
from engine.venues.ccxt_orders import CcxtVenue
from engine.venues.ccxt_profiles import Endpoint, Profile

T = TypeVar("T")


class Again(Protocol):
    """Repeats a question that failed for a reason that may pass."""

    async def __call__(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer; the last attempt's error goes to the caller."""
        ...


async def once(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask, and not again."""
    return await ask()


class AccountWish(msgspec.Struct, frozen=True, kw_only=True):
    """Which account is opened, for which symbols; `local_url` is where a local exchange listens."""

    profile: Profile
    endpoint: Endpoint
    keys: AccountKeys
    symbols: tuple[str, ...]
    local_url: str = ""
    timeouts: Timeouts = Timeouts()


class Account:
    """One account at one venue: what it says of itself, and the adapter of its orders."""

    def __init__(
        self,
        wish: AccountWish,
        budget: Budget,
        *,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        again: Again = once,
    ) -> None:
        """`now` is the engine's clock (ns UTC), `again` repeats what is asked at a start.

        Raises ConfigError for a site the venue does not have.
        """
        self.wish, self.budget, self._now, self._sleep, self._again = wish, budget, now, sleep, again
        self.clock, evidence = VenueClock(), Evidence()
        self.client: Any = build_client(
            wish.profile,
            wish.endpoint,
            wish.keys,
            clock=self.clock,
            evidence=evidence,
            timeout_s=max(wish.timeouts.submit_s, wish.timeouts.query_s),
            local_url=wish.local_url,
        )
        self.calls = Calls(
            self.client,
            wish.profile,
            budget,
            evidence,
            timeouts=wish.timeouts,
            now=now,
            clock_is_off=self.clock.doubt,
        )
        self._contracts: Contracts | None = None
        self._venue: CcxtVenue | None = None

    async def open(self) -> None:
        """Measure the clock, load the markets and look at the position mode.

        Raises ConfigError where the account or a symbol cannot be traded, VenueError where nobody answers.
        """
        if self.client.has.get("fetchTime") is True:
            await self._again(lambda: self.clock.measure(self._venue_ms))
        await self._again(lambda: self.calls.read(self.client.load_markets, cost=2))
        venue = self.wish.profile.name
        steps = STEPS[self.client.precisionMode]
        self._contracts = contracts_of(self.client.markets or {}, self.wish.symbols, venue, steps)
        self._venue = CcxtVenue(
            self.calls,
            self._contracts,
            now=self._now,
            sleep=self._sleep,
            beside=lambda: self.clock.keep(self._venue_ms),
        )
        queries = self._venue.queries
        for instrument in self.instruments:
            if await self._again(partial(queries.is_hedged, instrument.symbol)):
                raise ConfigError(
                    f"{venue} holds {instrument.symbol} in hedge mode; set it to one-way mode there: "
                    "positions are netted here",
                    field="venue",
                )

    @property
    def venue(self) -> CcxtVenue:
        """The order adapter; there is one after `open`."""
        assert self._venue is not None, "the account is open"
        return self._venue

    @property
    def contracts(self) -> Contracts:
        """The markets of the wish's symbols; there are some after `open`."""
        assert self._contracts is not None, "the account is open"
        return self._contracts

    @property
    def instruments(self) -> Sequence[Instrument]:
        """The instruments of the wish's symbols, as the venue states them."""
        return [each.instrument for each in self.contracts]

    async def equity(self, currency: str) -> Decimal:
        """Return the balance of a currency. Raises VenueError where the answer does not tell it."""
        return await self._again(partial(self._equity, currency))

    async def _equity(self, currency: str) -> Decimal:
        answered = await self.calls.read(self.client.fetch_balance)
        totals = answered.value.get("total") if isinstance(answered.value, dict) else None
        total = decimal_of(totals.get(currency)) if isinstance(totals, dict) else None
        if not answered.raw or total is None:
            raise TransientError(f"{self.wish.profile.name} does not tell the balance of {currency}")
        return total

    async def facts(self) -> VenueFacts:
        """Return what the venue says of our keys, its symbols and its clock. Raises VenueError."""
        markets = (self.client.markets or {}).values()
        traded = [m for m in markets if m.get("swap") and m.get("linear") and m.get("active") is not False]
        return VenueFacts(
            keys=await self._again(self._key_facts),
            symbols=frozenset(str(market["id"]) for market in traded),
            clock_offset_ms=float(self.clock.offset_ms),
        )

    async def _key_facts(self) -> KeyFacts:
        wish = self.wish
        if not wish.profile.tells_permissions or wish.endpoint is Endpoint.DEMO:
            return KeyFacts()
        answered = await self.calls.read(self.client.private_get_v5_user_query_api)
        key = checked(KeyAnswer, (answered.value or {}).get("result"))
        return KeyFacts(can_trade=key.can_trade, can_withdraw=key.can_withdraw)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.client.close()
        self.budget.close()

    async def _venue_ms(self) -> int:
        answered = await self.calls.read(self.client.fetch_time)
        if not isinstance(answered.value, int):
            raise TransientError(f"{self.wish.profile.name} does not tell its time")
        return answered.value
