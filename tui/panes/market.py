"""Ticks: the last price of every symbol, its day, its spread and its recent path."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from engine.api import Snapshot, TickRow
from tui.feedwords import STALE_AFTER_S
from tui.formats import (
    DOWN,
    LEVEL,
    NS_PER_S,
    UP,
    age_between,
    percent,
    price,
    quantity,
    signed,
    sparkline,
    spread_bps,
)
from tui.panes.pane import Content, Frame, Pane
from tui.theme import Palette
from tui.widgets.cells import Cell, Column, fit_table

PLAIN = (
    Column("SYMBOL", 10, keep=99),
    Column("LAST", 14, keep=98, number=True, point=True),
    Column("DAY", 8, keep=90, number=True, point=True),
    Column("BID", 10, keep=60, number=True, point=True),
    Column("ASK", 10, keep=60, number=True, point=True),
    Column("BPS", 5, keep=70, number=True, point=True),
    Column("TREND", 8, keep=65, flex=True, flex_max=60),  # as many values as a history has
    Column("AGE", 4, keep=80, number=True),
)
MERGED = (
    *PLAIN[:-1],
    Column("POS", 9, keep=92, number=True, point=True),
    Column("P&L", 10, keep=93, number=True, point=True),
    PLAIN[-1],
)
TREND = next(index for index, column in enumerate(PLAIN) if column.flex)


class MarketPane(Pane):
    """One row a symbol; on narrow screens with our position in it."""

    number = 1
    name_id = "market"
    title = "Market"
    holds = True  # the chart and the book show the selected symbol

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._seen: dict[str, tuple[float, str, str]] = {}  # price, glyph and style of the last move

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Ticks and feeds; positions where they are merged in."""
        return snapshot.ticks, snapshot.feeds, snapshot.positions if self.merged else ()

    def wanted_rows(self, snapshot: Snapshot) -> int:
        """One row a symbol, a header and the frame."""
        return len(snapshot.ticks) + 3

    def identity(self, item: TickRow) -> str:
        """A symbol."""
        return item.symbol

    def choose(self, step: int) -> str:
        """Select another symbol, whether the pane was ever drawn or not; return it, empty without any."""
        self.move(step)
        tick = self.pointed
        return tick.symbol if isinstance(tick, TickRow) else ""

    def symbol_of(self, snapshot: Snapshot) -> str:
        """Return the symbol that is selected; empty before there is any."""
        self.selection.take(snapshot.ticks, len(snapshot.ticks), held=True)
        return self.choose(0)

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row a symbol."""
        columns: tuple[Column, ...] = MERGED if self.merged else PLAIN
        columns = columns if frame.sparklines else _untitled(columns, "TREND")
        now = snapshot.status.now
        held = _held(snapshot) if self.merged else {}
        table = [self._values(tick, now, held) for tick in snapshot.ticks]
        fitted = fit_table(columns, width, table)
        if frame.sparklines:
            for values, tick in zip(table, snapshot.ticks, strict=True):
                values[TREND] = (sparkline(tick.history, fitted.width_of("TREND")), _trend_style(tick))
        rows = fitted.rows(table)
        newest = max((tick.ts for tick in snapshot.ticks), default=0)
        return Content(
            rows,
            header=fitted.header(),
            items=snapshot.ticks,
            age_s=max(0, now - newest) / NS_PER_S if newest else None,
            stopped=_stopped(snapshot, newest),
            empty=(
                "Waiting for the first tick of the feed.",
                *_feed_words(snapshot),
                f"{frame.key('pane-8')} tells how the feed is.",
            ),
        )

    def _values(self, tick: TickRow, now: int, held: Mapping[str, tuple[Decimal, Decimal]]) -> list[Cell]:
        glyph, style = self._move(tick)
        day = "buy" if tick.change > 0 else "sell" if tick.change < 0 else "muted"
        stale = now - tick.ts > STALE_AFTER_S * NS_PER_S
        values: list[Cell] = [
            (tick.symbol, "text*"),
            (f"{glyph} {price(tick.price, tick.price_digits)}", style),
            (percent(tick.change), day),
            (price(tick.bid, tick.price_digits) if tick.bid > 0 else "-", "text"),
            (price(tick.ask, tick.price_digits) if tick.ask > 0 else "-", "text"),
            (spread_bps(tick.bid, tick.ask), "muted"),
            ("", "text"),  # the trend, once it is known how much room there is for it
        ]
        if self.merged:
            values += _position_cells(held.get(tick.symbol))
        return [*values, (age_between(now, tick.ts), "stale*" if stale else "muted")]

    def _move(self, tick: TickRow) -> tuple[str, str]:
        before = self._seen.get(tick.symbol)
        if before is None or tick.price == before[0]:
            glyph, style = (before[1], before[2]) if before else (LEVEL, "text*")
        else:
            glyph, style = (UP, "buy*") if tick.price > before[0] else (DOWN, "sell*")
        self._seen[tick.symbol] = (tick.price, glyph, style)
        return glyph, style


def _untitled(columns: tuple[Column, ...], title: str) -> tuple[Column, ...]:
    """Return columns of which one stands for nothing but the room it leaves."""
    return tuple(replace(column, title="") if column.title == title else column for column in columns)


def _trend_style(tick: TickRow) -> str:
    rising = bool(tick.history) and tick.price >= tick.history[0]
    return "buy" if rising else "sell"


def _held(snapshot: Snapshot) -> dict[str, tuple[Decimal, Decimal]]:
    held: dict[str, tuple[Decimal, Decimal]] = {}
    for row in snapshot.positions:
        if row.qty:
            qty, gain = held.get(row.symbol, (Decimal(0), Decimal(0)))
            held[row.symbol] = (qty + row.qty, gain + row.unrealized)
    return held


def _position_cells(position: tuple[Decimal, Decimal] | None) -> list[Cell]:
    if position is None:
        return [("flat", "muted"), ("-", "muted")]
    qty, gain = position
    side = "buy" if qty > 0 else "sell"
    return [(f"{'+' if qty > 0 else ''}{quantity(qty)}", side), (signed(gain), gain_style(gain))]


def gain_style(value: Decimal) -> str:
    """Return the style of a gain, a loss or nothing."""
    return "ok" if value > 0 else "danger" if value < 0 else "muted"


def _stopped(snapshot: Snapshot, newest: int) -> str:
    if snapshot.status.data_ended:
        return "the data ended"
    silent_ns = snapshot.status.now - newest
    if newest and silent_ns > STALE_AFTER_S * NS_PER_S:
        return f"stopped {age_between(snapshot.status.now, newest)} ago"
    return ""


def _feed_words(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(f"feed {feed.name}: {feed.state} {feed.text}".rstrip() for feed in snapshot.feeds)
