"""The kill-switch as a table and as a machine on its own: what moves it, what it does not take for flat."""

from decimal import Decimal

import pytest

from engine.domain.commands import CancelOrder, Command, Notice, QueryVenue, SaveFill, SetTimer
from engine.domain.events import VenueOrder, VenuePosition, VenueReport
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.orders import Order, OrderTrigger
from engine.domain.reasons import Reason
from engine.execution.desk import Desk
from engine.execution.flatten import (
    FLATTEN_TABLE,
    PATIENCE_NS,
    PLAY,
    RETRY_NS,
    RETRY_TIMER,
    RUNNING,
    Advance,
    Flatten,
    Step,
)
from engine.execution.ledger import Ledger
from tests.builders import BTC, BUY, ETH, SELL, T0, fill, instrument, of, submitted
from tests.builders import PLAY as LEVELS
from tests.fakes import listed

IDS = IdSpace(1_700_000_000, "test")
NEXT = {
    (Step.IDLE, Advance.START): Step.CANCEL_ENTRIES,
    (Step.FLAT, Advance.START): Step.CANCEL_ENTRIES,
    (Step.RESIDUAL, Advance.START): Step.CANCEL_ENTRIES,
    (Step.CANCEL_ENTRIES, Advance.DONE): Step.CLOSE,
    (Step.CLOSE, Advance.DONE): Step.VERIFY,
    (Step.VERIFY, Advance.CONFIRMED): Step.CANCEL_PROTECTION,
    (Step.VERIFY, Advance.DENIED): Step.CANCEL_ENTRIES,
    (Step.CANCEL_PROTECTION, Advance.DONE): Step.VERIFY_FLAT,
    (Step.VERIFY_FLAT, Advance.CONFIRMED): Step.FLAT,
    (Step.VERIFY_FLAT, Advance.DENIED): Step.CANCEL_ENTRIES,
    **{(step, Advance.DEADLINE): Step.RESIDUAL for step in RUNNING},
}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("advance", Advance)
def test_every_step_and_what_moves_it(step, advance):
    assert FLATTEN_TABLE[step].get(advance) is NEXT.get((step, advance))


def test_every_running_step_ends_at_the_deadline_and_every_end_can_begin_anew():
    assert {step for step, row in FLATTEN_TABLE.items() if Advance.DEADLINE in row} == RUNNING
    assert {step for step, row in FLATTEN_TABLE.items() if Advance.START in row} == set(Step) - RUNNING


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
            role=role, play=LEVELS, symbol=symbol, side=BUY, qty=Decimal(1), now=T0, cycle_id="c"
        )

    def hold(self, qty: str, symbol: str = BTC) -> None:
        side = SELL if qty.startswith("-") else BUY
        self.ledger.book(LEVELS, fill(qty=qty.lstrip("-"), symbol=symbol, side=side))

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


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_with_nothing_open_two_reports_make_it_flat(bench):
    assert of(QueryVenue, bench.start()) == [QueryVenue(1)]
    assert bench.step() is Step.VERIFY
    assert of(QueryVenue, bench.report()) == [QueryVenue(2)]
    assert bench.step() is Step.VERIFY_FLAT
    bench.report()
    assert bench.step() is Step.FLAT
    assert not bench.flatten.running


def test_entries_are_canceled_before_positions_are_closed_and_protection_stays(bench):
    entry, exit_, stop = map(bench.order, (OrderRole.ENTRY, OrderRole.EXIT, OrderRole.STOP))
    bench.hold("2")
    bench.hold("-3", ETH)
    said = bench.start()
    assert [c.client_id for c in of(CancelOrder, said)] == [entry.client_id, exit_.client_id]
    assert submitted(said) == [("flatten", "sell", "2"), ("flatten", "buy", "3")]
    assert [type(command).__name__ for command in said] == ["CancelOrder"] * 2 + ["SubmitOrder"] * 2
    assert not bench.desk.book.get(stop.client_id).cancel_requested
    assert bench.step() is Step.CLOSE


def test_a_cancel_without_an_answer_keeps_no_position_open(bench):
    entry = bench.order(OrderRole.ENTRY)
    bench.desk.on_timeout(entry.client_id, T0)
    bench.hold("2")
    bench.start()
    (close,) = bench.open(OrderRole.FLATTEN)
    bench.fill(close)
    assert bench.ledger.open_positions() == ()
    assert bench.step() is Step.CLOSE, "the verification waits for the answer to the cancel"
    bench.desk.on_cancel_rejected(entry.client_id, T0)
    assert of(QueryVenue, bench.go_on()) == [QueryVenue(1)]
    said = bench.report()
    assert of(SetTimer, said) == [SetTimer(RETRY_TIMER, T0 + RETRY_NS)], "UNKNOWN is not flat"
    assert of(CancelOrder, bench.retry()) != [], "and its cancel is asked for again"


