"""A trader's session on a real screen, and what becomes of it when screen or engine go away."""

import os
import re
import signal

import pytest

from engine.api import Phase
from tests.process.harness import LIMIT_S, eventually

pytestmark = pytest.mark.process


def test_from_the_first_look_to_the_shutdown(house, tmux):
    console = tmux("first", "--play", house.play)
    console.wait_for(r"PAPER +DISARMED")
    console.wait_for(r"BTCUSDT +.? *[\d,]+\.\d")  # a price
    console.keys("a")
    console.wait_for("Type holder and press Enter")
    console.keys("wrong")
    console.wait_for(r"│  wrong +│")
    console.keys("Enter")
    console.wait_for("That is not holder")
    assert house.phase() is Phase.DISARMED
    console.keys("C-u")
    eventually(lambda: not re.search(r"│  wrong +│", console.screen()), "an empty field", show=console.screen)
    console.keys("holder")

    def entered() -> bool:
        """Press Enter by itself: one that comes together with the text is left out, as of a paste."""
        console.keys("Enter")
        return house.phase() is Phase.ARMED

    eventually(entered, "armed", show=console.screen)
    console.wait_for(r"PAPER +ARMED")
    console.wait_for(r"BTCUSDT +BUY +open +approved")  # the signal
    console.wait_for(r"filled +\S+ +BTCUSDT +BUY +entry")  # the order
    console.wait_for(r"BTCUSDT +LONG +0\.\d")  # the position
    eventually(house.protected, "stop and target rest at the venue")

    console.keys("p")
    console.wait_for("PAUSED")
    assert house.snapshot().status.paused
    console.keys("p")
    eventually(lambda: not house.snapshot().status.paused, "resumed", show=console.screen)

    console.keys("F12")
    console.wait_for(r"FLATTEN\?")
    assert house.position(), "one press asks"
    console.keys("F12")
    console.wait_for("HALTED")
    eventually(lambda: house.phase() is Phase.HALTED, "halted")
    assert not house.position()
    assert house.snapshot().flatten.step == "flat"

    pid = house.pid()
    console.keys("C-q")
    console.wait_for("Detach")
    console.keys("Home", "Down", "Enter")
    assert console.note("code") == "0"
    console.wait_for(rf"Detached\. The engine goes on \(pid {pid}")
    assert house.pid() == pid
    assert house.phase() is Phase.HALTED

    again = tmux("again", "--play", house.play)
    again.wait_for("HALTED")
    again.wait_for(rf"running already\W+\(pid {pid}")
    again.keys("C-q")
    again.wait_for("Shut down")
    again.keys("Home", "Down", "Down", "Enter")
    assert again.note("code") == "0"
    eventually(house.gone, "the engine is gone and its lock free")
    assert again.note("before") == again.note("after")


def test_an_exported_size_does_not_shrink_the_screen(house, tmux):
    house.env |= {"COLUMNS": "40", "LINES": "10"}
    console = tmux("only", cols=130, rows=44)
    console.wait_for("Ctrl-Q Leave")
    assert max(len(line) for line in console.screen().splitlines()) > 120


def test_a_second_console_watches_the_same_engine(house, tmux):
    first = tmux("first")
    first.wait_for(r"PAPER +DISARMED")
    second = tmux("second", "attach")
    second.wait_for(r"PAPER +DISARMED")
    second.wait_for("READ-ONLY")
    second.keys("p")
    second.wait_for("this console only watches")
    second.keys("C-t")
    second.wait_for("In control now: ")
    second.keys("Down", "Enter")
    first.wait_for("READ-ONLY")
    first.wait_for("has control now")
    second.keys("p")
    first.wait_for("PAUSED")
    os.kill(int(second.note("pid")), signal.SIGTERM)
    assert second.note("code") == "143"
    first.wait_for("Nobody has control")
    first.keys("C-t")
    first.wait_for("In control now: nobody")
    first.keys("Down", "Enter")
    eventually(lambda: "READ-ONLY" not in first.screen(), "the first console has control again")
    first.keys("p")
    eventually(lambda: not house.snapshot().status.paused, "the first console commands again")


def test_killing_the_tmux_session_leaves_the_engine_running(house, tmux):
    console = tmux("only")
    console.wait_for(r"PAPER +DISARMED")
    pid = house.pid()
    console.kill_session()
    assert console.note("code") == "129"
    assert house.pid() == pid
    assert house.phase() is Phase.DISARMED


def test_sigterm_leaves_the_terminal_as_it_was(house, tmux):
    console = tmux("only")
    console.wait_for(r"PAPER +DISARMED")
    assert console.screen_is_alternate
    pid = house.pid()
    os.kill(int(console.note("pid")), signal.SIGTERM)
    assert console.note("code") == "143"
    assert console.note("after") == console.note("before")
    assert not console.screen_is_alternate
    assert house.pid() == pid


def test_a_killed_engine_is_missed_and_the_way_back_is_named(house, tmux):
    engine = house.holding()
    console = tmux("only", "attach")
    console.wait_for(r"PAPER +ARMED")
    engine.send_signal(signal.SIGKILL)
    engine.wait(LIMIT_S)
    console.wait_for("The engine is gone")
    console.wait_for("1 position and")
    console.wait_for("trader-tui flatten")
    console.keys("Enter")
    assert console.note("code") == "1"


def test_an_engine_that_is_started_again_is_taken_up_by_the_console_that_missed_it(house, tmux):
    engine = house.holding()
    console = tmux("only", "attach")
    console.wait_for(r"PAPER +ARMED")
    engine.send_signal(signal.SIGKILL)
    engine.wait(LIMIT_S)
    console.wait_for("The engine is gone")
    house.engine("--play", house.play)
    console.keys("r")
    console.wait_for(r"an engine that was started\W+since")
    console.wait_for(r"PAPER +DISARMED")
    assert "ENGINE GONE" not in console.screen()
    console.keys("p")
    eventually(lambda: house.snapshot().status.paused, "the console commands again", show=console.screen)


def test_a_tiny_screen_still_takes_orders(house, tmux):
    console = tmux("only", "--play", house.play, cols=10, rows=5)
    console.wait_for("DISARMED")
    console.keys("p")
    eventually(lambda: house.snapshot().status.paused, "paused", show=console.screen)
    console.keys("F12")
    console.keys("F12")
    eventually(lambda: house.phase() is Phase.HALTED, "flattened", show=console.screen)
    console.keys("C-c")
    console.keys("C-c")  # the default of a paper session: shut down
    assert console.note("code") == "0"
    eventually(house.gone, "the engine is gone")
