"""Pasted text commands nothing, marked as pasted or not; a person who types is never taken for a paste."""

import asyncio
import time

import pytest

from engine.api import Action
from tests.console_fakes import disarmed, empty_snapshot, snapshot
from tests.screens.test_terminal import F12, PanicLink, Terminal, running, terminal, until
from tui.screens.arm import ArmDialog

__all__ = ["terminal"]

CALM_S = 0.25  # how long a wrong command would have had


def bracketed(text: bytes) -> bytes:
    """Return text as a terminal with bracketed paste sends it."""
    return b"\x1b[200~" + text + b"\x1b[201~"


PASTED = [
    pytest.param(bracketed(b"a\ncanary\n"), id="a name to arm by, marked"),
    pytest.param(b"a\rcanary\r", id="a name to arm by"),
    pytest.param(bracketed(F12 + F12), id="the kill-switch twice, marked"),
    pytest.param(bracketed(b"pdxmR"), id="letters that command, marked"),
    pytest.param(b"pdxmR", id="letters that command"),
    pytest.param(b"some text " + F12 + F12 + b" and more", id="the kill-switch inside of text"),
    pytest.param(b"apaper\r" * 600, id="more than one reading"),
]


@pytest.mark.parametrize("text", PASTED)
async def test_pasted_text_commands_nothing(terminal: Terminal, text: bytes) -> None:
    """Nothing is sent, nothing opens."""
    link = PanicLink(empty_snapshot(status=disarmed(confirm_name="canary")))
    async with running(link) as app:
        terminal.type(text)
        await asyncio.sleep(CALM_S)
        assert link.commands == []
        assert link.panics == 0
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("text", [b"canary\r", bracketed(b"canary\r")])
async def test_a_name_that_is_pasted_into_the_dialog_does_not_arm_by_itself(
    terminal: Terminal, text: bytes
) -> None:
    """It stands in the field; Enter is the person's own."""
    link = PanicLink(empty_snapshot(status=disarmed(confirm_name="canary")))
    async with running(link) as app:
        terminal.type(b"a")
        await until(lambda: isinstance(app.screen, ArmDialog))
        terminal.type(text)
        await asyncio.sleep(CALM_S)
        assert link.commands == []
        assert app.screen.query_one("#name").value == "canary"  # type: ignore[attr-defined]  # an Input
        terminal.type(b"\r")
        await until(lambda: link.commands == [(Action.ARM, "", "canary")])


async def test_a_person_is_never_refused(terminal: Terminal) -> None:
    """Fast typing, keys held down, and what a line that stood still for a moment brings at once."""
    link = PanicLink(snapshot())
    async with running(link):
        for number in range(12):  # thirty keys a second
            terminal.type(b"pd"[number % 2 : number % 2 + 1])
            await asyncio.sleep(0.033)
        await until(lambda: len(link.commands) == 12)
        terminal.type(b"jjp")
        await until(lambda: len(link.commands) == 13)
        await asyncio.sleep(0.1)
        terminal.type(b"jjjjjjjj")
        terminal.type(b"p")
        await until(lambda: len(link.commands) >= 13)


async def test_a_person_is_not_refused_while_the_screen_stands_still(terminal: Terminal) -> None:
    """The keys are read in a thread of their own, so that they do not gather into a burst."""
    link = PanicLink(snapshot())
    async with running(link):
        for _ in range(10):
            terminal.type(b"d")
            until_s = time.monotonic() + 0.04
            while time.monotonic() < until_s:
                pass
            terminal.type(b"j")
        await until(lambda: len(link.commands) == 10)


async def test_the_kill_switch_is_no_text_and_fires_at_once(terminal: Terminal) -> None:
    """Two presses that come together, with a row moved before them."""
    link = PanicLink(snapshot())
    async with running(link):
        terminal.type(b"j" + F12 + F12)
        await until(lambda: link.panics == 1)
