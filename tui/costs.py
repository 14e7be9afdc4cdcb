"""What closing costs, estimated from a snapshot: from the mark to the far side of the spread, and fees."""

from collections.abc import Iterable

import msgspec

from engine.api import OrderRole, OrderRow, PositionRow, Side, Snapshot


class Cost(msgspec.Struct, frozen=True):
    """An estimate in settle units; `spread` is negative where closing gains on the mark.

    `unpriced` names the symbols whose spread is not known: their estimate holds the fee alone.
    """

    worth: float = 0.0
    spread: float = 0.0
    fees: float = 0.0
    unpriced: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """Spread and fees together."""
        return self.spread + self.fees

    def __add__(self, other: "Cost") -> "Cost":
        """Return the cost of both."""
        unpriced = tuple(dict.fromkeys((*self.unpriced, *other.unpriced)))
        return Cost(self.worth + other.worth, self.spread + other.spread, self.fees + other.fees, unpriced)


class Estimate:
    """Prices of one snapshot, asked for as often as wanted."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._ticks = {tick.symbol: tick for tick in snapshot.ticks}
        self._taker = {row.symbol: float(row.taker) for row in snapshot.fees}

    def mark(self, row: PositionRow) -> float:
        """Return what a position is valued at now."""
        tick = self._ticks.get(row.symbol)
        return row.mark if tick is None or tick.price <= 0 else tick.price

    def close(self, row: PositionRow) -> Cost:
        """Return the cost of closing a position at the market, by the far side of the spread."""
        return self._trade(row.symbol, -float(row.qty), self.mark(row))

    def fill_and_close(self, order: OrderRow) -> Cost:
        """Return the cost of an entry that fills before its cancel comes and is closed at the market."""
        left = float(order.qty - order.filled_qty) * (1 if order.side is Side.BUY else -1)
        tick = self._ticks.get(order.symbol)
        mark = tick.price if tick is not None else 0.0
        price = float(order.price) if order.price is not None else mark
        filled = Cost(fees=abs(left) * price * self._taker.get(order.symbol, 0.0))
        moved = Cost(spread=max(0.0, (price - mark) * left)) if mark > 0 else Cost()
        return filled + moved + self._trade(order.symbol, -left, mark or price)

    def _trade(self, symbol: str, signed_qty: float, mark: float) -> Cost:
        tick = self._ticks.get(symbol)
        touch = 0.0 if tick is None else (tick.ask if signed_qty > 0 else tick.bid)
        known = touch > 0
        price = touch if known else mark
        worth = abs(signed_qty) * price
        spread = (price - mark) * signed_qty if known else 0.0
        fees = worth * self._taker.get(symbol, 0.0)
        return Cost(abs(signed_qty) * mark, spread, fees, () if known else (symbol,))


def close_all(snapshot: Snapshot, positions: Iterable[PositionRow]) -> Cost:
    """Return the cost of closing positions at the market."""
    estimate = Estimate(snapshot)
    return sum((estimate.close(row) for row in positions), Cost())


def worst_case(snapshot: Snapshot, positions: Iterable[PositionRow], orders: Iterable[OrderRow]) -> Cost:
    """Return the cost where every open entry fills first and has to be closed as well."""
    estimate = Estimate(snapshot)
    entries = (order for order in orders if order.role is OrderRole.ENTRY and order.state.is_open)
    return sum((estimate.fill_and_close(order) for order in entries), close_all(snapshot, positions))
