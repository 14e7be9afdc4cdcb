"""The exchange without its sockets: takes orders, matches them, keeps the account, and lists what changed.

It is pure: time and market come with the calls. What changes is noted in the blotter: the private streams
tell of it, and the state file keeps it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from engine.domain.events import OrderCanceled, VenueEvent
from engine.domain.market import Instrument, Quote, Trade
from engine.domain.money import ZERO
from engine.domain.positions import Fill, Liquidity
from engine.domain.reasons import Reason
from engine.venues.admission import refusal
from engine.venues.bybit_server.account import DEFAULT_EQUITY, Account
from engine.venues.bybit_server.blotter import Blotter
from engine.venues.bybit_server.checks import (
    require_ahead,
    require_change,
    require_fit,
    require_margin,
    require_room,
)
from engine.venues.bybit_server.listing import Listing, request_of
from engine.venues.bybit_server.orders import (
    ExchangeOrder,
    Executed,
    Execution,
    PositionChanged,
    Status,
    Ticket,
    WalletChanged,
)
from engine.venues.bybit_server.protection import protective_order, rising_of
from engine.venues.bybit_server.refusals import (
    DUPLICATE_ID,
    RefusedError,
    of_reason,
    parameter_error,
)
from engine.venues.working import WorkingOrder

_ENDED_BY = {
    Reason.REDUCE_ONLY_WOULD_INCREASE: ("CancelByReduceOnly", "EC_NoError"),
    Reason.IOC_REMAINDER: ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    Reason.FOK_UNFILLED: ("UNKNOWN", "EC_NoEnoughQtyToFill"),
}


class Exchange:
    """One account on an exchange of linear perpetuals."""

    def __init__(
        self, instruments: Iterable[Instrument], *, id_key: bytes, equity: Decimal = DEFAULT_EQUITY
    ) -> None:
        self.listings = {instrument.symbol: Listing(instrument) for instrument in instruments}
        self.account = Account(equity, self.listings)
        self.blotter = Blotter(id_key)

    def listing(self, symbol: str) -> Listing:
        """Return a symbol's listing. Raises RefusedError."""
        listing = self.listings.get(symbol)
        if listing is None:
            raise parameter_error("symbol invalid")
        return listing

    def marks(self) -> dict[str, Decimal]:
        """Return the price of every symbol that has one."""
        return {symbol: listing.mark for symbol, listing in self.listings.items() if listing.last}

    def available(self) -> Decimal:
        """Return what is free for new orders."""
        marks = self.marks()
        account = self.account
        bound = sum((account.order_margin(order) for order in self.blotter.open.values()), ZERO)
        return account.equity(marks) - account.positions_margin(marks) - bound

    # orders

    def create(self, ticket: Ticket, now: int) -> ExchangeOrder:
        """Take an order, or raise RefusedError."""
        listing = self.listing(ticket.symbol)
        if ticket.link_id and ticket.link_id in self.blotter.by_link:
            raise RefusedError(DUPLICATE_ID, "OrderLinkedID is duplicate")
        require_room(ticket, listing)
        order = ExchangeOrder.of(ticket, self.blotter.next_id(), now, listing.last)
        if ticket.trigger is None:
            self._enter(order, listing, now)
        else:
            self._wait(order, listing)
        return order

    def cancel(self, order: ExchangeOrder, now: int) -> None:
        """Cancel an open order."""
        self._cancel(order, now, "CancelByUser")

    def cancel_all(
        self, symbols: Iterable[str], now: int, *, waiting: bool, active: bool, cause: str = "CancelByUser"
    ) -> list[ExchangeOrder]:
        """Cancel the open orders of some symbols: those that wait for a trigger, the active ones, or both."""
        wanted = set(symbols)
        canceled = [
            order
            for order in self.blotter.open.values()
            if order.ticket.symbol in wanted and (waiting if order.status is Status.UNTRIGGERED else active)
        ]
        for order in canceled:
            self._cancel(order, now, cause)
        return canceled

    def amend(
        self,
        order: ExchangeOrder,
        now: int,
        *,
        qty: Decimal | None,
        price: Decimal | None,
        trigger: Decimal | None,
    ) -> None:
        """Give an open order another quantity, price or trigger, or raise RefusedError."""
        wanted = msgspec.structs.replace(
            order,
            qty=order.qty if qty is None else qty,
            price=order.price if price is None else price,
            trigger=order.trigger if trigger is None else trigger,
        )
        require_change(order, wanted)
        listing = self.listings[order.ticket.symbol]
        require_fit(wanted, listing, now)
        if order.status is Status.UNTRIGGERED:
            require_ahead(listing, order.ticket.rising, wanted.trigger)
        order.qty, order.price, order.trigger, order.updated = wanted.qty, wanted.price, wanted.trigger, now
        if order.status is Status.UNTRIGGERED:
            self.blotter.tell(order)
        else:
            self._requeue(order, listing, now)

    def protect(
        self, symbol: str, now: int, *, take_profit: Decimal | None, stop_loss: Decimal | None
    ) -> None:
        """Set or, with 0, remove the position's take-profit and stop-loss. Raises RefusedError."""
        listing, holding = self.listing(symbol), self.account.holdings[symbol]
        if not holding.qty:
            raise parameter_error("can not set tp/sl/ts for zero position")
        for kind, level in (("TakeProfit", take_profit), ("StopLoss", stop_loss)):
            if level:
                require_ahead(listing, rising_of(kind, is_long=holding.qty > 0), level)
                if level % listing.instrument.tick:
                    raise parameter_error(f"{kind} {level} is not a multiple of the tick")
        if take_profit is not None:
            self._protect_by("TakeProfit", symbol, take_profit, now)
        if stop_loss is not None:
            self._protect_by("StopLoss", symbol, stop_loss, now)
        self.blotter.note(PositionChanged(symbol))

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set a symbol's leverage. Raises RefusedError."""
        self.listing(symbol)
        self.account.set_leverage(symbol, leverage)
        self.blotter.note(PositionChanged(symbol))

    # the market

    def on_trade(self, trade: Trade) -> None:
        """Let a trade of the market fill resting orders and reach triggers."""
        listing = self.listings[trade.symbol]
        if listing.book.orders:
            self._happened(listing.book.on_trade(trade), listing)
        listing.see_trade(trade)
        for order in listing.reached(trade):
            if order.order_id in listing.waiting:  # one before it may have closed the position
                self._release(order, listing, trade.ts)

    def on_quote(self, quote: Quote) -> None:
        """Let the market's best bid and offer move."""
        listing = self.listings[quote.symbol]
        if listing.book.orders:
            self._happened(listing.book.on_quote(quote), listing)
        listing.see_quote(quote)

    # inside

    def _enter(self, order: ExchangeOrder, listing: Listing, now: int) -> None:
        """Put an order into the book, where it may trade at once. Raises RefusedError."""
        order.trim_to(listing.book.reducible(order.ticket.side))
        request, book = request_of(order, now), listing.book
        refused = refusal(request, book)
        if refused is not None and refused.reason is not Reason.POST_ONLY_WOULD_TAKE:
            raise of_reason(refused.reason, refused.text)
        if not order.reduces:
            require_margin(order, listing, self.account, self.available())
        self.blotter.register(order)
        if refused is not None:
            self.blotter.end(order, Status.CANCELLED, now, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")
            return
        crosses = request.price is not None and book.crosses(request.side, float(request.price))
        working = WorkingOrder.entering(request, self.blotter.count(), order.order_id, crosses=crosses)
        book.add(working)
        order.status = Status.NEW
        if working.at_market or working.is_immediate or crosses:
            self._take(working, listing, now)
        if order.status is Status.NEW:
            self.blotter.tell(order)

    def _take(self, working: WorkingOrder, listing: Listing, now: int) -> None:
        side = working.request.side
        events = listing.book.take(working, listing.ladder.offered_to(side), now)
        for event in events:
            if isinstance(event, Fill):
                listing.ladder.took(side, event.price, event.qty)
        self._happened(events, listing)

    def _requeue(self, order: ExchangeOrder, listing: Listing, now: int) -> None:
        """Let an amended order queue anew; it takes at once where its new price crosses."""
        working, request = listing.book.orders[order.order_id], request_of(order, now)
        listing.book.amend(working, request, self.blotter.count())
        self.blotter.tell(order)
        assert request.price is not None, "only limits rest"
        if listing.book.crosses(request.side, float(request.price)):
            if request.post_only:
                self._cancel(order, now, "UNKNOWN", "EC_PostOnlyWillTakeLiquidity")
            else:
                self._take(working, listing, now)

    def _wait(self, order: ExchangeOrder, listing: Listing) -> None:
        """Let a conditional order wait for its trigger. Raises RefusedError."""
        require_ahead(listing, order.ticket.rising, order.trigger)
        require_fit(order, listing, order.created)
        order.status, order.stop_kind = Status.UNTRIGGERED, order.stop_kind or "Stop"
        self.blotter.register(order)
        listing.waiting[order.order_id] = order
        self.blotter.tell(order)

    def _release(self, order: ExchangeOrder, listing: Listing, now: int) -> None:
        """Let an order go whose trigger was reached."""
        del listing.waiting[order.order_id]
        order.status, order.updated = Status.TRIGGERED, now
        self.blotter.tell(order)
        try:
            self._enter(order, listing, now)
        except RefusedError as refused:
            cause = "CancelByReduceOnly" if order.reduces else "CancelByAdmin"
            self.blotter.end(order, Status.CANCELLED, now, cause, f"EC_{refused.code}")

    def _cancel(
        self, order: ExchangeOrder, now: int, cause: str, reason: str = "EC_PerCancelRequest"
    ) -> None:
        listing = self.listings[order.ticket.symbol]
        waited = listing.waiting.pop(order.order_id, None) is not None
        listing.book.remove(order.order_id)
        holding = self.account.holdings[order.ticket.symbol]
        if order.stop_kind == "TakeProfit":
            holding.take_profit = ZERO
        elif order.stop_kind == "StopLoss":
            holding.stop_loss = ZERO
        if order.protects:
            self.blotter.note(PositionChanged(order.ticket.symbol))
        self.blotter.end(order, Status.DEACTIVATED if waited else Status.CANCELLED, now, cause, reason)

    def _happened(self, events: Sequence[VenueEvent], listing: Listing) -> None:
        """Book what the matching said."""
        filled = False
        for event in events:
            if isinstance(event, Fill):
                filled = True
                self._fill(event, listing)
            elif isinstance(event, OrderCanceled):
                assert event.reason is not None, "the matching says why"
                cause, reason = _ENDED_BY[event.reason]
                self.blotter.end(
                    self.blotter.orders[event.client_id], Status.CANCELLED, event.ts, cause, reason
                )
        if filled:
            self._position_moved(listing, events[-1].ts)

    def _fill(self, fill: Fill, listing: Listing) -> None:
        order = self.blotter.orders[fill.client_id]
        order.filled += fill.qty
        order.value += fill.qty * fill.price
        order.fee += fill.fee
        order.updated = fill.ts
        order.status = Status.FILLED if order.filled == order.qty else Status.PARTIALLY_FILLED
        if order.status is Status.FILLED:
            del self.blotter.open[order.order_id]
        closed = self.account.apply(fill)
        is_maker = fill.liquidity is Liquidity.MAKER
        rules = listing.instrument
        execution = Execution.of(
            fill,
            order,
            execution_id=self.blotter.next_id(),
            fee_rate=rules.maker_fee if is_maker else rules.taker_fee,
            closed=closed,
            mark=listing.mark,
            sequence=self.blotter.count(),
        )
        self.blotter.executions.append(execution)
        self.blotter.note(Executed(execution))
        self.blotter.tell(order)
        self._attach(order, fill.ts)

    def _attach(self, order: ExchangeOrder, now: int) -> None:
        """Give the position the protection that came with the order which opened it."""
        ticket, holding = order.ticket, self.account.holdings[order.ticket.symbol]
        if holding.qty and (holding.qty > 0) is (ticket.side.sign > 0):
            if ticket.take_profit:
                self._protect_by("TakeProfit", ticket.symbol, ticket.take_profit, now)
            if ticket.stop_loss:
                self._protect_by("StopLoss", ticket.symbol, ticket.stop_loss, now)

    def _position_moved(self, listing: Listing, now: int) -> None:
        """Let what depends on a position follow it."""
        symbol = listing.instrument.symbol
        holding = self.account.holdings[symbol]
        if not holding.qty:
            holding.take_profit = holding.stop_loss = ZERO
        for order in [order for order in listing.waiting.values() if order.protects]:
            if holding.qty * order.ticket.side.sign >= 0:  # the position is gone, or the other way round
                self._cancel(order, now, "CancelByTpSlTsClear")
            elif order.qty != abs(holding.qty):
                order.qty = abs(holding.qty)
                self.blotter.tell(order)
        resting = [self.blotter.orders[order_id] for order_id in listing.book.orders]
        for order in resting:
            most = listing.book.reducible(order.ticket.side)
            if order.reduces and not most:
                self._cancel(order, now, "CancelByReduceOnly")
            elif order.trim_to(most):
                listing.shrink(order, now)
                self.blotter.tell(order)
        self.blotter.note(PositionChanged(symbol), WalletChanged())

    def _protect_by(self, kind: str, symbol: str, level: Decimal, now: int) -> None:
        """Replace one of the position's two protective orders."""
        listing, holding = self.listings[symbol], self.account.holdings[symbol]
        for order in [order for order in listing.waiting.values() if order.stop_kind == kind]:
            self._cancel(order, now, "CancelByTpSlTsClear")
        if kind == "TakeProfit":
            holding.take_profit = level
        else:
            holding.stop_loss = level
        holding.updated = now
        if level:
            order = protective_order(self.blotter.next_id(), kind, holding, listing, level=level, now=now)
            self.blotter.register(order)
            listing.waiting[order.order_id] = order
            self.blotter.tell(order)
