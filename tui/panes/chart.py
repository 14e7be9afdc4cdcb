"""The chart: closed bars of the selected symbol, what its play computes from them, and where we traded."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from functools import partial

import msgspec

from engine.api import Chart, ChartPoint, ChartWish, FillMark, PositionRow, Series, Side, Snapshot, TickRow
from tui.formats import (
    DOWN,
    NS_PER_S,
    UP,
    date,
    duration,
    moment,
    percent,
    price,
    significant,
    sparkline,
)
from tui.panes.asking import AskingPane
from tui.panes.content import Content, Frame
from tui.plot import Canvas, Scale, draw_candles, draw_line, plot_values, scale_of
from tui.theme import Palette
from tui.widgets.cells import Cell, Row

BOTH = "◆"  # bought and sold within one cell
OVERLAYS = ("·", "+", "x", "*")  # a glyph of its own for each indicator on the price
OVERLAY_STYLES = ("accent", "warn", "focus", "muted")
BARS_MAX, MARGIN = 600, 3  # columns of the axis beside its longest price, and one for the bar under way
COLUMNS_MIN = 40  # so that there is room for the names of levels before there are many bars
ROWS_MIN, BELOW_MAX = 3, 3
DATED_NS = 20 * 86_400 * NS_PER_S  # a chart of more days has dates under it, no times
LATE = 3  # bar lengths after which a chart's last bar is old


class Level(msgspec.Struct, frozen=True):
    """A price that is drawn across."""

    name: str
    price: float
    style: str


class ChartPane(AskingPane):
    """Candles with the indicators that belong over the price; the others under them as lines."""

    number = 9
    name_id = "chart"
    title = "Chart"
    selectable = False
    of_symbol = True

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._plays: dict[str, str] = {}  # the one chosen, by symbol

    def wish(self) -> ChartWish:
        """As many bars as there are columns, with the indicators of the play that was chosen."""
        bars = max(10, min(BARS_MAX, self.size.width - 12))
        return ChartWish(self.symbol, self._plays.get(self.symbol, ""), bars)

    def choose_play(self, step: int) -> str:
        """Go to another play of the symbol; return its name, empty where there is no other."""
        chart = self._chart()
        if chart is None or len(chart.plays) < 2:
            return ""
        before = self._plays.get(self.symbol, chart.play)
        index = chart.plays.index(before) if before in chart.plays else 0
        chosen = chart.plays[(index + step) % len(chart.plays)]
        self._plays[self.symbol] = chosen
        return chosen

    def _chart(self) -> Chart | None:
        """Return the chart of the symbol, once there is one."""
        chart = self.reply.sight if self.reply is not None else None
        return chart if isinstance(chart, Chart) and chart.symbol == self.symbol else None

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """The chart, the last price, and the position's levels."""
        levels = tuple(_levels(snapshot, self.symbol))
        tick = _tick(snapshot, self.symbol)
        return *super().sections(snapshot), tick.price if tick else 0.0, levels

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Draw the chart in the size that there is."""
        chart, tick = self._chart(), _tick(snapshot, self.symbol)
        if chart is None or tick is None:
            return Content((), empty=self.waits(f"the bars of {self.symbol or 'the first symbol'}"))
        room = self.size.height - (2 if self.slot.framed else 1)
        levels = tuple(_levels(snapshot, self.symbol))
        age_s = max(0, snapshot.status.now - chart.bars[-1].ts) / NS_PER_S
        late = age_s > LATE * chart.step_ns / NS_PER_S
        return Content(
            _rows(Scene(chart, tick, levels, frame.plain_glyphs), width, room, frame),
            age_s=age_s,
            stopped=f"last bar {duration(age_s)} ago" if late else self.unanswered,
            title_note=_title(chart),
            title_hint=self._hint(chart, snapshot, frame),
        )

    def _hint(self, chart: Chart, snapshot: Snapshot, frame: Frame) -> str:
        play = f"{frame.key('next-play')} next play" if len(chart.plays) > 1 else ""
        return ", ".join(filter(None, (self.symbol_hint(snapshot, frame), play)))


def _title(chart: Chart) -> str:
    """Say what is shown, and which of how many plays."""
    many = len(chart.plays)
    which = f" {chart.plays.index(chart.play) + 1}/{many}" if many > 1 and chart.play in chart.plays else ""
    return f"{chart.symbol} {step_words(chart.step_ns)} {chart.play}{which}".strip()


def step_words(step_ns: int) -> str:
    """Write the length of bars as traders do: `5s`, `1m`, `4h`, `1d`."""
    seconds = step_ns // NS_PER_S
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size and not seconds % size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else "prints"


def _tick(snapshot: Snapshot, symbol: str) -> TickRow | None:
    return next((row for row in snapshot.ticks if row.symbol == symbol), None)


def _levels(snapshot: Snapshot, symbol: str) -> list[Level]:
    """Return entry, stop and target of the positions in a symbol."""
    found: list[Level] = []
    for row in snapshot.positions:
        if row.symbol == symbol and row.qty:
            found += _of_position(row)
    return found


def _of_position(row: PositionRow) -> list[Level]:
    named: tuple[tuple[str, Decimal | None, str], ...] = (
        ("target", row.target_price, "ok"),
        ("entry", row.entry_price, "muted"),
        ("stop", row.stop_price, "danger"),
    )
    return [Level(name, float(at), style) for name, at, style in named if at is not None]


class Scene(msgspec.Struct, frozen=True):
    """What one drawing of a chart shows."""

    chart: Chart
    tick: TickRow
    levels: tuple[Level, ...]
    plain: bool

    @property
    def over(self) -> list[Series]:
        """The indicators that are drawn over the price."""
        return [series for series in self.chart.series if series.on_price][: len(OVERLAYS)]

    def write(self, value: float) -> str:
        """Write a price of the chart's symbol."""
        return price(value, self.tick.price_digits)


