"""What `trader-tui bench` does: tries promises of the program and prints what came of it, pair by pair."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.api import ParityVerdict, ParityWish, bench_parity
from tui import formats
from tui.offline import DIFFERENT

if TYPE_CHECKING:
    from engine.api import FirstDifference, ParityOutcome, ParityReport

PROGRAM = (sys.executable, "-P", "-m", "tui")
STYLES = {
    ParityVerdict.IDENTICAL: "green",
    ParityVerdict.DIFFERENT: "bold red",
    ParityVerdict.UNPROVEN: "bold yellow",
    ParityVerdict.UNFIT: "dim",
}
HASH_CELLS = 12


def parity(
    folder: Path,
    *,
    plays: tuple[str, ...],
    files: tuple[str, ...],
    rows: int | None,
    jobs: int,
    as_json: bool,
) -> int:
    """Try every pair of play and file, printing each as it is done."""
    console = Console(highlight=False, soft_wrap=True)
    wish = ParityWish(folder=folder, plays=plays, files=files, rows=rows, jobs=jobs)
    report = bench_parity(wish, PROGRAM, (lambda _outcome: None) if as_json else lambda o: show(console, o))
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        console.print(Text("\n".join(summary(report))))
    return 0 if report.proven else DIFFERENT


def show(console: Console, outcome: "ParityOutcome") -> None:
    """Print one pair, and where its runs part if they do."""
    word = (f"{outcome.verdict:<10}", STYLES[outcome.verdict])
    pair = f"{outcome.play:<20}  {outcome.data}"
    facts = [outcome.text] if outcome.text else []
    if outcome.trade_hash:
        facts.append(
            f"{formats.count(outcome.bars)} bars, {formats.count(outcome.signals)} signals,"
            f" {formats.count(outcome.trades)} trades;"
            f" {outcome.signal_hash[:HASH_CELLS]} {outcome.trade_hash[:HASH_CELLS]}"
        )
    console.print(Text.assemble(word, "  ", pair, ": ", formats.clean("; ".join(facts))))
    if outcome.difference is not None:
        show_difference(console, outcome.difference)


def show_difference(console: Console, found: "FirstDifference") -> None:
    """Print the first bar that differs, with both states; what is not the same is marked."""
    console.print(Text(f"  the first bar that differs closes at {found.at}: {found.bar}"))
    if found.text:
        console.print(Text(f"  {found.text}"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in (" ", "", "backtest", "replay"):
        table.add_column(name, overflow="fold")
    for row in found.rows:
        style = "" if row.same else "bold red"
        table.add_row(" " if row.same else "!", row.name, row.backtest, row.replay, style=style)
    console.print(table, soft_wrap=False)


def summary(report: "ParityReport") -> list[str]:
    """Write what came of all pairs."""
    counts = Counter(outcome.verdict for outcome in report.outcomes)
    parts = [f"{formats.count(counts[verdict])} {verdict}" for verdict in ParityVerdict if counts[verdict]]
    lines = ["", f"pairs: {', '.join(parts)}"]
    if report.skipped:
        lines.append(f"neither bars nor trades: {', '.join(map(formats.clean, report.skipped))}")
    if report.idle:
        lines.append(f"NOTHING WAS TRADED with {', '.join(map(formats.clean, report.idle))}")
    return lines
