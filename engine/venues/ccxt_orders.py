"""The order adapter over ccxt: an engine.ports.Venue whose calls hand over and whose answers come as events.

What was handed over is sent by tasks of this object, each with its turn in the budget and a time-out of its
own. A write without an answer is told as timed out and nothing else: only the venue's evidence says what
became of it. Where the answer to a request says nothing of its effect (a cancel that is taken), the stream or
a query does.
"""

import asyncio
import contextvars
import decimal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from typing_extensions import override

from engine.domain.errors import AmbiguousError, AuthError, RateLimitedError, RefusedError, VenueError
from engine.domain.events import (
    CancelRejected,
    ChannelReport,
    Event,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    OrderTimedOut,
)
from engine.domain.orders import OrderRequest
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.venues.away import NO_EVENTS, AwayVenue
from engine.venues.ccxt_answers import CreatedAnswer, OrderAnswer, TradeAnswer, checked
from engine.venues.ccxt_calls import Calls
from engine.venues.ccxt_contracts import Contracts
from engine.venues.ccxt_ids import to_venue
from engine.venues.ccxt_private import PrivateStream
from engine.venues.ccxt_profiles import Switch
from engine.venues.ccxt_queries import Queries
from engine.venues.ccxt_requests import create_call
from engine.venues.ccxt_tracker import Tracker
from engine.venues.ratelimits import Kind

CONFIRM_S = 1.0  # the stream has so long to tell of a cancel or of the trades of an order that ended
CANCEL_PAUSES_S = (0.25, 0.5, 1.0)  # a cancel may be repeated: it does the same once and twice
IN_FLIGHT_S = 1.0  # a cancel waits for orders of its symbol that were handed over before it
ROOM_S = 0.01  # between two looks whether the inbox has room
FAREWELL_S = 2.0  # at the end, what is on its way has so long to be answered

Work = Callable[[], Coroutine[Any, Any, None]]
Post = Callable[[Event], bool]


