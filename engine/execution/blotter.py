"""Closed trades and what they made: the newest ones, and totals by play of this run and of today (UTC)."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from engine.domain.market import NS_PER_DAY
from engine.domain.money import ZERO, divide
from engine.domain.positions import Fill, Position
from engine.domain.signals import Side

TRADES_MAX, FILLS_MAX = 200, 200
Key = tuple[str, str]
_Entered = tuple[Decimal, Decimal, Decimal, Decimal]  # quantity and cost, signed; realised and paid before
_Closing = tuple[Position, Position, _Entered, int]  # before and after its last fill, and when that was


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A position from flat to flat: mean prices, and what it made after fees, in settle units."""

    play: str
    symbol: str
    side: Side  # of its entry
    qty: Decimal  # all that was entered
    entry_price: Decimal
    exit_price: Decimal
    opened: int
    closed: int
    pnl: Decimal
    fees: Decimal


class TradeTotals(msgspec.Struct, frozen=True):
    """What the closed trades of a play made, after fees. What made nothing is neither gain nor loss."""

    play: str
    trades: int = 0
    wins: int = 0
    gain: Decimal = ZERO  # of the winning ones
    loss: Decimal = ZERO  # of the losing ones, 0 or more
    fees: Decimal = ZERO

    @property
    def pnl(self) -> Decimal:
        """Gains minus losses."""
        return self.gain - self.loss

    @property
    def profit_factor(self) -> float | None:
        """Gains over losses, None without a loss."""
        return float(self.gain / self.loss) if self.loss else None


class FillMark(msgspec.Struct, frozen=True):
    """A fill as a chart marks it."""

    ts: int
    play: str
    symbol: str
    side: Side
    price: Decimal
    qty: Decimal


class _Running(msgspec.Struct, frozen=True):
    """A trade under way: what was entered (signed), and what its play had realised and paid before."""

    play: str
    symbol: str
    qty: Decimal
    notional: Decimal
    realized: Decimal
    fees: Decimal


class BlotterState(msgspec.Struct, frozen=True, kw_only=True):
    """The blotter as a checkpoint holds it."""

    trades: tuple[ClosedTrade, ...] = ()
    fills: tuple[FillMark, ...] = ()
    running: tuple[_Running, ...] = ()
    session: tuple[TradeTotals, ...] = ()
    today: tuple[TradeTotals, ...] = ()
    day: int = 0  # UTC, of `today`


