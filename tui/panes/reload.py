"""Hot-reload: which version of each play runs, what its last change did, and the twins beside it."""

from pathlib import PurePath

from engine.api import ModelRow, ReloadRow, Snapshot, TwinRow
from tui.formats import age, age_between, signed, wrapped
from tui.modelwords import model_words
from tui.panes.pane import Content, Frame, Pane
from tui.widgets.cells import Cell, Column, Row, fit_table

COLUMNS = (
    Column("PLAY", 10, keep=99),
    Column("GEN", 4, keep=95, number=True),
    Column("HASH", 8, keep=80),
    Column("LAST", 8, keep=98),
    Column("AGE", 5, keep=70, number=True),
    Column("NEXT TRY", 9, keep=75, number=True),
    Column("FILE", 10, keep=60, flex=True),
)
TWIN_COLUMNS = (
    Column("TWIN", 10, keep=99),
    Column("GEN", 4, keep=70, number=True),
    Column("HASH", 8, keep=60),
    Column("WOULD-BE", 9, keep=98, number=True, point=True),
    Column("RUNNING", 9, keep=90, number=True, point=True),
    Column("BOTH", 5, keep=80, number=True),
    Column("ONLY RUN", 8, keep=85, number=True),
    Column("ONLY TWIN", 9, keep=86, number=True),
    Column("STATE", 8, keep=75, flex=True),
)
RESULT_STYLE = {"loaded": "ok", "swapped": "ok*", "shadow": "warn", "rejected": "danger*", "waiting": "warn"}
SHORT_HASH = 8
REASON_ROWS_MAX = 3  # of why a change was refused, or of what it changed
REASON_WIDTH_MIN = 10
MODEL_ROWS_MAX = 2  # of how a play's model does


class ReloadPane(Pane):
    """One row a play, what its last change did under it; then one row a shadow twin."""

    number = 6
    name_id = "reload"
    title = "Reload"

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Reloads, the models of plays, and twins."""
        return snapshot.reloads, snapshot.models, snapshot.twins, snapshot.status.swaps_waiting

    def wanted_rows(self, snapshot: Snapshot) -> int:
        """One row a play and a twin, a few for each refusal or change, headers and the frame."""
        told = REASON_ROWS_MAX * sum(r.failures > 0 or bool(r.changes) for r in snapshot.reloads)
        twins = 1 + len(snapshot.twins) if snapshot.twins else 0
        return 3 + len(snapshot.reloads) + told + twins + MODEL_ROWS_MAX * len(snapshot.models)

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out the plays' versions and their twins."""
        table = [_values(row, snapshot) for row in snapshot.reloads]
        fitted = fit_table(COLUMNS, width, table)
        rows: list[Row] = []
        models = {row.play: row for row in snapshot.models}
        for row, first in zip(snapshot.reloads, fitted.rows(table), strict=True):
            rows.append(first)
            rows += _told(row, max(REASON_WIDTH_MIN, width - 2))
            if row.play in models:
                rows += _model(models[row.play], width)
        if snapshot.twins:
            twins = [_twin_values(twin) for twin in snapshot.twins]
            beside = fit_table(TWIN_COLUMNS, width, twins)
            rows += [beside.header(), *beside.rows(twins)]
        return Content(
            tuple(rows),
            header=fitted.header(),
            age_s=frame.silent_s,
            empty=(
                "No play is loaded; start with --play FILE.",
                "A saved change of its file is taken up here.",
            ),
        )


def _model(row: ModelRow, width: int) -> list[Row]:
    """Say under a play how its model does."""
    style = "danger*" if row.demoted else "muted"
    lines = wrapped(model_words(row), max(REASON_WIDTH_MIN, width - 2), MODEL_ROWS_MAX)
    return [(("  ", "text"), (line, style)) for line in lines]


def _told(row: ReloadRow, width: int) -> list[Row]:
    """Say why a change was refused, or what it changed."""
    if row.failures:
        text, style = row.text, "danger"
    elif row.result == "shadow":
        text, style = "; ".join((row.text, row.signals, *row.changes)), "warn"
    elif row.changes:
        text, style = "; ".join((row.signals, *row.changes)), "muted"
    else:
        return []
    return [(("  ", "text"), (line, style)) for line in wrapped(text, width, REASON_ROWS_MAX)]


def _next_try(row: ReloadRow) -> Cell:
    """A file that could not be read is tried again; one that was refused is judged again when it changes."""
    if row.result == "rejected":
        return "on change", "warn"
    return (f"in {age(row.next_try_s)}", "warn") if row.failures else ("-", "muted")


def _values(row: ReloadRow, snapshot: Snapshot) -> list[Cell]:
    waits = row.play in snapshot.status.swaps_waiting
    return [
        (row.play, "text*"),
        (str(row.generation), "text"),
        (row.hash[:SHORT_HASH], "muted"),
        (row.result, RESULT_STYLE.get(row.result, "text")),
        (age_between(snapshot.status.now, row.at), "muted"),
        ("when flat", "warn*") if waits else _next_try(row),
        (PurePath(row.file).name, "muted"),
    ]


def _twin_values(twin: TwinRow) -> list[Cell]:
    side = "long" if twin.qty > 0 else "short" if twin.qty < 0 else "flat"
    warm = f"warm in {twin.bars_missing}" if twin.bars_missing else side
    return [
        (twin.label, "text*"),
        (str(twin.generation), "text"),
        (twin.hash[:SHORT_HASH], "muted"),
        (signed(twin.pnl), "text"),
        (signed(twin.running_pnl) if twin.of else "-", "text"),
        (str(twin.both), "muted"),
        (str(twin.only_running), "warn" if twin.only_running else "muted"),
        (str(twin.only_twin), "warn" if twin.only_twin else "muted"),
        ("waits", "warn*") if twin.waits else (warm, "muted"),
    ]
