"""Signals: what plays wanted, and why it was let through or not."""

from collections.abc import Mapping

from engine.api import REASONS, Reason, Side, SignalKind, SignalRow, Snapshot
from tui.formats import NS_PER_S, clock, date, moment, price
from tui.panes.absence import data_steps
from tui.panes.pane import Content, Frame, Pane
from tui.pricedigits import price_digits
from tui.widgets.cells import Cell, Column, fit_table

COLUMNS = (
    Column("TIME", 8, keep=90, whole=True),
    Column("PLAY", 10, keep=60),
    Column("SYMBOL", 9, keep=95),
    Column("WANTS", 10, keep=97),
    Column("PRICE", 10, keep=50, number=True, point=True),
    Column("STR", 4, keep=40, number=True),
    Column("VERDICT", 16, keep=99, flex=True),
)


class SignalsPane(Pane):
    """The newest signal at the bottom."""

    number = 4
    name_id = "signals"
    title = "Signals"
    follows = True
    fields = ("play", "symbol", "side", "wants", "verdict", "reason", "time")

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Signals alone."""
        return (snapshot.signals,)

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row a signal."""
        digits = price_digits(snapshot)
        table = [_values(row, digits.get(row.symbol), snapshot.status.now) for row in snapshot.signals]
        fitted = fit_table(COLUMNS, width, table)
        newest = snapshot.signals[-1].ts if snapshot.signals else 0
        plays = ", ".join(snapshot.status.plays)
        asks = (f"Plays: {plays}; {frame.key('why')} tells how their last bars went.",) if plays else ()
        return Content(
            fitted.rows(table),
            header=fitted.header(),
            age_s=max(0, snapshot.status.now - newest) / NS_PER_S if newest else None,
            details=tuple(_detail(row) for row in snapshot.signals),
            items=snapshot.signals,
            title_note="" if self.following else f"held; {frame.key('bottom')} follows",
            empty=("No signals yet: they come at the close of a bar.", *asks, *data_steps(snapshot, frame)),
        )

    def facts(self, item: SignalRow) -> Mapping[str, str]:
        """The verdict is approved or veto."""
        return {
            "play": item.play,
            "symbol": item.symbol,
            "side": item.side.value,
            "wants": _DOES[item.kind],
            "verdict": "veto" if item.reason else "approved",
            "reason": f"{item.reason} {item.text}",
            "time": f"{date(item.ts)} {clock(item.ts)}",
        }


def _detail(row: SignalRow) -> str:
    """Return the whole why of a veto: the code with its values, what it means and what to do."""
    head = f"{row.play}, strength {row.strength:.2f}, {row.cycle_id}"
    if not row.reason:
        return f"{head}: passed every gate; {row.text}." if row.text else f"{head}: passed every gate."
    try:
        facts = REASONS[Reason(row.reason)]
    except ValueError:
        return f"{head}: {row.text}"
    return f"{head}: {row.text or row.reason}. {facts.meaning} {facts.remedy}"


_DOES = {SignalKind.ENTRY: "open", SignalKind.EXIT: "close", SignalKind.SCALE_IN: "add"}


def _values(row: SignalRow, digits: int | None, now: int) -> list[Cell]:
    side = "buy" if row.side is Side.BUY else "sell"
    verdict: Cell = (f"veto {row.text or row.reason}", "warn") if row.reason else ("approved", "ok")
    return [
        (moment(row.ts, now), "muted"),
        (row.play, "text"),
        (row.symbol, "text*"),
        (f"{row.side.value.upper():<4} {_DOES[row.kind]}", side),
        (price(row.price, digits), "text"),
        (f"{row.strength:.2f}", "muted"),
        verdict,
    ]
