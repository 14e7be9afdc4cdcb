"""Whatever a venue says, twice, late or in any order: the book stays a book."""

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from engine.domain.ids import IdSpace, OrderRole
from engine.domain.orders import ORDER_TABLE, OrderState
from engine.domain.positions import Fill
from engine.domain.reasons import Reason
from engine.execution.desk import Desk
from engine.execution.ledger import Ledger
from tests.builders import BTC, BUY, PLAY, T0, fill, instrument

OPENED_AGAIN = {(OrderState.REJECTED, OrderState.PARTIALLY_FILLED)}


class Answers(RuleBasedStateMachine):
    """A desk under every answer a venue may give, in every order."""

    orders = Bundle("orders")
    trades = Bundle("trades")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(IdSpace(1, "t"), {BTC: instrument()}, Ledger(Decimal(1000)), [])
        self.ledger = self.desk._ledger
        self.filled: dict[str, Decimal] = {}
        self.states: dict[str, OrderState] = {}
        self.booked: set[tuple[str, str]] = set()
        self.numbers = 0

    @rule(target=orders, role=st.sampled_from(OrderRole), lots=st.integers(1, 20))
    def submit(self, role: OrderRole, lots: int) -> str:
        order = self.desk.submit(
            role=role, play=PLAY, symbol=BTC, side=BUY, qty=Decimal(lots) / 10, now=T0, cycle_id="c"
        )
        return order.client_id

    @rule(order=orders)
    def sent(self, order: str) -> None:
        self.desk.on_sent(order, T0)

    @rule(order=orders, venue_id=st.sampled_from(["", "v1", "v2"]))
    def acked(self, order: str, venue_id: str) -> None:
        self.desk.on_ack(order, venue_id, T0)

    @rule(order=orders)
    def rejected(self, order: str) -> None:
        self.desk.on_reject(order, Reason.OFF_TICK, "", T0)

    @rule(order=orders)
    def canceled(self, order: str) -> None:
        self.desk.on_cancel(order, None, T0)

    @rule(order=orders)
    def timed_out(self, order: str) -> None:
        self.desk.on_timeout(order, T0)

    @rule(order=orders)
    def cancel(self, order: str) -> None:
        known = self.desk.book.get(order)
        if known is not None and known.state.is_open:
            self.desk.cancel(known, T0)

    @rule(order=orders)
    def cancel_rejected(self, order: str) -> None:
        self.desk.on_cancel_rejected(order, T0)

    @rule(target=trades, order=orders, lots=st.integers(1, 15))
    def trade(self, order: str, lots: int) -> Fill:
        self.numbers += 1
        return fill(order, Decimal(lots) / 10, trade_id=f"t{self.numbers}")

    @rule(trade=trades)
    def filled_by(self, trade: Fill) -> None:
        known = (trade.client_id, trade.trade_id) in self.booked
        assert (self.desk.on_fill(trade, T0) is None) is known
        if not known:
            self.booked.add((trade.client_id, trade.trade_id))
            self.filled[trade.client_id] = self.filled.get(trade.client_id, Decimal(0)) + trade.qty

    @rule()
    def restart(self) -> None:
        state = self.desk.state()
        self.desk = Desk(IdSpace(1, "t"), {BTC: instrument()}, self.ledger, [])
        self.desk.restore(state)
        assert self.desk.state() == state

    @invariant()
    def every_order_moves_by_the_table_only(self) -> None:
        book = self.desk.book
        for order in (*book.open_orders(), *book.ended_orders()):
            before = self.states.get(order.client_id, OrderState.PENDING)
            if before is not order.state:
                assert order.state in ORDER_TABLE[before].values()
                if not before.is_open and order.state.is_open:
                    assert (before, order.state) in OPENED_AGAIN
            self.states[order.client_id] = order.state

    @invariant()
    def an_order_is_either_open_or_ended(self) -> None:
        book = self.desk.book
        open_ids = {order.client_id for order in book.open_orders()}
        ended_ids = {order.client_id for order in book.ended_orders()}
        assert open_ids.isdisjoint(ended_ids)
        assert all(order.state.is_open for order in book.open_orders())
        assert not any(order.state.is_open for order in book.ended_orders())
        assert len(book) == len(open_ids)

    @invariant()
    def what_was_filled_is_what_was_booked(self) -> None:
        book = self.desk.book
        for order in (*book.open_orders(), *book.ended_orders()):
            assert order.filled_qty == self.filled.get(order.client_id, Decimal(0))
            full = order.filled_qty >= order.request.qty
            assert (order.state is OrderState.FILLED) is full
        assert self.ledger.net_qty(BTC) == sum(self.filled.values(), Decimal(0))


Answers.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnswers = Answers.TestCase
