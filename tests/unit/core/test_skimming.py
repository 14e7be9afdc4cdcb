"""Where more than a play's rules looks at every bar, no bar is skimmed."""

from engine.core.machine import Machine
from engine.core.market import Market
from engine.venues.stretch import TapeStretch
from tests.builders import BTC, ETH, STEP, bar, instrument, setup, spec, trade
from tests.property.test_skim import tape_of

STRETCH = TapeStretch(BTC, STEP, tape_of(seed=2, count=20), 20)


def machine() -> Machine:
    made = Machine(setup(spec(), symbols=(BTC, ETH)))
    made.handle(STRETCH.bar(0), STRETCH.ts[0])
    return made


def test_bars_on_which_only_rules_look_are_skimmed():
    assert machine().skim(STRETCH, 1, 6) == (6, ())


def test_a_play_that_needs_its_bars_gets_them_all():
    made = machine()
    made.trading.runners[0].expires = 3
    assert made.skim(STRETCH, 1, 6) == (1, ())


def test_bars_that_no_play_looks_at_are_skimmed_once_there_was_one():
    stretch = TapeStretch(ETH, STEP, tape_of(seed=2, count=9), 9)
    made = machine()
    assert made.skim(stretch, 0, 6) == (0, ())
    made.handle(stretch.bar(0), stretch.ts[0])
    assert made.skim(stretch, 1, 6) == (6, ())
    assert made.market.price(ETH) == stretch.close[5]


def test_the_first_bar_of_all_and_of_a_day_is_not_skimmed():
    made = Machine(setup(spec(), symbols=(BTC,)))
    assert made.skim(STRETCH, 0, 6) == (0, ())


def test_where_trades_tell_the_volume_of_a_day_bars_do_not():
    market = Market((instrument(BTC),), 5)
    market.on_trade(trade(100.0, STRETCH.ts[0]), STRETCH.ts[0])
    market.on_bar(bar(100.0, STRETCH.ts[0]), STRETCH.ts[0])
    market.on_stretch(STRETCH, 1, 4)
    assert market.rows()[0].volume == 1.0


def test_the_first_bar_of_another_length_is_not_skimmed():
    coarse = TapeStretch(BTC, 5 * STEP, tape_of(seed=2, count=9), 9)
    assert machine().skim(coarse, 1, 6) == (1, ())
