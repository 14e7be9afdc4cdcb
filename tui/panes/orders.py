"""Orders: where each of ours is in its life; UNKNOWN is an alarm."""

from engine.api import REASONS, OrderRow, OrderState, Reason, Side, Snapshot
from tui.formats import age_between, price, quantity
from tui.panes.pane import Content, Frame, Pane
from tui.widgets.cells import Cell, Column, fit_columns

COLUMNS = (
    Column("STATE", 9, keep=99),
    Column("AGE", 5, keep=90, number=True),
    Column("SYMBOL", 9, keep=98),
    Column("SIDE", 4, keep=97),
    Column("FOR", 7, keep=80),
    Column("KIND", 6, keep=35),
    Column("QTY", 11, keep=96, number=True),
    Column("PRICE", 10, keep=85, number=True),
    Column("AVG", 10, keep=40, number=True),
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
# A refusal that is no fault: the position had closed before its order came.
UNNEEDED = ("unneeded", "muted")


class OrdersPane(Pane):
    """Open orders first, UNKNOWN before all; then the newest ended ones."""

    number = 3
    name_id = "orders"
    title = "Orders"

    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Orders alone."""
        return (snapshot.orders,)

    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Lay out one row an order."""
        fitted = fit_columns(COLUMNS, width)
        digits = {tick.symbol: tick.price_digits for tick in snapshot.ticks}
        now = snapshot.status.now
        ordered = sorted(snapshot.orders, key=lambda row: row.state is not OrderState.UNKNOWN)
        rows = tuple(fitted.row(_values(row, digits.get(row.symbol, 2), now)) for row in ordered)
        open_count = sum(row.state.is_open for row in snapshot.orders)
        return Content(
            rows,
            header=fitted.header(),
            age_s=frame.silent_s,
            details=tuple(_detail(row) for row in ordered),
            title_note=f"{open_count} open",
            empty=(f"No orders yet. Armed plays place them; {frame.key('arm')} arms.",),
        )


def _detail(row: OrderRow) -> str:
    """Return an order's ids, and what its reason means."""
    ids = f"{row.client_id} at the venue {row.venue_id or '(no id yet)'}, play {row.play}"
    try:
        facts = REASONS[Reason(row.reason)]
    except ValueError:
        return f"{ids} {row.reason}".strip()
    return f"{ids}. {row.reason}: {facts.meaning} {facts.remedy}"


def _values(row: OrderRow, digits: int, now: int) -> list[Cell]:
    calm = row.reason == Reason.POSITION_CLOSED
    word, style = UNNEEDED if calm else STATES[row.state]
    is_open = row.state.is_open
    quiet = "text" if is_open else "muted"
    side = ("buy" if row.side is Side.BUY else "sell") if is_open else "muted"
    return [
        (word, style),
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


def _price(row: OrderRow, digits: int) -> str:
    """Write the limit or trigger; a market order has what it was filled at, once it was."""
    paid = row.price if row.price is not None else row.average_price
    return price(paid, digits) if paid is not None else "market"