def test_protection_is_canceled_only_after_the_venue_shows_no_position(bench):
    stop, target = bench.order(OrderRole.STOP), bench.order(OrderRole.TARGET)
    bench.start()
    assert not stop.cancel_requested
    said = bench.report(listed(stop.client_id), listed(target.client_id))
    assert [c.client_id for c in of(CancelOrder, said)] == [stop.client_id, target.client_id]
    assert bench.step() is Step.CANCEL_PROTECTION
    assert of(QueryVenue, bench.end(stop, target)) == [QueryVenue(2)]
    bench.report()
    assert bench.step() is Step.FLAT


def test_protection_that_the_venue_still_shows_at_the_end_is_not_flat(bench):
    stop = bench.order(OrderRole.STOP)
    bench.start()
    bench.report()
    bench.end(stop)
    assert bench.step() is Step.VERIFY_FLAT
    said = bench.report(listed(stop.client_id))
    assert [c.client_id for c in of(CancelOrder, said)] == [stop.client_id], "ended in our books alone"
    assert bench.flatten.running
    assert bench.flatten.state.waiting


def test_an_incomplete_report_proves_nothing(bench):
    bench.start()
    said = bench.report(complete=False)
    assert of(SetTimer, said) == [SetTimer(RETRY_TIMER, T0 + RETRY_NS)]
    assert of(QueryVenue, bench.go_on()) == [], "it waits a moment before it asks again"
    assert of(QueryVenue, bench.retry()) == [QueryVenue(2)]


def test_the_answer_to_another_question_proves_nothing(bench):
    bench.start()
    bench.flatten.on_report(VenueReport(T0, 99, (), ()), T0, "op@1")
    assert bench.step() is Step.VERIFY


def test_an_order_that_book_and_venue_both_show_is_not_flat(bench):
    entry = bench.order(OrderRole.ENTRY)
    bench.start()
    bench.desk.on_cancel_rejected(entry.client_id, T0)
    bench.go_on()
    said = bench.report(listed(entry.client_id))
    assert of(CancelOrder, said) == []
    assert [c.client_id for c in of(CancelOrder, bench.retry())] == [entry.client_id]
    assert len(bench.flatten.left()) == 1


def test_foreign_orders_and_instruments_are_left_alone(bench):
    bench.start()
    said = bench.report(listed("someone-elses"), XRPUSDT="5")
    assert of(CancelOrder, said) == []
    bench.report(listed("someone-elses"), XRPUSDT="5")
    assert bench.step() is Step.FLAT


def test_an_order_of_ours_that_the_book_does_not_know_is_canceled_by_its_id(bench):
    bench.start()
    lost = IDS.client_id(LEVELS, OrderRole.ENTRY, 77)
    said = bench.report(listed(lost, "2"))
    assert of(CancelOrder, said) == [CancelOrder(lost, f"v-{lost}", BTC)]
    assert bench.flatten.left() == (f"order v-{lost} {lost} buy 2 {BTC} at the venue",)
    bench.retry()
    bench.report()
    assert bench.flatten.left() == ()


def test_a_position_that_our_books_do_not_have_is_closed_and_leaves_no_trace_in_them(bench):
    bench.start()
    said = bench.report(BTCUSDT="2")
    assert submitted(said) == [("flatten", "sell", "2")]
    assert bench.flatten.left()[-1] == f"position {BTC} 2 at the venue"
    (close,) = bench.open(OrderRole.FLATTEN)
    assert close.request.play == PLAY
    bench.fill(close)
    assert bench.ledger.net_qty(BTC) == -2
    assert submitted(bench.retry()) == [], "what was closed for nobody is not opened again"
    said = bench.report()
    assert bench.ledger.net_qty(BTC) == 0
    assert bench.ledger.equity() == 1000.0
    assert len(of(SaveFill, said)) == 1
    assert [c.kind for c in of(Notice, said)] == ["adjustment"]
    bench.report()
    assert bench.step() is Step.FLAT


def test_a_position_that_is_gone_at_the_venue_is_written_off_when_its_close_was_refused_too(bench):
    bench.hold("2")
    bench.start()
    (close,) = bench.open(OrderRole.FLATTEN)
    assert of(SetTimer, bench.refuse(close)) == [SetTimer(RETRY_TIMER, T0 + RETRY_NS)]
    said = bench.retry()
    assert submitted(said) == [], "the venue is asked before the next close is sent"
    assert of(QueryVenue, said) == [QueryVenue(1)]
    said = bench.report()
    (saved,) = of(SaveFill, said)
    assert (saved.fill.qty, saved.fill.side) == (Decimal(2), SELL)
    assert (saved.fill.fee, saved.position.qty) == (Decimal(0), Decimal(0))
    assert IDS.owns(saved.fill.client_id)
    bench.report()
    assert bench.step() is Step.FLAT


def test_a_close_that_was_refused_is_sent_again_at_once_where_the_venue_shows_the_position(bench):
    bench.hold("2")
    bench.start()
    bench.refuse(bench.open(OrderRole.FLATTEN)[0])
    bench.retry()
    said = bench.report(BTCUSDT="2")
    assert submitted(said) == [("flatten", "sell", "2")]
    assert not bench.flatten.state.waiting


