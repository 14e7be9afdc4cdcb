"""Closing what is selected, canceling what is selected, and deciding on what waits: asked first, in full."""

import pytest

from engine.api import Action, LimitRow, Mode, RiskSection, Snapshot
from tests.console_fakes import RELOADS, TWIN, snapshot, status
from tests.screens.console import Desk, console
from tui.deciding import decisions
from tui.screens.choose import ChooseDialog
from tui.screens.confirm import ConfirmDialog


def box(desk: Desk) -> str:
    """Return all words of the dialog."""
    return " ".join(str(widget.render()) for widget in desk.app.screen.query("Static"))


@pytest.mark.parametrize("key", ["ctrl+x", "delete"])
async def test_the_selected_position_is_closed_after_a_dialog(key: str) -> None:
    """Quantity, mark, slippage and fee are told; Enter alone goes back."""
    async with console(snapshot()) as desk:
        await desk.press("2", "j", key)
        assert isinstance(desk.app.screen, ConfirmDialog)
        told = box(desk)
        assert "Buy 1.5 ETHUSDT of ema_cross at market" in told
        assert "slippage" in told
        assert "fee." in told
        assert "sits out until its next signal" in told
        await desk.press("enter")
        assert desk.link.commands == []
        await desk.press(key, "down", "enter")
        assert desk.link.commands == [(Action.CLOSE_POSITION, "", "ema_cross ETHUSDT")]


async def test_the_key_that_asks_does_not_confirm() -> None:
    """However often it is pressed."""
    async with console() as desk:
        await desk.press("2", "ctrl+x", "ctrl+x", "ctrl+x", "delete", "delete")
        assert desk.link.commands == []


async def test_a_reason_goes_along() -> None:
    """What is typed into it does nothing by itself."""
    async with console() as desk:
        await desk.press("2", "ctrl+x", "tab", *"news", "enter")
        assert desk.link.commands == []
        await desk.press("down", "enter")
        assert desk.link.commands == [(Action.CLOSE_POSITION, "news", "canary BTCUSDT")]


async def test_a_flat_row_and_no_row_have_nothing_to_close() -> None:
    """And no dialog opens."""
    async with console() as desk:
        await desk.press("2", "G", "ctrl+x")
        assert "there is nothing to close" in desk.toasts()[-1]
        await desk.press("7", "ctrl+x")
        assert "Select a position or an order first: 2 and 3 go to their panes." in desk.toasts()[-1]


async def test_the_selected_symbol_stands_for_its_position() -> None:
    """Where one play holds it."""
    async with console() as desk:
        await desk.press("1", "j", "ctrl+x", "down", "enter")
        assert desk.link.commands == [(Action.CLOSE_POSITION, "", "ema_cross ETHUSDT")]
        await desk.press("G", "ctrl+x")
        assert "No play holds XRPUSDT" in desk.toasts()[-1]


async def test_the_selected_order_is_canceled_after_a_dialog() -> None:
    """The order is named by its id, wherever its row has moved meanwhile."""
    async with console() as desk:
        await desk.press("3", "j", "ctrl+x")
        assert "Cancel entry buy 0.25" in box(desk)
        await desk.press("down", "enter")
        assert desk.link.commands == [(Action.CANCEL_ORDER, "", "tt0s0me0dflt0cnry0002")]


async def test_a_stop_of_an_open_position_is_not_offered() -> None:
    """It says to close the position instead; an ended order has nothing left."""
    async with console() as desk:
        await desk.press("3", "j", "j", "j", "ctrl+x")
        assert "That is the stop of an open position" in desk.toasts()[-1]
        await desk.press("G", "ctrl+x")
        assert "not open any more" in desk.toasts()[-1]
        assert desk.link.commands == []


async def test_numbers_that_are_old_are_called_so() -> None:
    """The engine may have been silent."""
    async with console() as desk:
        desk.clock.now += 9
        await desk.press("2", "ctrl+x")
        assert "These numbers are OLD: the engine was silent for 9 s." in box(desk)


