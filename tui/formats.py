"""Numbers, ages and texts for cells: fixed width, right-aligned, never silently cut."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from rich.cells import cell_len, chop_cells, set_cell_size

NS_PER_S = 1_000_000_000
SIGNIFICANT = 6  # digits of a price of which nothing is known
BLOCKS = "▁▂▃▄▅▆▇█"
UP, DOWN, LEVEL = "▲", "▼", "·"


def clean(text: str) -> str:
    """Replace what a terminal might obey or that breaks a row (control characters, line ends) by a dot."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "·" for char in text)


def clean_lines(text: str) -> str:
    """Clean a text of several lines: line ends stay."""
    return "\n".join(map(clean, text.split("\n")))


def left(text: str, width: int) -> str:
    """Fit a text into `width` cells, with an ellipsis where it is cut."""
    text = clean(text)
    if text.isascii():
        size = len(text)
        return text.ljust(width) if size <= width else f"{text[: max(0, width - 1)]}…"[:width]
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + "…"[:width]


def wrapped(text: str, width: int, lines_max: int = 0) -> list[str]:
    """Break a text into lines of at most `width` cells, between words where it can.

    Of more than `lines_max` lines (0: any number) the last that is left ends in an ellipsis.
    """
    lines, line = [], ""
    for word in clean(text).split(" "):
        for part in chop_cells(word, max(2, width)) or [""]:  # an id may be longer than a line
            if line and cell_len(line) + 1 + cell_len(part) > width:
                lines.append(line)
                line = part
            else:
                line = f"{line} {part}" if line else part
    lines.append(line)
    if not lines_max or len(lines) <= lines_max:
        return lines
    last = lines[lines_max - 1]
    return [*lines[: lines_max - 1], f"{last}…" if cell_len(last) < width else left(f"{last} ", width)]


def right(text: str, width: int) -> str:
    """Fit a number into `width` cells; one that does not fit becomes `###`, never a wrong number."""
    size = len(text)
    return text.rjust(width) if size <= width else "#" * width


def price(value: float | Decimal, digits: int | None) -> str:
    """Write a price with its instrument's decimals and thousands separators.

    Where nothing is known of the instrument yet (None), with six digits that mean something and two decimals
    at least: 0.00000123 is not 0.00.
    """
    if digits is None:
        plain = Decimal(str(value)).normalize()
        written = plain.as_tuple().exponent
        assert isinstance(written, int), "a price is a number"
        digits = max(2, min(-written, SIGNIFICANT - 1 - plain.adjusted()))
    return f"{value:,.{digits}f}"


def significant(value: float, digits: int = 4) -> str:
    """Write a number of any size with so many digits that mean something, or more; never an exponent."""
    if not value:
        return "0"
    decimals = max(0, digits - 1 - Decimal(str(value)).adjusted())
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: Decimal) -> str:
    """Write a quantity exactly, without an exponent or trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(value: float | Decimal) -> str:
    """Write an amount with two decimals."""
    return f"{value:,.2f}"


def signed(value: float | Decimal) -> str:
    """Write a gain or loss with its sign; zero has none."""
    text = f"{value:+,.2f}"
    return text[1:] if text[1:].strip("0.,") == "" else text


def percent(ratio: float, digits: int = 2) -> str:
    """Write a ratio as a signed percentage; zero has no sign."""
    text = f"{ratio * 100:+.{digits}f}%"
    return text if text.strip("+-0.%") else text[1:]


def count(value: int) -> str:
    """Write a count with thousands separators."""
    return f"{value:,}"


def several(number: int, noun: str) -> str:
    """Write how many there are of something: `1 order`, `2 orders`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def age(seconds: float) -> str:
    """Write an age in at most five cells: `<1s`, `12s`, `4m`, `3h05`, `12d`."""
    if seconds < 1:
        return "<1s"
    if seconds < 100:
        return f"{int(seconds)}s"
    minutes = int(seconds // 60)
    if minutes < 100:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}" if hours < 48 else f"{hours // 24}d"


def age_between(now: int, then: int) -> str:
    """Write the age of a moment, both in ns UTC; a dash for one that never was."""
    return age(max(0, now - then) / NS_PER_S) if then > 0 else "-"


def clock(ts: int) -> str:
    """Write ns UTC as `14:02:11`."""
    return datetime.fromtimestamp(ts // NS_PER_S, UTC).strftime("%H:%M:%S") if ts > 0 else "--:--:--"


def moment(ts: int, now: int) -> str:
    """Write ns UTC as `14:02:11`; on another day than now, where that would mislead, as `08-08 14:02`."""
    if ts <= 0 or date(ts) == date(now):
        return clock(ts)
    return datetime.fromtimestamp(ts // NS_PER_S, UTC).strftime("%m-%d %H:%M")


def date(ts: int) -> str:
    """Write ns UTC as `2024-08-08`."""
    return datetime.fromtimestamp(ts // NS_PER_S, UTC).strftime("%Y-%m-%d") if ts > 0 else "----------"


def spread_bps(bid: float, ask: float) -> str:
    """Write the spread in basis points of the mid price; a dash where a side is missing.

    A spread under a basis point has two decimals: one tick of BTC is 0.02 and not nothing.
    """
    if bid <= 0 or ask <= 0:
        return "-"
    bps = (ask - bid) / ((ask + bid) / 2) * 10_000
    return f"{bps:.2f}" if abs(bps) < 1 else f"{bps:.1f}"


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the last `width` values as block characters, scaled to their own range."""
    shown = values[-width:] if width > 0 else ()
    if not shown:
        return " " * max(0, width)
    low, high = min(shown), max(shown)
    span = high - low
    if span <= 0:
        return (BLOCKS[3] * len(shown)).rjust(width)
    scale = (len(BLOCKS) - 1) / span
    return "".join([BLOCKS[int((value - low) * scale)] for value in shown]).rjust(width)


def duration(seconds: float) -> str:
    """Write how long something has run: `4m 07s`, `3h 05m`, `2d 03h`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86_400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d {whole % 86_400 // 3600:02d}h"