def _rows(scene: Scene, width: int, room: int, frame: Frame) -> tuple[Row, ...]:
    under = [series for series in scene.chart.series if not series.on_price]
    below = [_below(series, width, frame) for series in under[:BELOW_MAX]]
    while below and room - 2 - len(below) < ROWS_MIN:
        below.pop()
    rows = room - 2 - len(below)
    hidden = len(scene.chart.series) - len(scene.over) - len(below)
    if rows < ROWS_MIN:
        return (_head(scene, scene.chart.bars, None, hidden), *below)
    bars = scene.chart.bars
    axis = max(len(scene.write(at)) for at in (scene.tick.price, *_ends(bars))) + 1
    columns = max(2, min(width - axis - 1, max(COLUMNS_MIN, len(bars) + 1)))  # the axis beside the last bar
    bars = bars[1 - columns :]
    canvas = Canvas(columns, rows)
    scale = _draw(scene, bars, canvas)
    lines = [(*canvas.row(y), ("│", "border"), _axis_mark(scene, scale, y, axis)) for y in range(rows)]
    return (_head(scene, bars, scale, hidden), *lines, _times(bars), *below)


def _ends(bars: Sequence[ChartPoint]) -> tuple[float, float]:
    return min(bar.low for bar in bars), max(bar.high for bar in bars)


def _draw(scene: Scene, bars: Sequence[ChartPoint], canvas: Canvas) -> Scale:
    """Draw what lies under first: levels, indicators, candles, fills."""
    at = [scene.tick.price, *(level.price for level in scene.levels)]
    scale = scale_of(bars, at, canvas.rows)
    for level in scene.levels:
        if scale.holds(level.price):
            draw_line(canvas, scale.row(level.price), level.style)
    for series, glyph, style in zip(scene.over, OVERLAYS, OVERLAY_STYLES, strict=False):
        plot_values(canvas, series.values[-len(bars) :], scale, glyph, style)
    draw_candles(canvas, bars, scale, plain=scene.plain)
    _mark(canvas, scale, bars, [f for f in scene.chart.fills if f.ts > bars[0].ts - scene.chart.step_ns])
    for level in scene.levels:  # a name that a candle covers names nothing
        if scale.holds(level.price):
            canvas.write(0, scale.row(level.price), f"{level.name} ", level.style)
    return scale


