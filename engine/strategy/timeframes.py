"""Timeframes as text: `30s`, `5m`, `1h`, `trade`. Bars are aligned to multiples of their step since 1970.

With `trade` each print is a bar, one nanosecond long: it lies in the longer bar that a feed builds of it.
"""

import re

from engine.domain.market import NS_PER_DAY, NS_PER_S, PRINT_STEP_NS
from engine.domain.play import BASE_TIMEFRAME, TRADE_TIMEFRAME

TIMEFRAME = r"[1-9][0-9]{0,3}[smhd]"
COARSE_MAX_NS = 30 * NS_PER_DAY  # of a timeframe within a rule
_UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def is_timeframe(text: str) -> bool:
    """Tell whether a text is a whole number and s, m, h or d."""
    return re.fullmatch(TIMEFRAME, text) is not None


def step_of(timeframe: str, base_step_ns: int = 0) -> int:
    """Return the length of a timeframe's bars in ns; that of `base` is the data's own, 0 where unknown."""
    if timeframe == BASE_TIMEFRAME:
        return base_step_ns
    if timeframe == TRADE_TIMEFRAME:
        return PRINT_STEP_NS
    return int(timeframe[:-1]) * _UNITS_S[timeframe[-1]] * NS_PER_S


def timeframe_of(step_ns: int) -> str:
    """Write a length of whole seconds in the largest unit that fits: 60m is 1h."""
    seconds = step_ns // NS_PER_S
    unit = next(unit for unit, size in _UNITS_S.items() if seconds % size == 0)
    return f"{seconds // _UNITS_S[unit]}{unit}"


def misfit(timeframe: str, step_ns: int) -> str:
    """Say why bars of a timeframe cannot be made of bars of a step; empty where they can."""
    if not step_ns or step_of(timeframe) % step_ns == 0:
        return ""
    own = timeframe_of(step_ns)
    return f"bars of {timeframe} cannot be made of the play's bars of {own}: it must be a multiple of that"
