"""One call to a venue: its turn in the budget, its time-out, its answer checked, its failure judged."""

import asyncio
import decimal
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from engine.core.snapshot import BudgetRow
from engine.domain.errors import AmbiguousError, RateLimitedError, RefusedError, TransientError, VenueError
from engine.domain.events import CallOutcome, Channel, ChannelReport
from engine.domain.reasons import Reason
from engine.venues.ccxt_client import CcxtError, Evidence, Json
from engine.venues.ccxt_errors import Reaction, judged, rule_of
from engine.venues.ccxt_profiles import Profile
from engine.venues.ratelimits import REDUCING, Kind

_OUTCOMES = {
    Reaction.REFUSED: CallOutcome.OK,  # it answered: the channel works
    Reaction.TWICE: CallOutcome.OK,
    Reaction.LIMITED: CallOutcome.RATE_LIMITED,
    Reaction.AUTH: CallOutcome.AUTH,
    Reaction.CLOCK: CallOutcome.TRANSIENT,
    Reaction.LOST: CallOutcome.TRANSIENT,
    Reaction.UNSENT: CallOutcome.TRANSIENT,
}
# ccxt trusts the form of what a venue sends.
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

REDUCING_TURN_S = 120.0
ENTRY_TURN_S = 5.0  # what was decided on longer ago is not what the market is now
HOLD_BACK_S = 1.0  # where the venue asks for fewer requests and does not say for how long


class Budget(Protocol):
    """Whose turn it is: the rate limits of the venue, shared by all who use them."""

    async def take(self, kind: Kind, cost: int = 1) -> None:
        """Wait until a request of this kind may be sent."""
        ...

    def hold_back(self, seconds: float) -> None:
        """Let nobody send for a while: the venue asked for it."""
        ...

    def use(self) -> tuple[BudgetRow, ...]:
        """Return how much of each limit is used."""
        ...

    @property
    def flaw(self) -> str:
        """Why others who use the limits are not counted with, empty where they are."""
        ...

    def close(self) -> None:
        """Let go of what is counted in."""
        ...


class Timeouts(msgspec.Struct, frozen=True):
    """How long a request may take, from when it is sent, and how long it may wait for that."""

    submit_s: float = 30.0
    query_s: float = 10.0
    turn_s: float = ENTRY_TURN_S  # how long an entry may wait for its turn


class Answered(msgspec.Struct, frozen=True):
    """What ccxt made of a call, and the raw answers it was made of."""

    value: Any
    raw: list[Json]


class Calls:
    """Sends requests through ccxt and tells what became of them by reaction; reports how channels do."""

    def __init__(
        self,
        client: Any,
        profile: Profile,
        budget: Budget,
        evidence: Evidence,
        *,
        timeouts: Timeouts,
        now: Callable[[], int],
        clock_is_off: Callable[[], None] = lambda: None,
    ) -> None:
        """`clock_is_off` is called where the venue refused a request for its time."""
        self.client, self.profile, self.timeouts = client, profile, timeouts
        self._budget, self._evidence, self._now = budget, evidence, now
        self._clock_is_off = clock_is_off
        self._outcomes: dict[Channel, CallOutcome] = {}
        self._report: Callable[[ChannelReport], None] = lambda _: None
        self.last_error, self.last_error_at = "", 0  # the time is ns UTC

    def report_to(self, report: Callable[[ChannelReport], None]) -> None:
        """Report how channels do from here on, each with its next call."""
        self._report = report
        self._outcomes.clear()

    async def read(self, ask: Callable[[], Awaitable[Any]], *, cost: int = 1) -> Answered:
        """Ask for something. Raises TransientError, RateLimitedError, RefusedError or AuthError."""
        await self._wait_turn(Kind.QUERY, cost, self.timeouts.query_s)
        return await self._call(ask, Channel.QUERIES, self.timeouts.query_s, writes=False)

    async def write(
        self, send: Callable[[], Awaitable[Any]], kind: Kind, *, leaves: Callable[[], None] = lambda: None
    ) -> Answered:
        """Send an order or a cancel; `leaves` is called when its turn has come.

        Raises AmbiguousError where nobody knows what became of it; all other errors say that nothing did.
        """
        seconds = self.timeouts.submit_s if kind is not Kind.CANCEL else self.timeouts.query_s
        await self._wait_turn(kind, 1, seconds)
        leaves()
        return await self._call(send, Channel.ORDERS, seconds, writes=True)

    async def _call(
        self, ask: Callable[[], Awaitable[Any]], channel: Channel, timeout_s: float, *, writes: bool
    ) -> Answered:
        raw = self._evidence.begin()
        try:
            # ccxt sets the rounding of the decimal context it finds, and ours decides the size of orders.
            with decimal.localcontext():
                async with asyncio.timeout(timeout_s):
                    value = await ask()
        except TimeoutError as error:
            raise self._lost(channel, f"no answer within {timeout_s:g} s", writes=writes) from error
        except _UNREADABLE as error:
            raise self._lost(channel, f"the answer cannot be read: {error!r}", writes=writes) from error
        except CcxtError as error:
            raise self._judge(error, channel, writes=writes) from error
        except OSError as error:
            raise self._lost(channel, repr(error), writes=writes) from error
        self._tell(channel, CallOutcome.OK)
        return Answered(value, raw)

    async def _wait_turn(self, kind: Kind, cost: int, timeout_s: float) -> None:
        if kind in REDUCING:  # a hundred cancels take their time at the venue's pace, and none gives up
            timeout_s = max(timeout_s, REDUCING_TURN_S)
        elif kind is Kind.ORDER:
            timeout_s = min(timeout_s, self.timeouts.turn_s)
        try:
            async with asyncio.timeout(timeout_s):
                await self._budget.take(kind, cost)
        except TimeoutError as error:
            text = f"{self.profile.name}: the rate budget had no room for {timeout_s:g} s; nothing was sent"
            raise RefusedError(text, Reason.RATE_LIMITED) from error

    def _lost(self, channel: Channel, text: str, *, writes: bool) -> VenueError:
        text = f"{self.profile.name}: {text}"
        self._tell(channel, CallOutcome.TRANSIENT, text)
        return AmbiguousError(text) if writes else TransientError(text)

    def _judge(self, error: Exception, channel: Channel, *, writes: bool) -> VenueError:
        rule = rule_of(error, self.profile.ccxt_id)
        told = judged(error, rule, self.profile.name, writes=writes, retry_after_s=self._retry_after_s())
        self._tell(channel, _OUTCOMES[rule.reaction], str(told))
        if rule.reaction is Reaction.CLOCK:
            self._clock_is_off()
        if isinstance(told, RateLimitedError):
            self._budget.hold_back(max(told.retry_after_s, HOLD_BACK_S))
        return told

    def _retry_after_s(self) -> float:
        headers = self.client.last_response_headers or {}
        text = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
        return float(text) if text.isdecimal() else 0.0

    def _tell(self, channel: Channel, outcome: CallOutcome, text: str = "") -> None:
        """Report a failure, and an OK where the call before it failed."""
        before = self._outcomes.get(channel)
        self._outcomes[channel] = outcome
        if outcome is not CallOutcome.OK:
            self.last_error, self.last_error_at = text, self._now()
        if outcome is not CallOutcome.OK or before is not CallOutcome.OK:
            self._report(ChannelReport(self._now(), self.profile.name, channel, outcome, text))

    def tell_private(self, outcome: CallOutcome, text: str = "") -> None:
        """Report how the private stream does."""
        self._tell(Channel.PRIVATE, outcome, text)
