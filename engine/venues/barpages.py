"""Pages of past bars as venues hand them over: their form, and what is required before a page is kept."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Protocol

import msgspec

from engine.domain.errors import TransientError
from engine.venues.instruments import InstrumentFile

HEADER = "ts_ms,open,high,low,close,volume"
DAY_MS = 86_400_000
MS_PER_S = 1_000
TS_MS_MAX = (2**63 - 1) // 1_000_000  # int64 nanoseconds end there


class RawBar(msgspec.Struct, frozen=True, gc=False):
    """A bar with its numbers as the venue wrote them; `ts_ms` is its open."""

    ts_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str

    @property
    def line(self) -> str:
        """The bar as a line of a data file."""
        return ",".join(map(str, msgspec.structs.astuple(self)))

    def same(self, other: "RawBar") -> bool:
        """Tell whether two bars say the same, however their numbers are written."""
        return self.ts_ms == other.ts_ms and _numbers(self) == _numbers(other)


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """What is fetched: a market's bars of one length, and what the venue says of the market."""

    venue: str
    symbol: str  # as ccxt writes it
    timeframe: str
    step_ms: int
    page_rows: int
    has_days: bool  # whether the venue has daily bars, which tell where finer ones begin
    stated: InstrumentFile


class BarSource(Protocol):
    """A venue's past bars. Every call may raise VenueError."""

    async def load(self, symbol: str, timeframe: str) -> Series:
        """Find a market. Raises ConfigError for a symbol or a timeframe that is not there."""
        ...

    async def now_ms(self) -> int | None:
        """Return the venue's time, None where it does not tell."""
        ...

    async def page(self, series: Series, since_ms: int) -> list[RawBar]:
        """Return bars from `since_ms` on, at most a page of them."""
        ...

    async def first_day(self, series: Series, since_ms: int) -> int | None:
        """Return the open of the first daily bar from `since_ms` on, None where a page of days has none."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


def parse_line(line: str) -> RawBar:
    """Read a line that `RawBar.line` wrote. Raises ValueError."""
    ts_ms, *numbers = line.split(",")
    if len(numbers) != 5:  # open, high, low, close, volume
        raise ValueError(f"{line[:80]!r} is no bar")
    return RawBar(int(ts_ms), *numbers)


def checked(rows: Sequence[RawBar], step_ms: int) -> list[RawBar]:
    """Return the bars of a page, twins merged. Raises TransientError that names the first fault.

    The venue is asked again then; bars that cannot be told from wrong ones are not kept.
    """
    for row in rows:
        if fault := _fault(row):
            raise TransientError(f"sent a bar ({moment(row.ts_ms)}) {fault}")
    kept = list(rows[:1])
    for above, row in pairwise(rows):
        step = row.ts_ms - above.ts_ms
        if step < 0:
            raise TransientError(f"sent bars out of order at {moment(row.ts_ms)}")
        if step == 0:
            if not row.same(above):
                raise TransientError(f"sent two different bars for {moment(row.ts_ms)}")
            continue
        if step % step_ms:
            raise TransientError(f"sent a bar at {moment(row.ts_ms)} between two steps of the timeframe")
        kept.append(row)
    return kept


def moment(ts_ms: int) -> str:
    """Write a time such as 2020-01-31 14:05; one that no data can have stays a number."""
    if not 0 <= ts_ms <= TS_MS_MAX:
        return f"{ts_ms} ms"
    return datetime.fromtimestamp(ts_ms / MS_PER_S, UTC).strftime("%Y-%m-%d %H:%M")


def _fault(row: RawBar) -> str:
    if not 0 <= row.ts_ms <= TS_MS_MAX:
        return "at no possible time"
    try:
        *prices, volume = _numbers(row)
    except InvalidOperation:
        return "with text in a number"
    if not all(number.is_finite() for number in (*prices, volume)):
        return "with a number that is none"
    if min(prices) <= 0:
        return "with a price that is not above 0"
    if volume < 0:
        return "with a negative volume"
    _, high, low, _ = prices
    return "with its high below its low" if high < low else ""


def _numbers(row: RawBar) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, (row.open, row.high, row.low, row.close, row.volume)))
