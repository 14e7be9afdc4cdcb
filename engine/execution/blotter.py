"""Closed trades and what they made: the newest ones, and totals by play of this run and of today (UTC)."""

from collections import deque
from decimal import Decimal

import msgspec

from engine.domain.market import NS_PER_DAY
from engine.domain.money import ZERO, divide
from engine.domain.positions import Fill, Position
from engine.domain.signals import Side

TRADES_MAX, FILLS_MAX = 200, 200
_replace = msgspec.structs.replace
Key = tuple[str, str]


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
    """A trade under way: what was entered, and what its play had realised and paid in the symbol before."""

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
    """Follows every position from flat to flat. What closes and opens the other way at once ends a trade."""

    def __init__(self) -> None:
        self._trades: deque[ClosedTrade] = deque(maxlen=TRADES_MAX)
        self._fills: deque[tuple[str, Fill]] = deque(maxlen=FILLS_MAX)
        self._older: tuple[FillMark, ...] = ()  # from a checkpoint
        self._running: dict[Key, _Running] = {}
        self._session: dict[str, TradeTotals] = {}
        self._today: dict[str, TradeTotals] = {}
        self._day = 0

    def on_fill(self, before: Position, after: Position, fill: Fill) -> None:
        """Take a fill that led from one position of a play to another."""
        self._fills.append((after.play, fill))
        key = (after.play, after.symbol)
        held, left = before.qty, after.qty
        if not held:
            self._running[key] = _Running(*key, fill.qty, fill.qty * fill.price, before.realized, before.fees)
        elif not left or (left > ZERO) is not (held > ZERO):
            run = self._running.pop(key) if key in self._running else _known(before)
            self._close(run, before, after, fill)
            if left:
                self._running[key] = _Running(
                    *key, abs(left), abs(after.entry_notional), after.realized, after.fees
                )
        elif abs(left) > abs(held):
            run = self._running.get(key) or _known(before)
            self._running[key] = _replace(
                run, qty=run.qty + fill.qty, notional=run.notional + fill.qty * fill.price
            )

    def _close(self, run: _Running, before: Position, after: Position, fill: Fill) -> None:
        gross, fees = after.realized - run.realized, after.fees - run.fees
        long = before.qty > ZERO
        trade = ClosedTrade(
            play=run.play,
            symbol=run.symbol,
            side=Side.BUY if long else Side.SELL,
            qty=run.qty,
            entry_price=divide(run.notional, run.qty),
            exit_price=divide(run.notional + (gross if long else -gross), run.qty),
            opened=before.opened,
            closed=fill.ts,
            pnl=gross - fees,
            fees=fees,
        )
        self._trades.append(trade)
        day = fill.ts // NS_PER_DAY
        if day > self._day:
            self._day = day
            self._today.clear()
        for totals in (self._session, self._today):
            totals[run.play] = _added(totals.get(run.play) or TradeTotals(run.play), trade)

    def begin_anew(self) -> None:
        """Count this run's totals from nothing; the trades of the run before are still shown."""
        self._session.clear()

    # reading

    def trades(self) -> tuple[ClosedTrade, ...]:
        """Return the newest closed trades, oldest first."""
        return tuple(self._trades)

    def fills(self) -> tuple[FillMark, ...]:
        """Return the newest fills, oldest first."""
        newer = tuple(
            FillMark(fill.ts, play, fill.symbol, fill.side, fill.price, fill.qty)
            for play, fill in self._fills
        )
        return (*self._older, *newer)[-FILLS_MAX:]

    def session(self) -> tuple[TradeTotals, ...]:
        """Return the totals of this run by play."""
        return tuple(self._session.values())

    def today(self, now: int) -> tuple[TradeTotals, ...]:
        """Return the totals since 00:00 UTC by play."""
        return tuple(self._today.values()) if now // NS_PER_DAY == self._day else ()

    # checkpoint

    def state(self) -> BlotterState:
        """Return all that a checkpoint needs."""
        return BlotterState(
            trades=self.trades(),
            fills=self.fills(),
            running=tuple(self._running.values()),
            session=self.session(),
            today=tuple(self._today.values()),
            day=self._day,
        )

    def restore(self, state: BlotterState) -> None:
        """Take up a checkpoint's state."""
        self._trades = deque(state.trades, maxlen=TRADES_MAX)
        self._fills.clear()
        self._older = state.fills
        self._running = {(run.play, run.symbol): run for run in state.running}
        self._session = {totals.play: totals for totals in state.session}
        self._today = {totals.play: totals for totals in state.today}
        self._day = state.day


def _known(position: Position) -> _Running:
    """Return what is known of a trade whose beginning was not followed: an older checkpoint held it."""
    return _Running(
        position.play,
        position.symbol,
        abs(position.qty),
        abs(position.entry_notional),
        position.realized,
        position.fees,
    )


def _added(totals: TradeTotals, trade: ClosedTrade) -> TradeTotals:
    pnl = trade.pnl
    return TradeTotals(
        totals.play,
        totals.trades + 1,
        totals.wins + (pnl > ZERO),
        totals.gain + max(pnl, ZERO),
        totals.loss + max(-pnl, ZERO),
        totals.fees + trade.fees,
    )
