"""The figures of a backtest in one object, taken from its trades, its equity and its tape."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.domain.money import BPS, ZERO, canonical
from engine.domain.signals import Side
from engine.runtime.study import curve as curves
from engine.runtime.study import metrics
from engine.runtime.study.curve import Days, Moments
from engine.runtime.study.recorder import Recorder
from engine.runtime.study.roundtrips import RoundTrip
from engine.venues.csvcolumns import Ints
from engine.venues.datafile import BarColumns
from engine.venues.replay import Tape


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar month (UTC): its profit and return, its deepest drawdown, the trades closed in it."""

    month: str  # 2020-01
    net: float
    change: float  # ratio of the equity it began with
    max_drawdown: float  # from the highest equity of the whole run so far, as a ratio of it
    trades: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to, None where a figure does not exist. Exact money is text, rates are ratios.

    Formulas: engine.runtime.study.metrics, and docs/backtest.md.
    """

    since: str
    until: str
    days: float
    net_profit: str
    total_return: float
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    longest_drawdown_days: float
    exposure: float | None  # part of the time with a position open
    buy_and_hold: float | None  # the first traded symbol's change over the run
    wins: int
    losses: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None  # average profit of a trade after fees
    expectancy_ratio: float | None  # average of each trade's profit over what was entered
    average_win: float | None
    average_loss: float | None
    payoff: float | None
    best_trade: float | None
    worst_trade: float | None
    wins_in_a_row: int
    losses_in_a_row: int
    average_hold_s: float | None
    long_trades: int
    short_trades: int
    long_net: str
    short_net: str
    open_trades: int
    turnover: str
    slippage: str  # what fills cost beyond the prices decided on; part of the profit already
    slippage_bps: float | None  # of turnover


def figures(seen: Recorder, at: Moments, by_day: Days, open_trades: Sequence[RoundTrip]) -> Figures:
    """Sum up a run that was watched. `open_trades` are those that its end left open."""
    ledger = seen.loop.machine.ledger
    start, end = ledger.start_equity, ledger.exact_equity()
    trades = seen.trips.closed
    nets = [float(trade.net) for trade in trades]
    won, lost = [net for net in nets if net > 0], [net for net in nets if net < 0]
    longs = [trade for trade in trades if trade.side is Side.BUY]
    shorts = [trade for trade in trades if trade.side is Side.SELL]
    span_days = float(at.ts[-1] - at.ts[0]) / NS_PER_DAY
    daily = by_day.returns.tolist()
    yearly = metrics.annual_return(float(end / start), span_days)
    return Figures(
        since=moment_text(int(at.ts[0])),
        until=moment_text(int(at.ts[-1])),
        days=round(span_days, 6),
        net_profit=canonical(end - start),
        total_return=float(end / start) - 1.0,
        annual_return=yearly,
        volatility=metrics.volatility(daily),
        sharpe=metrics.sharpe(daily),
        sortino=metrics.sortino(daily),
        calmar=metrics.calmar(yearly, ledger.drawdown_max),
        longest_drawdown_days=curves.longest_drawdown_ns(at) / NS_PER_DAY,
        exposure=curves.time_in_market(at),
        buy_and_hold=_buy_and_hold(seen.tapes, seen.config.setup.plays[0].symbol),
        wins=len(won),
        losses=len(lost),
        win_rate=metrics.win_rate(nets),
        profit_factor=metrics.profit_factor(nets),
        expectancy=metrics.mean(nets),
        expectancy_ratio=metrics.mean([trade.ratio for trade in trades]),
        average_win=metrics.mean(won),
        average_loss=metrics.mean(lost),
        payoff=metrics.payoff(nets),
        best_trade=max(nets, default=None),
        worst_trade=min(nets, default=None),
        wins_in_a_row=metrics.longest_run(nets, of_wins=True),
        losses_in_a_row=metrics.longest_run(nets, of_wins=False),
        average_hold_s=metrics.mean([(trade.closed - trade.opened) / NS_PER_S for trade in trades]),
        long_trades=len(longs),
        short_trades=len(shorts),
        long_net=canonical(sum((trade.net for trade in longs), ZERO)),
        short_net=canonical(sum((trade.net for trade in shorts), ZERO)),
        open_trades=len(open_trades),
        turnover=canonical(seen.turnover),
        slippage=canonical(seen.slippage),
        slippage_bps=float(seen.slippage / seen.turnover / BPS) if seen.turnover else None,
    )


def months(at: Moments, by_day: Days, trades: Sequence[RoundTrip], start_equity: float) -> list[Month]:
    """Return every month from the first to the last."""
    month_of_day, month_of_moment = _month(by_day.day), _month((at.ts - 1) // NS_PER_DAY)
    closed = _month(np.array([(trade.closed - 1) // NS_PER_DAY for trade in trades], np.int64))
    counts = Counter(closed.tolist())
    found, before = [], start_equity
    for number in range(int(month_of_day[0]), int(month_of_day[-1]) + 1):
        after = float(by_day.equity[month_of_day == number][-1])
        falls = at.drawdown[month_of_moment == number]
        found.append(
            Month(
                month=f"{1970 + number // 12}-{number % 12 + 1:02d}",
                net=after - before,
                change=after / before - 1.0 if before > 0 else 0.0,
                max_drawdown=float(falls.max()) if falls.size else 0.0,
                trades=counts[number],
            )
        )
        before = after
    return found


def _month(day: Ints) -> Ints:
    """Return the months since 1970 of days since 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def moment_text(ts: int) -> str:
    """Write ns UTC as 2020-01-31T12:00:00Z, with milliseconds where there are any."""
    at = datetime.fromtimestamp(ts // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    rest = ts % NS_PER_S // 1_000_000
    return f"{at}.{rest:03d}Z" if rest else f"{at}Z"


def _buy_and_hold(tapes: Sequence[Tape], symbol: str) -> float:
    """Return the change of a symbol from its first price to its last."""
    (tape,) = (tape for tape in tapes if tape.instrument.symbol == symbol)
    columns = tape.columns
    if isinstance(columns, BarColumns):
        return float(columns.close[-1] / columns.open[0]) - 1.0
    return float(columns.price[-1] / columns.price[0]) - 1.0
