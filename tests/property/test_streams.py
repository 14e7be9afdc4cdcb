"""Whatever a stream loses, repeats or turns around: the repaired book and the tape are true."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.market import Trade
from engine.venues.ws_book import OrderBook
from engine.venues.ws_sync import Change, SyncedBook
from engine.venues.ws_trades import Named, NumberedTrades, UnnumberedTrades
from tests.unit.venues.stream_builders import trade

PRICES = st.integers(1, 20)
LEVELS = st.lists(st.tuples(PRICES, st.integers(0, 3)), max_size=4)


class Truth:
    """A venue's book: what it was at every number, and the changes that made it so."""

    def __init__(self, steps: list[tuple[int, list, list]], *, spot: bool) -> None:
        book, number = OrderBook(), 100
        book.apply([(90.0, 1.0)], [(110.0, 1.0)])
        self.changes: list[Change] = []
        self.states = {number: (dict(book.bids.levels), dict(book.asks.levels))}
        for width, bids, asks in steps:
            before = number
            number += width
            changed_bids = [(80.0 + price, float(qty)) for price, qty in bids]
            changed_asks = [(101.0 + price, float(qty)) for price, qty in asks]
            book.apply(changed_bids, changed_asks)
            self.changes.append(Change(before, number, changed_bids, changed_asks))
            self.states[number] = (dict(book.bids.levels), dict(book.asks.levels))
        self.last = number

    def snapshot(self, at: int) -> tuple[int, list, list]:
        """Return the book as it was after so many changes."""
        number = list(self.states)[at]
        bids, asks = self.states[number]
        return number, list(bids.items()), list(asks.items())


@st.composite
def told(draw: st.DrawFn) -> tuple[Truth, list[int]]:
    """Return a truth, and which of its changes arrive in which order: some never, some twice."""
    steps = draw(st.lists(st.tuples(st.integers(1, 5), LEVELS, LEVELS), min_size=1, max_size=30))
    truth = Truth(steps, spot=False)
    kept = [n for n in range(len(steps)) if draw(st.integers(0, 9)) > 0]
    order: list[int] = []
    for n in kept:
        place = max(0, len(order) - draw(st.integers(0, 2)))
        order.insert(place, n)
        if draw(st.booleans()):
            order.append(n)
    return truth, order


@settings(max_examples=300, deadline=None)
@given(told(), st.data())
def test_a_book_is_true_or_not_shown(case, data):
    truth, order = case
    book = SyncedBook()
    for seen, n in enumerate(order):
        book.change(truth.changes[n])
        if not book.is_true and data.draw(st.booleans()):
            newest = max(order[: seen + 1]) + 1
            book.snapshot(*truth.snapshot(data.draw(st.integers(0, newest))))
        if book.is_true:
            assert (book.book.bids.levels, book.book.asks.levels) == truth.states[book.last]
        else:
            assert book.touch() is None
    book.snapshot(*truth.snapshot(len(truth.changes)))
    assert (book.is_true, book.last) == (True, truth.last)
    assert (book.book.bids.levels, book.book.asks.levels) == truth.states[truth.last]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Return how many trades there were, and the numbers that arrived: some late, some twice, some never."""
    count = draw(st.integers(1, 40))
    numbers = [n for n in range(count) if n == 0 or draw(st.integers(0, 7)) > 0]
    order: list[int] = []
    for n in numbers:
        order.insert(max(1, len(order) - draw(st.integers(0, 3))) if order else 0, n)
        if draw(st.integers(0, 3)) == 0:
            order.append(n)
    return count, order


@settings(max_examples=300, deadline=None)
@given(arrivals(), st.data())
def test_numbered_trades_come_once_and_in_order_when_the_venue_is_asked(case, data):
    count, order = case
    trades = NumberedTrades()
    came: list[Trade] = []
    for seen, number in enumerate(order):
        came += trades.add(number, trade(number))
        if trades.lacks and data.draw(st.booleans()):
            newest = max(order[: seen + 1])
            first = data.draw(st.integers(0, max(0, came[-1].ts)))
            came += trades.fill([Named(n, trade(n)) for n in range(first, newest + 1)])
    came += trades.fill([Named(n, trade(n)) for n in range(count)])
    assert [each.ts for each in came] == list(range(count))
    assert trades.lost == 0


@settings(max_examples=300, deadline=None)
@given(arrivals())
def test_numbered_trades_that_nobody_can_tell_any_more_are_counted(case):
    _, order = case
    trades = NumberedTrades()
    came: list[Trade] = []
    for number in order:
        came += trades.add(number, trade(number))
    came += trades.fill(())
    assert [each.ts for each in came] == sorted(set(order))
    assert trades.lost == max(order) + 1 - len(set(order))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.data())
def test_unnumbered_trades_come_once_and_in_order_over_breaks(stretches, data):
    trades, next_number = UnnumberedTrades(), 0
    came: list[Trade] = []
    for length in stretches:
        heard_from = data.draw(st.integers(0, length - 1)) if next_number else 0
        numbers = range(next_number, next_number + length)
        for number in numbers[heard_from:]:
            came += trades.add(f"t{number}", trade(number))
            if data.draw(st.booleans()):
                came += trades.add(f"t{number}", trade(number))
        asked_first = data.draw(st.integers(0, max(0, next_number - 1)))
        came += trades.fill([Named(f"t{n}", trade(n)) for n in range(asked_first, numbers[-1] + 1)])
        trades.interrupt()
        next_number += length
    assert [each.ts for each in came] == list(range(next_number))
    assert trades.lost == 0
