"""Reports on models: what one is, its scores against the base rate's, reliability as table and plot."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tui import formats

if TYPE_CHECKING:
    from engine.api import Calibration, Manifest, ModelReport, TrainingReport

DIM, GAIN, LOSS = "dim", "green", "red"
NS_PER_S = 1_000_000_000
PLOT_ROWS, PLOT_CELLS_MIN, PLOT_CELLS_MAX = 11, 24, 48
BINS_CELLS, PLOT_SIDE = 45, 6  # what the table of bins takes beside a plot, and the plot's own labels
DOT, LINE = ("●", "·")
PLAIN_DOT, PLAIN_LINE = ("o", ".")
MARGIN = 0.02


def show_training(console: Console, report: "TrainingReport") -> None:
    """Print what a training led to."""
    console.print(Text(f"model of {report.play}: {_kind(report)}", style="bold"))
    span = f"{_time(report.since)} to {_time(report.until)} UTC"
    rows = f"{report.bars:,} bars, {report.rows:,} rows with all features and a label"
    console.print(Text(f"{span}, {rows}", style=DIM))
    console.print()
    console.print(_folds(report))
    console.print()
    console.print(Text("on what the folds had not seen, together", style="bold"))
    _calibration(console, report.unseen)
    console.print()
    _line(console, "wrote", f"{formats.clean(report.file)} and {formats.clean(report.manifest)}")
    _line(console, "model", report.sha256)
    seeded = f"{report.train_s:.1f} s, data read in {report.load_s:.1f} s, seed {report.seed}"
    _line(console, "trained", f"in {seeded}; the file holds a model trained on all rows")


def show_model(console: Console, report: "ModelReport") -> None:
    """Print what a model is."""
    told = report.manifest
    console.print(Text(f"the model of {report.play} is without mistakes: {_kind(told)}", style="bold"))
    _line(
        console, "file", f"{formats.clean(report.file)}, {report.bytes:,} bytes, {report.weights:,} weights"
    )
    _line(console, "model", report.sha256)
    features = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("", "feature", "mean", "deviation"):
        features.add_column(name, justify="left" if name == "feature" else "right")
    scales = zip(told.features, told.normalisation.mean, told.normalisation.scale, strict=True)
    for number, (name, mean, scale) in enumerate(scales, start=1):
        features.add_row(str(number), name, f"{mean:,.6g}", f"{scale:,.6g}")
    console.print(features)
    trained = told.trained_on
    if trained.rows:
        data = ", ".join(formats.clean(name) for name in trained.data) or "data that nobody named"
        span = f"{_time(trained.since)} to {_time(trained.until)} UTC"
        _line(console, "trained", f"on {trained.rows:,} rows of {data}, {span}, seed {trained.seed}")
    for title, scores in (
        ("in training, on what the folds had not seen", told.calibration),
        (f"on the {report.bars:,} bars of the data given", report.scored),
    ):
        if scores is not None:
            console.print()
            console.print(Text(title, style="bold"))
            _calibration(console, scores)
    if report.learned:
        known = ", ".join(map(formats.clean, report.learned))
        _line(
            console, "note", f"the model was trained on {known}: such scores say little; give it later data"
        )


def _kind(told: "TrainingReport | Manifest") -> str:
    """Say what kind of model it is, and what it forecasts."""
    layers = " x ".join(map(str, told.hidden))
    architecture = f"{told.architecture} ({layers})" if layers else str(told.architecture)
    by = f" by more than {told.rise_percent:g} %" if told.rise_percent else ""
    question = f"is the close higher{by} {told.horizon_bars} bars on?"
    return f"{architecture} of {len(told.features)} features; {question}"


def _folds(report: "TrainingReport") -> Table:
    """Return the steps of the walk forward."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("fold", "learned", "scored", "came true", "Brier", "base rate", "log-loss", "AUC"):
        table.add_column(name, justify="right")
    for fold in report.folds:
        scores = fold.calibration
        table.add_row(
            str(fold.number),
            f"{fold.train_rows:,}",
            f"{scores.rows:,}",
            f"{scores.base_rate:.3f}",
            _compared(scores.brier, scores.brier_base),
            f"{scores.brier_base:.4f}",
            f"{scores.log_loss:.4f}",
            _auc(scores),
        )
    return table