# deciding


def waiting() -> Snapshot:
    pending = (LimitRow("leverage_max", "2", "4"),)
    risk = RiskSection(pending=pending, pending_id="aa")
    return snapshot(risk=risk)


async def test_looser_limits_are_accepted_with_a_reason_and_declined_without() -> None:
    """The evidence is what changes."""
    async with console(waiting()) as desk:
        await desk.press("R")
        assert isinstance(desk.app.screen, ChooseDialog)
        await desk.press("enter")
        assert len(desk.app.screen_stack) == 1, "the default is to go back"
        await desk.press("R", "down", "enter")
        assert "leverage_max: 2 -> 4" in box(desk)
        await desk.press("down", "enter")
        assert "A reason is needed." in box(desk)
        await desk.press(*"tested", "enter", "enter")
        assert desk.link.commands == [(Action.ACCEPT_LIMITS, "tested", "aa")]
        await desk.press("R", "down", "down", "enter", "down", "enter")
        assert desk.link.commands[-1] == (Action.DECLINE, "", "aa")


async def test_a_twin_is_promoted_with_its_evidence() -> None:
    """And in live the command line has to approve it first."""
    shown = snapshot(twins=(TWIN,), status=status(mode=Mode.LIVE, needs_approval=True))
    async with console(shown) as desk:
        await desk.press("R", "down", "enter")
        told = box(desk)
        assert "Watched for 10 bars" in told
        assert "Not warm yet: 3 bars are missing." in told
        assert "Entries are real here" in told
        await desk.press("tab", *"why", "enter", "down", "enter")
        assert desk.link.commands == [(Action.PROMOTE, "why", "canary abababababab")]


def test_what_can_be_decided_now() -> None:
    """A version that waits can be declined; a play of a later generation can go back."""
    shown = snapshot(reloads=RELOADS, twins=(TWIN,), status=status(swaps_waiting=("canary",)))
    assert [(d.action, d.argument) for d in decisions(shown)] == [
        (Action.DECLINE, "canary"),
        (Action.ROLL_BACK, "ema_cross"),
    ]


# what a flatten would do


async def test_the_preview_of_a_flatten_says_what_it_may_cost() -> None:
    """From the spread and the fee rates; the worst case fills every entry first."""
    async with console(snapshot()) as desk:
        await desk.press("f12")
        bar = desk.text("flatten-bar")
        assert "4 open orders (1 of them stops and targets, last)" in bar
        assert "cost    about" in bar
        assert "slippage and" in bar
        assert "worst   about" in bar
        assert "if every open entry fills before its cancel" in bar
        assert "day     P&L +124.22 now, about" in bar
        assert "OLD" not in bar


async def test_a_preview_of_old_numbers_says_so_and_holds_nothing_up() -> None:
    """The second press fires at once."""
    async with console(snapshot()) as desk:
        desk.clock.now += 30
        await desk.press("f12")
        assert "OLD     last heard 30s ago: the engine closes what it holds then" in desk.text("flatten-bar")
        await desk.press("f12")
        await desk.until(lambda: desk.link.panics == 1)


async def test_a_preview_without_prices_guesses_nothing() -> None:
    """The symbols whose spread is not known are named."""
    async with console(snapshot(ticks=())) as desk:
        await desk.press("f12")
        assert "spread of BTCUSDT, ETHUSDT, SOLUSDT not known" in desk.text("flatten-bar")


async def test_the_kill_takes_fewer_keys_than_arming() -> None:
    """Two of them, and no word to type."""
    async with console(snapshot(status=status(confirm_name="x"))) as desk:
        await desk.press("f12", "f12")
        await desk.until(lambda: desk.link.panics == 1)
        assert len(("f12", "f12")) < len(("a", "x", "enter"))
