"""Risk: the rung in force, who holds it and what would free it, the gates in order, a running flatten."""

from engine.api import (
    HOLDERS,
    RUNG_MEANING,
    CauseRow,
    GateRow,
    GateStatus,
    Hold,
    Holder,
    Phase,
    RiskMode,
    RiskSection,
    Rung,
    Snapshot,
)
from tui.formats import age_between, clock, money, wrapped
from tui.limitwords import blackout_words, capital_words, cause_name, nearest, used_words
from tui.panes.pane import Content, Frame, Pane
from tui.widgets.cells import Cell, Column, Row, fit_table

LABEL = 10
WINDOWS_SHOWN = 2
NEAREST_SHOWN = 3
GATES = (
    Column("GATE", 20, keep=99),
    Column("NOW", 5, keep=98),
    Column("VALUE", 10, keep=60, number=True),
    Column("LIMIT", 8, keep=50, number=True),
)
CAUSES = (
    Column("CAUSE", 20, keep=99),
    Column("USED", 5, keep=98, number=True),
    Column("VALUE", 10, keep=60, number=True),
    Column("LIMIT", 8, keep=50, number=True),
)
NEAR, VERY_NEAR = 0.5, 0.8  # of a limit
RUNG_STYLE = {Rung.FULL: "ok*", Rung.REDUCE: "warn*", Rung.HOLD: "danger*", Rung.FLATTEN: "danger!"}
RISK_STYLE = {RiskMode.NORMAL: "ok*", RiskMode.REDUCE: "warn*", RiskMode.OBSERVE: "danger*"}
GATE_STYLE = {GateStatus.PASS: "ok", GateStatus.VETO: "danger*", GateStatus.NOT_BUILT: "muted"}

# Which action frees a latched holder, by action id.
FREED_BY = {
    Holder.DISARMED: "arm",
    Holder.HALTED: "arm",
    Holder.PAUSED: "pause",
    Holder.RISK_REDUCE: "risk-mode",
    Holder.RISK_OBSERVE: "risk-mode",
}


class RiskPane(Pane):
    """What the engine may do now, and why not more."""

    number = 5
    name_id = "risk"
    title = "Risk"

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Gates, limits, holders, flatten and what the status says of them."""
        at = snapshot.status
        return snapshot.gates, snapshot.risk, snapshot.flatten, at.holds, at.rung, at.risk_mode, at.phase

    def wanted_rows(self, snapshot: Snapshot) -> int:
        """The ladder, two holders, the limits, the gates and the frame."""
        gates, causes = len(snapshot.gates), len(_limited(snapshot.risk))
        tables = sum(count + 2 for count in (gates, causes) if count)
        said = len(_mode_rows(snapshot, 0)) + len(_risk_rows(snapshot))
        return 2 + 2 + max(2, len(snapshot.status.holds)) + said + tables

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out the ladder, then the gates."""
        status = snapshot.status
        rows: list[Row] = _rung_rows(status.rung, width)
        rows += [_hold_row(hold, status.now, frame) for hold in status.holds]
        rows += _mode_rows(snapshot, width)
        rows += [*_risk_rows(snapshot), *_dead_man_rows(snapshot), *_flatten_rows(snapshot)]
        limited = _limited(snapshot.risk)
        if limited:
            rows += _table(CAUSES, [_cause(row) for row in limited], width)
        if snapshot.gates:
            rows += _table(
                GATES, [_gate(number, gate) for number, gate in enumerate(snapshot.gates, 1)], width
            )
        return Content(tuple(rows), age_s=frame.silent_s)


def _table(columns: tuple[Column, ...], table: list[list[Cell]], width: int) -> list[Row]:
    """Lay out a table under an empty row and its titles."""
    fitted = fit_table(columns, width, table)
    return [(), fitted.header(), *fitted.rows(table)]


def _rung_rows(rung: Rung, width: int) -> list[Row]:
    first, *rest = wrapped(RUNG_MEANING[rung], max(12, width - LABEL - len(rung.name) - 2))
    rows: list[Row] = [(("rung      ", "muted"), (rung.name, RUNG_STYLE[rung]), (f"  {first}", "muted"))]
    return [*rows, *(((f"{'':<{LABEL + len(rung.name) + 2}}{line}", "muted"),) for line in rest)]


def holder_name(hold: Hold) -> str:
    """Name a holder in words, with the symbol where it holds one only."""
    return hold.holder.value.replace("_", " ").upper() + (f" {hold.symbol}" if hold.symbol else "")


