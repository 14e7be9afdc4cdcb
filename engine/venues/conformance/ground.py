"""Where a case plays: a venue, one instrument, our ids, and what the venue has said so far."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from engine.domain.events import (
    Event,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    VenueReport,
)
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.market import Instrument
from engine.domain.money import ZERO, ceil_to, divide
from engine.domain.orders import OrderKind, OrderRequest, TimeInForce
from engine.domain.positions import Fill
from engine.domain.signals import Side
from engine.ports import Venue

PLAY = "check"
PATIENCE_S = 15.0  # for each thing that is waited for
FAR = Decimal("0.05")  # of the price: where an order rests and no venue calls it absurd
MARGIN = Decimal("1.3")  # over the venue's minimum notional
E = TypeVar("E", bound=Event)


class CaseError(AssertionError):
    """A promise was not kept; the text says which and what was seen."""


class NotApplicableError(Exception):
    """The case asks for something that this venue does not have."""


class Ground:
    """Hands orders to a venue and waits for what it says. One case at a time."""

    def __init__(
        self,
        venue: Venue,
        instrument: Instrument,
        ids: IdSpace,
        *,
        now: Callable[[], int],
        price: Callable[[], Awaitable[Decimal]],
        turn: Callable[[], Awaitable[None]] | None = None,
        break_off: Callable[[], Awaitable[None]] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`price` tells the last one; `turn` lets a venue's market move on, where it does not by itself;

        `break_off` breaks the private stream, where there is one.
        """
        self.venue, self.instrument, self._ids = venue, instrument, ids
        self._now, self._price, self._turn, self._break_off = now, price, turn, break_off
        self._patience_s = patience_s
        self._numbers = 0
        self._requests = 0
        self._news = asyncio.Event()
        self.heard: list[Event] = []

    # what happens

    def post(self, event: Event) -> bool:
        """Take what the venue says."""
        self.heard.append(event)
        self._news.set()
        return True

    def begin(self) -> None:
        """Forget what was heard: another case begins."""
        self.heard.clear()

    async def until(self, kind: type[E], what: str, holds: Callable[[E], bool] = lambda _: True) -> E:
        """Wait for an event. Raises CaseError that says what was waited for and what came."""
        found = await self.any(what, lambda event: isinstance(event, kind) and holds(event))
        assert isinstance(found, kind), "as was asked for"
        return found

    async def any(self, what: str, holds: Callable[[Event], bool]) -> Event:
        """Wait for an event of any kind. Raises CaseError that says what was waited for and what came."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._find(holds)
        except TimeoutError:
            came = ", ".join(_brief(event) for event in self.heard[-6:]) or "nothing"
            raise CaseError(f"{what} did not come within {self._patience_s:g} s; heard: {came}") from None

    async def _find(self, holds: Callable[[Event], bool]) -> Event:
        while True:
            for event in self.heard:
                if holds(event):
                    return event
            self._news.clear()
            if self._turn is None:
                await self._news.wait()
            else:
                await self._turn()
                await asyncio.sleep(0)

    def said(self, kind: type[E], client_id: str) -> list[E]:
        """Return what was heard of an order."""
        return [e for e in self.heard if isinstance(e, kind) and getattr(e, "client_id", "") == client_id]

    # what is done

    async def order(
        self,
        side: Side = Side.BUY,
        kind: OrderKind = OrderKind.MARKET,
        *,
        away: Decimal = FAR,
        qty: Decimal | None = None,
        reduce_only: bool = False,
        post_only: bool = False,
        tif: TimeInForce = TimeInForce.GTC,
        off: Decimal = ZERO,
    ) -> OrderRequest:
        """Return an order of the smallest size; `away`: how far its price lies on the passive side.

        `off` is added to the price, to take it off the tick.
        """
        last = await self._price()
        self._numbers += 1
        role = (
            OrderRole.STOP if kind is OrderKind.STOP else OrderRole.EXIT if reduce_only else OrderRole.ENTRY
        )
        # a stop lies where the market would have to go against a position: below for a sell
        passive = -1 if side is Side.BUY else 1
        direction = -passive if kind is OrderKind.STOP else passive
        level = last * (1 + direction * away)
        rounded = self.instrument.round_price_down(level) + off
        return OrderRequest(
            client_id=self._ids.client_id(PLAY, role, self._numbers),
            cycle_id=f"{PLAY}@{self._numbers}",
            play=PLAY,
            symbol=self.instrument.symbol,
            side=side,
            role=role,
            kind=kind,
            qty=self.smallest(last * (1 - FAR)) if qty is None else qty,
            ts=self._now(),
            price=rounded if kind is OrderKind.LIMIT else None,
            trigger=rounded if kind is OrderKind.STOP else None,
            reduce_only=reduce_only,
            post_only=post_only,
            tif=tif,
        )

    def smallest(self, price: Decimal) -> Decimal:
        """Return the smallest quantity that the venue takes at a price."""
        needed = ceil_to(divide(self.instrument.notional_min * MARGIN, price), self.instrument.lot)
        return max(self.instrument.qty_min, needed, self.instrument.lot)

    def submit(self, request: OrderRequest) -> None:
        """Hand over an order."""
        self._take(self.venue.submit(request, self._now()))

    def cancel(self, request: OrderRequest) -> None:
        """Hand over a cancel."""
        self._take(self.venue.cancel(request.client_id, request.symbol, self._now()))

    async def accepted(self, request: OrderRequest) -> OrderAcked:
        """Submit and wait for the acknowledgement."""
        self.submit(request)
        return await self.until(OrderAcked, "the acknowledgement", _of(request))

    async def filled(self, request: OrderRequest) -> list[Fill]:
        """Submit and wait until trades add up to the whole order."""
        self.submit(request)

        def is_whole(fill: Fill) -> bool:
            fills = {each.trade_id: each for each in self.said(Fill, request.client_id)}
            return fill.client_id == request.client_id and _sum(fills.values()) >= request.qty

        await self.until(Fill, f"trades of {request.qty}", is_whole)
        return list({each.trade_id: each for each in self.said(Fill, request.client_id)}.values())

    async def ended(self, request: OrderRequest) -> Event:
        """Wait until the order is refused, canceled, or reported ended."""

        def is_end(event: Event) -> bool:
            match event:
                case OrderRejected(client_id=cid) | OrderCanceled(client_id=cid):
                    return cid == request.client_id
                case OrderReport(client_id=cid, order=order):
                    return cid == request.client_id and order is not None and not order.state.is_open
                case _:
                    return False

        return await self.any("the end of the order", is_end)

    async def report(self) -> VenueReport:
        """Ask for everything; an incomplete answer is asked for again. Raises CaseError."""
        for _ in range(3):
            self._requests -= 1
            number = self._requests
            self._take(self.venue.query(number, self._now()))
            report = await self.until(VenueReport, "a report", lambda r, n=number: r.request_id == n)  # type: ignore[misc]
            if report.complete:
                return report
        raise CaseError("three reports in a row were incomplete")

    async def report_order(self, client_id: str) -> OrderReport:
        """Ask about one order."""
        before = len(self.said(OrderReport, client_id))
        self._take(self.venue.query_order(client_id, self.instrument.symbol, self._now()))
        await self.until(
            OrderReport, "an order's report", lambda _: len(self.said(OrderReport, client_id)) > before
        )
        return self.said(OrderReport, client_id)[-1]

    async def position(self) -> Decimal:
        """Return our net position as the venue reports it."""
        report = await self.report()
        return sum((p.qty for p in report.positions if p.symbol == self.instrument.symbol), ZERO)

    async def flat(self) -> None:
        """Close whatever the venue shows, and cancel what is ours: how each case begins and ends."""
        report = await self.report()
        for listed in report.orders:
            if self._ids.owns(listed.client_id) and listed.symbol == self.instrument.symbol:
                self._take(self.venue.cancel(listed.client_id, listed.symbol, self._now()))
        held = sum((p.qty for p in report.positions if p.symbol == self.instrument.symbol), ZERO)
        if held:
            side = Side.SELL if held > 0 else Side.BUY
            await self.filled(await self.order(side, qty=abs(held), reduce_only=True))

    async def broken(self) -> None:
        """Break the private stream off. Raises NotApplicableError where there is none."""
        if self._break_off is None:
            raise NotApplicableError("there is no private stream")
        await self._break_off()

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            self.post(event)


def _of(request: OrderRequest) -> Callable[[Any], bool]:
    return lambda event: event.client_id == request.client_id


def _sum(fills: Iterable[Fill]) -> Decimal:
    return sum((fill.qty for fill in fills), ZERO)


def _brief(event: Event) -> str:
    name = type(event).__name__
    reason = getattr(event, "reason", None) or getattr(event, "text", "")
    return f"{name}({reason})" if reason else name


def require(holds: bool, text: str) -> None:  # noqa: FBT001 - it reads as an assertion
    """Raise CaseError where a promise is not kept."""
    if not holds:
        raise CaseError(text)
