"""What protects and ends a position, bar by bar: ladders, moving stops, stops at a price, time."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.domain.commands import CancelOrder, Command, SaveFill, SaveSignal, SubmitOrder
from engine.domain.events import Action, PlaySwapped
from engine.domain.ids import OrderRole
from engine.domain.money import ZERO, canonical
from engine.domain.orders import OrderKind
from engine.domain.play import (
    BreakEven,
    EntryOrder,
    LadderStep,
    Level,
    PlaySpec,
    Rule,
    StopLevel,
    TimeStop,
    Trailing,
)
from engine.domain.reasons import Reason
from tests.builders import (
    ENTER_LONG,
    ENTER_SHORT,
    ETH,
    QUIET,
    STEP,
    World,
    bar,
    control,
    notices,
    of,
    percent,
    setup,
    spec,
    submitted,
    vetoes,
)
from tests.fakes import Hand

BARE: dict[str, Any] = {
    "long_exit": None,
    "short_exit": None,
    "short_entry": None,
    "stop_loss": None,
    "take_profit": None,
}


def play(**changes: Any) -> PlaySpec:
    return spec(**(BARE | changes))


def entered(play_: PlaySpec, price: float = 111.0) -> World:
    """A world with a long position of one unit, entered at a price."""
    world = World(setup(play_))
    world.bar(ENTER_LONG)
    world.bar(price)
    assert world.qty() == 1
    return world


def levels(world: World, role: OrderRole) -> list[tuple[str, str]]:
    """Quantity and price of what rests."""
    found = [order.request for order in world.orders(role)]
    prices = [(request.qty, request.trigger or request.price or ZERO) for request in found]
    return [(canonical(qty), canonical(price)) for qty, price in prices]


LADDER = (
    LadderStep(percent(1.0), Decimal(50)),
    LadderStep(percent(2.0), Decimal(30)),
    LadderStep(percent(3.0), Decimal(20)),
)


def test_a_ladder_rests_in_parts_and_takes_profit_step_by_step():
    world = entered(play(ladder=LADDER, stop_loss=percent(10.0)))
    assert levels(world, OrderRole.TARGET) == [("0.5", "112.2"), ("0.3", "113.3"), ("0.2", "114.4")]
    commands = world.bar(112.0, high=112.5)
    assert world.qty() == Decimal("0.50")
    assert submitted(commands) == [("stop", "sell", "0.5")], "the other targets stay as they are"
    world.bar(113.0, high=113.5)
    assert levels(world, OrderRole.TARGET) == [("0.2", "114.4")]
    assert levels(world, OrderRole.STOP) == [("0.2", "99.9")]
    world.bar(QUIET, high=115.0)
    assert world.qty() == 0
    assert world.orders() == []
    assert world.machine.trading.state().courses == ()


def test_a_ladder_that_is_not_whole_leaves_the_rest_open():
    world = entered(play(ladder=LADDER[:2]))
    world.bar(113.0, high=120.0)
    assert world.qty() == Decimal("0.20")
    assert world.orders() == []


def test_a_ladder_follows_a_position_that_fills_and_closes_in_parts():
    world = Hand(setup(play(ladder=LADDER)))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.03")
    assert [qty for qty, _ in levels(world, OrderRole.TARGET)] == ["0.01", "0.02"], "0.015, 0.009, the rest"
    world.fill(entry, "0.97")
    kept = [order for order in world.orders(OrderRole.TARGET) if not order.cancel_requested]
    assert [order.request.qty for order in kept] == [Decimal("0.50"), Decimal("0.30"), Decimal("0.20")]
    world.fill(kept[0], "0.2", "112.2")
    assert [o.remaining_qty for o in world.orders(OrderRole.TARGET) if not o.cancel_requested] == [
        Decimal("0.30"),
        Decimal("0.30"),
        Decimal("0.20"),
    ]


def test_a_trailing_stop_is_there_from_the_fill_on_and_follows_closed_bars():
    world = entered(play(trailing=Trailing(percent(5.0))), 110.0)
    assert levels(world, OrderRole.STOP) == [("1", "104.5")]
    commands = world.bar(125.0, high=130.0)
    assert levels(world, OrderRole.STOP) == [("1", "123.5")], "130 less 5 %"
    assert [type(c).__name__ for c in commands if isinstance(c, SubmitOrder | CancelOrder)] == [
        "SubmitOrder",
        "CancelOrder",
    ], "the new one first"
    (request,) = [c.request for c in of(SubmitOrder, commands)]
    assert request.reduce_only
    world.bar(119.0)
    assert world.qty() == 0, "it was passed, so it fills at the open"


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("reopened_at", [121.0, 125.0])
def test_a_stop_that_moved_past_the_market_closes_at_market(restarted, reopened_at):
    """A venue refuses a stop that would trigger at once; a market order takes whatever the next price is."""
    world = entered(play(trailing=Trailing(percent(5.0))), 110.0)
    commands = world.bar(123.5, high=130.0)
    (request,) = [command.request for command in of(SubmitOrder, commands)]
    assert (request.role, request.kind) == (OrderRole.STOP, OrderKind.MARKET)
    assert (request.trigger, request.price) == (None, None)
    assert request.reduce_only
    assert [c.client_id for c in of(CancelOrder, commands)], "the stop that rested goes, last"
    assert vetoes(commands) == [Reason.STOP_PASSED.value]
    assert "closes at market" in notices(commands, "stop passed")[0]
    if restarted:
        world.restart()
    commands = world.bar(reopened_at, high=140.0)
    assert world.qty() == 0
    assert [saved.fill.price for saved in of(SaveFill, commands)] == [Decimal(str(reopened_at))]
    assert world.orders(OrderRole.STOP) == []


def test_a_stop_at_market_that_fills_in_parts_is_kept_until_it_has_closed_all():
    world = Hand(setup(play(trailing=Trailing(percent(5.0)))))
    world.bar(ENTER_LONG)
    world.fill(world.order(OrderRole.ENTRY), "1", "110")
    first = world.order(OrderRole.STOP)
    world.ack(first)
    world.bar(110.0)
    world.bar(120.0, high=130.0)
    world.cancel(first)
    leaving = world.order(OrderRole.STOP)
    assert leaving.request.kind is OrderKind.MARKET
    world.fill(leaving, "0.4", "120")
    world.bar(125.0, high=140.0)
    assert world.orders(OrderRole.STOP) == [world.order(OrderRole.STOP)], "no other stop takes its place"
    assert not world.order(OrderRole.STOP).cancel_requested
    world.fill(leaving, "0.6", "119")
    assert world.qty() == 0


def test_a_stop_that_moved_past_the_market_closes_where_entries_and_exits_are_held():
    world = entered(play(trailing=Trailing(percent(5.0))), 110.0)
    world.take(control(Action.RISK_MODE, "observe", ts=world.now))
    assert submitted(world.bar(120.0, high=130.0)) != []
    world.bar(120.0)
    assert world.qty() == 0, "it is upkeep of protection, not an exit of the play"


def test_a_stop_that_does_not_move_is_left_alone():
    world = entered(play(trailing=Trailing(percent(5.0))), 110.0)
    for _ in range(3):
        assert of(SubmitOrder, world.bar(109.0)) == []
    assert levels(world, OrderRole.STOP) == [("1", "104.5")]


def test_break_even_moves_the_stop_once():
    world = entered(play(stop_loss=percent(10.0), break_even=BreakEven(percent(5.0), 0.1)), 110.0)
    assert levels(world, OrderRole.STOP) == [("1", "98.9")]
    world.bar(115.0, high=115.4)
    assert levels(world, OrderRole.STOP) == [("1", "98.9")]
    world.bar(115.0, high=115.5)
    assert levels(world, OrderRole.STOP) == [("1", "110.2")], "110 and 0.1 % of it, up to the tick"
    world.bar(120.0)
    assert levels(world, OrderRole.STOP) == [("1", "110.2")]


def test_a_short_is_the_mirror_image():
    world = World(setup(play(short_entry=BARE["long_exit"])))
    short = play(long_entry=None, short_entry=spec().short_entry, trailing=Trailing(percent(5.0)))
    world = World(setup(short))
    world.bars(ENTER_SHORT, 90.0)
    assert [price for _, price in levels(world, OrderRole.STOP)] == ["94.5"]
    world.bar(83.9, low=80.0)
    assert [price for _, price in levels(world, OrderRole.STOP)] == ["84"]
    commands = world.bar(80.0, low=75.0)
    assert [command.request.kind for command in of(SubmitOrder, commands)] == [OrderKind.MARKET]
    world.bar(79.0)
    assert world.qty() == 0


@pytest.mark.parametrize("restarted", [False, True])
def test_a_time_stop_ends_a_position_at_the_close_of_its_last_bar(restarted):
    world = entered(play(time_stop=TimeStop(bars=3)))
    world.bar(QUIET)
    if restarted:
        world.restart()
    commands = world.bar(QUIET)
    (saved,) = of(SaveSignal, commands)
    assert (saved.signal.kind.value, saved.veto) == ("exit", None)
    assert submitted(commands) == [("exit", "sell", "1")]
    world.bar(QUIET)
    assert world.qty() == 0


def test_a_time_stop_that_may_not_act_asks_again():
    world = entered(play(time_stop=TimeStop(bars=2)))
    world.ask(Action.RISK_MODE, "observe")
    for _ in range(2):
        (saved,) = of(SaveSignal, world.bar(QUIET))
        assert saved.veto is not None
        assert saved.veto.reason is Reason.LADDER


def test_a_rule_that_leaves_comes_before_what_follows():
    world = entered(play(long_exit=spec().long_exit, time_stop=TimeStop(bars=2)))
    assert len(of(SaveSignal, world.bar(QUIET))) == 1


def test_a_stop_at_a_price_stays_there_whatever_the_entry_fills_at():
    level = StopLevel(Level("lowest(2)"), percent(1.0))
    world = World(setup(play(stop_level=level)))
    world.bar(105.0, low=103.0)
    world.bar(ENTER_LONG)
    world.bar(115.0)
    assert levels(world, OrderRole.STOP) == [("1", "101.8")], "103 less 1 % of 111, down to the tick"


def test_a_stop_on_the_wrong_side_or_missing_is_no_entry():
    for text, reason in (
        ("highest(2)", Reason.STOP_WRONG_SIDE),
        ("close - 500", Reason.PRICE_UNKNOWN),
    ):
        world = World(setup(play(stop_level=StopLevel(Level(text)))))
        world.bar(QUIET)
        (saved,) = of(SaveSignal, world.bar(ENTER_LONG))
        assert saved.veto is not None
        assert saved.veto.reason is reason


def test_the_nearest_of_planned_and_moved_stop_counts():
    near = entered(play(stop_loss=percent(2.0), trailing=Trailing(percent(9.0))), 110.0)
    assert levels(near, OrderRole.STOP) == [("1", "107.7")]
    near.bar(120.0)
    assert levels(near, OrderRole.STOP) == [("1", "109.2")]


def test_nothing_moves_while_everything_is_closed():
    world = Hand(setup(play(trailing=Trailing(percent(5.0)))))
    world.enter_long()
    world.flatten()
    seen = len(world.orders(OrderRole.STOP))
    assert of(SubmitOrder, world.bar(150.0)) == []
    assert len(world.orders(OrderRole.STOP)) == seen


def test_a_new_version_moves_the_stop_of_a_position_it_did_not_open():
    world = entered(play(stop_loss=percent(10.0)), 110.0)
    world.take(PlaySwapped(world.now, play(stop_loss=percent(10.0), trailing=Trailing(percent(2.0))), 2))
    assert levels(world, OrderRole.STOP) == [("1", "98.9")]
    world.bar(120.0)
    assert levels(world, OrderRole.STOP) == [("1", "117.6")]
    world.take(PlaySwapped(world.now, play(time_stop=TimeStop(bars=2)), 3))
    assert submitted(world.bar(119.0)) == [("exit", "sell", "1")]


def test_bars_of_another_leg_age_neither_a_position_nor_an_entry():
    legs = play(
        legs=("btc", "eth"), time_stop=TimeStop(bars=2), long_entry=Rule("close > 110 and eth.close > 1")
    )
    resting = replace(legs, entry=EntryOrder(OrderKind.LIMIT, percent(1.0), valid_bars=3))
    facts = setup(legs)
    for each, qty in ((legs, 1), (resting, 0)):
        world = World(replace(facts, plays=(replace(facts.plays[0], spec=each, others=(ETH,)),)))
        minute(world, ENTER_LONG)
        minute(world, 111.0)
        assert world.qty() == qty
        assert (len(world.orders()), len(submitted(minute(world, 111.0)))) == (1 - qty, qty)


def minute(world: World, price: float) -> list[Command]:
    """A bar of each leg at the same close."""
    ts = world.now + STEP
    return [*world.market(bar(50.0, ts, ETH)), *world.market(bar(price, ts))]
