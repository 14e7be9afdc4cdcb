"""The limits on capital at work: what an entry costs, how often it comes, what was lost and put aside."""

from decimal import Decimal
from typing import Any

import pytest

from engine.core.pacing import ENTRIES_KEPT, REPEATS_KEPT
from engine.core.setup import PlayBinding
from engine.core.view import view
from engine.domain.commands import SaveSignal, SaveTransition
from engine.domain.events import Action
from engine.domain.ids import OrderRole
from engine.domain.modes import RiskMode
from engine.domain.orders import OrderKind
from engine.domain.play import EntryOrder, Rule, Sizing, SizingKind
from engine.domain.signals import Signal, SignalKind
from tests.builders import (
    BTC,
    BUY,
    ENTER_LONG,
    ENTER_SHORT,
    ETH,
    EXIT_LONG,
    PLAY,
    QUIET,
    STEP,
    World,
    bar,
    of,
    percent,
    setup,
    spec,
    trade,
)
from tests.fakes import Hand

OTHER = "other"


def said(commands: Any) -> list[tuple[str, str, str]]:
    """Return code, value and limit of every entry that was refused."""
    refused = [saved.veto for saved in of(SaveSignal, commands) if saved.veto]
    facts = [(veto.reason.value, dict(veto.values)) for veto in refused]
    return [(reason, values.get("value", ""), values.get("limit", "")) for reason, values in facts]


def two_plays(**limits: Any) -> Hand:
    """Two plays that enter on the same levels, each in its own symbol."""
    return Hand(setup(spec(), spec(OTHER), **limits))


def again(world: World, times: int) -> list[Any]:
    """Let the play enter and leave so many times; return what the last bar of it led to."""
    commands: list[Any] = []
    for _ in range(times):
        commands = world.bars(ENTER_LONG, 111.0)
        world.bars(EXIT_LONG, QUIET)
    return commands


def test_entries_of_one_close_time_are_capped_together():
    world = two_plays(cycle_notional_max=Decimal(200))
    world.bar(ENTER_LONG)
    ts = world.now
    assert said(world.market(bar(ENTER_LONG, ts, ETH))) == [("CYCLE_NOTIONAL_MAX", "222.00", "200")]
    assert said(world.bar(ENTER_LONG, ETH)) == [], "a new time begins a new sum"


def test_a_symbol_is_capped_over_all_plays_long_and_short_added():
    short = spec(OTHER, short_entry=Rule("close > 110"), short_exit=None, long_entry=None, long_exit=None)
    plays = tuple(PlayBinding(play, BTC, STEP) for play in (spec(), short))
    world = Hand(setup(plays=plays, symbol_notional_max=Decimal(200)))
    assert said(world.bar(ENTER_LONG)) == [("SYMBOL_NOTIONAL_MAX", "222.00", "200")]


def test_working_entries_count_as_if_they_were_filled():
    world = two_plays(leverage_max=0.02)
    world.bar(ENTER_LONG)
    assert said(world.bar(ENTER_LONG, ETH)) == [("LEVERAGE_MAX", "0.02x", "0.02x")]
    world.cancel(world.order(OrderRole.ENTRY))
    assert said(world.bar(ENTER_LONG, ETH)) == []


def test_positions_count_at_their_marks():
    world = two_plays(leverage_max=0.0225)
    world.enter_long()
    world.market(trade(120.0, world.now))
    assert said(world.bar(ENTER_LONG, ETH)) == [("LEVERAGE_MAX", "0.02x", "0.0225x")]
    world.market(trade(111.0, world.now))
    assert said(world.bar(ENTER_LONG, ETH)) == []


def test_the_cash_reserve_stays_free():
    world = two_plays(cash_reserve_min=Decimal(9_800))
    world.bar(ENTER_LONG)
    assert said(world.bar(ENTER_LONG, ETH)) == [("CASH_RESERVE", "9778.00 left", "9800")]


def test_leverage_lets_the_same_capital_carry_more():
    world = two_plays(cash_reserve_min=Decimal(9_800), leverage_max=2.0)
    world.bar(ENTER_LONG)
    assert said(world.bar(ENTER_LONG, ETH)) == []


def test_a_price_far_from_the_mark_is_refused():
    entry = EntryOrder(OrderKind.LIMIT, percent(3.0))
    world = Hand(setup(spec(entry=entry), price_collar_percent=2.0))
    assert said(world.bar(ENTER_LONG)) == [("PRICE_COLLAR", "3.06%", "2%")]


def test_entries_are_limited_within_a_window():
    world = two_plays(order_rate_max=1, order_rate_window_s=90.0)
    world.bar(ENTER_LONG)
    assert said(world.bar(ENTER_LONG, ETH)) == [("ORDER_RATE_MAX", "1", "1 in 90s")]
    assert said(world.bar(ENTER_LONG, ETH)) == []


