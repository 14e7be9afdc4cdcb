"""Closing what is selected, canceling what is selected, and deciding on what waits: asked first, in full."""

import msgspec
import pytest

from engine.api import Action, EarlierVersion, LimitRow, Mode, RiskSection, Snapshot
from tests.console_fakes import RELOADS, TWIN, snapshot, status
from tests.screens.console import Desk, console
from tui.deciding import decisions
from tui.screens.choose import ChooseDialog
from tui.screens.confirm import ConfirmDialog, Evidence
from tui.screens.flatten import FlattenBar


def box(desk: Desk) -> str:
    """Return all words of the dialog."""
    return " ".join(str(widget.render()) for widget in desk.app.screen.query("Static"))


def named(play: str, symbol: str) -> str:
    """Return how the engine is told which position is meant: also by when it was opened."""
    (opened,) = {row.opened for row in snapshot().positions if (row.play, row.symbol) == (play, symbol)}
    return f"{play} {symbol} {opened}"


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
        assert desk.link.commands == [(Action.CLOSE_POSITION, "", named("ema_cross", "ETHUSDT"))]


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
        assert desk.link.commands == [(Action.CLOSE_POSITION, "news", named("canary", "BTCUSDT"))]


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
        assert desk.link.commands == [(Action.CLOSE_POSITION, "", named("ema_cross", "ETHUSDT"))]
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


PROMOTION = (Action.PROMOTE, "why", f"canary {TWIN.hash} {TWIN.running_hash}")


async def test_a_twin_is_promoted_with_its_evidence_and_its_typed_name() -> None:
    """What takes over from what is told in full; neither Enter nor a reason alone promotes."""
    twin = msgspec.structs.replace(TWIN, running_generation=17)
    watched = msgspec.structs.replace(RELOADS[0], result="shadow", changes=("stop.percent 1 -> 2",))
    async with console(snapshot(twins=(twin,), reloads=(watched,))) as desk:
        await desk.press("R", "down", "enter")
        told = box(desk)
        assert (
            "canary generation 2 (abababababab) takes over from canary generation 17 (cdcdcdcdcdcd)" in told
        )
        assert "It changes stop.percent 1 -> 2." in told
        assert "10 bars, 4 signals, 1 trade." in told
        assert "It would have made +1.25 after fees, what runs made -2.50" in told
        assert "NOT WARM: 3 bars missing." in told
        assert "Type canary:" in told
        await desk.press("enter")
        assert len(desk.app.screen_stack) == 1, "the default is to go back"
        await desk.press("R", "down", "enter", "down", "enter")
        assert "Type canary first. Nothing was done." in box(desk)
        await desk.press(*"cana", "enter", "enter")
        assert "Type canary first. Nothing was done." in box(desk)
        await desk.press(*"canary", "enter", "enter")
        assert "A reason is needed." in box(desk)
        assert desk.link.commands == []
        await desk.press(*"why", "enter", "enter")
        assert desk.link.commands == [PROMOTION]


@pytest.mark.parametrize(
    ("approved", "words"),
    [(False, "NOT APPROVED: entries are real here"), (True, "`trader-tui promote` has approved this")],
)
async def test_where_entries_are_real_the_approval_is_told(approved: bool, words: str) -> None:
    """The engine asks for it in any case."""
    twin = msgspec.structs.replace(TWIN, approved=approved)
    shown = snapshot(twins=(twin,), status=status(mode=Mode.LIVE, needs_approval=True))
    async with console(shown) as desk:
        await desk.press("R", "down", "enter")
        assert words in box(desk)


def test_long_changes_are_counted() -> None:
    """The dialog has to show its answers."""
    changes = tuple(f"f{n} 1 -> 2" for n in range(9))
    watched = msgspec.structs.replace(RELOADS[0], result="shadow", changes=changes)
    promotion, _ = decisions(snapshot(twins=(TWIN,), reloads=(watched,)))
    assert "f5 1 -> 2; 3 more." in " ".join(promotion.evidence)


EARLIER = EarlierVersion("ema_cross", 1, "aa" * 32, 2, "bb" * 32)


def test_what_can_be_decided_now() -> None:
    """A version that waits can be declined; a play of which an earlier version is known can go back to it."""
    shown = snapshot(twins=(TWIN,), status=status(swaps_waiting=("canary",), earlier=(EARLIER,)))
    assert [(d.action, d.argument) for d in decisions(shown)] == [
        (Action.DECLINE, "canary"),
        (Action.ROLL_BACK, f"ema_cross {EARLIER.running_hash}"),
    ]


async def test_a_play_is_rolled_back_with_a_reason() -> None:
    """To the version that is named, from the one that is named."""
    async with console(snapshot(status=status(earlier=(EARLIER,)))) as desk:
        await desk.press("R", "down", "enter")
        told = box(desk)
        assert "generation 1 (aaaaaaaaaaaa) takes over from generation 2 (bbbbbbbbbbbb), which runs" in told
        await desk.press("down", "enter", *"worse", "enter", "enter")
        assert desk.link.commands == [(Action.ROLL_BACK, "worse", f"ema_cross {EARLIER.running_hash}")]


async def test_answers_are_seen_however_long_the_evidence() -> None:
    """At 80x24; Tab goes to the evidence, too, where it has to be scrolled."""
    pending = tuple(LimitRow(f"limit_{n}", "2", "4") for n in range(30))
    risk = RiskSection(pending=pending, pending_id="aa")
    async with console(snapshot(risk=risk), size=(80, 24)) as desk:
        await desk.press("R", "down", "enter")
        screen = desk.app.screen
        for part in ("#answers", "#reason", "#problem"):
            assert screen.query_one(part).region.bottom < 24
        await desk.press("shift+tab")
        assert isinstance(desk.app.focused, Evidence)
        await desk.press("pagedown", "escape", "2", "ctrl+x", "shift+tab")
        assert not isinstance(desk.app.focused, Evidence), "nothing of it is out of sight"


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


async def test_a_flatten_of_very_many_orders_counts_them_all() -> None:
    """The list of orders is cut short, the number is not."""
    shown = snapshot()
    more = msgspec.structs.replace(shown.open_risk, orders=731)
    async with console(msgspec.structs.replace(shown, open_risk=more)) as desk:
        await desk.press("f12")
        assert "cancel  731 open orders" in desk.app.screen.query_one(FlattenBar).text()
