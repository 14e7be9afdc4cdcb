"""Positions and money from fills, exact; marked to market in float for drawdown and screens."""

from collections.abc import Sequence
from decimal import Decimal
from math import fsum

import msgspec

from engine.domain.market import NS_PER_DAY
from engine.domain.money import LEDGER_CONTEXT, ZERO, divide
from engine.domain.positions import Fill, Position
from engine.domain.signals import Side
from engine.execution.blotter import Blotter, BlotterState
from engine.execution.capital import Capital, CapitalState
from engine.execution.equitycurve import EquityCurve, EquityState

_BUY = Side.BUY  # bound once: every fill passes here
COST_STEP = Decimal("1e-12")  # in quote units; far under a venue's own rounding of fees


class LedgerState(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger as a checkpoint holds it."""

    positions: tuple[Position, ...]
    realized: Decimal
    fees: Decimal
    fills: int
    trades: int
    marks: dict[str, float]
    day: int
    day_start_equity: float
    equity_peak: float
    drawdown_max: float
    start_equity: Decimal | None = None
    capital: CapitalState = CapitalState()
    blotter: BlotterState = BlotterState()
    curve: EquityState = EquityState()


def apply_fill(position: Position, fill: Fill) -> Position:
    """Return the position after a fill: increases add cost, decreases realise their part of it.

    Average cost: closing c of q open units realises c * price - cost * c / q (signs by direction). The
    quotient is rounded to COST_STEP, so that all sums of the books are exact in any order.
    """
    held, buys = position.qty, fill.side is _BUY
    signed = fill.qty if buys else -fill.qty
    fees = position.fees + fill.fee
    if not held or (held > ZERO) is buys:
        return msgspec.structs.replace(
            position,
            qty=held + signed,
            entry_notional=position.entry_notional + signed * fill.price,
            fees=fees,
            opened=position.opened if held else fill.ts,
        )
    left = held + signed
    through = left and (left > ZERO) is buys  # what goes through zero opens the other way
    closed = -held if through else signed
    cost = (
        LEDGER_CONTEXT.quantize(divide(position.entry_notional * -closed, held), COST_STEP)
        if left and not through
        else position.entry_notional
    )
    return msgspec.structs.replace(
        position,
        qty=left,
        entry_notional=left * fill.price if through else position.entry_notional - cost,
        realized=position.realized + (-closed * fill.price - cost),
        fees=fees,
        opened=fill.ts if through else position.opened,
    )


class Ledger:
    """The books of one engine: one settle currency, positions by (play, symbol)."""

    def __init__(self, start_equity: Decimal) -> None:
        self.start_equity = start_equity
        self.realized = ZERO
        self.fees = ZERO
        self.fills = 0
        self.trades = 0
        self.drawdown_max = 0.0
        self.capital = Capital()
        self.blotter = Blotter()
        self.curve = EquityCurve()
        self._positions: dict[tuple[str, str], Position] = {}
        self._open: dict[tuple[str, str], tuple[str, float, float]] = {}  # symbol, quantity, cost
        self._net: dict[str, Decimal] = {}
        self._marks: dict[str, float] = {}
        self._cash = float(start_equity)
        self._peak = self._cash
        self._day = 0
        self._day_end = 0
        self._day_start_equity = self._cash

    # positions

    def position(self, play: str, symbol: str) -> Position:
        """Return a play's position in a symbol, flat where it never had one."""
        return self._positions.get((play, symbol)) or Position(play=play, symbol=symbol)

    def positions(self) -> tuple[Position, ...]:
        """Return every position that is or was held."""
        return tuple(self._positions.values())

    def open_positions(self) -> tuple[Position, ...]:
        """Return the positions that are not flat, in the order of their first opening: a restart keeps it."""
        return tuple(position for position in self._positions.values() if position.qty)

    def net_qty(self, symbol: str) -> Decimal:
        """Return the net quantity over all plays: what the venue should show."""
        return self._net.get(symbol, ZERO)

    def book(self, play: str, fill: Fill) -> Position:
        """Book a fill to a play and return its new position."""
        key = (play, fill.symbol)
        before = self.position(play, fill.symbol)
        after = apply_fill(before, fill)
        self._positions[key] = after
        if after.realized is not before.realized:
            self.realized += after.realized - before.realized
        self.fees += fill.fee
        self.fills += 1
        if before.qty and (not after.qty or (after.qty > ZERO) != (before.qty > ZERO)):
            self.trades += 1
            self.capital.on_closed(key, after.realized - after.fees)
        self.blotter.on_fill(before, after, fill)
        self._net[fill.symbol] = self._net.get(fill.symbol, ZERO) + (after.qty - before.qty)
        if not after.qty:
            self._open.pop(key, None)
        else:
            self._open[key] = (fill.symbol, float(after.qty), float(after.entry_notional))
        self._cash = float(self.start_equity + self.realized - self.fees)
        self._marks[fill.symbol] = float(fill.price)
        self.curve.add(fill.ts, self._track())
        return after

    # money

    def mark(self, symbol: str, price: float, now: int) -> None:
        """Take a new mark; equity, its peak and the UTC day follow."""
        self._marks[symbol] = price
        if now >= self._day_end:
            self._day = now // NS_PER_DAY
            self._day_end = (self._day + 1) * NS_PER_DAY
            self._day_start_equity = self.equity()
        if self._open:
            self._track()

    def mark_stretch(self, symbol: str, prices: Sequence[float]) -> None:
        """Take the marks of one day's stretch, one after another: the same as `mark` with each."""
        self._marks[symbol] = prices[-1]
        if not self._open:
            return
        ((_, qty, cost),) = self._open.values()
        lowest, highest = min(prices), max(prices)
        worst, best = (lowest, highest) if qty > 0 else (highest, lowest)
        # Rounding keeps order: the price that is best or worst gives the equity that is.
        if 0 < self._peak >= self._cash + (qty * best - cost):
            fallen = 1.0 - (self._cash + (qty * worst - cost)) / self._peak
            self.drawdown_max = max(self.drawdown_max, fallen)
            return
        for price in prices:
            self._marks[symbol] = price
            self._track()

    def takes_stretches(self, symbol: str) -> bool:
        """Tell whether prices of this symbol alone move equity, as `mark_stretch` needs it."""
        return not self._open or (len(self._open) == 1 and next(iter(self._open.values()))[0] == symbol)

    @property
    def day_end(self) -> int:
        """When the UTC day of the last mark ends, 0 before the first."""
        return self._day_end

    @property
    def day_start_equity(self) -> float:
        """What equity was at the first mark since 00:00 UTC."""
        return self._day_start_equity

    @property
    def has_open(self) -> bool:
        """Whether any position is open."""
        return bool(self._open)

    def equity(self) -> float:
        """Return cash plus unrealised profit at the marks, in settle units, for comparisons and screens."""
        return self._cash + self.unrealized()

    def unrealized(self) -> float:
        """Return the open profit at the marks, in settle units."""
        if not self._open:
            return 0.0
        marks = self._marks
        if len(self._open) == 1:
            ((symbol, qty, cost),) = self._open.values()
            return qty * marks[symbol] - cost
        # fsum: the sum must not depend on the order of positions, which a restart may change
        return fsum([qty * marks[symbol] - cost for symbol, qty, cost in self._open.values()])

    def open_notionals(self, symbol: str) -> tuple[list[float], list[float]]:
        """Return the notionals of open positions at their marks: of a symbol, and of all others."""
        held: list[float] = []
        others: list[float] = []
        marks = self._marks
        for name, qty, _ in self._open.values():
            (held if name == symbol else others).append(abs(qty) * marks[name])
        return held, others

    def exact_equity(self) -> Decimal:
        """Return start equity plus realised profit minus fees plus open profit at the marks."""
        opened = ZERO
        if self._open:
            for p in self.open_positions():
                opened += p.qty * Decimal(repr(self._marks[p.symbol])) - p.entry_notional
        return self.start_equity + self.realized - self.fees + opened

    def trading_capital(self) -> Decimal:
        """Return what entries are sized with: equity without the reserve of put-aside profits."""
        return self.exact_equity() - self.capital.reserve

    def mark_of(self, symbol: str) -> float:
        """Return the last mark of a symbol, 0 before the first."""
        return self._marks.get(symbol, 0.0)

    def day_pnl(self) -> float:
        """Return profit since 00:00 UTC, in settle units."""
        return self.equity() - self._day_start_equity

    @property
    def peak(self) -> float:
        """The highest equity so far."""
        return self._peak

    def drawdown(self) -> float:
        """Return the fall from the peak of equity, as a ratio of the peak."""
        return 1.0 - self.equity() / self._peak if self._peak > 0 else 0.0

    def _track(self) -> float:
        """Follow peak and drawdown; return equity."""
        equity = self._cash + self.unrealized() if self._open else self._cash
        if equity > self._peak:
            self._peak = equity
        elif self._peak > 0:
            fallen = 1.0 - equity / self._peak
            if fallen > self.drawdown_max:  # noqa: PLR1730 - every mark passes here, and max() takes longer
                self.drawdown_max = fallen
        return equity

    # checkpoint

    def state(self) -> LedgerState:
        """Return all that a checkpoint needs."""
        return LedgerState(
            positions=self.positions(),
            realized=self.realized,
            fees=self.fees,
            fills=self.fills,
            trades=self.trades,
            marks=dict(self._marks),
            day=self._day,
            day_start_equity=self._day_start_equity,
            equity_peak=self._peak,
            drawdown_max=self.drawdown_max,
            start_equity=self.start_equity,
            capital=self.capital.state(),
            blotter=self.blotter.state(),
            curve=self.curve.state(),
        )

    def restore(self, state: LedgerState) -> None:
        """Take up a checkpoint's state."""
        self._positions = {(p.play, p.symbol): p for p in state.positions}
        self._open = {
            key: (p.symbol, float(p.qty), float(p.entry_notional))
            for key, p in self._positions.items()
            if p.qty != 0
        }
        self._net = {}
        for position in state.positions:
            self._net[position.symbol] = self._net.get(position.symbol, ZERO) + position.qty
        self.realized, self.fees = state.realized, state.fees
        self.fills, self.trades = state.fills, state.trades
        self._marks = dict(state.marks)
        self._cash = float(self.start_equity + self.realized - self.fees)
        self._day, self._day_end = state.day, (state.day + 1) * NS_PER_DAY
        self._day_start_equity = state.day_start_equity
        self._peak, self.drawdown_max = state.equity_peak, state.drawdown_max
        self.capital.restore(state.capital)
        self.blotter.restore(state.blotter)
        self.curve.restore(state.curve)
