"""How constants are written in a rule: numbers, and times of day."""

import re

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1_440
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])")


def number_text(value: float) -> str:
    """Write a number in the shortest form that reads back as itself."""
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(value)


def clock_text(minute: int) -> str:
    """Write minutes since midnight as a time of day: 08:30."""
    return "{:02d}:{:02d}".format(*divmod(minute, MINUTES_PER_HOUR))


def clock_minute(text: str) -> int | None:
    """Read a time of day from 00:00 to 24:00 as minutes since midnight; None where it is none."""
    match = _CLOCK.fullmatch(text)
    minute = MINUTES_PER_DAY + 1 if match is None else int(match[1]) * MINUTES_PER_HOUR + int(match[2])
    return minute if minute <= MINUTES_PER_DAY else None
