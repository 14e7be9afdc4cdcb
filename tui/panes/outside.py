"""What lies outside the engine: each feed, and the venue's channels, rate budget and clock.

What is well shares a row; what is not has its own, with the last error under it.
"""

from collections.abc import Sequence

from engine.api import (
    BREAKER_WORDS,
    BreakerRow,
    BreakerState,
    BudgetRow,
    FeedRow,
    Snapshot,
    VenueSection,
)
from tui.feedwords import CONNECTED, feed_age, is_late
from tui.formats import age_between, clean, count
from tui.widgets.cells import LABEL, Cell, Row, fact

WARN_OFFSET_MS, BAD_OFFSET_MS = 250.0, 1_000.0
BUDGETS_A_ROW = 2  # sound ones: of more, the last numbers would be cut off
FULL_SHARE = 0.8  # of what orders may use of a limit
_STATES: dict[BreakerState, Cell] = {
    BreakerState.CLOSED: (BREAKER_WORDS[BreakerState.CLOSED], "ok"),
    BreakerState.HALF_OPEN: (BREAKER_WORDS[BreakerState.HALF_OPEN].upper(), "warn*"),
    BreakerState.OPEN: (BREAKER_WORDS[BreakerState.OPEN].upper(), "danger*"),
}
_FINE: Cell = ("ok", "ok")


def outside_rows(snapshot: Snapshot) -> list[Row]:
    """Return the rows of all feeds, and of the venue where one outside is traded on."""
    rows = [row for feed in snapshot.feeds for row in _feed(feed)]
    rows += _channels(snapshot.breakers, snapshot.status.now)
    return rows + (_venue(snapshot.venue, snapshot.status.now) if snapshot.venue.name else [])


def _feed(feed: FeedRow) -> list[Row]:
    good = feed.state == CONNECTED and not is_late(feed)
    state = f"{feed.state}, STALE" if feed.state == CONNECTED and not good else feed.state
    row = fact("feed", f"{clean(feed.name)} {feed_age(feed)}", (state, "ok" if good else "stale*"))
    rows: list[Row] = [(*row, (f"  {count(feed.events)} events", "text"))]
    times = "1 reconnect" if feed.reconnects == 1 else f"{feed.reconnects} reconnects"
    offset = "" if feed.offset_ms is None else f"clock {feed.offset_ms:+.0f} ms"
    parts = (clean(feed.error), times if feed.reconnects else "", offset, clean(feed.text))
    more = ", ".join(part for part in parts if part)
    return [*rows, fact("", more)] if more else rows


def _channels(breakers: Sequence[BreakerRow], now: int) -> list[Row]:
    """Return one row for all channels that work, and two for each other one."""
    closed = [row.channel.value for row in breakers if row.state is BreakerState.CLOSED]
    rows = [_all("channels", _STATES[BreakerState.CLOSED], closed)] if closed else []
    for row in breakers:
        if row.state is not BreakerState.CLOSED:
            text = f"{clean(row.venue)} for {age_between(now, row.since)}, {row.failures} failures"
            rows += [fact(row.channel.value, text, _STATES[row.state]), fact("", clean(row.text))]
    return rows


def _venue(venue: VenueSection, now: int) -> list[Row]:
    fine = [row for row in venue.budgets if _verdict(row) is _FINE]
    used = [f"{row.name} {count(row.used)}/{count(row.count)}" for row in fine]
    rows = [_all("budget", _FINE, used[:BUDGETS_A_ROW])] if used else []
    rows += [
        fact("", ", ".join(used[at : at + BUDGETS_A_ROW]))
        for at in range(BUDGETS_A_ROW, len(used), BUDGETS_A_ROW)
    ]
    rows += [fact("budget", _used(row), _verdict(row)) for row in venue.budgets if row not in fine]
    if venue.budget_flaw:
        rows.append(fact("budget", clean(venue.budget_flaw), ("counted alone", "warn*")))
    if venue.clock_offset_ms is not None:
        rows.append(fact("venue clock", f"{venue.clock_offset_ms:+.0f} ms", _offset(venue.clock_offset_ms)))
    if venue.last_error:
        old = f"{age_between(now, venue.last_error_at)} ago: " if venue.last_error_at else ""
        rows.append(fact("last error", f"{old}{clean(venue.last_error)}"))
    return rows


def _all(label: str, verdict: Cell, names: Sequence[str]) -> Row:
    """Return the row of several things with one verdict, which stands first: their names may be cut off."""
    return ((label.ljust(LABEL), "muted"), verdict, (f"  {', '.join(names)}", "text"))


def _used(row: BudgetRow) -> str:
    return f"{row.name} {count(row.used)}/{count(row.count)} in {row.window_s:g}s"


def _verdict(row: BudgetRow) -> Cell:
    room = row.count - row.reserve
    if row.used >= row.count:
        return "used up", "warn*"
    if row.used >= room:
        return "reserve only", "warn*"
    return ("filling", "warn*") if row.used > FULL_SHARE * room else _FINE


def _offset(offset_ms: float) -> Cell:
    off_ms = abs(offset_ms)
    if off_ms >= BAD_OFFSET_MS:
        return "BAD", "danger*"
    return ("off", "warn*") if off_ms >= WARN_OFFSET_MS else _FINE
