"""Two kept backtests side by side on the terminal: what they were made of first, then what they came to."""

import re
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.api import SHEET, write_figure
from tui import formats

if TYPE_CHECKING:
    from engine.api import FigureLine, RunComparison

GAIN, LOSS, DIM = "green", "red", "dim"
KINDS = ("play", "data", "settings", "version")
HASH = re.compile(r"\b[0-9a-f]{64}\b")
HASH_CELLS = 16


def show(console: Console, found: "RunComparison") -> None:
    """Print a comparison."""
    console.print(Text.assemble(("A  ", "bold"), formats.clean(found.a)))
    console.print(Text.assemble(("B  ", "bold"), formats.clean(found.b)))
    console.print()
    _inputs(console, found)
    console.print()
    console.print(_verdict(found))
    console.print()
    console.print(_figures(found))
    console.print(_months(found))


def _inputs(console: Console, found: "RunComparison") -> None:
    """Say of each kind of input whether it is the same, and what is not."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold", no_wrap=True)
    for _ in range(3):
        table.add_column(overflow="fold")
    for kind in KINDS:
        differing = [each for each in found.differences if each.kind == kind]
        if not differing:
            table.add_row(kind, Text("the same", style=DIM), "", "")
        for number, each in enumerate(differing):
            name = "" if kind == "play" else each.name
            table.add_row(kind if not number else "", name, f"A {_short(each.a)}", f"B {_short(each.b)}")
    console.print(table)


def _short(text: str) -> str:
    """Cut hashes to what a person compares."""
    return formats.clean(HASH.sub(lambda found: found[0][:HASH_CELLS], text))


def _verdict(found: "RunComparison") -> Text:
    same = found.same_signals and found.same_trades
    if found.reproduced is False:
        what = "trades" if found.same_signals else "signals and trades"
        return Text(
            f"DIFFERENT: play, data and settings are the same, the {what} are not", style=f"bold {LOSS}"
        )
    if same:
        return Text("the same signals and trades", style="bold")
    signals = "the same signals, other trades" if found.same_signals else "other signals, other trades"
    return Text(signals if not found.same_trades else "other signals, the same trades", style="bold")


def _figures(found: "RunComparison") -> Table:
    pairs = {pair.name: pair for pair in found.figures}
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("", "A", "B", "B - A"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for group in SHEET:
        table.add_row(Text(group.title, style="bold"), "", "", "")
        for line in group.lines:
            pair = pairs[line.name]
            texts = (write_figure(line, pair.a), write_figure(line, pair.b))
            table.add_row(f"  {line.label}", *texts, change_of(line, pair.change))
    return table


def change_of(line: "FigureLine", change: float | None) -> Text:
    """Write a difference, coloured where more is better or worse."""
    if change is None or change == 0:
        return Text("=" if change == 0 else "", style=DIM)
    text = write_figure(line, change)
    text = text if text.startswith(("+", "-")) else f"{'+' if change > 0 else '-'}{text.lstrip('-')}"
    style = "" if line.rises is None else GAIN if (change > 0) is line.rises else LOSS
    return Text(text, style=style)


def _months(found: "RunComparison") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("month", "A", "B", "B - A"):
        table.add_column(name, justify="left" if name == "month" else "right")
    for month in found.months:
        a, b = ("" if each is None else formats.percent(each) for each in (month.a, month.b))
        both = month.a is not None and month.b is not None
        change = formats.percent((month.b or 0.0) - (month.a or 0.0)) if both else ""
        table.add_row(month.month, a, b, change)
    return table
