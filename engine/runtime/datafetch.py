"""Fetches past bars of one market into a data file: page by page, checked, and taken up where it was left."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec

from engine.domain.errors import ConfigError, StorageError, TransientError, VenueError
from engine.domain.market import NS_PER_MS
from engine.runtime.clock import SystemClock
from engine.runtime.fetchedfile import SUFFIX, agree, default_name, describe_beside
from engine.runtime.retry import Retry
from engine.storage.barfile import BarPart
from engine.venues.barpages import DAY_MS, HEADER, BarSource, RawBar, Series, checked, moment, parse_line
from engine.venues.ccxt_history import CcxtHistory
from engine.venues.instruments import instrument_path

SETTLE_MS = 5_000  # venues may still correct a bar that has just closed

MakeRetry = Callable[[Callable[[str], None]], Retry]


class FetchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to fetch: bars that open in [since, until), ns UTC; without an end, all that have closed."""

    venue: str
    symbol: str
    timeframe: str
    since: int
    until: int | None = None
    out: Path | None = None
    host: str | None = None


class FetchProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a fetch is; times in ms UTC, 0 before they are known. `note` says why it waits."""

    file: Path | None = None
    rows: int = 0  # in the file
    start_ms: int = 0
    at_ms: int = 0
    end_ms: int = 0
    note: str = ""


class FetchReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a fetch came to. Times in ns UTC are the opens of the file's first and last bars."""

    file: str
    instrument_file: str
    venue: str
    symbol: str
    timeframe: str
    rows: int
    fetched: int  # of the rows, this time
    first_ns: int
    last_ns: int
    gaps: int  # within what was fetched this time
    missing: int  # bars that the gaps lack
    notes: tuple[str, ...]


Tell = Callable[[FetchProgress], None]


def run_fetch(request: FetchRequest, tell: Tell) -> FetchReport:
    """Fetch from the exchange itself. Raises TraderError; Ctrl-C leaves by KeyboardInterrupt."""
    return asyncio.run(_fetch_from_exchange(request, tell))


async def _fetch_from_exchange(request: FetchRequest, tell: Tell) -> FetchReport:
    source = CcxtHistory(request.venue, host=request.host)
    try:
        return await fetch(source, request, tell=tell)
    finally:
        await source.close()


async def fetch(
    source: BarSource,
    request: FetchRequest,
    *,
    tell: Tell,
    now_ms: Callable[[], int] = lambda: SystemClock().now() // NS_PER_MS,
    make_retry: MakeRetry = lambda tell: Retry(tell=tell),
) -> FetchReport:
    """Fetch from a source. `now_ms` is asked where the venue does not tell its time. Raises TraderError."""
    if request.out is not None and not request.out.name.endswith(SUFFIX):
        raise ConfigError(f"{request.out} must end in {SUFFIX}", field="--out")
    retry = make_retry(lambda note: tell(FetchProgress(note=note)))
    series = await retry(lambda: source.load(request.symbol, request.timeframe))
    venue_ms = await retry(source.now_ms)
    out = request.out or Path(default_name(series))
    notes = agree(out, series)
    span = _Span.of(request, now_ms() if venue_ms is None else venue_ms, series.step_ms)
    with closing(BarPart.open(out)) as part:
        run = _Run(source, series, part, tell, span)
        await run.all(make_retry(run.waiting))
        part.finish()
        return run.report(notes)


class _Span(msgspec.Struct, frozen=True):
    """The opens that are fetched, in [start, end), and the time at which that was decided; ms UTC."""

    start_ms: int
    end_ms: int
    now_ms: int

    @classmethod
    def of(cls, request: FetchRequest, now_ms: int, step_ms: int) -> "_Span":
        """Leave out the bar that is still open, and one that closed a moment ago."""
        closed_ms = now_ms - step_ms - SETTLE_MS + 1
        until_ms = closed_ms if request.until is None else _to_ms(request.until)
        return cls(_to_ms(request.since), min(until_ms, closed_ms), now_ms)


