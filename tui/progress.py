"""A bar on a terminal's stderr for a run that lasts. It is drawn from a thread that looks on now and then."""

import threading
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tui import formats

PATIENCE_S = 1.0  # a run shorter than this shows nothing
LOOKS_A_SECOND = 4


class Underway(Protocol):
    """A run that can be asked how far it is, from another thread."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        ...

    def progress(self) -> float:
        """How much of them was seen, 0 to 1."""
        ...


class RunProgress:
    """Shows how far a run is, on a terminal only. The run itself does nothing for it."""

    def __init__(self, console: Console | None = None, *, patience_s: float = PATIENCE_S) -> None:
        self._console = console or Console(stderr=True)
        self._patience_s = patience_s
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, run: Underway) -> None:
        """Look on from now: the data is read."""
        if self._console.is_terminal:
            self._thread = threading.Thread(target=self._watch, args=(run,), name="progress", daemon=True)
            self._thread.start()

    def _watch(self, run: Underway) -> None:
        if self._over.wait(self._patience_s):
            return
        columns = (
            TextColumn("backtest"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%  of {task.fields[rows]} rows"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, transient=True, auto_refresh=False) as progress:
            task = progress.add_task("", total=1.0, rows=formats.count(run.rows))
            while not self._over.wait(1 / LOOKS_A_SECOND):
                progress.update(task, completed=run.progress(), refresh=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