class Blotter:
    """Follows every position from flat to flat. What closes and opens the other way at once ends a trade.

    Every fill of a backtest passes here: a closed trade is written as a row when somebody looks.
    """

    def __init__(self) -> None:
        self._trades: deque[ClosedTrade | _Closing] = deque(maxlen=TRADES_MAX)
        self._fills: deque[tuple[str, Fill]] = deque(maxlen=FILLS_MAX)
        self._older: tuple[FillMark, ...] = ()  # from a checkpoint
        self._running: dict[Key, _Entered] = {}
        self._session: dict[str, _Counts] = {}
        self._today: dict[str, _Counts] = {}
        self._day = self._day_end = 0

    def on_fill(self, before: Position, after: Position, fill: Fill) -> None:
        """Take a fill that led from one position of a play to another."""
        play = after.play
        self._fills.append((play, fill))
        key = (play, after.symbol)
        held, left = before.qty, after.qty
        if not held:
            self._running[key] = (left, after.entry_notional, after.realized, before.fees)
        elif not left or (left > ZERO) is not (held > ZERO):
            self._close(key, before, after, fill)
            if left:
                self._running[key] = (left, after.entry_notional, after.realized, after.fees)
        elif abs(left) > abs(held):
            qty, notional, realized, fees = self._running.get(key) or _known(before)
            cost = after.entry_notional - before.entry_notional
            self._running[key] = (qty + (left - held), notional + cost, realized, fees)

    def _close(self, key: Key, before: Position, after: Position, fill: Fill) -> None:
        entered = self._running.pop(key, None) or _known(before)
        self._trades.append((before, after, entered, fill.ts))
        if fill.ts >= self._day_end:
            self._day = fill.ts // NS_PER_DAY
            self._day_end = (self._day + 1) * NS_PER_DAY
            self._today.clear()
        fees = after.fees - entered[3]
        pnl = after.realized - entered[2] - fees
        won = pnl > ZERO
        for counts in (self._session, self._today):
            count = counts.get(key[0])
            if count is None:
                count = counts[key[0]] = _Counts()
            count.trades += 1
            count.fees += fees
            if won:
                count.wins += 1
                count.gain += pnl
            else:
                count.loss -= pnl

    def begin_anew(self) -> None:
        """Count this run's totals from nothing; the trades of the run before are still shown."""
        self._session.clear()

    # reading

    def trades(self) -> tuple[ClosedTrade, ...]:
        """Return the newest closed trades, oldest first."""
        rows = tuple(one if isinstance(one, ClosedTrade) else _row(*one) for one in self._trades)
        self._trades.clear()
        self._trades.extend(rows)
        return rows

    def fills(self) -> tuple[FillMark, ...]:
        """Return the newest fills, oldest first."""
        newer = tuple(
            FillMark(fill.ts, play, fill.symbol, fill.side, fill.price, fill.qty)
            for play, fill in self._fills
        )
        return (*self._older, *newer)[-FILLS_MAX:]

    def session(self) -> tuple[TradeTotals, ...]:
        """Return the totals of this run by play."""
        return _totals(self._session)

    def today(self, now: int) -> tuple[TradeTotals, ...]:
        """Return the totals since 00:00 UTC by play."""
        return _totals(self._today) if now // NS_PER_DAY == self._day else ()

    # checkpoint

    def state(self) -> BlotterState:
        """Return all that a checkpoint needs."""
        return BlotterState(
            trades=self.trades(),
            fills=self.fills(),
            running=tuple(_Running(*key, *entered) for key, entered in self._running.items()),
            session=self.session(),
            today=_totals(self._today),
            day=self._day,
        )

    def restore(self, state: BlotterState) -> None:
        """Take up a checkpoint's state."""
        self._trades = deque(state.trades, maxlen=TRADES_MAX)
        self._fills.clear()
        self._older = state.fills
        self._running = {
            (run.play, run.symbol): (run.qty, run.notional, run.realized, run.fees) for run in state.running
        }
        self._session, self._today = _counted(state.session), _counted(state.today)
        self._day = state.day
        self._day_end = (state.day + 1) * NS_PER_DAY if state.day else 0


@dataclass(slots=True)  # what changes with every trade: its fields are written faster than a Struct's
class _Counts:
    """Totals while they are counted."""

    trades: int = 0
    wins: int = 0
    gain: Decimal = ZERO
    loss: Decimal = ZERO
    fees: Decimal = ZERO


def _totals(counts: dict[str, _Counts]) -> tuple[TradeTotals, ...]:
    return tuple(
        TradeTotals(play, one.trades, one.wins, one.gain, one.loss, one.fees) for play, one in counts.items()
    )


def _counted(totals: tuple[TradeTotals, ...]) -> dict[str, _Counts]:
    return {one.play: _Counts(one.trades, one.wins, one.gain, one.loss, one.fees) for one in totals}


def _known(position: Position) -> _Entered:
    """Return what is known of a trade whose beginning was not followed: an older checkpoint held it."""
    return position.qty, position.entry_notional, position.realized, position.fees


def _row(before: Position, after: Position, entered: _Entered, closed: int) -> ClosedTrade:
    """Write a closed trade: its exit price is the mean that gives what was realised."""
    qty, notional, realized, paid = entered
    gross, fees = after.realized - realized, after.fees - paid
    return ClosedTrade(
        play=after.play,
        symbol=after.symbol,
        side=Side.BUY if before.qty > ZERO else Side.SELL,
        qty=abs(qty),
        entry_price=divide(notional, qty),
        exit_price=divide(notional + gross, qty),
        opened=before.opened,
        closed=closed,
        pnl=gross - fees,
        fees=fees,
    )
