"""Risk: the rung in force, who holds it and what would free it, the gates in order, a running flatten."""

from engine.api import (
    HOLDERS,
    RUNG_MEANING,
    GateRow,
    GateStatus,
    Hold,
    Holder,
    Phase,
    RiskMode,
    Rung,
    Snapshot,
)
from tui.formats import age_between, clock
from tui.panes.pane import Content, Frame, Pane, wrapped
from tui.widgets.cells import Cell, Column, Row, fit_columns

LABEL = 10
GATES = (
    Column("GATE", 20, keep=99),
    Column("NOW", 5, keep=98),
    Column("VALUE", 10, keep=60, number=True, flex=True),
    Column("LIMIT", 8, keep=50, number=True),
)
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
        """Gates, holders, flatten and what the status says of them."""
        status = snapshot.status
        return snapshot.gates, status.holds, snapshot.flatten, status.rung, status.risk_mode, status.phase

    def wanted_rows(self, snapshot: Snapshot) -> int:
        """The ladder, two holders, the gates and the frame."""
        gates = len(snapshot.gates)
        return 2 + 3 + max(2, len(snapshot.status.holds)) + (gates + 2 if gates else 0)

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out the ladder, then the gates."""
        status = snapshot.status
        rows: list[Row] = _rung_rows(status.rung, width)
        rows += [_hold_row(hold, status.now, frame) for hold in status.holds]
        rows.append((("risk mode ", "muted"), (status.risk_mode.value.upper(), RISK_STYLE[status.risk_mode])))
        rows += [*_dead_man_rows(snapshot), *_flatten_rows(snapshot)]
        if snapshot.gates:
            rows.append(())
            fitted = fit_columns(GATES, width)
            rows.append(fitted.header())
            rows += [fitted.row(_gate(number, gate)) for number, gate in enumerate(snapshot.gates, 1)]
        return Content(tuple(rows), age_s=frame.silent_s)


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