def _to_ms(ns: int) -> int:
    return -(-ns // NS_PER_MS)


class _Run:
    """One fetch into one part."""

    def __init__(self, source: BarSource, series: Series, part: BarPart, tell: Tell, span: _Span) -> None:
        self._source, self._series, self._part, self._tell = source, series, part, tell
        self._end_ms, self._now_ms = span.end_ms, span.now_ms
        self._held = _last_bar(part)
        self._begin_ms = span.start_ms if self._held is None else self._held.ts_ms
        self._last_ms = None if self._held is None else self._held.ts_ms
        self._fetched = self._gaps = self._missing = 0

    async def all(self, retry: Retry) -> None:
        """Fetch page after page to the end. Raises VenueError that says what is kept."""
        self.waiting("")
        try:
            async for page in self._pages(retry):
                self._keep(page)
                self.waiting("")
        except VenueError as error:
            raise VenueError(f"{error}{self._kept()}") from error
        if not self._part.content.rows:
            raise VenueError(
                f"{self._series.venue} has no closed bars of {self._series.symbol} {self._series.timeframe}"
                f" between {moment(self._begin_ms)} and {moment(max(self._end_ms, self._begin_ms))} UTC"
            )

    def waiting(self, note: str) -> None:
        """Tell how far it is, and why it waits."""
        self._tell(
            FetchProgress(
                file=self._part.target,
                rows=self._part.content.rows,
                start_ms=self._begin_ms,
                at_ms=self._last_ms or self._begin_ms,
                end_ms=self._end_ms,
                note=note,
            )
        )

    def report(self, notes: list[str]) -> FetchReport:
        """Sum up."""
        content, stated = self._part.content, self._series.stated
        return FetchReport(
            file=str(self._part.target),
            instrument_file=str(instrument_path(self._part.target)),
            venue=self._series.venue,
            symbol=stated.symbol or self._series.symbol,
            timeframe=self._series.timeframe,
            rows=content.rows,
            fetched=self._fetched,
            first_ns=parse_line(content.first).ts_ms * NS_PER_MS,
            last_ns=parse_line(content.last).ts_ms * NS_PER_MS,
            gaps=self._gaps,
            missing=self._missing,
            notes=tuple(notes),
        )

    async def _pages(self, retry: Retry) -> AsyncIterator[list[RawBar]]:
        """Yield pages without what lies outside of the time asked for; the first begins with the held bar."""
        at_ms, step_ms = self._begin_ms, self._series.step_ms
        while at_ms < self._end_ms:
            page = await retry(partial(self._page, at_ms))
            if not page:  # what is empty once may be a venue's hiccup, and would be a hole in the file
                page = await retry(partial(self._page, at_ms))
            if page:
                yield page
                at_ms = page[-1].ts_ms + step_ms
            else:
                at_ms = await self._after_nothing(at_ms, retry)

    async def _page(self, since_ms: int) -> list[RawBar]:
        sent = await self._source.page(self._series, since_ms)
        try:
            rows = checked(sent, self._series.step_ms)
        except TransientError as error:
            raise TransientError(f"{self._series.venue} {error}") from error
        return [row for row in rows if since_ms <= row.ts_ms < self._end_ms]

    async def _after_nothing(self, since_ms: int, retry: Retry) -> int:
        """Return where to go on behind an empty page: daily bars tell where years without any end."""
        series = self._series
        next_ms = since_ms + series.page_rows * series.step_ms
        if not series.has_days or series.step_ms >= DAY_MS or next_ms >= self._end_ms:
            return next_ms
        day_ms = await retry(partial(self._source.first_day, series, since_ms))
        return max(next_ms, since_ms + series.page_rows * DAY_MS if day_ms is None else day_ms)

    def _keep(self, page: list[RawBar]) -> None:
        """Append a page; the bar the file ended with is compared instead."""
        held = self._held
        if held is not None and page[0].ts_ms == held.ts_ms:
            if not page[0].same(held):
                raise StorageError(
                    f"{self._series.venue} now tells another bar for {moment(held.ts_ms)} ({page[0].line})"
                    f" than {self._part.target} holds ({held.line}); fetch it anew with another --out"
                )
            page = page[1:]
        self._held = None
        if not page:
            return
        for row in page:
            if (
                self._last_ms is not None
                and (steps := (row.ts_ms - self._last_ms) // self._series.step_ms) > 1
            ):
                self._gaps += 1
                self._missing += steps - 1
            self._last_ms = row.ts_ms
        describe_beside(self._part.target, self._series, self._now_ms)
        self._part.append(HEADER, [row.line for row in page])
        self._fetched += len(page)

    def _kept(self) -> str:
        """Say what an end before the end leaves."""
        rows = self._part.content.rows
        return f"; {rows:,} bars are kept, the same command goes on from there" if rows else ""


def _last_bar(part: BarPart) -> RawBar | None:
    """Return the bar a part ends with. Raises StorageError where it holds something else than bars."""
    content = part.content
    if not content.rows:
        return None
    try:
        last = parse_line(content.last)
    except ValueError as error:
        raise StorageError(f"{part.target} cannot be continued: {error}; choose another --out") from None
    if content.header != HEADER:
        raise StorageError(
            f"{part.target} cannot be continued: its columns are {content.header[:60]}; choose another --out"
        )
    return last
