"""After the first panic key: what the second one will do. Not a dialog: it takes no focus and no key."""

from collections.abc import Sequence

from engine.api import OrderRole, OrderRow, OrderState, PositionRow, Snapshot
from tui.costs import close_all, worst_case
from tui.formats import age, money, quantity, several, signed
from tui.panes.pane import Frame
from tui.theme import Palette
from tui.widgets.cells import Line, Row
from tui.widgets.grid import Grid

SYMBOLS_MAX = 6
PROTECTIVE = frozenset({OrderRole.STOP, OrderRole.TARGET})


def consequences(frame: Frame, key: str) -> list[Line]:
    """Return what a flatten would cancel and close and what it may cost, from what was seen last."""
    snapshot = frame.snapshot
    if snapshot is None:
        return [_line("  No engine is connected; `trader-tui flatten` in a shell reaches one.", "danger*")]
    orders = [order for order in snapshot.orders if order.state.is_open]
    positions = [row for row in snapshot.positions if row.qty != 0]
    head: Row = (
        (" FLATTEN? ", "danger!"),
        (f"  {key} again within 2 s does this; wait, and nothing happens.", "text*"),
    )
    worth = close_all(snapshot, positions).worth
    value = f"{money(worth)} {snapshot.account.currency}"
    lines: list[Line] = [(head, "panel"), *_age(frame)]
    count = max(len(orders), snapshot.open_risk.orders)  # the list of very many is cut short
    lines.append(_line(f"  cancel  {several(count, 'open order')}{_roles(orders)}"))
    lines.append(_line(f"  close   {several(len(positions), 'position')}, about {value}, at the market"))
    for row in positions[:SYMBOLS_MAX]:
        verb = "sell" if row.qty > 0 else "buy"
        text = f"          {verb} {quantity(abs(row.qty))} {row.symbol} ({row.play})"
        lines.append(_line(text, "sell" if row.qty > 0 else "buy"))
    if len(positions) > SYMBOLS_MAX:
        lines.append(_line(f"          and {len(positions) - SYMBOLS_MAX} more", "muted"))
    lines += _costs(snapshot, positions, orders)
    lines.append(_line("  then    halted until somebody arms with a reason"))
    return lines


def _age(frame: Frame) -> list[Line]:
    """Say that what is shown is old; what the engine holds by then is what it closes."""
    if not frame.stopped and not frame.ended:
        return []
    text = (
        f"  OLD     last heard {age(frame.silent_s)} ago: the engine closes what it holds then, not this list"
    )
    return [_line(text, "danger*")]


def _roles(orders: Sequence[OrderRow]) -> str:
    protective = sum(order.role in PROTECTIVE for order in orders)
    unknown = sum(order.state is OrderState.UNKNOWN for order in orders)
    parts = [f"{protective} of them stops and targets, last"] if protective else []
    parts += [f"{unknown} UNKNOWN: may be live"] if unknown else []
    return f" ({'; '.join(parts)})" if parts else ""


def _costs(snapshot: Snapshot, positions: Sequence[PositionRow], orders: Sequence[OrderRow]) -> list[Line]:
    """Say what closing is estimated to cost, and what where every open entry fills first."""
    cost, worst = close_all(snapshot, positions), worst_case(snapshot, positions, orders)
    currency = snapshot.account.currency
    lines = []
    if positions:
        unknown = f", spread of {', '.join(cost.unpriced)} not known" if cost.unpriced else ""
        text = f"{money(cost.spread)} slippage and {money(cost.fees)} fees{unknown}"
        lines.append(_line(f"  cost    about {money(cost.total)} {currency}: {text}"))
    if worst != cost:
        text = f"about {money(worst.total)} {currency}, if every open entry fills before its cancel"
        lines.append(_line(f"  worst   {text}"))
    if positions or worst != cost:
        day = float(snapshot.account.day_pnl)
        lines.append(_line(f"  day     P&L {signed(day)} now, about {signed(day - cost.total)} when flat"))
    return lines


def _line(text: str, style: str = "text") -> Line:
    return ((text, style),), "panel"


class FlattenBar(Grid):
    """The consequences, above the footer, while the window is open."""

    def __init__(self, palette: Palette, lines: list[Line]) -> None:
        super().__init__(palette, widget_id="flatten-bar")
        self._content = lines
        self.styles.height = len(lines)

    def fill(self) -> None:
        """Show what was true when the window opened."""
        self.show(self._content)