def test_a_play_that_repeats_itself_is_stopped_until_a_person_goes_on():
    world = World(setup(repeat_entries_max=2, repeat_entries_window_s=600.0))
    again(world, 2)
    assert list(world.alarms()) == [f"repeats:{PLAY}:{BTC}:buy"]
    assert said(world.bar(ENTER_LONG)) == [("REPEATED_ENTRIES", "2, stopped", "2 in 600s")]
    world.wait(3600)
    assert said(world.bar(ENTER_LONG)) == [("REPEATED_ENTRIES", "0, stopped", "2 in 600s")]
    assert said(world.bar(ENTER_SHORT)) == [], "the other side goes on"


def test_what_is_stopped_for_repeating_stays_so_over_a_restart():
    world = World(setup(repeat_entries_max=2))
    again(world, 2)
    before = world.loop.state()
    world.restart()
    assert world.loop.state() == before
    assert said(world.bar(ENTER_LONG)) == [("REPEATED_ENTRIES", "2, stopped", "2 in 600s")]
    assert world.machine.trading.entering.enable(PLAY)
    assert world.alarms() == {}
    assert said(world.bar(ENTER_LONG)) == []
    assert not world.machine.trading.entering.enable(PLAY)


def test_the_fall_from_the_peak_latches_and_a_person_begins_a_new_peak():
    world = World(setup(spec(stop_loss=None, long_exit=None), drawdown_max_percent=0.1, mode_dwell_s=0.0))
    world.bars(ENTER_LONG, 111.0, 115.0)
    assert of(SaveTransition, world.bar(105.1)) == []
    (stored,) = of(SaveTransition, world.bar(104.9))
    assert (stored.after, stored.reason) == ("reduce", "drawdown: drawdown=0.10% limit=0.1%")
    world.ask(Action.RISK_MODE, "normal", "the market came back to where it was in March")
    assert world.machine.authority.operator.risk_mode is RiskMode.NORMAL
    assert of(SaveTransition, world.bar(104.0)) == [], "measured from where it stood then"
    fell = world.machine.risk.losses.drawdown_percent(world.machine.ledger.equity())
    assert fell == pytest.approx(0.009, abs=0.001)


def test_losses_in_a_row_latch_and_a_win_begins_anew():
    world = World(setup(losses_in_a_row_max=2, mode_dwell_s=0.0))
    world.bars(ENTER_LONG, 111.0, 104.0, 104.0)
    assert world.machine.ledger.capital.losses_in_a_row == 1
    world.bars(ENTER_LONG, 100.0, 104.0, 104.0)
    assert world.machine.ledger.capital.losses_in_a_row == 0
    again(world, 2)
    assert world.machine.authority.operator.risk_mode is RiskMode.REDUCE
    assert "losses_in_a_row: losses=2 limit=2" in world.alarms()["risk:reduce"]
    world.ask(Action.RISK_MODE, "normal", "looked at both")
    assert said(world.bar(ENTER_LONG)) == []


def test_a_part_of_each_profit_is_put_aside_and_nothing_on_a_loss():
    world = World(setup(profit_reserve_percent=Decimal(30), price_collar_percent=None))
    world.bars(ENTER_LONG, 100.0, 104.0, 104.0)
    ledger = world.machine.ledger
    assert ledger.realized == 4
    assert ledger.capital.reserve == Decimal("1.2")
    assert ledger.trading_capital() == Decimal("10002.8")
    world.bars(ENTER_LONG, 111.0, 104.0, 104.0)
    assert ledger.capital.reserve == Decimal("1.2")
    assert ledger.trading_capital() + ledger.capital.reserve == ledger.exact_equity()


def test_entries_are_sized_with_trading_capital():
    half = Sizing(SizingKind.EQUITY_FRACTION, Decimal("0.5"))
    world = World(setup(spec(sizing=half)))
    world.machine.ledger.capital.reserve = Decimal(4_000)
    world.bar(ENTER_LONG)
    assert world.order(OrderRole.ENTRY).request.qty == Decimal("27.02"), "3,000 at 111"


def test_the_screen_asks_for_the_side_that_is_held():
    world = Hand(setup(symbol_notional_max=Decimal(500)))
    world.bar(ENTER_SHORT)
    world.fill(world.order(OrderRole.ENTRY), price="89")
    rows = {row.name: row.value for row in view(world.machine, world.now).gates}
    assert rows["position cap"] == rows["symbol cap"] == "110.36"


def test_only_as_many_entries_are_remembered_as_a_limit_may_look_back_on():
    world = World()
    pace, limits = world.machine.risk.pace, world.setup.limits
    signal = Signal(world.now, PLAY, BTC, BUY, SignalKind.ENTRY, QUIET)
    for _ in range(ENTRIES_KEPT + 5):
        pace.sent(signal, Decimal(1), world.now, limits)
    assert pace.recent(world.now, limits) == ENTRIES_KEPT
    assert pace.repeats((PLAY, BTC, BUY), world.now, limits) == REPEATS_KEPT
    assert pace.of_cycle(world.now) == ENTRIES_KEPT + 5
