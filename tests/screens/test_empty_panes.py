"""Every empty pane says what would fill it and which key does it, whatever holds things up."""

from functools import partial

import pytest

from engine.api import FeedRow, Phase, RiskMode, Rung, Snapshot
from tests.console_fakes import disarmed, empty_snapshot, status
from tests.screens.console import Desk, console
from tui.panes.registry import PANES

WIDE = (200, 50)
WAITING = ("orders", "positions")  # what an entry fills
LOST = FeedRow("bybit", "disconnected", 9_000.0, 0, "")


def at(**changes: object) -> Snapshot:
    """An engine without anything, in a state."""
    return empty_snapshot(status=status(**changes))


STATES: dict[str, tuple[Snapshot, str]] = {
    "disarmed": (empty_snapshot(), "DISARMED: a arms."),
    "both": (empty_snapshot(status=disarmed(paused=True)), "DISARMED: a arms. PAUSED: p resumes."),
    "paused": (at(paused=True, rung=Rung.REDUCE), "PAUSED: p resumes."),
    "halted": (at(phase=Phase.HALTED, rung=Rung.HOLD), "HALTED after a flatten: a arms again"),
    "flattening": (at(phase=Phase.FLATTENING), "FLATTENING: nothing new is entered."),
    "risk mode": (at(risk_mode=RiskMode.OBSERVE), "Risk mode OBSERVE: m changes it."),
    "held": (at(rung=Rung.REDUCE), "Held at REDUCE: 5 tells by whom."),
    "no feed": (empty_snapshot(feeds=(LOST,)), "The feed bybit is disconnected: it connects again"),
    "no price": (empty_snapshot(ticks=()), "No price has come yet: 8 tells how the feed is."),
    "no play": (at(plays=()), "No play is loaded: start with --play FILE."),
    "end of data": (at(data_ended=True), "The data has ended: nothing more comes."),
    "armed": (at(), "Armed: w tells why no bar has led to an entry yet."),
}


@pytest.mark.parametrize("state", STATES)
async def test_what_an_entry_would_fill_says_what_holds_it_back(state: str) -> None:
    moment, said = STATES[state]
    async with console(moment, size=WIDE) as desk:
        for pane in WAITING:
            assert said in desk.prose(pane), pane


@pytest.mark.parametrize("state", ["no feed", "no price", "no play", "end of data"])
async def test_signals_say_why_plays_have_nothing_to_decide_on(state: str) -> None:
    moment, said = STATES[state]
    async with console(moment, size=WIDE) as desk:
        assert said in desk.prose("signals")


@pytest.mark.parametrize("state", ["disarmed", "no feed", "armed"])
async def test_no_pane_is_ever_just_empty(state: str) -> None:
    """Each has at least a sentence between its frame."""
    moment, _ = STATES[state]
    async with console(moment, size=WIDE) as desk:
        for pane in PANES:
            desk.app.navigator.choose(pane.name_id)
            await desk.until(partial(says_something, desk, pane.name_id))


def says_something(desk: Desk, pane: str) -> bool:
    """Tell whether there is at least a short sentence in a pane."""
    return len(inside(desk, pane)) >= 3


def inside(desk: Desk, pane: str) -> list[str]:
    """Return the words in a pane, its title left out."""
    return " ".join(desk.text(pane).replace("│", " ").splitlines()[1:-1]).split()


async def test_what_an_empty_pane_says_follows_the_engine_though_time_stands_still() -> None:
    """The time of a replay that has ended goes no further."""
    async with console(empty_snapshot(), size=WIDE) as desk:
        assert "DISARMED: a arms." in desk.prose("orders")
        await desk.play(at())
        assert "Armed: w tells why" in desk.prose("orders")
