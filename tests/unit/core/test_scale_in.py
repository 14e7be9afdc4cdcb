"""Further entries into a position: when they come, how large they are, and what ends them."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.commands import SaveSignal
from engine.domain.events import Action
from engine.domain.ids import OrderRole
from engine.domain.money import canonical
from engine.domain.orders import OrderKind
from engine.domain.play import (
    Distance,
    DistanceKind,
    EntryOrder,
    LadderStep,
    PlaySpec,
    Protections,
    Rule,
    ScaleIn,
)
from tests.builders import ENTER_LONG, ENTER_SHORT, QUIET, World, of, percent, setup, spec, submitted

BARE: dict[str, Any] = {"long_exit": None, "short_exit": None, "take_profit": None}
EVERY = ScaleIn(3, every=percent(5.0))


def play(part: ScaleIn = EVERY, **changes: Any) -> PlaySpec:
    return spec(scale_in=part, short_entry=None, **(BARE | changes))


def entered(facts: PlaySpec, **limits: Any) -> World:
    """A long position of one unit at 100."""
    world = World(setup(facts, **limits))
    world.bars(QUIET, QUIET, QUIET, ENTER_LONG, 100.0)
    assert world.qty() == 1
    return world


def kinds(commands: Any) -> list[tuple[str, str]]:
    return [
        (saved.signal.kind.value, saved.veto.reason.value if saved.veto else "")
        for saved in of(SaveSignal, commands)
    ]


def stop(world: World) -> tuple[str, str]:
    (request,) = [order.request for order in world.orders(OrderRole.STOP)]
    assert request.trigger is not None
    return canonical(request.qty), canonical(request.trigger)


def test_a_position_grows_step_by_step_in_its_favour_up_to_its_limit():
    world = entered(play())
    assert kinds(world.bar(104.9)) == [], "not 5 % yet"
    commands = world.bar(105.0)
    assert kinds(commands) == [("scale_in", "")]
    assert submitted(commands) == [("entry", "buy", "1")]
    world.bar(106.0)
    assert world.qty() == 2
    assert stop(world) == ("2", "91.9"), "103 on average, less the 11.1 of the first signal"
    assert kinds(world.bar(111.2)) == [], "counted from the last entry, at 106"
    assert kinds(world.bar(111.4)) == [("scale_in", "")]
    world.bar(111.4)
    assert world.qty() == 3
    assert kinds(world.bar(130.0)) == [("scale_in", "SCALE_IN_MAX")]
    assert kinds(world.bar(140.0)) == [], "said once a position"


def test_the_limit_is_said_again_for_the_next_position():
    world = entered(play(ScaleIn(2, every=percent(5.0)), stop_loss=percent(10.0)))
    for _ in range(2):
        world.bars(106.0, 106.0)
        assert kinds(world.bar(115.0)) == [("scale_in", "SCALE_IN_MAX")]
        world.bar(QUIET, low=80.0)
        assert world.qty() == 0
        world.bars(ENTER_LONG, 100.0)


def test_a_short_grows_as_the_price_falls():
    short = spec(scale_in=EVERY, long_entry=None, **BARE)
    world = World(setup(short))
    world.bars(ENTER_SHORT, 90.0)
    assert kinds(world.bar(86.0)) == []
    assert submitted(world.bar(85.5)) == [("entry", "sell", "1.24")]


def test_averaging_down_waits_for_the_price_to_fall_and_reprices_the_stop():
    world = entered(play(ScaleIn(2, every=percent(5.0), against=True), stop_loss=percent(20.0)))
    assert stop(world) == ("1", "77.8"), "100 less 22.2"
    assert kinds(world.bar(110.0)) == []
    assert submitted(world.bar(95.0)) == [("entry", "buy", "1")]
    world.bar(94.0)
    assert stop(world) == ("2", "74.8"), "97 on average"


@pytest.mark.parametrize(("factor", "quantities"), [("0.5", ["0.5", "0.25"]), ("2", ["2", "4"])])
def test_each_entry_is_a_factor_of_the_one_before(factor, quantities):
    world = entered(play(ScaleIn(3, every=percent(5.0), size_factor=Decimal(factor))))
    first = submitted(world.bar(106.0))
    world.bar(106.0)
    second = submitted(world.bar(112.0))
    assert [qty for _, _, qty in first + second] == quantities


def test_a_factor_that_leaves_less_than_the_minimum_is_refused():
    world = entered(play(ScaleIn(3, every=percent(5.0), size_factor=Decimal("0.001"))))
    assert kinds(world.bar(106.0)) == [("scale_in", "QTY_BELOW_MINIMUM")]


def test_a_rule_says_when_and_a_step_says_how_far():
    rule = Rule("close > close[1] * 1.02")
    world = entered(play(ScaleIn(3, when=rule)))
    assert kinds(world.bar(101.0)) == [], "the rule is not true"
    assert kinds(world.bar(104.0)) == [("scale_in", "")]
    both = entered(play(ScaleIn(3, when=rule, every=percent(5.0))))
    assert kinds(both.bar(104.0)) == [], "the rule is true, and it is not far enough"
    assert kinds(both.bar(105.0)) == [], "far enough, and the rule is not true"
    assert kinds(both.bar(110.0)) == [("scale_in", "")]


def test_a_step_in_atr_is_that_of_the_present_bar():
    world = entered(play(ScaleIn(2, every=Distance(DistanceKind.ATR, 1.0, 2))))
    assert kinds(world.bar(103.0)) == [], "an ATR that the entry has just widened"
    world.bars(*[100.0] * 9)
    assert kinds(world.bar(100.5)) == [("scale_in", "")], "an ATR that has all but died away"


def test_further_entries_pass_the_gates_and_pauses():
    capped = World(setup(play(), position_notional_max=Decimal(150)))
    capped.bars(ENTER_LONG, 100.0)
    assert kinds(capped.bar(106.0)) == [("scale_in", "POSITION_NOTIONAL_MAX")]
    paused = entered(play())
    paused.ask(Action.PAUSE)
    assert kinds(paused.bar(106.0)) == [("scale_in", "LADDER")]


def test_a_days_number_of_trades_does_not_count_further_entries():
    world = entered(play(protections=Protections(trades_per_day_max=1, cooldown_bars=3)))
    assert kinds(world.bar(106.0)) == [("scale_in", "")]


def test_a_further_entry_that_rests_is_asked_for_once_and_ends_with_the_position():
    order = EntryOrder(OrderKind.LIMIT, percent(1.0))
    world = World(setup(play(entry=order)))
    world.bars(ENTER_LONG, 109.0)
    assert world.qty() == Decimal("1.01")
    assert kinds(world.bar(120.0)) == [("scale_in", "")]
    assert kinds(world.bar(121.0)) == [], "one is working"
    assert len(world.orders(OrderRole.ENTRY)) == 1
    world.bar(QUIET, open=121.0, high=121.0, low=119.0)
    assert world.qty() == Decimal("2.02")


def test_a_stop_ends_a_further_entry_that_rests():
    order = EntryOrder(OrderKind.STOP, percent(5.0))
    world = World(setup(play(ScaleIn(2, every=percent(1.0)), entry=order)))
    world.bar(ENTER_LONG)
    world.bar(117.0)
    assert world.qty() > 0
    world.bar(120.0)
    assert len(world.orders(OrderRole.ENTRY)) == 1
    world.bar(QUIET, low=90.0)
    assert world.qty() == 0
    assert world.orders() == []


def test_a_ladder_grows_with_the_position():
    steps = (LadderStep(percent(10.0), Decimal(50)), LadderStep(percent(20.0), Decimal(50)))
    world = entered(play(ladder=steps))
    world.bars(106.0, 106.0)
    rests = [order.request for order in world.orders(OrderRole.TARGET)]
    assert [(canonical(r.qty), canonical(r.price or Decimal(0))) for r in rests] == [
        ("1", "114.1"),
        ("1", "125.2"),
    ]