def test_refused_closes_are_not_sent_again_without_a_moment_in_between(bench):
    bench.hold("2")
    bench.start()
    rounds = 0
    while rounds < 10:
        (close,) = bench.open(OrderRole.FLATTEN)
        assert submitted(bench.refuse(close)) == []
        assert bench.flatten.state.waiting
        bench.retry()
        bench.report(BTCUSDT="2")
        rounds += 1


def test_a_close_without_an_answer_is_sent_again_but_never_taken_for_gone(bench):
    bench.hold("2")
    bench.start()
    (close,) = bench.open(OrderRole.FLATTEN)
    unknown = bench.desk.on_timeout(close.client_id, T0)
    bench.flatten.on_unfilled(unknown, T0)
    bench.retry()
    assert submitted(bench.report(BTCUSDT="2")) == [("flatten", "sell", "2")]
    bench.fill(bench.open(OrderRole.FLATTEN)[-1])
    bench.report()
    assert bench.flatten.running, "the first close may still live"
    assert any(close.client_id in line for line in bench.flatten.left())


@pytest.mark.parametrize("reports", [0, 1])
def test_a_position_that_opens_while_the_venue_is_asked_is_closed_at_once(bench, reports):
    bench.start()
    for _ in range(reports):
        bench.report()
    bench.hold("1")  # an entry that was thought canceled traded
    bench.flatten.on_fill(T0)
    assert submitted(bench.go_on()) == [("flatten", "sell", "1")]
    bench.report()  # older than the fill
    assert bench.step() is Step.CLOSE
    assert bench.ledger.net_qty(BTC) == 1


def test_books_that_hold_a_position_are_not_flat_whatever_the_report_says(bench):
    bench.start()
    bench.hold("1")
    bench.report()
    assert bench.step() is Step.CANCEL_ENTRIES
    assert submitted(bench.retry()) == [("flatten", "sell", "1")]


@pytest.mark.parametrize("reports", [0, 1])
def test_a_query_without_an_answer_is_asked_again(bench, reports):
    said = bench.start()
    for _ in range(reports):
        said = bench.report()
    question = QueryVenue(reports + 1)
    asked = [question, SetTimer(RETRY_TIMER, T0 + PATIENCE_NS)]
    assert said[-2:] == asked
    assert bench.retry() == asked
    bench.report()
    assert bench.step() is (Step.FLAT if reports else Step.VERIFY_FLAT), "either answer will do"


def test_a_fill_takes_back_what_a_refused_close_seemed_to_prove(bench):
    bench.hold("2")
    bench.start()
    bench.refuse(bench.open(OrderRole.FLATTEN)[0])
    bench.retry()
    bench.hold("1")
    bench.flatten.on_fill(T0)
    bench.report()  # older than the fill
    assert bench.ledger.net_qty(BTC) == 3
    assert submitted(bench.retry()) == [("flatten", "sell", "3")]


def test_what_an_entry_opens_during_the_close_is_closed_after_it(bench):
    bench.hold("2")
    bench.start()
    (close,) = bench.open(OrderRole.FLATTEN)
    bench.hold("1")
    assert submitted(bench.go_on()) == [], "one close of a position works at a time"
    assert submitted(bench.fill(close)) == [("flatten", "sell", "1")]


def test_an_order_that_is_not_a_close_asks_for_no_pause(bench):
    entry = bench.order(OrderRole.ENTRY)
    bench.start()
    bench.flatten.on_unfilled(entry, T0)
    assert not bench.flatten.state.waiting


def test_hold_off_waits_once(bench):
    bench.flatten.hold_off(T0)
    assert bench.said() == [], "nothing runs"
    bench.start()
    bench.flatten.hold_off(T0)
    bench.flatten.hold_off(T0 + 1)
    assert len(of(SetTimer, bench.said())) == 1


def test_at_the_deadline_everything_left_is_named(bench):
    entry = bench.order(OrderRole.ENTRY)
    bench.desk.on_ack(entry.client_id, "v7", T0)
    stop = bench.order(OrderRole.STOP)
    bench.hold("-2", ETH)
    bench.start()
    (close,) = bench.open(OrderRole.FLATTEN)
    bench.flatten.on_deadline(T0)
    assert bench.step() is Step.RESIDUAL
    assert bench.flatten.state.residual == (
        f"order v7 {entry.client_id} buy 1 {BTC} acknowledged",
        f"order (no venue id) {stop.client_id} buy 1 {BTC} pending",
        f"order (no venue id) {close.client_id} buy 2 {ETH} pending",
        f"position {ETH} -2 ({LEVELS})",
    )
    bench.flatten.on_deadline(T0)
    assert bench.step() is Step.RESIDUAL
    bench.start()
    assert bench.flatten.state.residual == ()


def test_a_deadline_without_a_flatten_does_nothing(bench):
    bench.flatten.on_deadline(T0)
    bench.retry()
    assert bench.step() is Step.IDLE
