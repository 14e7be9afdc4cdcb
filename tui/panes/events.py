"""Events: what happened, in the engine's words; alarms on top, the newest line at the bottom."""

from collections.abc import Mapping

from engine.api import Alarm, Notice, NoticeLevel, Severity, Snapshot
from tui.formats import NS_PER_S, age_between, clean, clock, date, moment, wrapped
from tui.panes.pane import Content, Frame, Pane
from tui.widgets.cells import Row

LEVELS = {
    NoticeLevel.INFO: ("info ", "muted"),
    NoticeLevel.GOOD: ("good ", "ok"),
    NoticeLevel.WARNING: ("warn ", "warn*"),
    NoticeLevel.ERROR: ("ERROR", "danger*"),
}
TEXT_STYLE = {NoticeLevel.WARNING: "warn", NoticeLevel.ERROR: "danger"}
ALARM_STYLE = {Severity.INFO: "accent*", Severity.WARNING: "warn!", Severity.CRITICAL: "danger!"}


class EventsPane(Pane):
    """A feed that follows its end until the operator moves away from it."""

    number = 7
    name_id = "events"
    title = "Events"
    follows = True
    fields = ("level", "kind", "symbol", "play", "reason", "time")

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Notices and alarms."""
        return snapshot.notices, snapshot.alarms

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out the lines; long ones go on in the next row."""
        now = snapshot.status.now
        stamps = [moment(notice.ts, now) for notice in snapshot.notices]
        wide = max(map(len, stamps), default=0)
        laid = [
            (notice, row)
            for notice, stamp in zip(snapshot.notices, stamps, strict=True)
            for row in _notice_rows(notice, stamp.rjust(wide), width)
        ]
        newest = snapshot.notices[-1].ts if snapshot.notices else 0
        return Content(
            tuple(row for _, row in laid),
            items=tuple(notice for notice, _ in laid),
            header=_alarm_row(snapshot.alarms, now, frame),
            age_s=max(0, now - newest) / NS_PER_S if newest else None,
            title_note="" if self.following else f"held; {frame.key('bottom')} follows",
            empty=(
                "Nothing happened yet: fills, vetoes, reloads and alarms are told here.",
                f"{frame.key('help')} tells what every key does.",
            ),
        )

    def facts(self, item: Notice) -> Mapping[str, str]:
        """A notice names plays and reasons in its words alone."""
        words = {"level": item.level.value, "kind": item.kind, "symbol": item.symbol}
        when = f"{date(item.ts)} {clock(item.ts)}"
        return {**words, "play": item.text, "reason": item.text, "time": when}


def _alarm_row(alarms: tuple[Alarm, ...], now: int, frame: Frame) -> Row:
    open_alarms = [alarm for alarm in alarms if not alarm.acknowledged]
    if not open_alarms:
        return ()
    worst = max(open_alarms, key=lambda alarm: list(Severity).index(alarm.severity))
    more = f", {len(open_alarms) - 1} more" if len(open_alarms) > 1 else ""
    key = frame.key("acknowledge")
    said = f" {clean(worst.text)} (since {age_between(now, worst.since)}{more}; {key} quiets)"
    return (f" {worst.severity.value.upper()} ", ALARM_STYLE[worst.severity]), (said, "text*")


def _notice_rows(notice: Notice, stamp: str, width: int) -> list[Row]:
    word, style = LEVELS[notice.level]
    indent = len(stamp) + len(word) + 2
    room = max(10, width - indent)
    named = not notice.symbol or notice.symbol in notice.text
    text = clean(notice.text if named else f"{notice.symbol} {notice.text}")
    parts = wrapped(text, room)
    body = TEXT_STYLE.get(notice.level, "text")
    first: Row = ((f"{stamp} ", "muted"), (f"{word} ", style), (parts[0], body))
    return [first, *(((" " * indent, "text"), (part, body)) for part in parts[1:])]
