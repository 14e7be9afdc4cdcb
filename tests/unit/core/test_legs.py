"""Plays on several symbols in the machine: they trade the first, once a close, and survive a restart."""

from typing import Any

from engine.core.setup import PlayBinding
from engine.domain.commands import Command
from engine.domain.events import Backfill, PlaySwapped
from engine.domain.ids import OrderRole
from engine.domain.play import Rule
from tests.builders import BTC, ETH, STEP, T0, World, bar, notices, setup, spec, submitted

CHEAP = Rule("close < eth.close")
LATE = Rule("sma(close - eth.close, 3) < 0")


def pair(**rules: Rule | None) -> PlayBinding:
    facts: dict[str, Any] = {
        "long_entry": CHEAP,
        "long_exit": None,
        "short_entry": None,
        "short_exit": None,
    } | rules
    return PlayBinding(spec(legs=("btc", "eth"), **facts), BTC, STEP, (ETH,))


def world(**rules: Rule | None) -> World:
    return World(setup(plays=(pair(**rules),)))


def minute(at: World, btc: float, eth: float) -> list[Command]:
    """A minute of both symbols; the other one's bar completes the close."""
    first = at.market(bar(btc, at.now + STEP, BTC))
    return [*first, *at.market(bar(eth, at.now, ETH))]


def test_the_first_leg_is_traded_when_the_others_bar_completes_the_close():
    here = world()
    assert here.market(bar(100.0, here.now + STEP, BTC)) == []
    assert submitted(here.market(bar(101.0, here.now, ETH))) == [("entry", "buy", "1.11")]
    assert here.order(OrderRole.ENTRY).request.symbol == BTC
    minute(here, 100.0, 101.0)
    assert here.qty(BTC) > 0
    assert here.qty(ETH) == 0
    (runner,) = here.machine.trading.runners
    assert runner.side == 1


def test_a_position_in_the_other_leg_is_not_the_plays():
    here = world()
    minute(here, 100.0, 101.0)
    minute(here, 100.0, 101.0)
    here.machine.trading.follow_books()
    assert here.machine.trading.runners[0].side == 1


def test_backfill_and_window_hold_all_legs():
    here = world(long_entry=LATE)
    past = [bar(100.0, T0 - n * STEP, symbol) for n in (3, 2, 1) for symbol in (BTC, ETH)]
    here.take(Backfill(here.now, tuple(past)))
    (runner,) = here.machine.trading.runners
    assert runner.evaluator.bars == 3
    assert here.machine.trading.window(runner) == tuple(past)


def test_a_swap_is_warmed_on_all_legs():
    here = world()
    for _ in range(4):
        minute(here, 100.0, 99.0)
    new = pair(long_entry=LATE).spec
    here.take(PlaySwapped(here.now, new, 2))
    assert any("generation 2" in text for text in notices(here.commands, "reload"))
    assert submitted(minute(here, 90.0, 99.0)) == [("entry", "buy", "1.23")]


def test_a_restart_between_the_legs_of_a_close_goes_on():
    here = world()
    minute(here, 100.0, 99.0)
    here.market(bar(100.0, here.now + STEP, BTC))
    here.restart()
    assert submitted(here.market(bar(101.0, here.now, ETH))) == [("entry", "buy", "1.11")]
