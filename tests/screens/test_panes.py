"""Panes: focus, movement, maximising, live resize, ages and what empty ones say."""

import msgspec
import pytest

from engine.api import FeedRow, FlattenSection, Goodbye, LockHeldError, Notice, NoticeLevel, Phase
from tests.console_fakes import (
    ALARM,
    FEEDS,
    NOW,
    ORDERS,
    RELOADS,
    SIGNALS,
    TWIN,
    FakeLink,
    S,
    empty_snapshot,
    order,
    snapshot,
    status,
    ticks,
    trouble_snapshot,
)
from tests.screens.console import console
from tui.app import ConsoleApp
from tui.panes.pane import Pane
from tui.screens.gone import GoneDialog
from tui.settings import ConsoleSettings

NOTICE = Notice(NOW, NoticeLevel.INFO, "x", "line", "")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (50, 12)])
async def test_a_number_goes_to_its_pane_at_every_size(size: tuple[int, int]) -> None:
    """A tab comes to the front; where there is no place for it, it is maximised."""
    async with console(size=size) as desk:
        for number in range(1, 9):
            await desk.press(str(number))
            pane = desk.app.focused
            assert isinstance(pane, Pane)
            assert pane.number == number
            assert pane in desk.app.desk.shown()
            title = desk.text(pane.name_id).splitlines()[0]
            assert "▶" in title
            assert f"▶{number}" in title or f"[{number} " in title


async def test_tab_goes_round_all_panes() -> None:
    """Through tabs too, and back."""
    async with console(size=(80, 24)) as desk:
        seen = []
        for _ in range(8):
            await desk.press("tab")
            seen.append(desk.focused)
        assert len(set(seen)) == 8
        await desk.press("shift+tab")
        assert desk.focused == seen[-2]


async def test_a_pane_is_maximised_and_given_back() -> None:
    """z, z; or Esc."""
    async with console() as desk:
        await desk.press("3", "z")
        assert [pane.name_id for pane in desk.app.desk.shown()] == ["orders"]
        assert "AVG" in desk.text("orders")
        await desk.press("5")
        assert [pane.name_id for pane in desk.app.desk.shown()] == ["risk"]
        await desk.press("tab")
        assert [pane.name_id for pane in desk.app.desk.shown()] == ["reload"]
        await desk.press("escape")
        assert len(desk.app.desk.shown()) == 6
        await desk.press("escape", "z", "z")
        assert len(desk.app.desk.shown()) == 6


async def test_a_live_resize_lays_out_again() -> None:
    """From three columns to a line of orders and back."""
    async with console(size=(200, 50)) as desk:
        for size, shown in (((120, 40), 6), ((80, 24), 3), ((50, 12), 1), ((10, 5), 1), ((200, 50), 9)):
            await desk.pilot.resize_terminal(*size)
            await desk.settle()
            assert len(desk.app.desk.shown()) == shown
            assert desk.text("status")


async def test_every_key_works_in_a_tiny_terminal() -> None:
    """10x5 shows little, and hears everything."""
    async with console(size=(10, 5)) as desk:
        await desk.press("p", "j", "G", "tab", "z", "z", "question_mark", "escape", "f12", "f12")
        assert desk.link.panics == 1
        assert len(desk.link.commands) == 1


async def test_rows_are_walked_with_vim_keys() -> None:
    """And pages, and both ends."""
    many = tuple(order(n, ORDERS[1].state, "BTCUSDT", ORDERS[1].side, ORDERS[1].role) for n in range(1, 61))
    async with console(snapshot(orders=many)) as desk:
        await desk.press("3", "j", "j", "k")
        pane = desk.app.desk.panes["orders"]
        assert pane.cursor == 1
        await desk.press("G")
        assert pane.cursor == 59
        assert "of 60" in desk.text("orders")
        await desk.press("pageup")
        assert pane.cursor < 59
        await desk.press("g", "pagedown")
        assert 0 < pane.cursor < 59
        await desk.press("k", "up", "down")
        assert "tt0s0me0dflt0cnry" in desk.text("orders")


async def test_events_follow_their_newest_line_until_one_looks_back() -> None:
    """G follows again."""
    lines = tuple(Notice(NOW - 100 * S + n * S, NoticeLevel.INFO, "x", f"line {n}", "") for n in range(60))
    async with console(snapshot(notices=lines)) as desk:
        assert "line 59" in desk.text("events")
        await desk.press("7", "k", "k")
        assert "held; G follows" in desk.text("events")
        newer = Notice(NOW, NoticeLevel.GOOD, "x", "line sixty", "")
        await desk.play(snapshot(notices=(*lines, newer)))
        assert "line sixty" not in desk.text("events") or desk.app.desk.panes["events"].cursor == 57
        await desk.press("G")
        assert "line sixty" in desk.text("events")
        assert "held" not in desk.text("events")


