"""The cursor stays on its row, the focus on what is shown, and nothing is drawn for nothing."""

import msgspec
import pytest

from engine.api import OrderRow, OrderState
from tests.console_fakes import ORDERS, POSITIONS, SYMBOLS, FakeLink, order, snapshot, ticks
from tests.screens.console import console
from tests.sight_fakes import sights
from tui.panes.pane import Pane
from tui.widgets.cells import row_width

ODD = ((1, 1), (2, 3), (10, 1), (10, 5), (30, 4), (40, 8), (59, 15), (79, 23), (81, 25))


def fresh(number: int) -> OrderRow:
    """An order that just came."""
    return order(number, OrderState.SUBMITTED, "XRPUSDT", ORDERS[1].side, ORDERS[1].role)


async def test_the_cursor_stays_on_its_order_when_others_come() -> None:
    """What cancels an order asks about the one that was selected."""
    async with console() as desk:
        await desk.press("3", "j")
        pane = desk.app.desk.panes["orders"]
        assert pane.pointed == ORDERS[1]
        unknown = msgspec.structs.replace(ORDERS[4], state=OrderState.UNKNOWN)
        await desk.play(snapshot(orders=(fresh(90), fresh(91), *ORDERS[:4], unknown)))
        assert pane.pointed == ORDERS[1]
        await desk.press("j")
        assert pane.pointed == ORDERS[2]
        await desk.play(snapshot(orders=(ORDERS[0], ORDERS[1], ORDERS[3])))
        assert pane.pointed == ORDERS[3], "the next one that is left"


async def test_the_cursor_stays_on_its_position() -> None:
    """Closed ones go to the end."""
    async with console() as desk:
        await desk.press("2", "j")
        pane = desk.app.desk.panes["positions"]
        mine = POSITIONS[1]
        assert pane.pointed == mine
        await desk.play(snapshot(positions=tuple(reversed(POSITIONS))))
        assert pane.pointed == mine


async def test_the_chart_stays_on_its_symbol_when_another_comes_before_it() -> None:
    """The selected symbol counts while Market is not focused, too."""
    link = FakeLink([snapshot()])
    link.sights = sights()
    async with console(link=link, size=(200, 50)) as desk:
        await desk.press("1", "j", "3")
        await desk.until(lambda: getattr(desk.app.desk.panes["chart"], "symbol", "") == SYMBOLS[1][0])
        new = msgspec.structs.replace(ticks()[0], symbol="AAAUSDT")
        await desk.play(snapshot(ticks=(new, *ticks())))
        for _ in range(3):
            await desk.pilot.pause(0.1)
        assert desk.app.desk.panes["chart"].symbol == SYMBOLS[1][0]  # type: ignore[attr-defined]  # a ChartPane


async def test_an_answer_that_is_the_same_draws_nothing_anew() -> None:
    """Ten frames a second of a chart that does not change cost nothing."""
    link = FakeLink([snapshot()])
    link.sights = sights()
    async with console(link=link, size=(200, 50)) as desk:
        await desk.until(lambda: "canary" in desk.text("chart"))
        made: list[str] = []

        class Counting(type(desk.app.desk.panes["chart"])):  # type: ignore[misc]  # the pane as it is, counted
            def content(self, *args: object, **kwargs: object) -> object:
                made.append("chart")
                return super().content(*args, **kwargs)

        pane = desk.app.desk.panes["chart"]
        pane.__class__ = Counting
        desk.app.draw()
        desk.app.latest = snapshot()  # the same, as another object
        desk.app.draw()
        assert made == []


async def test_holds_that_are_sent_again_draw_nothing_anew() -> None:
    """The status is sent with every snapshot."""
    async with console(size=(200, 50)) as desk:
        pane = desk.app.desk.panes["risk"]
        first = snapshot()
        again = msgspec.json.decode(msgspec.json.encode(first.status), type=type(first.status))
        assert pane._key(desk.app.frame()) == pane._key(
            msgspec.structs.replace(desk.app.frame(), snapshot=msgspec.structs.replace(first, status=again))
        )


@pytest.mark.parametrize("size", ODD)
async def test_every_key_of_moving_about_works_at_odd_sizes(size: tuple[int, int]) -> None:
    """And no row is ever wider than its pane."""
    link = FakeLink([snapshot()])
    link.sights = sights()
    keys = (
        "h",
        "l",
        "j",
        "tab",
        "z",
        "tab",
        "z",
        "5",
        "z",
        "9",
        "escape",
        "f",
        "escape",
        "slash",
        "b",
        "escape",
    )
    async with console(link=link, size=size) as desk:
        for key in (*keys, "minus", "<", ">", "0", "G", "g", "="):
            await desk.press(key)
            for pane in desk.app.desk.shown():
                assert all(row_width(row) <= pane.size.width for row, _ in pane._lines), (key, pane.text())


async def test_the_focus_is_on_what_is_shown_after_a_resize() -> None:
    """A key never acts on a row that nobody sees."""
    async with console() as desk:
        await desk.press("2")
        for size in ((50, 12), (120, 40), (80, 24), (59, 30)):
            await desk.pilot.resize_terminal(*size)
            await desk.settle()
            shown = desk.app.desk.shown()
            assert isinstance(desk.app.focused, Pane)
            assert desk.app.focused in shown


async def test_a_pane_without_a_frame_says_what_it_does_not_show() -> None:
    """80x24: thirty orders, a few rows."""
    many = tuple(fresh(number) for number in range(1, 31))
    async with console(snapshot(orders=many), size=(80, 24)) as desk:
        assert "of 30" in desk.text("orders").splitlines()[0]


async def test_a_tiny_pane_keeps_the_word_that_its_data_stopped() -> None:
    """The name is cut before it, with a sign."""
    async with console(size=(30, 8)) as desk:
        desk.clock.now += 7
        await desk.settle()
        assert "stopped 7s ago" in desk.text("orders").splitlines()[0]
