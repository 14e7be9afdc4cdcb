"""The figures of a backtest: plain formulas over plain numbers. A figure that does not exist is None.

Returns are those of calendar days in UTC; markets that never close are annualised by 365 days; the risk-free
rate is 0. Nothing here reads a clock, a file or a book.
"""

from collections.abc import Sequence
from itertools import groupby
from math import expm1, fsum, log, sqrt

DAYS_A_YEAR = 365
_NOISE = 1e-9  # a deviation this much smaller than the mean is rounding
_EXPONENT_MAX = 700.0  # exp of more is no float


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean, None of nothing."""
    return fsum(values) / len(values) if values else None


def deviation(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation (divided by n - 1), None of fewer than two values."""
    if len(values) < 2:
        return None
    middle = fsum(values) / len(values)
    return sqrt(fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def annual_return(ratio: float, days: float) -> float | None:
    """Return the yearly rate that compounds to `ratio` (end over start) in so many days.

    ratio ** (365 / days) - 1. None for less than a day, and where nothing is left.
    """
    if days < 1 or ratio <= 0:
        return None
    exponent = log(ratio) * DAYS_A_YEAR / days
    return expm1(exponent) if exponent < _EXPONENT_MAX else None


def volatility(daily: Sequence[float]) -> float | None:
    """Return the yearly deviation of daily returns: deviation * sqrt(365)."""
    spread = deviation(daily)
    return None if spread is None else spread * sqrt(DAYS_A_YEAR)


def sharpe(daily: Sequence[float]) -> float | None:
    """Return mean / deviation * sqrt(365) of daily returns (Sharpe 1994); None where nothing varies."""
    middle, spread = mean(daily), deviation(daily)
    if middle is None or spread is None or spread <= abs(middle) * _NOISE:
        return None
    return middle / spread * sqrt(DAYS_A_YEAR)


def sortino(daily: Sequence[float]) -> float | None:
    """Return mean / downside deviation * sqrt(365) of daily returns (Sortino and Price 1994).

    The downside deviation is the root mean square of the returns below 0, taken over all days. None for fewer
    than two days and where no day lost.
    """
    middle = mean(daily)
    if middle is None or len(daily) < 2:
        return None
    downside = sqrt(fsum(min(value, 0.0) ** 2 for value in daily) / len(daily))
    return middle / downside * sqrt(DAYS_A_YEAR) if downside > 0 else None


def calmar(yearly: float | None, max_drawdown: float) -> float | None:
    """Return the annual return over the deepest drawdown (Young 1991); None where there was none."""
    return None if yearly is None or max_drawdown <= 0 else yearly / max_drawdown


def profit_factor(nets: Sequence[float]) -> float | None:
    """Return what winning trades made over what losing trades lost, after fees; None where none lost."""
    lost = -fsum(net for net in nets if net < 0)
    return fsum(net for net in nets if net > 0) / lost if lost > 0 else None


def win_rate(nets: Sequence[float]) -> float | None:
    """Return the part of trades that made money after fees."""
    return sum(net > 0 for net in nets) / len(nets) if nets else None


def payoff(nets: Sequence[float]) -> float | None:
    """Return the average win over the average loss; None without both."""
    won, lost = mean([net for net in nets if net > 0]), mean([-net for net in nets if net < 0])
    return None if won is None or lost is None else won / lost


def longest_run(nets: Sequence[float], *, of_wins: bool) -> int:
    """Return the most trades in a row that made money, or that did not."""
    runs = groupby(nets, key=lambda net: net > 0)
    return max((sum(1 for _ in run) for won, run in runs if won is of_wins), default=0)


def drawdowns(equity: Sequence[float]) -> list[float]:
    """Return the fall from the highest value so far at each point, as a ratio of it."""
    falls, peak = [], 0.0
    for value in equity:
        peak = max(peak, value)
        falls.append(1.0 - value / peak if peak > 0 else 0.0)
    return falls
