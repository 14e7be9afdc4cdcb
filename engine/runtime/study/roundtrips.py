"""Trades as traders count them: from flat to flat, however many fills it takes. All money is exact."""

from decimal import Decimal

import msgspec

from engine.domain.commands import SaveFill
from engine.domain.ids import OrderRole
from engine.domain.money import LEDGER_CONTEXT, ZERO, divide
from engine.domain.positions import Fill, Position
from engine.domain.signals import Side

FEE_STEP = Decimal("1e-12")  # in settle units; what splits a fee between two trades is rounded to it


class RoundTrip(msgspec.Struct, frozen=True, kw_only=True):
    """One trade. `side` is that of its entry, `closed` is 0 while it is open; money in settle units.

    `gross` is before fees. `slippage` is what fills cost beyond the prices that were decided on (negative:
    gained); it is part of `gross` already.
    """

    play: str
    symbol: str
    side: Side
    opened: int
    closed: int
    qty: Decimal  # all that was entered
    entry_notional: Decimal  # what that cost
    exit_notional: Decimal
    gross: Decimal
    fees: Decimal
    slippage: Decimal
    fills: int
    ended_by: str  # the role of the order that closed it, empty while it is open

    @property
    def net(self) -> Decimal:
        """The profit after fees."""
        return self.gross - self.fees

    @property
    def ratio(self) -> float:
        """The profit after fees as a ratio of what was entered."""
        return float(self.net / self.entry_notional) if self.entry_notional else 0.0

    @property
    def entry_price(self) -> Decimal:
        """The average price of its entries."""
        return divide(self.entry_notional, self.qty)

    @property
    def exit_price(self) -> Decimal | None:
        """The average price of its exits, None before the whole is closed."""
        return divide(self.exit_notional, self.qty) if self.closed else None


class _Running(msgspec.Struct):
    """A trade that is open."""

    side: Side
    opened: int
    realized_before: Decimal
    qty: Decimal = ZERO
    entry_notional: Decimal = ZERO
    exit_notional: Decimal = ZERO
    fees: Decimal = ZERO
    slippage: Decimal = ZERO
    fills: int = 0

    def enter(self, fill: Fill, qty: Decimal, fee: Decimal) -> None:
        self.qty += qty
        self.entry_notional += qty * fill.price
        self.fees += fee
        self.fills += 1

    def leave(self, fill: Fill, qty: Decimal, fee: Decimal) -> None:
        self.exit_notional += qty * fill.price
        self.fees += fee
        self.fills += 1


class RoundTrips:
    """Makes trades of fills as they come."""

    def __init__(self) -> None:
        self.closed: list[RoundTrip] = []
        self._running: dict[tuple[str, str], _Running] = {}
        self._positions: dict[tuple[str, str], Position] = {}

    def add(self, saved: SaveFill, role: OrderRole | None, slippage: Decimal) -> None:
        """Take a fill with the position it led to; what it cost beyond its decision counts to its trade."""
        fill, after = saved.fill, saved.position
        key = after.play, after.symbol
        before = self._positions.get(key) or Position(play=after.play, symbol=after.symbol)
        self._positions[key] = after
        signed = fill.qty * fill.side.sign
        if before.qty == 0 or (before.qty > 0) == (signed > 0):
            trade = self._running.get(key) or self._begin(key, fill, before.realized)
            trade.enter(fill, fill.qty, fill.fee)
            trade.slippage += slippage
            return
        trade = self._running[key]
        part = min(fill.qty, abs(before.qty))
        rest = fill.qty - part
        fee = fill.fee if not rest else LEDGER_CONTEXT.quantize(divide(fill.fee * part, fill.qty), FEE_STEP)
        trade.leave(fill, part, fee)
        trade.slippage += slippage
        if rest or not after.qty:
            self.closed.append(_ended(key, trade, fill.ts, after.realized, role.value if role else ""))
            del self._running[key]
        if rest:  # what goes through zero opens the other way
            self._begin(key, fill, after.realized).enter(fill, rest, fill.fee - fee)

    def open(self, marks: dict[str, Decimal]) -> list[RoundTrip]:
        """Return the trades that are open, valued at the last marks by symbol."""
        found = []
        for key, trade in self._running.items():
            position = self._positions[key]
            opened = position.qty * marks[position.symbol] - position.entry_notional
            found.append(_ended(key, trade, 0, position.realized + opened, ""))
        return found

    def _begin(self, key: tuple[str, str], fill: Fill, realized: Decimal) -> _Running:
        self._running[key] = trade = _Running(fill.side, fill.ts, realized)
        return trade


def _ended(key: tuple[str, str], trade: _Running, closed: int, realized: Decimal, by: str) -> RoundTrip:
    play, symbol = key
    return RoundTrip(
        play=play,
        symbol=symbol,
        side=trade.side,
        opened=trade.opened,
        closed=closed,
        qty=trade.qty,
        entry_notional=trade.entry_notional,
        exit_notional=trade.exit_notional,
        gross=realized - trade.realized_before,
        fees=trade.fees,
        slippage=trade.slippage,
        fills=trade.fills,
        ended_by=by,
    )
