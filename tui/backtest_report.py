"""A backtest's report on the terminal: the equity as a line, the figures in columns, months, hashes."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.api import SHEET, write_figure
from tui import formats
from tui.chart import ACROSS, braille

if TYPE_CHECKING:
    from engine.api import FigureGroup, Study

CHART_ROWS = 5
CHART_CELLS_MAX = 160
WIDE = 110  # from here on three columns of figures fit
# Which groups of figures stand below each other.
TWO_COLUMNS = (("Result", "Risk", "Costs"), ("Trades", "Sides", "Run"))
THREE_COLUMNS = (("Result", "Costs"), ("Risk", "Sides"), ("Trades", "Run"))
GAIN, LOSS, DIM = "green", "red", "dim"
FILES = "trades.csv, equity.csv, summary.json, report.html"


def show(console: Console, study: "Study", out: Path | None) -> None:
    """Print the report; `out` is where the run was kept."""
    facts = study.summary()
    symbols = ", ".join(data.symbol for data in study.origin.data)
    console.print(Text.assemble((f"{study.run.play} on {symbols}", "bold")))
    span = f"{_time(study.figures.since)} to {_time(study.figures.until)} UTC"
    length = formats.duration(study.figures.days * 86_400)
    console.print(Text(f"{span}, {length}, {study.run.bars:,} bars, money in {study.currency}", style=DIM))
    console.print()
    _chart(console, study)
    groups = {group.title: group for group in SHEET}
    columns = THREE_COLUMNS if console.width >= WIDE else TWO_COLUMNS
    grid = Table.grid(expand=False, padding=(0, 3))
    for _ in columns:
        grid.add_column(width=(console.width - 3 * (len(columns) - 1)) // len(columns) - 1)
    grid.add_row(*(_column([groups[title] for title in titles], facts) for titles in columns))
    console.print(grid)
    console.print(_months(study))
    _endings(console, study, out)


def _column(groups: "list[FigureGroup]", facts: dict[str, object]) -> Table:
    """Return groups of figures below each other."""
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(style=DIM, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for group in groups:
        table.add_row(Text(group.title, style="bold not dim"), "")
        for line in group.lines:
            value = facts.get(line.name)
            text = write_figure(line, value)
            table.add_row(f"  {line.label}", Text(text, style=_style(text) if line.rises else ""))
        table.add_row("", "")
    return table


def _style(text: str) -> str:
    """Return the colour of a gain or a loss: by the sign that is written, so that colour is never alone."""
    return GAIN if text.startswith("+") else LOSS if text.startswith("-") else ""


def _months(study: "Study") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("month", "return", "profit", "drawdown", "trades"):
        table.add_column(name, justify="left" if name == "month" else "right")
    for month in study.months:
        change = formats.percent(month.change)
        table.add_row(
            month.month,
            Text(change, style=_style(change)),
            _money(month.net),
            f"{month.max_drawdown * 100:.2f}%",
            formats.count(month.trades),
        )
    return table


def _money(value: float) -> str:
    return formats.signed(value) if abs(value) >= 1 or value == 0 else f"{value:+.8f}"


def _chart(console: Console, study: "Study") -> None:
    """Draw the equity, where the output can carry it."""
    try:
        "⠿".encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return
    of = study.curve
    values = [float(study.run.start_equity), *of.equity.tolist()]
    labels = [_equity(max(values)), _equity(min(values))]
    side = max(map(len, labels))
    cells = max(10, min(console.width - side - 2, CHART_CELLS_MAX))
    rows = braille(_thinned(values, cells * ACROSS), CHART_ROWS)
    sides = [labels[0], *[""] * (CHART_ROWS - 2), labels[1]]
    for label, row in zip(sides, rows, strict=True):
        console.print(Text.assemble((f"{label:>{side}} ", DIM), row), no_wrap=True, crop=True)
    console.print()


def _equity(value: float) -> str:
    return f"{value:,.0f}" if value >= 10_000 else f"{value:,.6g}"


def _thinned(values: list[float], points: int) -> list[float]:
    """Return as many values as there is room for, evenly spread, the first and the last among them."""
    if len(values) <= points:
        return [values[number * len(values) // points] for number in range(points)]
    return [values[number * (len(values) - 1) // (points - 1)] for number in range(points)]


def _endings(console: Console, study: "Study", out: Path | None) -> None:
    run = study.run
    speed = (
        f"{formats.count(run.rows)} rows in {run.wall_s:.2f} s ({formats.count(round(run.events_per_s))}/s)"
    )
    console.print()
    lines = [
        ("hashes", f"signals {run.signal_hash[:16]}  trades {run.trade_hash[:16]}"),
        ("speed", f"{speed}, read in {run.load_s:.2f} s"),
    ]
    lines = [*(("note", formats.clean(note)) for note in study.notes), *lines]
    if out is not None:
        lines.append(("kept", f"{formats.clean(str(out))}: {FILES}"))
    for name, text in lines:
        console.print(Text.assemble((f"{name:<8}", DIM), text), soft_wrap=name != "note")


def _time(text: str) -> str:
    return text[:16].replace("T", " ")