async def test_only_changed_rows_are_painted() -> None:
    """A tick of one symbol costs one row."""
    async with console() as desk:
        app = desk.app
        moved = ticks(3)
        app.latest = snapshot(ticks=(moved[0], *ticks()[1:]))
        assert app.desk.panes["market"].paint(app.frame()) == 1
        assert app.desk.panes["market"].paint(app.frame()) == 0
        assert app.desk.panes["orders"].paint(app.frame()) == 0


async def test_the_last_move_is_a_glyph() -> None:
    """Up, down, and what it was while nothing moves."""
    async with console(snapshot(ticks=ticks(0)), size=(200, 50)) as desk:
        assert "·" in desk.text("market")
        await desk.play(snapshot(ticks=ticks(2)))
        assert "▲" in desk.text("market")
        await desk.play(snapshot(ticks=ticks(9)))
        assert "▼" in desk.text("market")


@pytest.mark.parametrize(
    ("pane", "said"),
    [
        ("positions", "Flat: an entry that fills opens a position. DISARMED: a arms."),
        ("orders", "No orders yet: signals that pass the gates become some. DISARMED: a arms."),
        ("signals", "No signals yet: they come at the close of a bar."),
        ("events", "Nothing happened yet"),
    ],
)
async def test_empty_panes_say_what_fills_them(pane: str, said: str) -> None:
    """And which key does it."""
    async with console(empty_snapshot(), size=(200, 50)) as desk:
        assert said in desk.prose(pane)


async def test_without_ticks_the_feed_speaks() -> None:
    """With its own words."""
    waiting = FeedRow("bybit", "connecting", 0.0, 0, "second try")
    async with console(empty_snapshot(ticks=(), feeds=(waiting,), reloads=()), size=(200, 50)) as desk:
        assert "Waiting for the first tick of the feed." in desk.text("market")
        assert "feed bybit: connecting second try" in desk.text("market")
        assert "No play is loaded" in desk.text("reload")


async def test_before_the_first_snapshot_panes_say_what_they_wait_for() -> None:
    """From the first frame on."""
    async with console(link=FakeLink()) as desk:
        assert "connecting to the engine" in desk.text("orders")
        assert "connecting to the engine" in desk.text("status")


async def test_a_silent_engine_stops_every_pane_in_words() -> None:
    """Frozen must not look alive."""
    async with console(size=(200, 50)) as desk:
        desk.clock.now += 12
        desk.app.draw()
        for pane in desk.app.desk.shown():
            assert "stopped 12s ago" in desk.text(pane.name_id).splitlines()[0]
        assert "eng SILENT 12s" in desk.text("status")


async def test_a_silent_feed_stops_the_market_pane_only() -> None:
    """The engine goes on."""
    late = snapshot(status=status(now=NOW + 30 * S), feeds=FEEDS)
    async with console(late) as desk:
        assert "stopped 30s ago" in desk.text("market").splitlines()[0]
        assert "stopped" not in desk.text("orders").splitlines()[0]


async def test_ended_data_is_no_alarm() -> None:
    """A replay comes to its end."""
    async with console(snapshot(status=status(data_ended=True))) as desk:
        assert "the data ended" in desk.text("market").splitlines()[0]


async def test_a_veto_is_explained_under_the_list() -> None:
    """Meaning and remedy of the selected signal."""
    async with console(size=(200, 50)) as desk:
        await desk.press("4")
        assert "Check the feed and the clock" in desk.prose("signals")
        await desk.press("g")
        assert "passed every gate" in desk.prose("signals")


async def test_an_unknown_veto_code_is_shown_as_it_is() -> None:
    """A newer engine may have more of them."""
    odd = msgspec.structs.replace(SIGNALS[0], reason="NEW", text="NEW why")
    async with console(snapshot(signals=(odd,)), size=(200, 50)) as desk:
        await desk.press("4")
        assert "veto NEW why" in desk.text("signals")


async def test_trouble_is_spelt_out() -> None:
    """Holders with who frees them, vetoing gates, refused reloads, late engines."""
    async with console(trouble_snapshot(), size=(200, 50)) as desk:
        risk = desk.text("risk")
        assert "held by PAUSED 20s, p frees" in risk
        assert "held by STALE SOLUSDT 14s, frees itself" in risk
        assert "3 ladder             veto" in risk
        assert "rejected" in desk.text("reload")
        assert "ema_cross.yaml:14" in desk.text("reload")
        health = desk.text("health")
        assert "BAD" in health
        assert "FULL" in health
        assert "CRITICAL" in desk.text("events")
        assert "UNKNOWN" in desk.text("orders").splitlines()[2]
        assert "NOT PROTECTED" in desk.text("positions")


