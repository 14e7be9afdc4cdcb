"""The orders pane says of each order how it stands, and of one that was not needed that it is no fault."""

import pytest

from engine.api import OrderState, Reason, Side
from engine.domain.ids import OrderRole
from tests.console_fakes import order, snapshot
from tui.panes.orders import OrdersPane
from tui.panes.pane import Frame
from tui.theme import Palette, ThemeLibrary


@pytest.mark.parametrize(
    ("reason", "word"),
    [(Reason.POSITION_CLOSED, "unneeded"), (Reason.OFF_TICK, "rejected"), ("", "rejected")],
)
def test_an_order_whose_position_had_closed_is_no_fault(reason: str, word: str):
    refused = order(1, OrderState.REJECTED, "BTCUSDT", Side.SELL, OrderRole.STOP, reason=str(reason))
    moment = snapshot(orders=(refused,))
    content = OrdersPane(Palette(ThemeLibrary().load("dark"))).content(moment, Frame(moment), 120)
    (row,) = content.rows
    assert word in row[0][0]
    faulty = {style for text, style in row if style.startswith(("warn", "danger"))}
    assert (not faulty) is (word == "unneeded")
    if word == "unneeded":
        assert "had closed already" in content.details[0]
