"""After the first panic key: what the second one will do. Not a dialog: it takes no focus and no key."""

from engine.api import Snapshot
from tui.formats import money, quantity
from tui.theme import Palette
from tui.widgets.cells import Line, Row
from tui.widgets.grid import Grid

SYMBOLS_MAX = 6


def consequences(snapshot: Snapshot | None, key: str) -> list[Line]:
    """Return what a flatten would cancel and close, as lines."""
    if snapshot is None:
        return [
            (
                (("  No engine is connected; `trader-tui flatten` in a shell reaches one.", "danger*"),),
                "panel",
            )
        ]
    orders = [order for order in snapshot.orders if order.state.is_open]
    positions = [row for row in snapshot.positions if row.qty != 0]
    marks = {tick.symbol: tick.price for tick in snapshot.ticks}
    worth = sum(abs(float(row.qty)) * marks.get(row.symbol, row.mark) for row in positions)
    head: Row = (
        (" FLATTEN? ", "danger!"),
        (f"  {key} again within 2 s does this; wait, and nothing happens.", "text*"),
    )
    lines: list[Line] = [(head, "panel"), (((f"  cancel  {len(orders)} open orders", "text"),), "panel")]
    value = f"{money(worth)} {snapshot.account.currency}"
    close = f"  close   {len(positions)} positions, about {value}, at the market"
    lines.append((((close, "text"),), "panel"))
    for row in positions[:SYMBOLS_MAX]:
        verb = "sell" if row.qty > 0 else "buy"
        text = f"          {verb} {quantity(abs(row.qty))} {row.symbol} ({row.play})"
        lines.append((((text, "sell" if row.qty > 0 else "buy"),), "panel"))
    if len(positions) > SYMBOLS_MAX:
        lines.append((((f"          and {len(positions) - SYMBOLS_MAX} more", "muted"),), "panel"))
    lines.append((((("  then    halted until somebody arms with a reason", "text")),), "panel"))
    return lines


class FlattenBar(Grid):
    """The consequences, above the footer, while the window is open."""

    def __init__(self, palette: Palette, lines: list[Line]) -> None:
        super().__init__(palette, widget_id="flatten-bar")
        self._content = lines
        self.styles.height = len(lines)

    def on_resize(self) -> None:
        """Draw once the width is known."""
        self.show(self._content)
