"""Plays in the machine: each on its own instrument, warmed, swapped, and told of."""

from decimal import Decimal

import pytest

from engine.domain.commands import Notice, NoticeLevel
from engine.domain.events import Backfill, PlaySwapped, Remark
from engine.domain.ids import OrderRole
from engine.domain.play import Rule
from tests.builders import (
    BTC,
    ENTER_LONG,
    ETH,
    EXIT_LONG,
    PLAY,
    SELL,
    STEP,
    T0,
    World,
    bar,
    notices,
    setup,
    spec,
    submitted,
)
from tests.fakes import Hand


def test_two_plays_trade_their_own_instruments():
    world = World(setup(spec(), spec("other", long_entry=Rule("close > 200"))))
    world.bar(ENTER_LONG)
    world.bar(ENTER_LONG, ETH)
    assert len(world.orders()) == 1
    assert world.qty(ETH, "other") == 0
    world.market(bar(201.0, world.now, ETH))
    world.market(bar(201.0, world.now + STEP, ETH))
    assert world.qty(ETH, "other") == Decimal("0.55")
    world.market(bar(EXIT_LONG, world.now, BTC))
    assert world.qty(ETH, "other") == Decimal("0.55"), "exits act on the play's own quantity"


def test_a_fill_under_another_name_is_not_the_plays_position():
    world = Hand()
    order = world.machine.desk.submit(
        role=OrderRole.FLATTEN,
        play="flatten",
        symbol=BTC,
        side=SELL,
        qty=Decimal(1),
        now=world.now,
        cycle_id="x",
    )
    world.fill(order)
    assert world.machine.trading.runners[0].side == 0


def test_bars_of_another_step_evaluate_nothing():
    world = World()
    assert world.bar(ENTER_LONG, step_ns=5 * STEP) == []
    world.take(Backfill(world.now, (bar(ENTER_LONG, step_ns=5 * STEP),)))
    assert world.machine.trading.runners[0].evaluator.bars == 0


def test_backfill_warms_indicators_and_never_signals():
    world = World(setup(spec(long_entry=Rule("close > sma(3)"), short_entry=None, short_exit=None)))
    past = tuple(bar(close, T0 + n * STEP) for n, close in enumerate((100.0, 90.0, 200.0)))
    assert world.take(Backfill(world.now, past)) == []
    assert world.machine.market.window(BTC, STEP) == past
    assert submitted(world.bar(201.0)) == [("entry", "buy", "0.55")], "three bars are seen already"


def test_a_new_version_of_a_play_warms_on_the_window_and_keeps_the_position():
    world = World()
    world.bars(100.0, 100.0, ENTER_LONG, 111.0)
    assert world.qty() == 1
    orders = [order.client_id for order in world.orders()]
    slower = spec(long_exit=Rule("close < sma(4)"), long_entry=Rule("close > 300"))
    commands = world.take(PlaySwapped(world.now, slower, 2))
    assert submitted(commands) == []
    assert [order.client_id for order in world.orders()] == orders
    assert notices(commands, "reload")[0].startswith(f"{PLAY} runs generation 2")
    assert world.machine.trading.runners[0].evaluator.bars == 4
    assert submitted(world.bar(105.0)) == [("exit", "sell", "1")], "its rule sees the bars before the swap"


def test_a_version_of_a_play_that_does_not_run_changes_nothing():
    world = World()
    assert world.take(PlaySwapped(world.now, spec("other"), 2)) == []


def test_a_remark_is_said_and_changes_nothing():
    world = World()
    before = world.machine.state()
    commands = world.take(Remark(world.now, "recovery", "goes on from session s1"))
    assert notices(commands, "recovery") == ["goes on from session s1"]
    assert len(commands) == 1
    assert world.machine.state().desk == before.desk


@pytest.mark.parametrize(("is_warning", "level"), [(True, NoticeLevel.WARNING), (False, NoticeLevel.INFO)])
def test_a_remark_is_as_loud_as_it_says(is_warning, level):
    world = World()
    commands = world.take(Remark(world.now, "data", "x.csv trades as BTCUSDT", is_warning=is_warning))
    assert [command.level for command in commands if isinstance(command, Notice)] == [level]
