"""The three rows around the panes: status, the sentence under it, and the keys."""

from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.actions import ACTIONS, footer_title, key_name
from tui.formats import left
from tui.openrisk import risk_row
from tui.panes.pane import Frame
from tui.status import attention_row, is_urgent, status_row
from tui.widgets.cells import Line, Row
from tui.widgets.painted import Painted


class StatusRow(Painted):
    """Row 0, at every size."""

    def paint(self, frame: Frame) -> int:
        """Draw a frame; return how many rows changed."""
        return self.show([(status_row(frame, self.size.width), "panel")])


class AttentionRow(Painted):
    """The sentence to read now, and what is at risk; where there is one row only, the more urgent of both."""

    def paint(self, frame: Frame) -> int:
        """Draw a frame; return how many rows changed."""
        width = self.size.width
        told, risk = attention_row(frame, width), risk_row(frame, width)
        rows = [told, risk] if self.size.height > 1 else [told if is_urgent(frame) else risk or told]
        return self.show([(row, "background") for row in rows])


class FooterRow(Painted):
    """The keys that do something now; a click does what the key does."""

    def paint(self, frame: Frame) -> int:
        """Draw a frame; return how many rows changed."""
        return self.show([(footer_row(frame, self.size.width), "panel")])

    def _strip(self, line: Line, width: int) -> Strip:
        row, on = line
        segments = []
        for text, name in row:
            style, _, action = name.partition(":")
            look = self.palette.style(style, on)
            if action:
                look += Style.from_meta({"@click": f"app.act('{action}')"})
            segments.append(Segment(text, look))
        return Strip(segments).adjust_cell_length(width, self.palette.style("text", on))


def footer_row(frame: Frame, width: int) -> Row:
    """Return as many keys as fit, the most important first; cell names carry the action after a colon.

    While keys are no actions, it says what they are instead.
    """
    if frame.hint:
        return ((left(f" {frame.hint}", width), "text*"),)
    keys: Mapping[str, str] = dict(frame.keys)
    cells: list[tuple[str, str]] = []
    used = 0
    specs = sorted((spec for spec in ACTIONS if spec.footer), key=lambda spec: spec.footer)
    for spec in specs:
        title, key = footer_title(spec, frame.snapshot, read_only=frame.read_only), keys.get(spec.id, "")
        size = len(key) + len(title) + 4
        if not title or not key or used + size - 2 > width:  # the last one's blanks need no room
            continue
        cells += [(f" {key} ", f"accent*:{spec.id}"), (f"{title}  ", f"text:{spec.id}")]
        used += size
    return tuple(cells)


__all__ = ["AttentionRow", "FooterRow", "StatusRow", "footer_row", "key_name"]