def _hold_row(hold: Hold, now: int, frame: Frame) -> Row:
    freed = FREED_BY.get(hold.holder)
    key = (
        f"{frame.key(freed)} frees" if freed else "waits" if HOLDERS[hold.holder].latched else "frees itself"
    )
    cells: list[Cell] = [
        ("  held by ", "muted"),
        (holder_name(hold), RUNG_STYLE[hold.rung]),
        (f" {age_between(now, hold.since)}", "muted"),
        (f", {key}", "text"),
    ]
    if hold.detail:
        cells.append((f"  {hold.detail}", "muted"))
    return tuple(cells)


def _limited(risk: RiskSection) -> tuple[CauseRow, ...]:
    """Return the causes that have a limit or have latched, the nearest first."""
    return tuple(row for row in nearest(risk) if row.latched or row.limit != "-")


def _cause(row: CauseRow) -> list[Cell]:
    used = "LATCHED" if row.latched else used_words(row)
    return [(cause_name(row), "text"), (used, _used_style(row)), (row.value, "text"), (row.limit, "muted")]


def _mode_rows(snapshot: Snapshot, width: int) -> list[Row]:
    """Say the risk mode and what latched it, then the limits nearest to theirs, none of them cut off."""
    mode, limited = snapshot.status.risk_mode, _limited(snapshot.risk)
    latched = ", ".join(f"{cause_name(row)} {row.value}" for row in limited if row.latched)
    row: Row = (("risk mode ", "muted"), (mode.value.upper(), RISK_STYLE[mode]))
    rows = [(*row, (f"  by {latched}", "danger*"))] if latched else [row]
    near = [row for row in limited if not row.latched and row.used >= 0][:NEAREST_SHOWN]
    if near:
        told, *others = [f"{cause_name(row)} {used_words(row)}" for row in near]
        for other in others:
            told = f"{told}, {other}" if LABEL + len(told) + 2 + len(other) <= width else told
        rows.append((("nearest   ", "muted"), (told, _used_style(near[0]))))
    return rows


def _used_style(row: CauseRow) -> str:
    if row.latched:
        return "danger*"
    return "warn*" if row.used >= VERY_NEAR else "warn" if row.used >= NEAR else "ok"


def _risk_rows(snapshot: Snapshot) -> list[Row]:
    """Say what latched, what the calendar holds, what was put aside, and what waits for a person."""
    risk, now = snapshot.risk, snapshot.status.now
    rows: list[Row] = []
    for window in risk.blackouts[:WINDOWS_SHOWN]:
        runs = window.begins <= now < window.ends
        rows.append((("blackout  ", "muted"), (blackout_words(window, now), "warn*" if runs else "text")))
    if risk.reserve or risk.reserve_percent:
        told = f"{money(risk.trading_capital)}, put aside {capital_words(risk)}"
        rows.append((("capital   ", "muted"), (told, "text")))
    rows += [(("stopped   ", "muted"), (f"{name}: limits enable", "danger*")) for name in risk.stopped]
    for change in risk.pending:
        told = f"{change.setting} {change.now} -> {change.wanted}: limits accept"
        rows.append((("waits     ", "muted"), (told, "warn*")))
    return rows


def _dead_man_rows(snapshot: Snapshot) -> list[Row]:
    """Say after how long a silence of the engine the venue cancels its entries, where it does."""
    at = snapshot.status
    if not at.dead_man_s:
        return []
    head: Row = (("dead-man  ", "muted"), (f"after {at.dead_man_s:g} s", "ok*"))
    return [(*head, (f", renewed {age_between(at.now, at.dead_man_renewed)} ago", "muted"))]


def _flatten_rows(snapshot: Snapshot) -> list[Row]:
    flatten = snapshot.flatten
    if not flatten.step:
        return []
    running = snapshot.status.phase is Phase.FLATTENING
    head: Row = (
        ("flatten   ", "muted"),
        (flatten.step, "danger*" if running or flatten.residual else "ok*"),
        (f" since {clock(flatten.since)}", "muted"),
    )
    if running:
        left = f", cancels left {flatten.cancels_left}, positions left {flatten.positions_left}"
        head = (*head, (left, "text"))
    return [head, *(((("  left: ", "danger*"), (item, "text"))) for item in flatten.residual)]


def _gate(number: int, gate: GateRow) -> list[Cell]:
    return [
        (f"{number} {gate.name.replace('_', ' ')}", "text"),
        (gate.status.value, GATE_STYLE[gate.status]),
        (gate.value, "text"),
        (gate.limit, "muted"),
    ]
