"""How far back a number looks: the bars that its present value depends on.

A window ends where it ends. An exponential average never forgets; what counts is the bars after which what
was before weighs less than a billionth. Some numbers depend on everything since the first bar.
"""

import math
from collections.abc import Callable, Iterator
from typing import assert_never

from engine.strategy.structures.catalog import STRUCTURES
from engine.strategy.syntax import (
    Arithmetic,
    BarsSince,
    Call,
    Clock,
    Coarse,
    CoarseTest,
    Comparison,
    Extent,
    Forecast,
    Known,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Previous,
    Series,
    Streak,
    WithinLast,
    children,
    legs_of,
)
from engine.strategy.vocabulary import CROSSES, FUNCTIONS

RESIDUAL = 1e-9
EVERYTHING = math.inf  # since the first bar

Stream = tuple[str, str]  # leg and timeframe; empty for the one that is traded, and for the play's own

Rate = Callable[..., tuple[float, ...]]  # of the arguments: what is left of the past after each bar


def _exponential(period: float) -> float:
    return (period - 1) / (period + 1)


def _wilder(period: float) -> float:
    return (period - 1) / period


_RATES: dict[str, Rate] = {
    "ema": lambda n: (_exponential(n),),
    "dema": lambda n: (_exponential(n),) * 2,
    "tema": lambda n: (_exponential(n),) * 3,
    "macd": lambda fast, slow, signal: (_exponential(max(fast, slow)), _exponential(signal)),
    "kama": lambda _n, _fast, slow: (1 - (2 / (slow + 1)) ** 2,),
    "keltner": lambda n, _multiplier, atr: (max(_exponential(n), _wilder(atr)),),
    "adx": lambda n: (_wilder(n),) * 2,
    "stochrsi": lambda n, _stoch, _signal: (_wilder(n),),
    **dict.fromkeys(("rma", "rsi", "atr", "natr", "plus_di", "minus_di"), lambda n: (_wilder(n),)),
}
ENDLESS = ("obv", "psar", "supertrend", "vwap", *STRUCTURES)


def lookback(node: Node, leg: str | None = None) -> float:
    """Return how many bars of its own stream a node depends on, the present one included.

    Given the leg of that stream, what is of another leg alone counts as one bar: it is only copied.
    """
    if leg is not None and (legs := legs_of(node)) and leg not in legs:
        return 1
    inner = max((lookback(part, leg) for part in children(node)), default=0)
    match node:
        case Number() | Clock():
            return 0
        case Series() | Forecast():
            return 1  # of a forecast's features, each looks back on its own
        case Call():
            return max(inner, 1) + _of_function(node) - 1
        case Previous() | Streak():
            return inner + node.bars
        case WithinLast():
            return inner + node.bars - 1
        case BarsSince():
            return EVERYTHING
        case Coarse() | CoarseTest():
            return 1
        case Comparison():
            return inner + (node.operator in CROSSES)
        case Extent() | Negative() | Arithmetic() | Known() | Not() | Logic():
            return inner
        case _:
            assert_never(node)


def streams(node: Node, leg: str = "", timeframe: str = "") -> Iterator[tuple[Stream, float]]:
    """Yield each stream that a node is made of with how far it looks back on that one."""
    legs = legs_of(node)
    if not leg and len(legs) == 1:
        (leg,) = legs
    if isinstance(node, Coarse | CoarseTest):
        yield (leg, ""), 1
        yield from streams(node.operand, leg, node.timeframe)
        return
    if legs:
        yield (leg, timeframe), lookback(node, leg)
    for part in children(node):
        yield from streams(part, leg, timeframe)


def _of_function(call: Call) -> float:
    name = call.function
    if name in ENDLESS:
        return EVERYTHING
    rates = _RATES[name](*call.arguments) if name in _RATES else ()
    warmup = FUNCTIONS[name].make(call.arguments).warmup
    return warmup + sum(math.ceil(math.log(RESIDUAL) / math.log(rate)) for rate in rates if rate > 0)
