"""The order-book ladder of the selected symbol, with our own orders in it."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import accumulate

import msgspec

from engine.api import BookView, BookWish, Depth, OrderRow, Side, Snapshot, TickRow
from tui.feedwords import STALE_AFTER_S
from tui.formats import NS_PER_S, age, percent, price, quantity, spread_bps, wrapped
from tui.panes.absence import no_book
from tui.panes.asking import AskingPane
from tui.panes.content import Content, Frame
from tui.widgets.cells import Cell, Column, Row, fit_table

COLUMNS = (
    Column("OURS", 14, keep=90),
    Column("BID", 9, keep=95, number=True, point=True),
    Column("PRICE", 11, keep=99, number=True, point=True),
    Column("ASK", 9, keep=95, number=True, point=True),
    Column("SUM", 9, keep=60, number=True, point=True),
    Column("DEPTH", 6, keep=50, flex=True, flex_max=60),  # a longer bar is no easier to compare
)
LEVELS_MAX, AWAY_MAX = 50, 3


class Rung(msgspec.Struct, frozen=True):
    """A level of the ladder; a quantity of None is not known."""

    side: Side
    price: float
    qty: float | None
    total: float  # from the best price to here


class BookPane(AskingPane):
    """Offers on top, bids below, the best of both in the middle."""

    number = 10
    name_id = "book"
    title = "Book"
    selectable = False
    of_symbol = True

    def wish(self) -> BookWish:
        """As many levels as there is room for."""
        return BookWish(self.symbol, levels=max(1, min(LEVELS_MAX, self._room() // 2)))

    def _room(self) -> int:
        """Return how many levels fit, both sides together: not counted are frame, header and middle."""
        return self.size.height - (2 if self.slot.framed else 1) - 2

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """The book, our orders, and the best bid and offer."""
        return *super().sections(snapshot), snapshot.orders, snapshot.ticks

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row a level."""
        view = self.reply.sight if self.reply is not None else None
        tick = next((row for row in snapshot.ticks if row.symbol == self.symbol), None)
        if not isinstance(view, BookView) or view.symbol != self.symbol or tick is None:
            return Content((), empty=self.waits(f"the book of {self.symbol or 'the first symbol'}"))
        depth = view.depth or _best(tick)
        if depth is None:
            return Content((), empty=no_book(self.symbol, frame))
        ours = [order for order in snapshot.orders if order.symbol == self.symbol and order.state.is_open]
        said = wrapped(view.text, max(10, width)) if view.text else []
        spare = self._room() - len(said) - min(len(ours), AWAY_MAX + 1)
        shown = _nearest(depth, max(1, spare // 2))
        notes = (*_away(ours, shown, tick), *(((line, "muted"),) for line in said))
        notes = notes[: max(0, self._room() - 2)]  # never in place of the best bid or offer
        age_s = max(0, snapshot.status.now - tick.ts) / NS_PER_S
        header, rows = _ladder(shown, ours, tick, width)
        return Content(
            rows,
            header=header,
            summary=notes,
            age_s=age_s,
            stopped=f"stopped {age(age_s)} ago" if age_s > STALE_AFTER_S else self.unanswered,
            title_note=self.symbol,
            title_hint=self.symbol_hint(snapshot, frame),
        )


def _best(tick: TickRow) -> Depth | None:
    """Return the best bid and offer as a book of one level, quantities unknown; None without them."""
    if tick.bid <= 0 or tick.ask <= 0:
        return None
    return Depth(((tick.bid, 0.0),), ((tick.ask, 0.0),))


def _nearest(depth: Depth, levels: int) -> Depth:
    """Leave out levels that there is no room for."""
    return Depth(depth.bids[:levels], depth.asks[:levels])


def _ladder(depth: Depth, ours: Sequence[OrderRow], tick: TickRow, width: int) -> tuple[Row, tuple[Row, ...]]:
    asks, bids = _rungs(Side.SELL, depth.asks), _rungs(Side.BUY, depth.bids)
    ladder = (*reversed(asks), *bids)
    table = [_values(rung, ours, tick) for rung in ladder]
    fitted = fit_table(COLUMNS, width, table)
    deepest = max((rung.total for rung in ladder), default=0.0)
    room = fitted.width_of("DEPTH")
    for values, rung in zip(table, ladder, strict=True):
        bar = round(room * rung.total / deepest) if deepest else 0
        values[-1] = ("█" * bar, "buy" if rung.side is Side.BUY else "sell")
    rows = list(fitted.rows(table))
    rows.insert(len(asks), _middle(depth, tick))
    return fitted.header(), tuple(rows)


def _rungs(side: Side, levels: Sequence[tuple[float, float]]) -> list[Rung]:
    totals = accumulate(qty for _, qty in levels)
    return [Rung(side, at, qty or None, total) for (at, qty), total in zip(levels, totals, strict=True)]


def _middle(depth: Depth, tick: TickRow) -> Row:
    bid = depth.bids[0][0] if depth.bids else 0.0
    ask = depth.asks[0][0] if depth.asks else 0.0
    wide = price(ask - bid, tick.price_digits) if bid and ask else "-"
    last = price(tick.price, tick.price_digits)
    return ((f"last {last}", "text*"), (f"  spread {wide}, {spread_bps(bid, ask)} bps", "muted"))


def _values(rung: Rung, ours: Iterable[OrderRow], tick: TickRow) -> list[Cell]:
    buys = rung.side is Side.BUY
    style = "buy" if buys else "sell"
    qty = "-" if rung.qty is None else quantity(_rounded(rung.qty))
    own = [order for order in ours if order.price is not None and float(order.price) == rung.price]
    return [
        _own(own),
        (qty if buys else "", style),
        (price(rung.price, tick.price_digits), f"{style}*" if own else "text"),
        ("" if buys else qty, style),
        (quantity(_rounded(rung.total)) if rung.total else "-", "muted"),
        ("", style),  # the bar, once it is known how much room there is for it
    ]


def _rounded(value: float) -> Decimal:
    """Leave out what floats add behind six digits."""
    return Decimal(f"{value:.6g}") if value < 1_000_000 else Decimal(f"{value:.0f}")


def _own(orders: Sequence[OrderRow]) -> Cell:
    """Say what of ours rests at a level."""
    if not orders:
        return "", "text"
    first = orders[0]
    more = f" +{len(orders) - 1}" if len(orders) > 1 else ""
    left = quantity(first.qty - first.filled_qty)
    style = "buy*" if first.side is Side.BUY else "sell*"
    return f"▶{first.side.value.upper()} {left}{more}", style


def _away(ours: Sequence[OrderRow], depth: Depth, tick: TickRow) -> list[Row]:
    """Name those of our orders that rest outside of what is shown."""
    shown = {at for at, _ in (*depth.bids, *depth.asks)}
    away = [(order, order.price) for order in ours if order.price is not None]
    away = [(order, at) for order, at in away if float(at) not in shown]
    rows: list[Row] = []
    for order, at in away[:AWAY_MAX]:
        far = float(at) / tick.price - 1.0 if tick.price else 0.0
        said = f"ours {order.side.value.upper()} {order.role.value} {quantity(order.qty - order.filled_qty)}"
        told = f"{said} at {price(at, tick.price_digits)} ({percent(far)} away)"
        rows.append(((told, "buy" if order.side is Side.BUY else "sell"),))
    if len(away) > AWAY_MAX:
        rows.append(((f"and {len(away) - AWAY_MAX} more of ours outside of what is shown", "muted"),))
    return rows
