"""Keeps an order book true to its stream: changes are applied in sequence or not at all.

A change says which number it follows (`before`) and which it ends at (`last`). Venues number differently:
Bybit counts every message of a topic (`u`), Binance the changes of a book (`U` to `u`; on USD-M futures the
numbers of other symbols lie between, so `pu` names the message before). In these two numbers they are one:

- ends at or before what the book holds: told before, ignored;
- follows something later than what the book holds: something is missing, the book is set aside;
- else it is applied: levels are absolute, so an overlap does no harm.

A book that was set aside keeps what comes and goes on from the next snapshot.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from engine.venues.ws_book import Level, OrderBook, Touch

KEPT_MAX = 2_000  # changes that wait for a snapshot; older ones are dropped, a later snapshot does without


class Change(msgspec.Struct, frozen=True, gc=False):
    """A change of a book as its venue numbers it."""

    before: int
    last: int
    bids: Sequence[Level]
    asks: Sequence[Level]


class SyncedBook:
    """A book that is either in sequence (`is_true`) or waits for a snapshot."""

    __slots__ = ("_kept", "book", "breaks", "is_true", "last")

    def __init__(self) -> None:
        self.book = OrderBook()
        self.last = 0  # the number that the book stands at
        self.is_true = False
        self.breaks = 0  # how often it was set aside
        self._kept: deque[Change] = deque(maxlen=KEPT_MAX)

    def change(self, change: Change) -> bool:
        """Take a change; tell whether the book took it in."""
        if not self.is_true:
            self._kept.append(change)
            return False
        if change.last <= self.last:
            return False
        if change.before > self.last:
            self.set_aside()
            self._kept.append(change)
            return False
        self.book.apply(change.bids, change.asks)
        self.last = change.last
        return self._still_true()

    def snapshot(self, last: int, bids: Sequence[Level], asks: Sequence[Level]) -> bool:
        """Begin anew from a snapshot and what came meanwhile; tell whether the book is true now.

        It is not where the snapshot is older than what was kept: another one is needed then.
        """
        kept = sorted(self._kept, key=lambda change: change.last)
        self.book.reset(bids, asks)
        self.last, self.is_true = last, True
        for change in kept:
            if change.last <= self.last:
                continue
            if change.before > self.last:
                self._put_back()
                return False
            self.book.apply(change.bids, change.asks)
            self.last = change.last
        self._kept.clear()
        return self._still_true()

    def begin(self) -> None:
        """Forget all: a new stream begins."""
        self._kept.clear()
        self._put_back()

    def set_aside(self) -> None:
        """Show nothing until the next snapshot."""
        self.breaks += self.is_true
        self._put_back()

    def touch(self) -> Touch | None:
        """Return the best bid and offer, None while the book is not true."""
        return self.book.touch() if self.is_true else None

    def _put_back(self) -> None:
        self.is_true = False
        self.last = 0
        self.book.clear()

    def _still_true(self) -> bool:
        """Set a crossed book aside: whatever the numbers say, something is wrong."""
        if self.book.is_crossed:
            self._kept.clear()
            self.set_aside()
        return self.is_true
