"""`status --watch`: a line a change, and none for what changes all the time."""

import asyncio
import io
import json
import signal
from decimal import Decimal

import msgspec
import pytest

from engine.api import Action, ControlError, FeedRow, Goodbye
from tests.console_fakes import (
    FakeLink,
    connected,
    empty_snapshot,
    flattening_snapshot,
    snapshot,
    status,
    ticks,
    trouble_snapshot,
)
from tui.watch import change_line, tell_changes, watch


def feed(name, state, age_ms):
    return FeedRow(name=name, state=state, age_ms=age_ms, events=1, text="")


async def told(*moments, goodbye=None, as_json=False):
    link = FakeLink(moments)
    link.end(goodbye)
    out, err = io.StringIO(), io.StringIO()
    code = await tell_changes(link, out, err, as_json=as_json)
    return out.getvalue().splitlines(), err.getvalue(), code


async def test_a_line_is_printed_when_what_it_says_is_new():
    paused = snapshot(status=status(paused=True))
    moments = (snapshot(), snapshot(ticks=ticks(3)), paused, paused, snapshot())
    lines, words, code = await told(*moments, goodbye=Goodbye(0, "bye"))
    assert len(lines) == 3
    assert lines[0].startswith(
        "14:02:11Z paper armed; risk normal; rung FULL; feed ok; positions BTCUSDT +0.25,"
    )
    assert "paper armed, paused" in lines[1]
    assert (words, code) == ("bye\n", 0)


async def test_each_line_of_json_holds_all_facts():
    lines, _, code = await told(snapshot(), as_json=True)
    assert json.loads(lines[0])["phase"] == "armed"
    assert code == 1, "it vanished"


def test_what_is_wrong_is_named():
    line = change_line(trouble_snapshot())
    assert "UNKNOWN" in line
    assert "SOLUSDT +12 NOT PROTECTED" in line
    assert "rung REDUCE by paused" in line
    assert "alarms 2: engine loop stalled" in line
    assert "flatten" in change_line(flattening_snapshot())
    assert "positions none; orders 0 open; alarms none" in change_line(empty_snapshot())


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        ((), "feed none"),
        ((feed("a", "connected", 9_000.0), feed("b", "connected", 1.0)), "feed stale: a"),
        ((feed("a", "reconnecting", 9_000.0),), "feed a reconnecting"),
    ],
)
def test_feeds_are_told_by_name(feeds, said):
    assert said in change_line(snapshot(feeds=feeds))


def test_the_end_of_the_data_is_told():
    assert "feed ended" in change_line(snapshot(status=status(data_ended=True)))


@pytest.fixture
def interruptible():
    """Let Ctrl-C mean what it means in a terminal, also where the tests were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_with_130_and_lets_go_of_the_engine():
    link = FakeLink([snapshot()])

    class Pressing(io.StringIO):
        def flush(self):
            signal.raise_signal(signal.SIGINT)

    assert watch(lambda: connected(link), Pressing(), io.StringIO(), as_json=False) == 130
    assert link.closed


def test_without_an_engine_there_is_nothing_to_watch():
    async def nobody():
        raise ControlError("no engine runs")

    with pytest.raises(ControlError):
        watch(nobody, io.StringIO(), io.StringIO(), as_json=False)


def test_it_returns_the_engines_own_code():
    link = FakeLink([snapshot()])
    link.end(Goodbye(4, "not flat"))
    assert watch(lambda: connected(link), io.StringIO(), io.StringIO(), as_json=False) == 4
    assert asyncio.run(link.command(Action.PAUSE)).ok


def test_a_stop_that_nobody_confirmed_protects_nothing():
    """Its price alone is a wish; the part that no stop covers is named."""
    first, *rest = snapshot().positions
    wished = msgspec.structs.replace(first, at_stop=None)
    partly = msgspec.structs.replace(first, bare=Decimal("0.05"))
    assert "BTCUSDT +0.25 NOT PROTECTED," in change_line(snapshot(positions=(wished, *rest)))
    assert "BTCUSDT +0.25 NOT PROTECTED 0.05," in change_line(snapshot(positions=(partly, *rest)))


def test_a_feed_that_never_brought_anything_is_not_fresh():
    quiet = feed("bybit", "connected", -1.0)
    assert "feed stale: bybit" in change_line(snapshot(feeds=(feed("x", "connected", 9.0), quiet)))
