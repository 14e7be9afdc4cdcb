"""The order book: levels by price, the best of each side at hand."""

import pytest

from engine.venues import ws_book
from engine.venues.ws_book import BookSide, OrderBook, Touch


def book(*, bids=((99.0, 1.0), (98.0, 2.0)), asks=((100.0, 3.0), (101.0, 4.0))) -> OrderBook:
    made = OrderBook()
    made.reset(bids, asks)
    return made


def test_the_best_bid_is_the_highest_and_the_best_offer_the_lowest():
    assert book().touch() == Touch(99.0, 1.0, 100.0, 3.0)


def test_a_quantity_of_zero_takes_a_level_away_and_the_next_one_is_the_best():
    made = book()
    made.apply([(99.0, 0.0)], [(100.0, 0.0), (55.5, 0.0)])
    assert made.touch() == Touch(98.0, 2.0, 101.0, 4.0)


def test_a_level_that_comes_again_is_the_best_again():
    made = book()
    for _ in range(5):
        made.apply([(99.0, 0.0)], [])
        made.apply([(99.0, 7.0)], [])
    assert made.touch() == Touch(99.0, 7.0, 100.0, 3.0)


def test_a_book_without_one_side_has_no_touch():
    assert book(asks=()).touch() is None
    assert book(bids=()).touch() is None
    assert not book(bids=()).is_crossed


@pytest.mark.parametrize("bid", [100.0, 100.5])
def test_a_crossed_book_shows_nothing(bid):
    made = book()
    made.apply([(bid, 1.0)], [])
    assert made.is_crossed
    assert made.touch() is None


def test_a_reset_forgets_what_was():
    made = book()
    made.reset([(50.0, 1.0)], [(51.0, 1.0)])
    assert made.touch() == Touch(50.0, 1.0, 51.0, 1.0)
    assert made.bids.levels == {50.0: 1.0}


def test_the_top_lists_the_best_first():
    made = book(bids=[(97.0, 3.0), (99.0, 1.0), (98.0, 2.0)])
    assert made.bids.top(2) == [(99.0, 1.0), (98.0, 2.0)]
    assert made.asks.top(9) == [(100.0, 3.0), (101.0, 4.0)]


def test_levels_that_come_and_go_leave_nothing_behind():
    side = BookSide(-1)
    for turn in range(5_000):
        side.apply([(float(turn % 7), 1.0)])
        side.apply([(float(turn % 7), 0.0)])
    assert side.levels == {}
    assert len(side._heap) <= ws_book._SLACK
    assert side.best() is None


def test_a_side_that_grows_too_large_keeps_its_better_half(monkeypatch):
    monkeypatch.setattr(ws_book, "LEVELS_MAX", 10)
    side = BookSide(1)
    side.apply([(float(price), 1.0) for price in range(11)])
    assert sorted(side.levels) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert side.best() == 0.0
