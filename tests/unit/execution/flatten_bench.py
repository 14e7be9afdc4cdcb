"""A flatten, its desk and its ledger on their own, for tests."""

from decimal import Decimal

from engine.domain.commands import Command
from engine.domain.events import VenueOrder, VenuePosition, VenueReport
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.orders import Order, OrderTrigger
from engine.domain.reasons import Reason
from engine.execution.desk import Desk
from engine.execution.flatten import Flatten, Step
from engine.execution.ledger import Ledger
from tests.builders import BTC, BUY, ETH, PLAY, SELL, T0, fill, instrument

IDS = IdSpace(1_700_000_000, "test")


class Bench:
    """A flatten, its desk and its ledger, and what they have said since they were last asked."""

    def __init__(self) -> None:
        self._outbox: list[Command] = []
        self.ledger = Ledger(Decimal(1000))
        self.desk = Desk(IDS, {BTC: instrument(), ETH: instrument(ETH)}, self.ledger, self._outbox)
        self.flatten = Flatten(self.desk, self.ledger, IDS, self._outbox)

    def step(self) -> Step:
        return self.flatten.state.step

    def order(self, role: OrderRole, symbol: str = BTC) -> Order:
        return self.desk.submit(
            role=role, play=PLAY, symbol=symbol, side=BUY, qty=Decimal(1), now=T0, cycle_id="c"
        )

    def hold(self, qty: str, symbol: str = BTC) -> None:
        side = SELL if qty.startswith("-") else BUY
        self.ledger.book(PLAY, fill(qty=qty.lstrip("-"), symbol=symbol, side=side))

    def open(self, role: OrderRole) -> list[Order]:
        return list(self.desk.book.select(role))

    def said(self) -> list[Command]:
        commands = list(self._outbox)
        self._outbox.clear()
        return commands

    def start(self) -> list[Command]:
        self.said()
        self.flatten.start(T0)
        self.flatten.advance(T0, "op@1")
        return self.said()

    def go_on(self) -> list[Command]:
        self.flatten.advance(T0, "op@1")
        return self.said()

    def end(self, *orders: Order, trigger: OrderTrigger = OrderTrigger.CANCEL) -> list[Command]:
        for order in orders:
            self.desk.book.move(order, trigger, T0)
        return self.go_on()

    def fill(self, order: Order, qty: str | None = None, trade_id: str = "f") -> list[Command]:
        request = order.request
        amount = request.qty if qty is None else Decimal(qty)
        trade = fill(
            order.client_id,
            amount,
            side=request.side,
            symbol=request.symbol,
            trade_id=trade_id + request.symbol,
        )
        self.desk.on_fill(trade, T0)
        self.flatten.on_fill(T0)
        return self.go_on()

    def refuse(self, order: Order) -> list[Command]:
        refused = self.desk.on_reject(order.client_id, Reason.REDUCE_ONLY_WOULD_INCREASE, "", T0)
        assert refused is not None
        self.flatten.on_unfilled(refused, T0)
        return self.go_on()

    def retry(self) -> list[Command]:
        self.flatten.on_retry(T0, "op@1")
        return self.said()

    def report(self, *orders: VenueOrder, complete: bool = True, **positions: str) -> list[Command]:
        held = tuple(VenuePosition(symbol, Decimal(qty)) for symbol, qty in positions.items())
        number = self.flatten.state.request_id
        self.flatten.on_report(VenueReport(T0, number, orders, held, complete), T0, "op@1")
        return self.said()
