"""Draws frames on the desk: which panes to paint, how many rows they want, what the screen costs."""

import gc

from engine.api import Snapshot
from tui.governor import Governor
from tui.panes.health import HealthPane, TerminalLoad
from tui.panes.pane import Frame
from tui.widgets.desk import Desk


class Painter:
    """Paints what changed; remembers the most rows each pane wanted, so that the layout does not jump."""

    def __init__(self, governor: Governor) -> None:
        self._governor = governor
        self._wanted: dict[str, int] = {}

    def paint(self, desk: Desk, frame: Frame, *, force: bool = False) -> None:
        """Draw a frame on every row and pane that is shown."""
        self._show_load(desk)
        desk.drawn = frame.snapshot
        if frame.snapshot is not None:
            self._make_room(desk, frame.snapshot)
        for row in desk.rows:
            if row.size.height:
                row.paint(frame)
        for pane in desk.shown():
            pane.paint(frame, force=force)

    def _show_load(self, desk: Desk) -> None:
        pane = desk.panes["health"]
        assert isinstance(pane, HealthPane)
        governor = self._governor
        pane.load = TerminalLoad(
            round(governor.bytes_per_s(), -3),
            governor.rate,
            governor.budget,
            governor.throttled,
            governor.skipped,
        )

    def _make_room(self, desk: Desk, snapshot: Snapshot) -> None:
        for name, pane in desk.panes.items():
            rows = pane.wanted_rows(snapshot)
            if rows:
                self._wanted[name] = max(rows, self._wanted.get(name, 0))
        desk.want(self._wanted)


def settle_memory() -> None:
    """Collect once, early, and take what start-up made out of all later collections (44 ms a full one).

    Whoever switched collection off to start faster has it on again from here.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