async def test_what_a_flatten_left_is_listed() -> None:
    """With the venue's ids."""
    left = FlattenSection("not flat", NOW - 40 * S, 0, 1, ("BTCUSDT 0.25 long", "order v7 ETHUSDT"))
    async with console(snapshot(flatten=left, status=status(phase=Phase.HALTED)), size=(200, 50)) as desk:
        assert "left: BTCUSDT 0.25 long" in desk.text("risk")
        assert "left: order v7 ETHUSDT" in desk.text("risk")


async def test_alarms_stand_over_events() -> None:
    """With the key that quiets them."""
    async with console(snapshot(alarms=(ALARM,)), size=(200, 50)) as desk:
        assert "WARNING  SOLUSDT position of canary has no stop" in desk.text("events")


async def test_a_click_on_a_tab_brings_it_to_the_front() -> None:
    """For those who use a mouse."""
    async with console(snapshot(reloads=RELOADS), size=(80, 24)) as desk:
        row = desk.text("events").splitlines()[0]
        await desk.pilot.click("#events", offset=(row.index("5 Risk") + 1, 0))
        await desk.settle()
        assert desk.focused == "risk"
        await desk.pilot.click("#risk", offset=(1, 0))
        cut = desk.text("risk").splitlines()[0]
        await desk.pilot.click("#risk", offset=(cut.index("4 Sig…") + 3, 0))
        await desk.settle()
        assert desk.focused == "signals", "a title that is cut is as good"


async def test_an_ended_engine_is_told_with_what_to_do() -> None:
    """Esc keeps the last state in view, marked as such; Enter leaves with the engine's code."""
    async with console() as desk:
        desk.link.end(Goodbye(4, "not flat: BTCUSDT 0.25"))
        await desk.settle()
        assert isinstance(desk.app.screen, GoneDialog)
        await desk.press("escape")
        assert "ENGINE GONE" in desk.text("status")
        assert "stopped" in desk.text("orders").splitlines()[0]
        await desk.pilot.press("ctrl+q")
        await desk.pilot.pause()
        assert desk.app.return_code == 4


async def test_a_vanished_engine_is_told_apart_from_an_ended_one() -> None:
    """Its orders are unwatched."""
    async with console() as desk:
        desk.link.end(None)
        await desk.settle()
        assert isinstance(desk.app.screen, GoneDialog)
        await desk.pilot.press("enter")
        await desk.pilot.pause()
        assert desk.app.return_code == 1
        assert "The engine is gone. It said nothing" in desk.app.last_words, (
            "Enter may have been meant otherwise"
        )
        assert "`trader-tui flatten --direct`" in desk.app.last_words


async def test_a_shutdown_from_here_leaves_with_the_engine() -> None:
    """No dialog asks once more."""
    async with console() as desk:
        await desk.press("ctrl+q", "down", "down", "enter")
        desk.link.end(Goodbye(0, "stopped, nothing open"))
        await desk.pilot.pause()
        await desk.pilot.pause()
        assert desk.app.return_code == 0
        assert desk.link.closed


async def test_an_engine_that_does_not_start_ends_the_console_with_its_code() -> None:
    """And with its message, which stays in the shell."""

    async def connect() -> FakeLink:
        raise LockHeldError("held by pid 7 since 14:00")

    app = ConsoleApp(connect, settings=ConsoleSettings(), driver_class=None)
    async with app.run_test() as pilot:
        await pilot.pause()
    assert app.return_code == 3


async def test_a_wide_low_screen_pairs_the_engines_facts() -> None:
    """All of them without scrolling at 80x24."""
    async with console(size=(80, 24)) as desk:
        await desk.press("8")
        assert "latency" in desk.text("health")
        assert "terminal" in desk.text("health")


async def test_twins_and_what_a_change_did_are_shown_at_80x24() -> None:
    """Beside the plays, in the reload pane."""
    changed = msgspec.structs.replace(
        RELOADS[0],
        result="shadow",
        text="generation 18 is a shadow twin, 17 runs",
        changes=("stop_loss.value: 2.0 -> 3.0",),
        signals="the last 600 bars: 40 signals the same, 2 no more, 1 new",
    )
    moment = snapshot(reloads=(changed,), twins=(TWIN,))
    async with console(moment, size=(80, 24)) as desk:
        await desk.press("6")
        shown = desk.prose("reload")
        assert "generation 18 is a shadow twin" in shown
        assert "2 no more, 1 new" in shown
        assert "TWIN" in shown
        assert "+1.25" in shown
        assert "-2.50" in shown
        assert "waits" in shown


async def test_what_happened_on_another_day_is_dated() -> None:
    """In events and signals."""
    old = Notice(NOW - 86_400 * S, NoticeLevel.INFO, "x", "yesterday's line", "")
    async with console(snapshot(notices=(old, Notice(NOW, NoticeLevel.INFO, "x", "a line", "")))) as desk:
        shown = desk.text("events")
        assert "08-07 14:02 info  yesterday's line" in shown
        assert "   14:02:11 info  a line" in shown
