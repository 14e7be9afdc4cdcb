"""Orders: where each of ours is in its life; UNKNOWN is an alarm."""

from collections.abc import Mapping

from engine.api import REASONS, OrderRow, OrderState, Reason, Side, Snapshot
from tui.formats import age_between, price, quantity
from tui.panes.absence import entry_steps
from tui.panes.pane import Content, Frame, Pane
from tui.pricedigits import price_digits
from tui.widgets.cells import Cell, Column, fit_table

COLUMNS = (
    Column("STATE", 9, keep=99),
    Column("LIFE", 4, keep=55),
    Column("AGE", 5, keep=78, number=True),
    Column("SYMBOL", 9, keep=98),
    Column("SIDE", 4, keep=97),
    Column("FOR", 7, keep=80),
    Column("KIND", 6, keep=35),
    Column("QTY", 11, keep=96, number=True, point=True),
    Column("PRICE", 10, keep=85, number=True, point=True),
    Column("AVG", 10, keep=40, number=True, point=True),
    Column("NOTE", 8, keep=45, flex=True),
)

# A word of at most nine cells for each state, and its style.
STATES: dict[OrderState, tuple[str, str]] = {
    OrderState.PENDING: ("pending", "warn"),
    OrderState.SUBMITTED: ("sent", "warn"),
    OrderState.ACKNOWLEDGED: ("working", "accent"),
    OrderState.PARTIALLY_FILLED: ("part fill", "accent*"),
    OrderState.FILLED: ("filled", "ok"),
    OrderState.CANCELED: ("canceled", "muted"),
    OrderState.REJECTED: ("rejected", "danger"),
    OrderState.EXPIRED: ("expired", "muted"),
    OrderState.UNKNOWN: ("UNKNOWN", "danger!"),
}
# How far an order came: stored, sent, working, filled. What ended on the way is crossed out, what nobody
# knows asks.
LIFE: dict[OrderState, str] = {
    OrderState.PENDING: "■···",
    OrderState.SUBMITTED: "■■··",
    OrderState.ACKNOWLEDGED: "■■■·",
    OrderState.PARTIALLY_FILLED: "■■■▌",
    OrderState.FILLED: "■■■■",
    OrderState.CANCELED: "■■■x",
    OrderState.REJECTED: "■■x",
    OrderState.EXPIRED: "■■■x",
    OrderState.UNKNOWN: "■■??",
}
# The same in words, for the selected row.
LIFE_WORDS: dict[OrderState, str] = {
    OrderState.PENDING: "pending > sent > working > filled: stored, not sent yet. ",
    OrderState.SUBMITTED: "pending > SENT > working > filled: the venue has not answered yet. ",
    OrderState.ACKNOWLEDGED: "pending > sent > WORKING > filled: it rests at the venue. ",
    OrderState.PARTIALLY_FILLED: "pending > sent > WORKING > filled: a part of it is filled. ",
    OrderState.UNKNOWN: "pending > sent > UNKNOWN: nobody answered; only the venue's word ends this. ",
}
# A refusal that is no fault: the position had closed before its order came.
UNNEEDED = ("unneeded", "muted")


class OrdersPane(Pane):
    """Open orders first, UNKNOWN before all; then the newest ended ones."""

    number = 3
    name_id = "orders"
    title = "Orders"
    fields = ("state", "symbol", "side", "play", "reason", "for", "kind", "id")

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Orders alone."""
        return (snapshot.orders,)

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row an order."""
        digits = price_digits(snapshot)
        now = snapshot.status.now
        ordered = sorted(snapshot.orders, key=lambda row: row.state is not OrderState.UNKNOWN)
        table = [_values(row, digits.get(row.symbol), now) for row in ordered]
        fitted = fit_table(COLUMNS, width, table)
        open_count = sum(row.state.is_open for row in snapshot.orders)
        return Content(
            fitted.rows(table),
            header=fitted.header(),
            age_s=frame.silent_s,
            details=tuple(_detail(row) for row in ordered),
            items=tuple(ordered),
            title_note=f"{open_count} open",
            empty=(
                "No orders yet: signals that pass the gates become some.",
                *entry_steps(snapshot, frame),
            ),
        )

    def identity(self, item: OrderRow) -> str:
        """Our id of it."""
        return item.client_id

    def facts(self, item: OrderRow) -> Mapping[str, str]:
        """A state goes by the venue's word and by the screen's."""
        open_word = "open" if item.state.is_open else "ended"
        return {
            "state": f"{item.state.value} {STATES[item.state][0]} {open_word}",
            "symbol": item.symbol,
            "side": item.side.value,
            "play": item.play,
            "reason": item.reason,
            "for": item.role.value,
            "kind": item.kind.value,
            "id": f"{item.client_id} {item.venue_id}",
        }


def _detail(row: OrderRow) -> str:
    """Return where an order is in its life, its ids, and what its reason means."""
    life = LIFE_WORDS.get(row.state, "")
    ids = f"{row.client_id} at the venue {row.venue_id or '(no id yet)'}, play {row.play}"
    try:
        facts = REASONS[Reason(row.reason)]
    except ValueError:
        return f"{life}{ids} {row.reason}".strip()
    return f"{life}{ids}. {row.reason}: {facts.meaning} {facts.remedy}"


def _values(row: OrderRow, digits: int | None, now: int) -> list[Cell]:
    calm = row.reason == Reason.POSITION_CLOSED
    word, style = UNNEEDED if calm else STATES[row.state]
    is_open = row.state.is_open
    quiet = "text" if is_open else "muted"
    side = ("buy" if row.side is Side.BUY else "sell") if is_open else "muted"
    return [
        (word, style),
        (LIFE[row.state], style if style != "danger!" else "danger*"),
        (age_between(now, row.created if is_open else row.updated), "muted"),
        (row.symbol, "text*" if is_open else "muted"),
        (row.side.value.upper(), side),
        (row.role.value, quiet),
        (row.kind.value, quiet),
        (_filled(row), quiet),
        (_price(row, digits), quiet),
        (price(row.average_price, digits) if row.average_price is not None else "-", quiet),
        (_note(row), "warn" if row.reason and not calm else "muted"),
    ]


def _filled(row: OrderRow) -> str:
    """Write the quantity, and before it what is filled where that is a part."""
    whole = quantity(row.qty)
    return f"{quantity(row.filled_qty)}/{whole}" if 0 < row.filled_qty < row.qty else whole


def _note(row: OrderRow) -> str:
    return f"{row.reason} {row.play}" if row.reason else row.play


def _price(row: OrderRow, digits: int | None) -> str:
    """Write the limit or trigger; a market order has what it was filled at, once it was."""
    paid = row.price if row.price is not None else row.average_price
    return price(paid, digits) if paid is not None else "market"
