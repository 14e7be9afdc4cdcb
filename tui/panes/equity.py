"""Equity over time, with the fall from its peak."""

from collections.abc import Sequence
from itertools import accumulate

from engine.api import Curve, EquityPoint, EquityWish, Snapshot
from tui.chart import braille
from tui.formats import NS_PER_S, moment, money, percent, signed
from tui.panes.absence import no_curve
from tui.panes.asking import AskingPane
from tui.panes.content import Content, Frame
from tui.panes.market import gain_style
from tui.plot import Canvas, Scale, plot_values
from tui.widgets.cells import Row

ROWS_MIN = 2
FALL_ROWS = 3  # of the drawdown, where there is room for it
TALL = 12


class EquityPane(AskingPane):
    """A line of equity and, in high panes, one of the drawdown under it."""

    number = 12
    name_id = "equity"
    title = "Equity"
    selectable = False

    def wish(self) -> EquityWish:
        """The whole curve: it has few points."""
        return EquityWish()

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """The curve and the account."""
        return *super().sections(snapshot), snapshot.account

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Draw the curve in the size that there is."""
        curve = self.reply.sight if self.reply is not None else None
        if not isinstance(curve, Curve):
            return Content((), empty=self.waits("the equity curve"))
        points = curve.points
        if len(points) < 2:
            return Content((), empty=no_curve(frame))
        room = self.size.height - (2 if self.slot.framed else 1)
        return Content(
            (*_heads(snapshot, points), *_drawn(points, width, room - 3, plain=frame.plain_glyphs)),
            age_s=max(0, snapshot.status.now - points[-1].ts) / NS_PER_S,
            stopped=self.unanswered,
            title_note=f"since {moment(points[0].ts, snapshot.status.now)} UTC",
        )


def falls(points: Sequence[EquityPoint]) -> list[float]:
    """Return how far under its peak so far equity fell in each interval, as a ratio of the peak."""
    peaks = accumulate((point.high for point in points), max)
    return [1.0 - point.low / peak if peak > 0 else 0.0 for point, peak in zip(points, peaks, strict=True)]


def _heads(snapshot: Snapshot, points: Sequence[EquityPoint]) -> tuple[Row, ...]:
    account = snapshot.account
    made = account.equity - account.start_equity
    ratio = float(made / account.start_equity) if account.start_equity else 0.0
    first: Row = (
        ("equity ", "muted"),
        (f"{money(account.equity)} {account.currency}", "text*"),
        (f"  {signed(made)} ({percent(ratio)}) since the books began", gain_style(made)),
    )
    second: Row = (
        ("drawdown now ", "muted"),
        (percent(account.drawdown).lstrip("+"), "text*"),
        ("  deepest shown ", "muted"),
        (percent(max(falls(points))).lstrip("+"), "text"),
    )
    return first, second


def _drawn(points: Sequence[EquityPoint], width: int, rows: int, *, plain: bool) -> tuple[Row, ...]:
    if rows < ROWS_MIN:
        return ()
    values = [point.last for point in points]
    axis = max(len(money(max(values))), len(money(min(values)))) + 1
    columns = max(2, width - axis)
    below = FALL_ROWS if rows >= TALL else 0
    lines = _labelled(_line(values, columns, rows - below, plain=plain), max(values), min(values), columns)
    if not below:
        return tuple(lines)
    deep = falls(points)
    under = _line([-value for value in deep], columns, below - 1, plain=plain)
    title: Row = (("fall from the peak, 0 on top".ljust(columns), "muted"),)
    return *lines, title, *_fallen(under, max(deep), columns)


def _labelled(lines: Sequence[str], high: float, low: float, columns: int) -> list[Row]:
    """Write the highest and the lowest value behind the first and the last row."""
    labels = {0: money(high), len(lines) - 1: money(low)}
    return [
        ((line.ljust(columns), "accent"), (f" {labels.get(index, '')}", "muted"))
        for index, line in enumerate(lines)
    ]


def _fallen(lines: Sequence[str], deepest: float, columns: int) -> list[Row]:
    told = percent(-deepest)
    last = len(lines) - 1
    return [
        ((line.ljust(columns), "danger"), (f" {told if index == last else ''}", "muted"))
        for index, line in enumerate(lines)
    ]


def _line(values: Sequence[float], columns: int, rows: int, *, plain: bool) -> list[str]:
    """Draw values over all columns, in braille or in ASCII."""
    wide = _spread(values, columns if plain else 2 * columns)
    if not plain:
        return braille(wide, rows)
    canvas = Canvas(columns, rows)
    plot_values(canvas, wide, Scale(min(wide), max(wide), rows), "*", "text")
    return ["".join(text for text, _ in canvas.row(y)).rstrip() for y in range(rows)]


def _spread(values: Sequence[float], columns: int) -> list[float]:
    """Stretch or thin values to so many columns; the last one stays the last."""
    last = len(values) - 1
    return [values[round(index * last / max(1, columns - 1))] for index in range(columns)]
