"""Which way a limit is tighter, and what of a change loosens."""

from enum import StrEnum
from typing import Any

import msgspec

from engine.domain.calendar import Calendar
from engine.domain.limits import Limits
from engine.domain.money import canonical


class Tighter(StrEnum):
    """Which way a setting is tighter; None is loosest either way."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"  # any change may loosen


_LOWER, _HIGHER, _NEITHER = Tighter.LOWER, Tighter.HIGHER, Tighter.NEITHER
DIRECTIONS: dict[str, Tighter] = {
    **dict.fromkeys(Limits.__struct_fields__, _LOWER),
    "order_rate_window_s": _HIGHER,
    "repeat_entries_window_s": _HIGHER,
    "retries_window_s": _HIGHER,
    "cash_reserve_min": _HIGHER,
    "profit_reserve_percent": _HIGHER,
    "mode_dwell_s": _HIGHER,
    "slippage_fills": _NEITHER,
    "reject_orders": _NEITHER,
    "flatten_deadline_s": _NEITHER,
}


class Change(msgspec.Struct, frozen=True):
    """One setting that differs, in words."""

    setting: str
    now: str
    wanted: str


def loosens(setting: str, now: Any, wanted: Any) -> bool:
    """Tell whether another value of a setting is looser."""
    if now == wanted or now is None:
        return False
    if wanted is None:
        return True
    match DIRECTIONS[setting]:
        case Tighter.LOWER:
            return bool(wanted > now)
        case Tighter.HIGHER:
            return bool(wanted < now)
        case Tighter.NEITHER:
            return True


def stricter(now: Limits, wanted: Limits) -> Limits:
    """Return the limits with every change that does not loosen."""
    pairs = ((name, getattr(now, name), getattr(wanted, name)) for name in Limits.__struct_fields__)
    return Limits(**{name: old if loosens(name, old, new) else new for name, old, new in pairs})


def stricter_calendar(now: Calendar, wanted: Calendar) -> Calendar:
    """Return all windows of both: what is added tightens, what is taken away or changed waits."""
    return (*now, *(window for window in wanted if window not in now))


def changes(now: Limits, wanted: Limits) -> tuple[Change, ...]:
    """Return the settings that differ."""
    pairs = ((name, getattr(now, name), getattr(wanted, name)) for name in Limits.__struct_fields__)
    return tuple(Change(name, _written(old), _written(new)) for name, old, new in pairs if old != new)


def calendar_changes(now: Calendar, wanted: Calendar) -> tuple[Change, ...]:
    """Return what differs between two calendars, as one line."""
    if now == wanted:
        return ()
    before, after = (", ".join(window.name for window in each) or "none" for each in (now, wanted))
    return (Change("blackout", before, after if before != after else f"{after}, at other times"),)


def _written(value: Any) -> str:
    if value is None:
        return "null"
    return f"{value:g}" if isinstance(value, float | int) else canonical(value)
