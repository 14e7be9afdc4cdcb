"""What `trader-tui backtest` does: a run with its progress, its report, and two kept runs side by side."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from engine.api import TraderError, compare_backtests, keep_evidence, run_backtest
from tui import backtest_report, comparison
from tui.offline import DIFFERENT, warn
from tui.progress import RunProgress

if TYPE_CHECKING:
    from engine.api import Settings
    from tui.offline import Span


def run(settings: "Settings", span: "Span", *, out: Path | None, as_json: bool) -> int:
    """Run a backtest, keep it where that was asked, and print its report."""
    with RunProgress() as progress:
        study = run_backtest(
            settings, since=span.since, until=span.until, out=out, begun=progress.begin, tell=warn
        )
    try:
        keep_evidence(settings, study)
    except TraderError as error:
        warn(f"not on record as evidence for `promote`: {error}")
    if as_json:
        sys.stdout.write(msgspec.json.encode(study.summary()).decode() + "\n")
    else:
        backtest_report.show(Console(highlight=False), study, out)
    return 0


def compare(a: Path, b: Path, *, as_json: bool) -> int:
    """Print how two kept runs differ."""
    found = compare_backtests(a, b)
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        comparison.show(Console(highlight=False), found)
    return DIFFERENT if found.reproduced is False else 0
