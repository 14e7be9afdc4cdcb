"""What the cursor points at, and closing or canceling just that, after a dialog that says what it does."""

from typing import TYPE_CHECKING

from engine.api import Action, OrderRole, OrderRow, PositionRow, Snapshot, TickRow
from tui.panes.pane import Pane

if TYPE_CHECKING:
    from tui.app import ConsoleApp

NOTHING = "Select a position or an order first: {} go to their panes."


class Pointing:
    """Closes the selected position, or cancels the selected order."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app

    def act(self) -> None:
        """Ask about what is selected; what it is now, by name, is what the dialog is about."""
        app = self._app
        latest, focused = app.latest, app.focused
        if latest is None or app.link is None or app.gone:
            app.tell("There is no engine to ask yet.", severity="warning")
            return
        item = focused.pointed if isinstance(focused, Pane) else None
        match item:
            case PositionRow():
                self._close(item.play, item.symbol, latest)
            case TickRow():
                self._close_symbol(item.symbol, latest)
            case OrderRow():
                self._cancel(item.client_id, latest)
            case _:
                app.tell(NOTHING.format(f"{app.key_of('pane-2')} and {app.key_of('pane-3')}"))

    def _close_symbol(self, symbol: str, latest: Snapshot) -> None:
        held = [row for row in latest.positions if row.symbol == symbol and row.qty != 0]
        if len(held) == 1:
            self._close(held[0].play, symbol, latest)
        else:
            number = f"{len(held)} plays hold" if held else "No play holds"
            self._app.tell(f"{number} {symbol}: choose in the pane of positions.")

    def _close(self, play: str, symbol: str, latest: Snapshot) -> None:
        from tui.hands import close_words  # noqa: PLC0415 - loaded when first needed
        from tui.screens.confirm import ConfirmDialog  # noqa: PLC0415 - likewise

        row = next((r for r in latest.positions if (r.play, r.symbol) == (play, symbol)), None)
        if row is None or row.qty == 0:
            self._app.tell(f"{symbol} of {play} is flat: there is nothing to close.")
            return
        entries = sum(
            (o.play, o.symbol, o.role) == (play, symbol, OrderRole.ENTRY) and o.state.is_open
            for o in latest.orders
        )
        first = f"Its open entries are canceled first ({entries}). " if entries else ""
        lines = (
            _sentence(close_words(row, latest)),
            f"{first}Its stop and target rest until it is gone. {play} then sits out until its next signal.",
            *self._old(),
        )

        shown = f"{play} {symbol} {row.opened}"  # another position that took its place is not meant

        def answered(reason: str | None) -> None:
            if reason is not None:
                operator = self._app.operator
                operator.send(Action.CLOSE_POSITION, f"Close {symbol}", reason=reason, argument=shown)

        title, deed = f"Close {symbol} of {play}", "Close it at market"
        self._app.push_screen(ConfirmDialog(title, lines, deed, danger=True), answered)

    def _cancel(self, client_id: str, latest: Snapshot) -> None:
        from tui.hands import cancel_words, protects  # noqa: PLC0415 - loaded when first needed
        from tui.screens.confirm import ConfirmDialog  # noqa: PLC0415 - likewise

        row = next((order for order in latest.orders if order.client_id == client_id), None)
        if row is None or not row.state.is_open:
            self._app.tell("That order is not open any more: there is nothing to cancel.")
            return
        if protects(row, latest):
            where = self._app.key_of("pane-2")
            self._app.tell(
                f"That is the {row.role.value} of an open position: without it nothing would close it. "
                f"Close the position instead ({where}, then the same key).",
                severity="warning",
            )
            return
        lines = [_sentence(cancel_words(row))]
        if row.role is OrderRole.ENTRY:
            lines.append(f"{row.play} then sits out until its next signal.")

        def answered(reason: str | None) -> None:
            if reason is not None:
                operator = self._app.operator
                operator.send(Action.CANCEL_ORDER, f"Cancel {row.symbol}", reason=reason, argument=client_id)

        self._app.push_screen(ConfirmDialog("Cancel order", (*lines, *self._old()), "Cancel it"), answered)

    def _old(self) -> tuple[str, ...]:
        frame = self._app.frame()
        if not frame.stopped:
            return ()
        return (f"These numbers are OLD: the engine was silent for {frame.silent_s:.0f} s.",)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