class CcxtVenue(AwayVenue):
    """One account at one venue. `run` must run for anything to be sent."""

    def __init__(
        self,
        calls: Calls,
        contracts: Contracts,
        *,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        beside: Work | None = None,
    ) -> None:
        """`now` is the engine's clock (ns UTC); `beside` runs as long as the adapter does."""
        self._beside = beside
        self._calls, self._contracts, self._now, self._sleep = calls, contracts, now, sleep
        self._client, self._profile = calls.client, calls.profile
        self.queries = Queries(calls, contracts, now)
        self._tracker = Tracker(now)
        self._owns: Callable[[str], bool] = lambda _: False
        self._waiting: list[tuple[Work, bool]] = []  # handed over before `run`
        self._tasks: asyncio.TaskGroup | None = None
        self._context: contextvars.Context | None = None
        self._unsent: dict[str, asyncio.Task[None]] = {}  # by client id, while they wait for their turn
        self._submits: dict[str, dict[str, asyncio.Event]] = {}  # by symbol and client id: on their way
        self._writes: set[asyncio.Task[None]] = set()
        self._post: Post = lambda _: False
        self._switch_ms = 0  # what a switch that waits for the private stream was set to
        self.stream = PrivateStream(
            calls, on_order=self._on_order, on_trade=self._on_trade, post=self._deliver, now=now, sleep=sleep
        )
        calls.report_to(self._report_channel)

    def own(self, owns: Callable[[str], bool]) -> None:
        """Say which client ids are this engine's: trades of others are nobody's news."""
        self._owns = owns

    # the port

    @override
    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Hand over an order."""
        self._submits.setdefault(request.symbol, {})[request.client_id] = asyncio.Event()
        self._hand_over(partial(self._submit, request), writes=True)
        return NO_EVENTS

    @override
    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Hand over a cancel."""
        before = list(self._submits.get(symbol, {}).values())
        self._hand_over(partial(self._cancel, client_id, symbol, before), writes=True)
        return NO_EVENTS

    @override
    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Hand over a question about everything."""
        self._hand_over(partial(self._query, request_id))
        return NO_EVENTS

    @override
    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Hand over a question about an order."""
        self._hand_over(partial(self._query_order, client_id, symbol))
        return NO_EVENTS

    @property
    @override
    def spares_protection(self) -> bool:
        """Whether the venue's cancel-all-after is known to leave reduce-only orders alone."""
        return self._profile.spares_protection

    @override
    def cancel_all_after(self, timeout_ms: int, now: int) -> Sequence[Event]:
        """Hand over a renewal of the dead-man's switch, where the venue has one."""
        if self._profile.switch is Switch.LINE:
            if timeout_ms != self._switch_ms:
                self._switch_ms = timeout_ms
                self._hand_over(partial(self._set_switch, timeout_ms), writes=True)
        elif self._client.has.get("cancelAllOrdersAfter"):
            self._hand_over(partial(self._renew, timeout_ms), writes=True)
        return NO_EVENTS

    # at work

    async def run(self, post: Post) -> None:
        """Send what is handed over and post what comes back, until cancelled."""
        self._post = post
        decimal.setcontext(decimal.getcontext().copy())  # this task's and its children's: ccxt changes it
        self._context = contextvars.copy_context()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            waiting, self._waiting = self._waiting, []
            for work, writes in waiting:
                self._hand_over(work, writes=writes)
            if self._beside is not None:
                tasks.create_task(self._beside())
            try:
                await self.stream.run()
            finally:
                self._tasks = None
                if self._writes:
                    await asyncio.wait(self._writes, timeout=FAREWELL_S)

    def _hand_over(self, work: Work, *, writes: bool = False) -> None:
        """Start a task, at once or when `run` begins; `writes`: it sends an order or a cancel."""
        if self._tasks is None:
            self._waiting.append((work, writes))
            return
        assert self._context is not None, "it is made before tasks can be"
        task = self._tasks.create_task(work(), context=self._context.copy())  # not that of who hands over
        if writes:
            self._writes.add(task)
            task.add_done_callback(self._writes.discard)

    async def _deliver(self, event: Event) -> None:
        """Post an event; a full inbox is waited for, nothing is lost."""
        while not self._post(event):
            await self._sleep(ROOM_S)

    def _report_channel(self, report: ChannelReport) -> None:
        self._hand_over(partial(self._deliver, report))

    # orders

    async def _submit(self, request: OrderRequest) -> None:
        client_id = request.client_id
        self._tracker.sent(client_id, request.qty)
        kind = Kind.REDUCE if request.reduce_only else Kind.ORDER
        task = asyncio.current_task()
        assert task is not None, "orders are sent by tasks"
        self._unsent[client_id] = task
        try:
            answered = await self._calls.write(
                create_call(self._client, self._profile, self._contracts, request),
                kind,
                leaves=lambda: self._leave(client_id),
            )
            created = self._created(answered.value)
        except AuthError as error:
            await self._deliver(OrderRejected(self._now(), client_id, Reason.AUTH_FAILED, str(error)))
        except RateLimitedError as error:
            await self._deliver(OrderRejected(self._now(), client_id, Reason.RATE_LIMITED, str(error)))
        except RefusedError as error:
            await self._deliver(OrderRejected(self._now(), client_id, error.reason, str(error)))
        except VenueError:  # whatever else it was: nobody knows
            await self._deliver(OrderTimedOut(self._now(), client_id))
        except asyncio.CancelledError:
            if client_id not in self._unsent:
                raise
            await self._deliver(OrderCanceled(self._now(), client_id))  # it never left
        else:
            self.queries.remember(created.id, client_id)
            self._tracker.acked(client_id)
            await self._deliver(OrderAcked(self._now(), client_id, created.id))
        finally:
            self._unsent.pop(client_id, None)
            on_way = self._submits.get(request.symbol, {}).pop(client_id, None)
            if on_way is not None:
                on_way.set()

    def _leave(self, client_id: str) -> None:
        del self._unsent[client_id]

    def _created(self, value: Any) -> CreatedAnswer:
        try:
            return checked(CreatedAnswer, value)
        except VenueError as error:
            raise AmbiguousError(str(error)) from error

    # cancels

    async def _cancel(self, client_id: str, symbol: str, before: list[asyncio.Event]) -> None:
        """Cancel an order once what was handed over before it has arrived: a new stop goes before its old."""
        waiting = self._unsent.get(client_id)
        if waiting is not None:
            waiting.cancel()
            return
        if before:
            with suppress(TimeoutError):
                async with asyncio.timeout(IN_FLIGHT_S):
                    for event in before:
                        await event.wait()
        reason = await self._try_cancel(client_id, symbol)
        if reason is not None:
            await self._deliver(CancelRejected(self._now(), client_id, reason))
        else:
            self._hand_over(partial(self._confirm, client_id, symbol))

    async def _confirm(self, client_id: str, symbol: str) -> None:
        """Ask about an order whose cancel was taken where the stream does not tell of its end."""
        await self._sleep(CONFIRM_S)
        if self._tracker.is_open(client_id):
            await self._query_order(client_id, symbol)

    async def _try_cancel(self, client_id: str, symbol: str) -> Reason | None:
        """Ask to cancel, again where nobody answers; return why it was not carried out."""
        params = {self._profile.find_param: to_venue(client_id, self._profile.id_form)}
        unified = self._contracts.of(symbol).unified
        pauses = iter(CANCEL_PAUSES_S)
        while True:
            try:
                await self._calls.write(lambda: self._client.cancel_order(None, unified, params), Kind.CANCEL)
            except RateLimitedError:
                reason = Reason.RATE_LIMITED
            except RefusedError as error:
                return error.reason
            except AuthError:
                return Reason.AUTH_FAILED
            except VenueError:
                reason = Reason.NO_ANSWER
            else:
                return None
            pause_s = next(pauses, None)
            if pause_s is None:
                return reason
            await self._sleep(pause_s)

    async def _renew(self, timeout_ms: int) -> None:
        with suppress(VenueError):  # a renewal that is lost is followed by the next
            await self._calls.write(lambda: self._client.cancel_all_orders_after(timeout_ms), Kind.CANCEL)

    async def _set_switch(self, timeout_ms: int) -> None:
        """Set a switch that waits for the private stream, and let the stream count, or count no more."""
        if not timeout_ms:
            await self.stream.subscribe_beside("")
            return
        try:
            await self._calls.write(lambda: self._client.cancel_all_orders_after(timeout_ms), Kind.CANCEL)
        except VenueError:
            self._switch_ms = 0  # the next renewal sets it
        else:
            await self.stream.subscribe_beside(self._profile.switch_topic)

    # questions

    async def _query(self, request_id: int) -> None:
        await self._deliver(await self.queries.report(request_id))

    async def _query_order(self, client_id: str, symbol: str) -> None:
        """Ask about an order; that the venue does not know one that waits for its turn is no evidence."""
        if client_id in self._unsent:
            await self._deliver(OrderReport(self._now(), client_id, None, complete=False))
        else:
            await self._deliver(await self.queries.report_order(client_id, symbol))

    # the stream

    async def _on_order(self, order: OrderAnswer) -> None:
        client_id = self.queries.client_id_of(order)
        self.queries.remember(order.id, client_id)
        contract = self._contracts.of_unified(order.symbol)
        if contract is None or not self._owns(client_id):
            return
        for event in self._tracker.on_order(client_id, order, contract.size):
            await self._deliver(event)
        if self._tracker.lacks_trades(client_id):
            self._hand_over(partial(self._repair, client_id, contract.instrument.symbol))

    async def _on_trade(self, trade: TradeAnswer) -> None:
        try:
            fill: Fill | None = await self.queries.fill(trade)
        except VenueError:
            return  # the next report brings it
        if fill is not None and self._owns(fill.client_id):
            for event in self._tracker.on_fill(fill, self._contracts.of(fill.symbol).size):
                await self._deliver(event)

    async def _repair(self, client_id: str, symbol: str) -> None:
        """Ask about an order that ended where its trades do not come."""
        await self._sleep(CONFIRM_S)
        if self._tracker.lacks_trades(client_id):
            await self._query_order(client_id, symbol)
