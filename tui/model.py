"""What `trader-tui model` does: a training with its progress and report, and a look into a model."""

import sys
from typing import TYPE_CHECKING, Any, Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from engine.api import ConfigError, check_model, train_model
from tui import model_report

if TYPE_CHECKING:
    from engine.api import Settings
    from tui.offline import Span


class Steps:
    """Shows steps one after the other as bars on a terminal's stderr, and nothing elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        shown = console or Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)
        self._tasks: dict[str, TaskID] = {}

    def tell(self, what: str, part: float) -> None:
        """Show how much of a step is done, 0 to 1."""
        if what not in self._tasks:
            for task in self._tasks.values():
                self._progress.update(task, completed=1.0)
            self._tasks[what] = self._progress.add_task(what, total=1.0)
        self._progress.update(self._tasks[what], completed=part)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def train(settings: "Settings", span: "Span", *, as_json: bool, **wish: Any) -> int:
    """Train a model and print how good it is."""
    if not settings.data:
        raise ConfigError("a training needs a file of market data: give --data FILE")
    with Steps() as steps:
        report = train_model(settings, steps.tell, since=span.since, until=span.until, **wish)
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        model_report.show_training(Console(highlight=False), report)
    return 0


def check(settings: "Settings", span: "Span", *, as_json: bool) -> int:
    """Print what a model is, and how good it was on data."""
    with Steps() as steps:
        report = check_model(settings, steps.tell, since=span.since, until=span.until)
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        model_report.show_model(Console(highlight=False), report)
    return 0
