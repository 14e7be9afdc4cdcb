"""A venue's past bars in memory, for tests of what becomes of them."""

import gzip
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.runtime.datafetch import FetchProgress, FetchReport, FetchRequest, fetch
from engine.runtime.retry import Retry
from engine.venues.barpages import DAY_MS, HEADER, RawBar, Series
from engine.venues.instruments import InstrumentFile

MINUTE_MS = 60_000
START_MS = 20_000 * DAY_MS
NS_PER_MS = 1_000_000
PAGE_ROWS = 10


def bar(minute: int) -> RawBar:
    """Return the bar of a minute after the start."""
    level = 100 + minute % 7
    return RawBar(
        START_MS + minute * MINUTE_MS, f"{level}.0", f"{level}.90", f"{level - 1}.00", f"{level}.5", "1.20"
    )


SERIES = Series(
    venue="fake",
    symbol="BTC/USDT:USDT",
    timeframe="1m",
    step_ms=MINUTE_MS,
    page_rows=PAGE_ROWS,
    has_days=True,
    stated=InstrumentFile.model_validate(
        {"symbol": "BTCUSDT", "tick": "0.10", "kind": "linear", "venue": "fake", "timeframe": "1m"}
    ),
)

Page = Exception | list[RawBar] | Callable[[], None]


class FakeSource:
    """Bars of minutes; what stands in `script` comes first, one a page."""

    def __init__(self, minutes: range | list[int], *, now_minute: float, series: Series = SERIES) -> None:
        self.bars = {bar(minute).ts_ms: bar(minute) for minute in minutes}
        self.series = series
        self.now: int | None = START_MS + round(now_minute * MINUTE_MS)
        self.script: deque[Page] = deque()
        self.asked: list[int] = []  # minutes
        self.days_asked = 0
        self.closed = False

    async def load(self, symbol: str, timeframe: str) -> Series:
        """Return the one series there is."""
        return self.series

    async def now_ms(self) -> int | None:
        """Return the time."""
        return self.now

    async def page(self, series: Series, since_ms: int) -> list[RawBar]:
        """Return bars of a page's worth of minutes."""
        self.asked.append((since_ms - START_MS) // MINUTE_MS)
        if self.script:
            step = self.script.popleft()
            if isinstance(step, list):
                return step
            if isinstance(step, Exception):
                raise step
            step()
        window = range(since_ms, since_ms + series.page_rows * MINUTE_MS, MINUTE_MS)
        return [self.bars[ts_ms] for ts_ms in window if ts_ms in self.bars]

    async def first_day(self, series: Series, since_ms: int) -> int | None:
        """Return the first day with a bar among a page of days."""
        self.days_asked += 1
        day_ms = since_ms - since_ms % DAY_MS
        days = {ts_ms - ts_ms % DAY_MS for ts_ms in self.bars}
        return min((day for day in days if day_ms <= day < day_ms + series.page_rows * DAY_MS), default=None)

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


class Clerk:
    """Fetches into one file without waiting, and keeps what was told."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.told: list[FetchProgress] = []
        self.pauses: list[float] = []

    async def fetch(
        self, source: FakeSource, *, since: int = 0, until: int | None = None, clock_minute: int = 0
    ) -> FetchReport:
        """Fetch the bars of the minutes in [since, until)."""
        request = FetchRequest(
            venue="fake",
            symbol="BTCUSDT",
            timeframe="1m",
            since=_ns(since),
            until=None if until is None else _ns(until),
            out=self.out,
        )
        return await fetch(
            source,
            request,
            tell=self.told.append,
            now_ms=lambda: START_MS + clock_minute * MINUTE_MS,
            make_retry=lambda tell: Retry(sleep=self._sleep, chance=lambda: 0.5, tell=tell),
        )

    async def _sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)

    @property
    def lines(self) -> list[str]:
        """The file without its first line."""
        header, *lines = gzip.decompress(self.out.read_bytes()).decode().splitlines()
        assert header == HEADER
        return lines

    @property
    def part(self) -> Path:
        """Where the part lies."""
        return self.out.with_name(self.out.name + ".part")

    @property
    def notes(self) -> list[str]:
        """Why it waited."""
        return [told.note for told in self.told if told.note]


def lines_of(minutes: range | list[int]) -> list[str]:
    """Return the lines that a file has of some minutes."""
    return [bar(minute).line for minute in minutes]


def other(row: RawBar, **numbers: str) -> RawBar:
    """Return a bar that says something else."""
    return msgspec.structs.replace(row, **numbers)


def _ns(minute: int) -> int:
    return (START_MS + minute * MINUTE_MS) * NS_PER_MS
