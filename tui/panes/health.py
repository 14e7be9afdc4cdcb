"""Health: feeds and venue first, then latency, queues, store, memory, and what this terminal costs."""

import msgspec

from engine.api import HealthSection, Snapshot
from tui.formats import age, count, duration
from tui.panes.outside import outside_rows
from tui.panes.pane import Content, Frame, Pane
from tui.theme import Palette
from tui.widgets.cells import Cell, Row, fact

FACTS = 12
PAIRED_WIDTH = 76
WARN_P99_MS, BAD_P99_MS = 6.0, 25.0
WARN_LAG_MS, BAD_LAG_MS = 50.0, 250.0
WARN_COMMIT_MS, BAD_COMMIT_MS = 20.0, 100.0
STALE_CHECKPOINT_S = 180.0


class TerminalLoad(msgspec.Struct, frozen=True):
    """What the console itself costs, for the health pane."""

    bytes_per_s: float = 0.0
    frames_per_s: float = 10.0
    budget_bytes_per_s: int = 80_000
    throttled: bool = False
    skipped: int = 0


class HealthPane(Pane):
    """Facts with a verdict in words where a limit exists."""

    number = 8
    name_id = "health"
    title = "Engine"

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self.load = TerminalLoad()

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Health, feeds and venue of the engine, and the console's own load."""
        return snapshot.health, snapshot.feeds, snapshot.breakers, snapshot.venue, self.load

    def wanted_rows(self, snapshot: Snapshot) -> int:
        """One row a fact, and the frame."""
        return FACTS + len(outside_rows(snapshot)) + 2

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one fact a line, in two columns where there is room."""
        health = snapshot.health
        outside = outside_rows(snapshot)
        facts = [*_speed(health), *_store(health), *_self(health), self._terminal()]
        rows = (*outside, *_paired(facts, width, self.size.height - len(outside)))
        return Content(rows, age_s=frame.silent_s)

    def _terminal(self) -> Row:
        load = self.load
        word = "slowed to fit" if load.throttled else "ok"
        used, budget = load.bytes_per_s / 1000, load.budget_bytes_per_s / 1000
        text = f"{used:.0f} of {budget:.0f} kB/s at {load.frames_per_s:.0f} fps"
        if load.skipped:
            text += f", {count(load.skipped)} frames skipped"
        return fact("terminal", text, (word, "warn" if load.throttled else "ok"))


def _judged(value: float, warn: float, bad: float) -> Cell:
    return ("BAD", "danger*") if value >= bad else ("slow", "warn*") if value >= warn else ("ok", "ok")


def _speed(health: HealthSection) -> list[Row]:
    latency = f"{health.latency_p50_ms:.2f} / {health.latency_p99_ms:.2f} / {health.latency_p999_ms:.2f} ms"
    return [
        fact("latency", latency, _judged(health.latency_p99_ms, WARN_P99_MS, BAD_P99_MS)),
        fact("", "p50 / p99 / p99.9"),
        fact(
            "loop lag", f"{health.loop_lag_ms:.1f} ms", _judged(health.loop_lag_ms, WARN_LAG_MS, BAD_LAG_MS)
        ),
        fact("events", f"{count(health.events)}  {health.events_per_s:,.0f}/s"),
        fact("inbox", f"{count(health.inbox_depth)} of {count(health.inbox_bound)}", _inbox(health)),
        fact("conflated", f"{count(health.conflated)} ticks"),
    ]


def _inbox(health: HealthSection) -> Cell:
    share = health.inbox_depth / health.inbox_bound if health.inbox_bound else 0.0
    return ("FULL", "danger*") if share > 0.9 else ("filling", "warn*") if share > 0.5 else ("ok", "ok")


def _store(health: HealthSection) -> list[Row]:
    late = health.checkpoint_age_s > STALE_CHECKPOINT_S
    point = "none yet" if health.checkpoint_age_s < 0 else f"{age(health.checkpoint_age_s)} ago"
    return [
        fact(
            "commit p99",
            f"{health.commit_p99_ms:.1f} ms",
            _judged(health.commit_p99_ms, WARN_COMMIT_MS, BAD_COMMIT_MS),
        ),
        fact("checkpoint", point, ("late", "warn*") if late else None),
        fact("record", f"{health.record_mb:.1f} MB"),
    ]


def _self(health: HealthSection) -> list[Row]:
    return [
        fact("memory", f"{health.rss_mb:.0f} MB"),
        fact("up", f"{duration(health.uptime_s)}  pid {health.pid}  v{health.version}"),
    ]


def _paired(facts: list[Row], width: int, height: int) -> list[Row]:
    """Put facts side by side where one column would be cut off and two have room."""
    if width < PAIRED_WIDTH or len(facts) <= height - 2:
        return facts
    half = (len(facts) + 1) // 2
    column = width // 2
    rows: list[Row] = []
    for index in range(half):
        first = facts[index]
        second = facts[half + index] if half + index < len(facts) else ()
        pad = max(1, column - sum(len(text) for text, _ in first))
        rows.append((*first, (" " * pad, "text"), *second))
    return rows
