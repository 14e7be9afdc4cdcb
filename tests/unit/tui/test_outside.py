"""How feeds and venue are, in rows: what is well shares one, what is not has its own."""

import msgspec
import pytest

from engine.api import BreakerState, BudgetRow, Channel, FeedRow, VenueSection
from tests.console_fakes import breaker, snapshot, trouble_snapshot, venue_snapshot
from tui.panes.outside import outside_rows


def lines(shown):
    return ["".join(text for text, _ in row).rstrip() for row in outside_rows(shown)]


def styles(shown):
    return {style for row in outside_rows(shown) for _, style in row}


def test_the_embedded_market_is_one_row():
    assert lines(snapshot()) == ["feed        synthetic 0.1s  connected  120,344 events"]


def test_a_sound_venue_takes_few_rows_and_its_verdicts_stand_first():
    assert lines(venue_snapshot()) == [
        "feed        bybit 0.1s  connected  120,344 events",
        "            1 reconnect, clock -12 ms",
        "channels    working  market, private, orders, queries",
        "budget      ok  requests 12/540, orders 1/9",
        "venue clock -14 ms  ok",
    ]
    assert styles(venue_snapshot()) == {"muted", "text", "ok"}


def test_of_many_budgets_no_number_is_cut_off():
    """The pane may be 50 cells wide."""
    names = ("requests", "orders", "cancels", "positions", "queries")
    shown = venue_snapshot()
    venue = msgspec.structs.replace(shown.venue, budgets=tuple(BudgetRow(n, 120, 540, 5.2, 0) for n in names))
    found = lines(msgspec.structs.replace(shown, venue=venue))
    assert found[3:6] == [
        "budget      ok  requests 120/540, orders 120/540",
        "            cancels 120/540, positions 120/540",
        "            queries 120/540",
    ]


def test_trouble_is_spelt_out():
    assert lines(trouble_snapshot()) == [
        "feed        bybit 14.2s  disconnected  120,344 events",
        "            connection reset, 3 reconnects, clock +212 ms",
        "channels    working  queries",
        "orders      bybit for 9s, 5 failures  NOT WORKING",
        "            no answer within 30 s",
        "private     bybit for 9s, 5 failures  TRYING AGAIN",
        "            connection reset",
        "budget      requests 530/540 in 5s  reserve only",
        "budget      orders 9/9 in 1s  used up",
        "venue clock +1240 ms  BAD",
        "last error  no answer within 30 s",
    ]


@pytest.mark.parametrize(
    ("feed", "text"),
    [
        (FeedRow("x", "connecting", -1.0, 0, ""), "feed        x no data  connecting  0 events"),
        (FeedRow("x", "connected", -1.0, 0, ""), "feed        x no data  connected, STALE  0 events"),
        (FeedRow("x", "connected", 125_000.0, 1, ""), "feed        x 2m  connected, STALE  1 events"),
    ],
)
def test_the_age_of_a_feed(feed, text):
    assert lines(snapshot(feeds=(feed,))) == [text]


@pytest.mark.parametrize(
    ("used", "word"), [(70, "ok"), (71, "filling"), (90, "reserve only"), (100, "used up")]
)
def test_how_full_a_budget_is(used, word):
    row = BudgetRow("orders", used, 100, 10.0, 12)
    (line,) = lines(snapshot(feeds=(), venue=VenueSection("v", budgets=(row,))))
    assert word in line


@pytest.mark.parametrize(("offset_ms", "word"), [(-249.0, "ok"), (-250.0, "off"), (1_000.0, "BAD")])
def test_how_far_off_a_clock_is(offset_ms, word):
    (line,) = lines(snapshot(feeds=(), venue=VenueSection("v", clock_offset_ms=offset_ms)))
    assert line.endswith(word)


def test_a_budget_that_counts_alone_says_why():
    (line,) = lines(snapshot(feeds=(), venue=VenueSection("v", budget_flaw="disk full")))
    assert line == "budget      disk full  counted alone"


def test_what_a_venue_says_cannot_steer_the_terminal():
    odd = breaker(Channel.ORDERS, BreakerState.OPEN, 5, "a\x1b[2Jb")
    shown = snapshot(breakers=(msgspec.structs.replace(odd, venue="x\ny"),))
    assert all(line.isprintable() for line in lines(shown))
