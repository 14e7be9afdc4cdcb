"""A book in sequence: changes are applied in order or not at all."""

from engine.venues.ws_book import Touch
from engine.venues.ws_sync import Change, SyncedBook

BIDS, ASKS = [(99.0, 1.0)], [(100.0, 1.0)]


def change(before: int, last: int, *, bids=(), asks=()) -> Change:
    return Change(before, last, bids, asks)


def begun(last: int = 10) -> SyncedBook:
    book = SyncedBook()
    assert book.snapshot(last, BIDS, ASKS)
    return book


def test_nothing_is_shown_before_a_snapshot():
    book = SyncedBook()
    assert not book.change(change(9, 10, bids=BIDS, asks=ASKS))
    assert book.touch() is None


def test_changes_are_applied_in_sequence():
    book = begun()
    assert book.change(change(10, 12, bids=[(99.5, 2.0)]))
    assert book.change(change(12, 13, asks=[(99.9, 3.0)]))
    assert book.touch() == Touch(99.5, 2.0, 99.9, 3.0)
    assert book.last == 13


def test_what_was_told_before_is_ignored():
    book = begun()
    assert not book.change(change(8, 10, bids=[(99.5, 2.0)]))
    assert book.is_true
    assert book.touch() == Touch(99.0, 1.0, 100.0, 1.0)


def test_what_overlaps_with_what_is_known_is_applied():
    book = begun()
    assert book.change(change(8, 11, bids=[(99.5, 2.0)]))
    assert book.last == 11


def test_a_hole_sets_the_book_aside_until_a_snapshot():
    book = begun()
    assert not book.change(change(11, 12, bids=[(99.5, 2.0)]))
    assert (book.is_true, book.breaks, book.touch()) == (False, 1, None)
    assert book.snapshot(11, BIDS, ASKS)
    assert book.touch() == Touch(99.5, 2.0, 100.0, 1.0)


def test_changes_that_waited_go_on_from_the_snapshot_in_order():
    book = SyncedBook()
    for each in (change(12, 14, bids=[(99.5, 3.0)]), change(4, 9), change(9, 12, bids=[(99.5, 2.0)])):
        book.change(each)
    assert book.snapshot(11, BIDS, ASKS)
    assert book.last == 14
    assert book.touch() == Touch(99.5, 3.0, 100.0, 1.0)


def test_a_snapshot_older_than_what_waited_is_not_enough():
    book = SyncedBook()
    book.change(change(12, 14))
    assert not book.snapshot(11, BIDS, ASKS)
    assert not book.is_true
    assert book.snapshot(13, BIDS, ASKS)


def test_a_crossed_book_is_set_aside_whatever_its_numbers_say():
    book = begun()
    assert not book.change(change(10, 11, bids=[(100.0, 1.0)]))
    assert (book.is_true, book.touch()) == (False, None)
    assert not book.snapshot(12, [(101.0, 1.0)], ASKS)
    assert book.touch() is None


def test_a_new_stream_forgets_what_waited():
    book = SyncedBook()
    book.change(change(500, 501))
    book.begin()
    assert book.snapshot(1, BIDS, ASKS)
    assert book.breaks == 0
