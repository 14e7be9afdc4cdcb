"""Plays for which each print is a bar."""

from decimal import Decimal

from engine.domain.commands import SaveSignal
from engine.domain.events import PlaySwapped
from engine.domain.market import PRINT_STEP_NS, bar_of
from engine.domain.play import Rule
from engine.venues.simulated import MatchOn, SimulatedConfig, SimulatedVenue
from tests.builders import BTC, ENTER_LONG, ETH, EXIT_LONG, QUIET, World, bar, of, setup, spec, trade
from tests.fakes import Hand

PRINTS = spec(timeframe="trade")


def world(**changes) -> World:
    facts = setup(spec(timeframe="trade", **changes))
    return World(facts, SimulatedVenue(facts.instruments, SimulatedConfig(match_on=MatchOn.TRADES)))


def test_a_print_is_a_bar_that_ends_right_after_it():
    one = bar_of(trade(101.5, ts=7, qty=2.5))
    assert (one.ts, one.step_ns, one.count) == (8, PRINT_STEP_NS, 1)
    assert (one.open, one.high, one.low, one.close, one.volume) == (101.5, 101.5, 101.5, 101.5, 2.5)


def test_each_print_is_evaluated_also_several_of_one_moment():
    hand = Hand(setup(PRINTS))
    runner = hand.machine.trading.runners[0]
    for price in (QUIET, QUIET, QUIET):
        hand.take(trade(price, hand.now))
    assert runner.evaluator.bars == 3
    hand.take(trade(QUIET, hand.now, ETH), bar(ENTER_LONG, hand.now))
    assert runner.evaluator.bars == 3, "neither another symbol's prints nor bars are its bars"
    assert hand.machine.tally.signals == 0


def test_a_print_leads_to_an_order_that_trades_on_the_next_one():
    market = world(stop_loss=None, take_profit=None)
    market.market(trade(ENTER_LONG, market.now))
    assert market.qty() == 0
    market.market(trade(ENTER_LONG, market.now))
    assert market.qty() == Decimal(1)
    market.market(trade(EXIT_LONG, market.now + 1))
    market.market(trade(EXIT_LONG, market.now + 1))
    assert market.qty() == 0


def test_a_rule_about_minutes_sees_a_minute_once_the_first_print_is_past_it():
    market = world(long_entry=Rule("close@1m > 110"), stop_loss=None, take_profit=None)
    minute = 60_000_000_000
    start = (market.now // minute + 1) * minute
    for at, price in ((0, QUIET), (minute - 2, ENTER_LONG), (minute, QUIET), (minute + 1, QUIET)):
        market.market(trade(price, start + at))
    signals = of(SaveSignal, market.commands)
    assert signals[0].signal.ts == start + minute + PRINT_STEP_NS


def test_a_new_version_is_warmed_on_the_last_prints():
    hand = Hand(setup(PRINTS, window_bars=5))
    for number in range(7):
        hand.take(trade(QUIET, hand.now + number))
    hand.take(PlaySwapped(hand.now, spec(timeframe="trade", long_entry=Rule("sma(4) > 1")), 2))
    runner = hand.machine.trading.runners[0]
    assert (runner.generation, runner.evaluator.bars) == (2, 5)
    assert len(hand.machine.market.window(BTC, PRINT_STEP_NS)) == 5
