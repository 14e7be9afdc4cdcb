"""The kill-switch and the books: what is closed, tried again, written off, and what is never believed."""

from decimal import Decimal

import pytest

from engine.domain.commands import Notice, QueryVenue, SaveFill, SetTimer
from engine.domain.ids import OrderRole
from engine.execution.flatten import (
    PLAY,
    RETRY_NS,
    RETRY_TIMER,
    Step,
)
from tests.builders import BTC, SELL, T0, of, submitted
from tests.unit.execution.flatten_bench import IDS, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


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
