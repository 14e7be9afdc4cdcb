"""How the figures of a backtest are read: their names in words, their order, and how each is written."""

from enum import Enum, auto
from typing import Any

import msgspec

NONE = "n/a"
_DAY_S = 86_400
_HUGE = 1e6


class Kind(Enum):
    """What a figure is, which decides how it is written."""

    TEXT = auto()
    COUNT = auto()
    NUMBER = auto()
    MONEY = auto()  # in settle units
    PROFIT = auto()  # money with its sign
    CHANGE = auto()  # a ratio as a signed percentage
    SHARE = auto()  # a ratio as a percentage
    SECONDS = auto()
    DAYS = auto()
    BPS = auto()


class Line(msgspec.Struct, frozen=True):
    """A figure by its name in summary.json; `rises` tells whether more is better, None where neither is."""

    name: str
    label: str
    kind: Kind
    rises: bool | None = None


class Group(msgspec.Struct, frozen=True):
    """Figures that are read together."""

    title: str
    lines: tuple[Line, ...]


SHEET: tuple[Group, ...] = (
    Group(
        "Result",
        (
            Line("net_profit", "net profit", Kind.PROFIT, rises=True),
            Line("total_return", "return", Kind.CHANGE, rises=True),
            Line("annual_return", "a year", Kind.CHANGE, rises=True),
            Line("buy_and_hold", "buy and hold", Kind.CHANGE),
            Line("start_equity", "start equity", Kind.MONEY),
            Line("final_equity", "final equity", Kind.MONEY, rises=True),
        ),
    ),
    Group(
        "Risk",
        (
            Line("max_drawdown", "max drawdown", Kind.SHARE, rises=False),
            Line("longest_drawdown_days", "longest drawdown", Kind.DAYS, rises=False),
            Line("volatility", "volatility a year", Kind.SHARE, rises=False),
            Line("sharpe", "Sharpe", Kind.NUMBER, rises=True),
            Line("sortino", "Sortino", Kind.NUMBER, rises=True),
            Line("calmar", "Calmar", Kind.NUMBER, rises=True),
            Line("exposure", "time in market", Kind.SHARE),
        ),
    ),
    Group(
        "Trades",
        (
            Line("trades", "trades", Kind.COUNT),
            Line("open_trades", "open at the end", Kind.COUNT),
            Line("win_rate", "won", Kind.SHARE, rises=True),
            Line("profit_factor", "profit factor", Kind.NUMBER, rises=True),
            Line("expectancy", "expectancy", Kind.PROFIT, rises=True),
            Line("expectancy_ratio", "expectancy of entry", Kind.CHANGE, rises=True),
            Line("payoff", "average win / loss", Kind.NUMBER, rises=True),
            Line("average_win", "average win", Kind.PROFIT, rises=True),
            Line("average_loss", "average loss", Kind.PROFIT, rises=True),
            Line("best_trade", "best", Kind.PROFIT, rises=True),
            Line("worst_trade", "worst", Kind.PROFIT, rises=True),
            Line("wins_in_a_row", "won in a row", Kind.COUNT),
            Line("losses_in_a_row", "lost in a row", Kind.COUNT),
            Line("average_hold_s", "average hold", Kind.SECONDS),
        ),
    ),
    Group(
        "Sides",
        (
            Line("long_trades", "long trades", Kind.COUNT),
            Line("long_net", "long profit", Kind.PROFIT, rises=True),
            Line("short_trades", "short trades", Kind.COUNT),
            Line("short_net", "short profit", Kind.PROFIT, rises=True),
        ),
    ),
    Group(
        "Costs",
        (
            Line("fees", "fees", Kind.MONEY, rises=False),
            Line("slippage", "slippage", Kind.PROFIT, rises=False),
            Line("slippage_bps", "slippage of turnover", Kind.BPS, rises=False),
            Line("turnover", "turnover", Kind.MONEY),
        ),
    ),
    Group(
        "Run",
        (
            Line("bars", "bars", Kind.COUNT),
            Line("signals", "signals", Kind.COUNT),
            Line("vetoed", "vetoed", Kind.COUNT),
            Line("orders", "orders", Kind.COUNT),
            Line("fills", "fills", Kind.COUNT),
            Line("risk_mode", "risk mode", Kind.TEXT),
        ),
    ),
)


def write_figure(line: Line, value: Any) -> str:
    """Write a figure in words, `n/a` for None."""
    return NONE if value is None else text_of(line.kind, value)


def text_of(kind: Kind, value: Any) -> str:
    """Write a value of a kind; money may be decimal text."""
    match kind:
        case Kind.TEXT:
            return str(value)
        case Kind.COUNT:
            return f"{int(value):,}"
        case Kind.NUMBER:
            return _plain(float(value))
        case Kind.MONEY:
            return _money(float(value), "")
        case Kind.PROFIT:
            return _money(float(value), "+")
        case Kind.CHANGE:
            return _percent(float(value), "+")
        case Kind.SHARE:
            return _percent(float(value), "")
        case Kind.SECONDS:
            return duration(float(value))
        case Kind.DAYS:
            return duration(float(value) * _DAY_S)
        case Kind.BPS:
            return _signless(f"{float(value):+.2f}") + " bps"


def duration(seconds: float) -> str:
    """Write a length of time in its two largest units: 45s, 12m 30s, 3h 05m, 12d 04h."""
    if seconds < 0:
        return f"-{duration(-seconds)}"
    if seconds < 60:
        return f"{seconds:.3g}s"
    whole = round(seconds)
    if whole < 3_600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 2 * _DAY_S:
        return f"{whole // 3_600}h {whole % 3_600 // 60:02d}m"
    return f"{whole // _DAY_S}d {whole % _DAY_S // 3_600:02d}h"


def _plain(value: float) -> str:
    return f"{value:.2e}" if abs(value) >= _HUGE else _signless(f"{value:,.2f}")


def _percent(ratio: float, sign: str) -> str:
    value = ratio * 100
    if abs(value) >= _HUGE:
        return f"{value:{sign}.2e}%"
    digits = 2 if abs(value) >= 1 else 3
    return _signless(f"{value:{sign},.{digits}f}") + "%"


def _money(value: float, sign: str) -> str:
    """Write money: small accounts (in bitcoin, say) need more decimals than large ones."""
    digits = 2 if abs(value) >= 100 or not value else 4 if abs(value) >= 0.1 else 8
    return _signless(f"{value:{sign},.{digits}f}")


def _signless(text: str) -> str:
    """Take the sign from a zero."""
    return text if text.strip("+-0.,") else text.strip("+-")
