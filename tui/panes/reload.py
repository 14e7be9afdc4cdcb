"""Hot-reload: which version of each play runs, and what became of the last change of its file."""

from pathlib import PurePath
from textwrap import wrap

from engine.api import ModelRow, ReloadRow, Snapshot
from tui.formats import age, age_between, clean
from tui.modelwords import model_words
from tui.panes.pane import Content, Frame, Pane
from tui.widgets.cells import Cell, Column, Row, fit_columns

COLUMNS = (
    Column("PLAY", 10, keep=99),
    Column("GEN", 4, keep=95, number=True),
    Column("HASH", 8, keep=80),
    Column("LAST", 8, keep=98),
    Column("AGE", 5, keep=70, number=True),
    Column("NEXT TRY", 9, keep=75, number=True),
    Column("FILE", 10, keep=60, flex=True),
)
RESULT_STYLE = {"loaded": "ok", "swapped": "ok*", "rejected": "danger*", "waiting": "warn"}
SHORT_HASH = 8
REASON_ROWS_MAX = 3  # of why a change was refused
REASON_WIDTH_MIN = 10
MODEL_ROWS_MAX = 2  # of how a play's model does


class ReloadPane(Pane):
    """One row a play; those under it say why a change was refused."""

    number = 6
    name_id = "reload"
    title = "Reload"

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Reloads, and the models of plays."""
        return snapshot.reloads, snapshot.models

    def wanted_rows(self, snapshot: Snapshot) -> int:
        """One row a play, a few for each refusal, a header and the frame."""
        refusals = REASON_ROWS_MAX * sum(r.failures > 0 for r in snapshot.reloads)
        return 3 + len(snapshot.reloads) + refusals + MODEL_ROWS_MAX * len(snapshot.models)

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out the plays' versions."""
        fitted = fit_columns(COLUMNS, width)
        rows: list[Row] = []
        models = {row.play: row for row in snapshot.models}
        for row in snapshot.reloads:
            rows.append(fitted.row(_values(row, snapshot.status.now)))
            if row.failures:
                reason = wrap(clean(row.text), max(REASON_WIDTH_MIN, width - 2))[:REASON_ROWS_MAX]
                rows += [(("  ", "text"), (line, "danger")) for line in reason]
            if row.play in models:
                rows += _model(models[row.play], width)
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
    lines = wrap(clean(model_words(row)), max(REASON_WIDTH_MIN, width - 2))[:MODEL_ROWS_MAX]
    return [(("  ", "text"), (line, style)) for line in lines]


def _next_try(row: ReloadRow) -> Cell:
    """A file that could not be read is tried again; one that was refused is judged again when it changes."""
    if row.result == "rejected":
        return "on change", "warn"
    return (f"in {age(row.next_try_s)}", "warn") if row.failures else ("-", "muted")


def _values(row: ReloadRow, now: int) -> list[Cell]:
    return [
        (row.play, "text*"),
        (str(row.generation), "text"),
        (row.hash[:SHORT_HASH], "muted"),
        (row.result, RESULT_STYLE.get(row.result, "text")),
        (age_between(now, row.at), "muted"),
        _next_try(row),
        (PurePath(row.file).name, "muted"),
    ]
