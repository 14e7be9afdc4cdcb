"""What the venue knows of our orders, positions and trades: asked page by page, believed only when whole."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.domain.errors import RefusedError, TransientError, VenueError
from engine.domain.events import OrderReport, VenueOrder, VenuePosition, VenueReport
from engine.domain.ids import PREFIX
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.venues.ccxt_answers import OrderAnswer, PositionAnswer, TradeAnswer, checked
from engine.venues.ccxt_calls import Answered, Calls
from engine.venues.ccxt_contracts import Contract, Contracts
from engine.venues.ccxt_ids import from_venue, to_venue
from engine.venues.ccxt_profiles import Lookup

PAGES_MAX = 40
FIRST_WINDOW_MS = 3_600_000  # the trades of so long are looked at at a start
OVERLAP_MS = 60_000  # and later those since the last answer, with so much of a margin
KNOWN_MAX = 10_000  # client ids remembered by venue id
UNTRIGGERED = frozenset({"Untriggered"})

Page = Callable[[Mapping[str, Any]], Awaitable[Any]]


class Queries:
    """Asks the venue and puts its answers into our words. Whatever is doubtful makes a report incomplete."""

    def __init__(self, calls: Calls, contracts: Contracts, now: Callable[[], int]) -> None:
        self._calls, self._contracts, self._now = calls, contracts, now
        self._client, self._profile = calls.client, calls.profile
        self._client_ids: OrderedDict[str, str] = OrderedDict()  # by venue id
        self._since_ms = 0  # how far back the trades of the next report go

    async def report(self, request_id: int) -> VenueReport:
        """Return open orders, positions and the trades of late; incomplete where any of it failed."""
        asked_ms = int(self._client.milliseconds())  # the venue's time
        since_ms = (self._since_ms or asked_ms - FIRST_WINDOW_MS) - OVERLAP_MS
        try:
            orders, positions, fills = await asyncio.gather(
                self.orders(), self.positions(), self._fills_since(since_ms)
            )
        except VenueError:  # the channel's report says which and why
            return VenueReport(self._now(), request_id, (), (), complete=False)
        self._since_ms = asked_ms
        return VenueReport(self._now(), request_id, orders, positions, fills=fills)

    async def report_order(self, client_id: str, symbol: str) -> OrderReport:
        """Return what the venue knows of one order and its trades."""
        contract = self._contracts.of(symbol)
        try:
            order = await self._find(client_id, contract)
            fills = () if order is None else await self._fills_of(client_id, order, contract)
        except VenueError:
            return OrderReport(self._now(), client_id, None, complete=False)
        return OrderReport(self._now(), client_id, self._listed(order) if order else None, fills)

    async def orders(self) -> tuple[VenueOrder, ...]:
        """Return all open orders of the account, also others'. Raises VenueError."""
        rows = await self._pages(lambda params: self._client.fetch_open_orders(None, None, None, params))
        if self._profile.triggers_apart:
            rows += await self._pages(
                lambda params: self._client.fetch_open_orders(None, None, None, {**params, "trigger": True})
            )
        return tuple(self._listed(self.order(row)) for row in rows)

    async def positions(self) -> tuple[VenuePosition, ...]:
        """Return the net positions of the account. Raises VenueError, RefusedError in hedge mode."""
        rows = await self._pages(lambda params: self._client.fetch_positions(None, params))
        held = [checked(PositionAnswer, row) for row in rows]
        hedged = next((each.symbol for each in held if each.hedged and each.contracts), None)
        if hedged is not None:
            raise RefusedError(f"{self._profile.name}: {hedged} is in hedge mode")
        try:
            return tuple(
                VenuePosition(self._contracts.name_of(each.symbol), each.signed * self._size(each.symbol))
                for each in held
                if each.contracts
            )
        except ValueError as error:
            raise TransientError(f"{self._profile.name}: {error}") from error

    async def is_hedged(self, symbol: str) -> bool:
        """Tell whether a symbol is set to hold long and short apart, also while it holds nothing."""
        unified = self._contracts.of(symbol).unified
        answered = await self._calls.read(lambda: self._client.fetch_positions([unified]))
        return any(checked(PositionAnswer, row).hedged for row in self._rows(answered))

    # one order

    def order(self, row: Any) -> OrderAnswer:
        """Check an order that ccxt hands out, and remember whose it is."""
        order = checked(OrderAnswer, row)
        self.remember(order.id, from_venue(order.client_id, self._profile.id_form))
        return order

    def remember(self, venue_id: str, client_id: str) -> None:
        """Remember the client id of an order, for venues that tell trades by their own id only."""
        if client_id:
            self._client_ids[venue_id] = client_id
            self._client_ids.move_to_end(venue_id)
            if len(self._client_ids) > KNOWN_MAX:
                self._client_ids.popitem(last=False)

    def client_id_of(self, order: OrderAnswer) -> str:
        """Return our id of an order, empty where it has none."""
        return from_venue(order.client_id, self._profile.id_form)

    def _listed(self, order: OrderAnswer) -> VenueOrder:
        size = self._size(order.symbol)
        raw_status = order.info.get("orderStatus")
        return VenueOrder(
            client_id=self.client_id_of(order),
            venue_id=order.id,
            symbol=self._contracts.name_of(order.symbol),
            side=order.domain_side,
            qty=order.amount * size,
            filled_qty=order.filled * size,
            state=order.state,
            average_price=order.average if order.filled else None,
            triggered=bool(order.trigger) and raw_status is not None and raw_status not in UNTRIGGERED,
        )

    async def _find(self, client_id: str, contract: Contract) -> OrderAnswer | None:
        params = {self._profile.find_param: to_venue(client_id, self._profile.id_form)}
        unified, client = contract.unified, self._client
        if self._profile.lookup is Lookup.SINGLE:
            return await self._find_single(params, unified)
        for ask in (client.fetch_open_orders, client.fetch_canceled_and_closed_orders):
            answered = await self._calls.read(lambda ask=ask: ask(unified, None, None, params))  # type: ignore[misc]
            for row in self._rows(answered):
                order = self.order(row)
                if self.client_id_of(order) == client_id:
                    return order
        return None

    async def _find_single(self, params: Mapping[str, Any], unified: str) -> OrderAnswer | None:
        """Ask about an order by a request of its own; where stop orders stand apart, twice."""
        kinds = ({}, {"trigger": True}) if self._profile.triggers_apart else ({},)
        for kind in kinds:
            try:
                answered = await self._calls.read(
                    lambda kind=kind: self._client.fetch_order("", unified, {**params, **kind})  # type: ignore[misc]
                )
            except RefusedError as error:
                if error.reason is not Reason.ORDER_NOT_FOUND:
                    raise
                continue
            return self.order(answered.value)
        return None

    # trades

    async def _fills_of(self, client_id: str, order: OrderAnswer, contract: Contract) -> tuple[Fill, ...]:
        if not order.filled:
            return ()
        params = {}
        if self._profile.trade_id_key:
            params = {self._profile.find_param: to_venue(client_id, self._profile.id_form)}
        rows = await self._pages(
            lambda more: self._client.fetch_my_trades(contract.unified, None, None, {**params, **more}),
            settles=False,
        )
        fills = [await self.fill(checked(TradeAnswer, row)) for row in rows]
        return tuple(fill for fill in fills if fill is not None and fill.client_id == client_id)

    async def _fills_since(self, since_ms: int) -> tuple[Fill, ...]:
        symbols = [each.unified for each in self._contracts] if self._profile.trades_by_symbol else [None]
        fills: list[Fill] = []
        for symbol in symbols:
            rows = await self._pages(
                lambda more, symbol=symbol: self._client.fetch_my_trades(symbol, since_ms, None, {**more}),  # type: ignore[misc]
                settles=False,
            )
            found = [await self.fill(checked(TradeAnswer, row)) for row in rows]
            fills += [fill for fill in found if fill is not None]
        return tuple(fills)

    async def fill(self, trade: TradeAnswer) -> Fill | None:
        """Return a trade as a fill of ours, None for others' and in other markets. Raises VenueError."""
        contract = self._contracts.of_unified(trade.symbol)
        if contract is None:
            return None
        client_id = await self._owner(trade)
        if not client_id.startswith(PREFIX):
            return None
        return trade.fill(client_id, contract.instrument, contract.size)

    async def _owner(self, trade: TradeAnswer) -> str:
        """Return the client id of a trade's order; the venue is asked where neither it nor we know."""
        key, form = self._profile.trade_id_key, self._profile.id_form
        if key and key in trade.info:
            return from_venue(str(trade.info[key] or ""), form)
        if trade.order not in self._client_ids:
            answered = await self._calls.read(lambda: self._client.fetch_order(trade.order, trade.symbol))
            order = self.order(answered.value)
            return self.client_id_of(order)
        return self._client_ids[trade.order]

    # pages

    def _size(self, unified: str) -> Decimal:
        contract = self._contracts.of_unified(unified)
        return Decimal(1) if contract is None else contract.size

    async def _pages(self, ask: Page, *, settles: bool = True) -> list[Any]:
        """Return the rows of all pages. Raises VenueError, also where there is no end to them."""
        params: dict[str, Any] = {}
        profile = self._profile
        if profile.settle_param and settles:
            params[profile.settle_param] = next(iter(self._contracts)).instrument.settle
        rows: list[Any] = []
        for _ in range(PAGES_MAX):
            limited = {**params, "limit": profile.page_rows} if profile.cursor_key else params
            answered = await self._calls.read(lambda limited=limited: ask(limited))  # type: ignore[misc]
            page = self._rows(answered)
            rows += page
            cursor = self._cursor(answered)
            if not cursor or len(page) < profile.page_rows:
                return rows
            params["cursor"] = cursor
        raise TransientError(f"{profile.name}: a list did not end after {PAGES_MAX} pages")

    def _rows(self, answered: Answered) -> Sequence[Any]:
        """Return what ccxt made of a list. Raises TransientError where the raw answer holds no such list.

        ccxt makes an empty list of an answer that it does not understand: of that nothing follows.
        """
        raw = answered.raw[-1] if answered.raw else None
        for key in self._profile.list_path:
            raw = raw.get(key) if isinstance(raw, dict) else None
        whole = isinstance(raw, list) if self._profile.list_path else bool(raw) or isinstance(raw, list)
        if not whole or not isinstance(answered.value, list):
            raise TransientError(f"{self._profile.name}: the answer holds no list")
        if self._profile.list_path and len(answered.value) != len(raw or ()):
            raise TransientError(f"{self._profile.name}: a part of the list cannot be read")
        return answered.value

    def _cursor(self, answered: Answered) -> str:
        raw = answered.raw[-1]
        for key in self._profile.list_path[:-1]:
            raw = raw[key]
        return str(raw.get(self._profile.cursor_key) or "") if self._profile.cursor_key else ""