def _calibration(console: Console, scores: "Calibration") -> None:
    """Print scores against those of the base rate, then the reliability."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("", "model", "base rate", "better by"):
        table.add_column(name, justify="right" if name else "left")
    for name, own, base in (
        ("Brier score", scores.brier, scores.brier_base),
        ("log-loss", scores.log_loss, scores.log_loss_base),
    ):
        skill = (base - own) / base if base > 0 else 0.0
        better = Text(formats.percent(skill), style=GAIN if skill > 0 else LOSS)
        table.add_row(name, f"{own:.4f}", f"{base:.4f}", better)
    table.add_row("AUC", _auc(scores), "0.500", "")
    table.add_row("rows", f"{scores.rows:,}", f"{scores.base_rate:.3f} came true", "")
    console.print(table)
    console.print()
    beside = console.width >= BINS_CELLS + PLOT_CELLS_MIN
    cells = min(PLOT_CELLS_MAX, console.width - (BINS_CELLS if beside else PLOT_SIDE))
    plot = Text("\n".join(_plot(scores, cells, unicode=_is_unicode(console))), no_wrap=True)
    if not beside:
        console.print(_bins(scores), "", plot, sep="\n")
        return
    side = Table.grid(padding=(0, 2))
    side.add_row(_bins(scores), plot)
    console.print(side)


def _bins(scores: "Calibration") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("forecasts", "rows", "said", "came true"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in scores.bins:
        table.add_row(
            f"{each.low:.3f}-{each.high:.3f}",
            f"{each.count:,}",
            f"{each.forecast:.3f}",
            f"{each.came_true:.3f}",
        )
    return table


def _plot(scores: "Calibration", width: int, *, unicode: bool) -> Iterator[str]:
    """Draw how often it came true over what was said; on the dotted line both are the same."""
    dot, dotted = (DOT, LINE) if unicode else (PLAIN_DOT, PLAIN_LINE)
    values = [value for each in scores.bins for value in (each.forecast, each.came_true)]
    low, high = max(0.0, min(values) - MARGIN), min(1.0, max(values) + MARGIN)
    cells = [[" "] * width for _ in range(PLOT_ROWS)]
    for across in range(width):
        said = low + (high - low) * across / (width - 1)
        cells[_at(said, low, high, PLOT_ROWS)][across] = dotted
    for each in scores.bins:
        row, across = _at(each.came_true, low, high, PLOT_ROWS), _at(each.forecast, low, high, width)
        cells[row][across] = dot
    labels = [f"{high:.2f}", *[""] * (PLOT_ROWS - 2), f"{low:.2f}"]
    for label, line in zip(labels, reversed(cells), strict=True):
        yield f"{label:>4} {''.join(line)}".rstrip()
    yield f"{'':>4} {f'{low:.2f}':<{width - 4}}{high:.2f}"
    yield "     came true (up) over said (right)"


def _at(value: float, low: float, high: float, places: int) -> int:
    return round((value - low) / (high - low) * (places - 1)) if high > low else 0


def _is_unicode(console: Console) -> bool:
    try:
        f"{DOT}{LINE}".encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _compared(own: float, base: float) -> Text:
    return Text(f"{own:.4f}", style=GAIN if own < base else LOSS)


def _auc(scores: "Calibration") -> str:
    return "-" if scores.auc is None else f"{scores.auc:.3f}"


def _line(console: Console, name: str, text: str) -> None:
    console.print(Text.assemble((f"{name:<8}", DIM), text), soft_wrap=True)


def _time(ns: int) -> str:
    return datetime.fromtimestamp(ns / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M")
