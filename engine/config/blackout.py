"""The blackout calendar as settings: windows as cron writes their beginnings, and funding times."""

import re
from typing import Annotated, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from engine.config.section import Section
from engine.domain.calendar import Calendar, Window
from engine.domain.market import NS_PER_DAY
from engine.risk.calendar import MINUTES_PER_DAY, coming, free_from, shortest_period, symbols_of

MINUTES_MAX = 31 * MINUTES_PER_DAY
SINCE = 19_723 * NS_PER_DAY  # 2024-01-01: what holds for the eight years from it holds for all
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")

Symbols = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(max_length=50)]


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("weekday", 0, 7, WEEKDAYS),
)


class WindowSettings(Section):
    """A window that comes again: when it begins (cron, UTC), how long it lasts, and whom it is about."""

    name: Annotated[str, Field(min_length=1, max_length=24)]
    cron: str
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)]
    symbols: Symbols = ()

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        cron_fields(value)
        return value

    @model_validator(mode="after")
    def _ends(self) -> Self:
        window = self.to_window()
        if coming(window, SINCE) is None:
            raise ValueError(f"window {self.name!r} never begins: no date fits {self.cron!r}")
        period = shortest_period(window, SINCE)
        if 0 < period <= self.minutes:
            raise ValueError(
                f"window {self.name!r} lasts {self.minutes} minutes and begins again after {period}: it must "
                f"end before"
            )
        return self

    def to_window(self) -> Window:
        """Return the window as the core takes it."""
        minutes, hours, days, months, weekdays = cron_fields(self.cron)
        _, _, day, _, weekday = self.cron.split()
        return Window(
            name=self.name,
            starts=tuple(sorted(hour * 60 + minute for hour in hours for minute in minutes)),
            minutes=self.minutes,
            days=days,
            months=months,
            weekdays=tuple(sorted({(number - 1) % 7 for number in weekdays})),
            either=not day.startswith("*") and not weekday.startswith("*"),
            symbols=self.symbols,
        )


class FundingSettings(Section):
    """How long before and after each funding time nothing is entered."""

    before_minutes: Annotated[int, Field(ge=0, le=240)] = 5
    after_minutes: Annotated[int, Field(ge=0, le=240)] = 1
    interval_h: Annotated[int, Field(ge=1, le=24)] = 8  # from 00:00 UTC on
    symbols: Symbols = ()

    @model_validator(mode="after")
    def _ends(self) -> Self:
        lasts = self.before_minutes + self.after_minutes
        if not lasts:
            raise ValueError("before_minutes and after_minutes are both 0: leave funding out instead")
        if lasts >= self.interval_h * 60:
            raise ValueError(
                f"lasts {lasts} minutes and begins again after {self.interval_h * 60}: it must end before"
            )
        if 24 % self.interval_h:
            raise ValueError(f"interval_h: {self.interval_h} does not divide a day; funding times are fixed")
        return self

    def to_window(self) -> Window:
        """Return the window as the core takes it."""
        times = range(0, MINUTES_PER_DAY, self.interval_h * 60)
        return Window(
            name="funding",
            starts=tuple(sorted((at - self.before_minutes) % MINUTES_PER_DAY for at in times)),
            minutes=self.before_minutes + self.after_minutes,
            symbols=self.symbols,
        )


class BlackoutSettings(Section):
    """When nothing new is entered; exits and protection go on."""

    windows: Annotated[tuple[WindowSettings, ...], Field(max_length=100)] = ()
    funding: FundingSettings | None = None

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        names = [window.name for window in self.windows]
        for name in names:
            if names.count(name) > 1 or (name == "funding" and self.funding is not None):
                raise ValueError(f"two windows are called {name!r}")
        calendar = self.to_calendar()
        for symbol in symbols_of(calendar):
            if calendar and free_from(calendar, symbol, SINCE) is None:
                of = f" for {symbol}" if symbol else ""
                raise ValueError(f"the windows together never end{of}: no minute of a week is free")
        return self

    def to_calendar(self) -> Calendar:
        """Return the calendar as the core takes it."""
        windows = tuple(window.to_window() for window in self.windows)
        return windows if self.funding is None else (*windows, self.funding.to_window())


def cron_fields(text: str) -> tuple[tuple[int, ...], ...]:
    """Return the numbers of each of the five fields of a cron line. Raises ValueError."""
    words = text.split()
    if len(words) != len(_FIELDS):
        raise ValueError(
            f"{text!r} has {len(words)} fields, cron has five: minute hour day-of-month month weekday"
        )
    return tuple(_numbers(word, field) for word, field in zip(words, _FIELDS, strict=True))


def _numbers(word: str, field: _Field) -> tuple[int, ...]:
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no {field.name}: write 5, 1-5, */15, 1,3 or *")
        step = int(match["step"] or 1)
        if step < 1:
            raise ValueError(f"{part!r}: a step is at least 1")
        least, most = field.least, field.most
        if not match["all"]:
            least = _number(match["first"], field)
            most = _number(match["last"], field) if match["last"] else field.most if match["step"] else least
        if most < least:
            raise ValueError(f"{part!r} of {field.name} runs backwards")
        found |= set(range(least, most + 1, step))
    return tuple(sorted(found))


def _number(word: str, field: _Field) -> int:
    if word.lower() in field.names:
        return field.names.index(word.lower()) + field.least
    if not word.isdigit() or not field.least <= int(word) <= field.most:
        known = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        raise ValueError(f"{word!r} is no {field.name}: {field.least} to {field.most}{known}")
    return int(word)
