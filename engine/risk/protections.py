"""When a play may not enter, whatever its rules say: after a trade, too often, or after too many losses.

A state and functions that return the next one. It changes when a position opens, grows or closes, and is
asked at a signal: a bar on which nothing happens costs nothing. Pauses are times, so a cooldown of n bars is
n times the length of a bar.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import msgspec

from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.domain.money import LEDGER_CONTEXT, ZERO, divide
from engine.domain.play import DrawdownStop, LossGuard, LowProfit, Protections
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.risk.sizing import Refusal

TRADES_MAX = 1_000  # of a play that are remembered
TRADES_NAMED = 5  # in the values of a veto
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERCENT = Decimal(100)


class ClosedTrade(msgspec.Struct, frozen=True, array_like=True):
    """A trade from flat to flat: its profit after fees, in quote units and in percent of its largest cost.

    `equity` is that of the account after it, `stopped` whether its stop ended it.
    """

    closed: int
    profit: Decimal
    percent: float
    equity: float
    stopped: bool


class Pause(msgspec.Struct, frozen=True):
    """A time until which a play does not enter, why, and after which trades."""

    reason: Reason
    until: int
    values: dict[str, str]


class GuardState(msgspec.Struct, frozen=True, kw_only=True):
    """What the protections of a play remember.

    `realized` and `fees` are those of the position when it was flat last; `cost` is the largest one of the
    trade under way.
    """

    trades: tuple[ClosedTrade, ...] = ()
    pauses: tuple[Pause, ...] = ()
    day: int = 0
    opened_today: int = 0
    is_open: bool = False
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    cost: Decimal = ZERO


def begin(position: Position) -> GuardState:
    """Return the state of a play whose protections begin now."""
    state = GuardState(realized=position.realized, fees=position.fees)
    return state if position.is_flat else _grown(state, position)


def after_fill(
    state: GuardState, guards: Protections, position: Position, now: int, *, stopped: bool, equity: float
) -> GuardState:
    """Follow a position after a fill; `stopped` tells whether the fill was one of its stop."""
    if position.is_flat:
        return _closed(state, guards, position, now, stopped=stopped, equity=equity)
    if not state.is_open:
        day = now // NS_PER_DAY
        opened = state.opened_today + 1 if day == state.day else 1
        state = msgspec.structs.replace(state, day=day, opened_today=opened, cost=ZERO)
    return _grown(state, position)


def written_off(state: GuardState, position: Position) -> GuardState:
    """Forget a trade that ended outside of the books' knowledge: it counts for nothing."""
    return msgspec.structs.replace(
        state, is_open=False, realized=position.realized, fees=position.fees, cost=ZERO
    )


def refusal(
    state: GuardState, guards: Protections, ts: int, step_ns: int, *, opens: bool = True
) -> Refusal | None:
    """Return why a play may not enter at a bar's close; `opens` is false for a further entry."""
    if opens and guards.cooldown_bars and state.trades:
        until = state.trades[-1].closed + guards.cooldown_bars * step_ns
        if ts < until:
            return Refusal(Reason.PLAY_COOLDOWN, {"until": when(until), "bars": str(guards.cooldown_bars)})
    if opens and guards.trades_per_day_max and ts // NS_PER_DAY == state.day:
        most = guards.trades_per_day_max
        if state.opened_today >= most:
            until = (state.day + 1) * NS_PER_DAY
            values = {"until": when(until), "trades": str(state.opened_today), "max": str(most)}
            return Refusal(Reason.TRADES_PER_DAY_MAX, values)
    for pause in state.pauses:
        if ts < pause.until:
            return Refusal(pause.reason, {"until": when(pause.until), **pause.values})
    return None


def when(ns: int) -> str:
    """Write a time as users read it, in whole seconds UTC."""
    return f"{_EPOCH + timedelta(seconds=ns // NS_PER_S):%Y-%m-%dT%H:%M:%SZ}"


def _grown(state: GuardState, position: Position) -> GuardState:
    cost = max(state.cost, abs(position.entry_notional))
    return msgspec.structs.replace(state, is_open=True, cost=cost)


def _closed(
    state: GuardState, guards: Protections, position: Position, now: int, *, stopped: bool, equity: float
) -> GuardState:
    """Take a trade into account that has just ended, and pause where a guard says so."""
    if not state.is_open:
        return state
    profit = (position.realized - state.realized) - (position.fees - state.fees)
    percent = float(divide(LEDGER_CONTEXT.multiply(profit, _PERCENT), state.cost)) if state.cost else 0.0
    trade = ClosedTrade(now, profit, percent, equity, stopped)
    within_ns = max((guard.within_ns for guard in _looking_back(guards)), default=0)
    kept = tuple(t for t in state.trades if t.closed > now - within_ns)[1 - TRADES_MAX :]
    trades = (*kept, trade)
    still = tuple(pause for pause in state.pauses if pause.until > now)
    state = msgspec.structs.replace(state, trades=trades, pauses=(*still, *_pauses(guards, trades, now)))
    return written_off(state, position)


def _looking_back(guards: Protections) -> list[LossGuard | LowProfit | DrawdownStop]:
    found = (guards.stop_loss_guard, guards.low_profit, guards.drawdown)
    return [guard for guard in found if guard is not None]


def _pauses(guards: Protections, trades: tuple[ClosedTrade, ...], now: int) -> list[Pause]:
    """Return the pauses that begin with the last of some trades."""
    pauses = []
    for guard in _looking_back(guards):
        seen = [trade for trade in trades if trade.closed > now - guard.within_ns]
        reason, values = _judged(guard, seen)
        if values:
            pauses.append(Pause(reason, now + guard.pause_ns, values))
    return pauses


def _judged(
    guard: LossGuard | LowProfit | DrawdownStop, seen: list[ClosedTrade]
) -> tuple[Reason, dict[str, str]]:
    """Return what a guard found wrong with the trades of its time, no values where nothing is."""
    match guard:
        case LossGuard():
            lost = [trade for trade in seen if trade.stopped and trade.profit < ZERO]
            values = {"stops": str(len(lost)), "trades": named(lost)} if len(lost) >= guard.trades else {}
            return Reason.STOP_LOSS_GUARD, values
        case LowProfit():
            made = sum(trade.percent for trade in seen)
            low = len(seen) >= guard.trades and made < guard.percent_min
            values = {"made": f"{made:.2f}%", "min": f"{guard.percent_min:g}%", "trades": named(seen)}
            return Reason.LOW_PROFIT, values if low else {}
        case DrawdownStop():
            fell = drawdown(seen)
            values = {"drawdown": f"{fell:.2f}%", "max": f"{guard.percent:g}%", "trades": named(seen)}
            return Reason.DRAWDOWN_STOP, values if fell >= guard.percent else {}


def drawdown(trades: list[ClosedTrade]) -> float:
    """Return the greatest fall of the summed profit from its peak, in percent of equity before the first."""
    if not trades:
        return 0.0
    sums = list(accumulate((trade.profit for trade in trades), initial=ZERO))
    fell = max(peak - now for peak, now in zip(accumulate(sums, max), sums, strict=True))
    before = trades[0].equity - float(trades[0].profit)
    return float(fell) / before * 100.0 if before > 0 else 100.0


def named(trades: list[ClosedTrade]) -> str:
    """Name the newest trades by when they closed and what they made."""
    shown = ",".join(f"{when(trade.closed)}/{trade.percent:+.2f}%" for trade in trades[-TRADES_NAMED:])
    left = len(trades) - TRADES_NAMED
    return f"{shown},+{left}" if left > 0 else shown
