"""The blackout calendar as plain values: when nothing new is entered."""

import msgspec

ALL_DAYS = tuple(range(1, 32))
ALL_MONTHS = tuple(range(1, 13))
ALL_WEEKDAYS = tuple(range(7))  # Monday is 0


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A window that comes again, in UTC. `starts` are minutes of the day, sorted; no symbols means all.

    A day counts where its month and both day fields fit; where both of these are restricted, one of them is
    enough (`either`), as cron has it.
    """

    name: str
    starts: tuple[int, ...]
    minutes: int
    days: tuple[int, ...] = ALL_DAYS
    months: tuple[int, ...] = ALL_MONTHS
    weekdays: tuple[int, ...] = ALL_WEEKDAYS
    either: bool = False
    symbols: tuple[str, ...] = ()


Calendar = tuple[Window, ...]
