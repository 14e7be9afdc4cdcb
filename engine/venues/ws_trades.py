"""Hands every trade of a stream on once and in order, whatever connections break or overlap.

Venues name their trades in one of two ways. Numbers without holes (Binance) show what is missing at once;
what comes after a hole waits until the hole is filled or given up. Names without an order (Bybit) show only
what was told before: after a break new trades wait until the venue was asked what came in between.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engine.domain.market import Trade

REMEMBERED = 20_000  # names of trades that would be known again
WAITING_MAX = 50_000  # trades that may wait for a hole to be filled; then it is given up


TradeId = int | str


class Named(msgspec.Struct, frozen=True, gc=False):
    """A trade and its name at the venue. None stands for a number that is no trade of the market."""

    id: TradeId
    trade: Trade | None


class TradeOrder(Protocol):
    """The trades of one symbol on their way."""

    @property
    def lacks(self) -> bool:
        """Whether something waits for what is missing."""
        ...

    @property
    def newest(self) -> TradeId | None:
        """The name of the newest trade that was handed on, None before the first."""
        ...

    def add(self, trade_id: TradeId, trade: Trade | None) -> Sequence[Trade]:
        """Take a trade of the stream; return those that may be handed on now."""
        ...

    def interrupt(self) -> None:
        """Something may be missing from here on: the stream broke."""
        ...

    @property
    def lost(self) -> int:
        """How many trades were given up; breaks with a loss are counted where trades have no numbers."""
        ...

    @property
    def repeated(self) -> int:
        """How many were told again and left out."""
        ...

    def fill(self, asked: Sequence[Named]) -> Sequence[Trade]:
        """Take what the venue answered, oldest first; give up with nothing. Return what may be handed on."""
        ...


class NumberedTrades:
    """Trades with numbers that rise by one."""

    __slots__ = ("_last", "_waiting", "lost", "repeated")

    def __init__(self) -> None:
        self._last: int | None = None
        self._waiting: dict[int, Trade | None] = {}
        self.repeated = self.lost = 0

    @property
    def lacks(self) -> bool:
        """Whether a hole is open."""
        return bool(self._waiting)

    @property
    def newest(self) -> int | None:
        """The number that was handed on last."""
        return self._last

    def add(self, trade_id: TradeId, trade: Trade | None) -> Sequence[Trade]:
        """Take a trade; return it, and those that waited for it."""
        assert isinstance(trade_id, int), "numbered trades have numbers"
        last = self._last
        if last is None or trade_id == last + 1:
            self._last = trade_id
            if not self._waiting:
                return (trade,) if trade is not None else ()
            return [*(() if trade is None else (trade,)), *self._follow()]
        if trade_id <= last:
            self.repeated += 1
            return ()
        self._waiting[trade_id] = trade
        if len(self._waiting) > WAITING_MAX:
            return self.fill(())
        return ()

    def interrupt(self) -> None:
        """Nothing to do: the next number tells what is missing."""

    def fill(self, asked: Sequence[Named]) -> Sequence[Trade]:
        """Take what the venue answered, and hand on what waited; without an answer the hole is given up.

        Numbers within the answer that it has no trade of were never trades. What else is missing is lost.
        """
        if self._last is None:
            return ()
        found = self._waiting
        self._waiting = {}
        for named in asked:
            assert isinstance(named.id, int), "numbered trades have numbers"
            if named.id > self._last:
                found[named.id] = named.trade
        told = (asked[0].id, asked[-1].id) if asked else (0, 0)
        ready: list[Trade] = []
        for number in sorted(found):
            self.lost += _missing(self._last, number, told)
            self._last = number
            if (trade := found[number]) is not None:
                ready.append(trade)
        return ready

    def _follow(self) -> list[Trade]:
        """Return what waited for the number that came last."""
        assert self._last is not None, "something came before"
        ready: list[Trade] = []
        while (number := self._last + 1) in self._waiting:
            self._last = number
            if (trade := self._waiting.pop(number)) is not None:
                ready.append(trade)
        return ready


def _missing(last: int, number: int, told: tuple[TradeId, TradeId]) -> int:
    """Count the numbers between two that lie outside of what an answer tells of."""
    first, final = told
    assert isinstance(first, int), "numbered trades have numbers"
    assert isinstance(final, int), "numbered trades have numbers"
    before = max(0, min(number, first) - last - 1)
    after = max(0, number - max(last, final) - 1)
    return min(before + after, number - last - 1)


class UnnumberedTrades:
    """Trades with names that do not tell their order."""

    __slots__ = ("_interrupted", "_known", "_newest", "_newest_ts", "_waiting", "lost", "repeated")

    def __init__(self) -> None:
        self._known: dict[TradeId, None] = {}  # the oldest first
        self._newest: TradeId | None = None
        self._newest_ts = 0
        self._interrupted = False
        self._waiting: list[tuple[TradeId, Trade]] = []
        self.repeated = self.lost = 0

    @property
    def lacks(self) -> bool:
        """Whether the venue must be asked before trades go on."""
        return self._interrupted

    @property
    def newest(self) -> TradeId | None:
        """The name that was handed on last."""
        return self._newest

    def add(self, trade_id: TradeId, trade: Trade | None) -> Sequence[Trade]:
        """Take a trade; return it where nothing may be missing before it."""
        assert trade is not None, "what has no number is a trade"
        if trade_id in self._known:
            self.repeated += 1
            return ()
        if self._interrupted:
            self._waiting.append((trade_id, trade))
            return self.fill(()) if len(self._waiting) > WAITING_MAX else ()
        self._remember(trade_id, trade)
        return (trade,)

    def interrupt(self) -> None:
        """Let trades wait until the venue was asked, unless there were none yet."""
        self._interrupted = self._newest is not None

    def fill(self, asked: Sequence[Named]) -> Sequence[Trade]:
        """Take what the venue answered: what it tells before the newest one known is no news.

        Where it does not reach back to that one, an unknown number of trades is lost.
        """
        names = [named.id for named in asked]
        reaches = self._newest in names
        begin = names.index(self._newest) + 1 if self._newest is not None and reaches else 0
        ready: list[Trade] = []
        for named in asked[begin:]:
            name, trade = named.id, named.trade
            assert trade is not None, "what has no number is a trade"
            if name not in self._known and (reaches or trade.ts >= self._newest_ts):
                self._remember(name, trade)
                ready.append(trade)
        for name, trade in self._waiting:
            if name not in self._known:
                self._remember(name, trade)
                ready.append(trade)
        self.lost += self._interrupted and not reaches
        self._interrupted = False
        self._waiting.clear()
        return ready

    def _remember(self, name: TradeId, trade: Trade) -> None:
        self._known[name] = None
        self._newest, self._newest_ts = name, trade.ts
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
