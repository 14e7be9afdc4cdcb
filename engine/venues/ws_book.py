"""An order book as a venue streams it: levels by price, the best of each side at hand."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush, nsmallest

import msgspec

LEVELS_MAX = 10_000  # a side; a stream of changes alone would let levels far away pile up
_SLACK = 256  # entries of a heap that may point at nothing, beyond as many as there are levels

Level = tuple[float, float]  # price and quantity; a quantity of 0 takes the level away


class Touch(msgspec.Struct, frozen=True, gc=False):
    """The best bid and offer with their quantities."""

    bid: float
    bid_qty: float
    ask: float
    ask_qty: float


class BookSide:
    """One side of a book. `sign` is -1 for bids, whose best is the highest, and 1 for offers."""

    __slots__ = ("_heap", "_sign", "levels")

    def __init__(self, sign: int) -> None:
        self._sign = float(sign)
        self._heap: list[float] = []  # every level's price, the best first, and some that are gone
        self.levels: dict[float, float] = {}

    def apply(self, changes: Iterable[Level]) -> None:
        """Set the quantities of some prices."""
        levels, heap, sign = self.levels, self._heap, self._sign
        for price, qty in changes:
            if not qty:
                levels.pop(price, None)
            elif price in levels:
                levels[price] = qty
            else:
                levels[price] = qty
                heappush(heap, price * sign)
        if len(heap) > 2 * len(levels) + _SLACK:
            self._rebuild()
        if len(levels) > LEVELS_MAX:
            self._trim()

    def clear(self) -> None:
        """Take every level away."""
        self.levels.clear()
        self._heap.clear()

    def best(self) -> float | None:
        """Return the best price, None where the side is empty."""
        heap, levels, sign = self._heap, self.levels, self._sign
        while heap:
            price = heap[0] * sign
            if price in levels:
                return price
            heappop(heap)
        return None

    def top(self, count: int) -> list[Level]:
        """Return the best levels, the best first."""
        sign = self._sign
        prices = (keyed * sign for keyed in nsmallest(count, (price * sign for price in self.levels)))
        return [(price, self.levels[price]) for price in prices]

    def _rebuild(self) -> None:
        self._heap[:] = [price * self._sign for price in self.levels]
        heapify(self._heap)

    def _trim(self) -> None:
        """Keep the better half of the room."""
        kept = self.top(LEVELS_MAX // 2)
        self.levels.clear()
        self.levels.update(kept)
        self._rebuild()


class OrderBook:
    """Both sides of one symbol's book."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids, self.asks = BookSide(-1), BookSide(1)

    def apply(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Change some levels."""
        self.bids.apply(bids)
        self.asks.apply(asks)

    def reset(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Begin anew with these levels."""
        self.clear()
        self.apply(bids, asks)

    def clear(self) -> None:
        """Forget all levels."""
        self.bids.clear()
        self.asks.clear()

    def touch(self) -> Touch | None:
        """Return the best bid and offer, None where a side is empty or the book is crossed."""
        bid, ask = self.bids.best(), self.asks.best()
        if bid is None or ask is None or bid >= ask:
            return None
        return Touch(bid, self.bids.levels[bid], ask, self.asks.levels[ask])

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is not below the best offer: something was lost."""
        bid, ask = self.bids.best(), self.asks.best()
        return bid is not None and ask is not None and bid >= ask