def _mark(canvas: Canvas, scale: Scale, bars: Sequence[ChartPoint], fills: Sequence[FillMark]) -> None:
    """Mark fills in the columns of their bars; the column after the last bar is that of the one under way."""
    ends = [bar.ts for bar in bars]
    sides: dict[tuple[int, int], set[Side]] = {}
    for fill in fills:
        x = bisect_left(ends, fill.ts)
        sides.setdefault((x, scale.row(float(fill.price))), set()).add(fill.side)
    for (x, y), found in sides.items():
        if len(found) > 1:
            canvas.put(x, y, BOTH, "text!")
        else:
            canvas.put(x, y, *((UP, "buy!") if Side.BUY in found else (DOWN, "sell!")))


def _head(scene: Scene, bars: Sequence[ChartPoint], scale: Scale | None, hidden: int) -> Row:
    """Name the last price, the levels that are not drawn, and each indicator on the price with its value."""
    chart, tick = scene.chart, scene.tick
    first = bars[0].open
    change = tick.price / first - 1.0 if first else 0.0
    style = "buy*" if change > 0 else "sell*" if change < 0 else "text*"
    cells: list[Cell] = [(f"{scene.write(tick.price)} {percent(change)} in view", style)]
    away = [level for level in scene.levels if scale is None or not scale.holds(level.price)]
    cells += [(f"  {level.name} {scene.write(level.price)}", level.style) for level in away]
    for series, glyph, shade in zip(scene.over, OVERLAYS, OVERLAY_STYLES, strict=False):
        value = series.values[-1]
        cells.append((f"  {glyph} {series.name} {'-' if value is None else scene.write(value)}", shade))
    if hidden:
        cells.append((f"  {hidden} more not shown", "warn"))
    if chart.fills:
        cells.append((f"  {UP} bought {DOWN} sold", "muted"))
    return tuple(cells)


def _axis_mark(scene: Scene, scale: Scale, y: int, axis: int) -> Cell:
    """Write the price of a row: of the last trade, of a level, or of the scale every few rows."""
    if y == scale.row(scene.tick.price):
        return f"◀{scene.write(scene.tick.price)}".rjust(axis), "text*"
    for level in scene.levels:
        if scale.holds(level.price) and scale.row(level.price) == y:
            return scene.write(level.price).rjust(axis), level.style
    shown = y % 4 == 0 or y == scale.rows - 1
    return (scene.write(scale.value(y)) if shown else "").rjust(axis), "muted"


def _times(bars: Sequence[ChartPoint]) -> Row:
    """Write the times of the first and the last bar under them, and of one in the middle."""
    first, last = bars[0].ts, bars[-1].ts
    write = date if last - first > DATED_NS else partial(moment, now=last)
    text = write(first)
    middle = len(bars) // 2
    if middle > len(text) + 4 and len(bars) > middle + 14:
        text = text.ljust(middle - 4) + write(bars[middle].ts)
    end = write(last)
    if len(bars) > len(text) + len(end) + 1:
        text = text.ljust(len(bars) - len(end)) + end
    return ((f"{text} UTC", "muted"),)


def _below(series: Series, width: int, frame: Frame) -> Row:
    """Name an indicator with its value, and draw its way."""
    known = [value for value in series.values if value is not None]
    last = series.values[-1]
    told = f"{series.name} {'-' if last is None else significant(last)}  "
    room = max(0, width - len(told)) if frame.sparklines else 0
    return (told, "text"), (sparkline(known, min(room, len(known))), "accent")
