"""The kill-switch as a table and as a machine on its own: what moves it, what it does not take for flat."""

import pytest

from engine.domain.commands import CancelOrder, QueryVenue, SetTimer
from engine.domain.events import VenueReport
from engine.domain.ids import OrderRole
from engine.execution.flatten import (
    FLATTEN_TABLE,
    PATIENCE_NS,
    RETRY_NS,
    RETRY_TIMER,
    RUNNING,
    Advance,
    Step,
)
from tests.builders import BTC, ETH, T0, of, submitted
from tests.builders import PLAY as LEVELS
from tests.fakes import listed
from tests.unit.execution.flatten_bench import IDS, Bench

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
