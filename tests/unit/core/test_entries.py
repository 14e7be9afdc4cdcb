"""Entries that rest: limits and stops, how long they may wait, and what comes in their place."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.commands import CancelOrder, SaveSignal, SaveVeto, SubmitOrder
from engine.domain.events import Action, OrderCanceled
from engine.domain.ids import OrderRole
from engine.domain.orders import OrderKind, TimeInForce
from engine.domain.play import EntryOrder, Level, PlaySpec, Rule
from engine.domain.reasons import Reason
from tests.builders import (
    ENTER_LONG,
    ENTER_SHORT,
    ETH,
    QUIET,
    STEP,
    World,
    bar,
    instrument,
    of,
    percent,
    setup,
    spec,
)
from tests.fakes import Hand

LIMIT, STOP = OrderKind.LIMIT, OrderKind.STOP


def play(kind: OrderKind = LIMIT, **changes: Any) -> PlaySpec:
    order: dict[str, Any] = {"offset": percent(1.0)} | changes
    return spec(entry=EntryOrder(kind, **order), take_profit=None, short_exit=None, long_exit=None)


def verdicts(commands: Any) -> list[Reason | None]:
    return [saved.veto.reason if saved.veto else None for saved in of(SaveSignal, commands)]


def test_a_limit_entry_waits_for_its_price_and_is_protected_once_it_fills():
    world = World(setup(play()))
    world.bar(ENTER_LONG)
    request = world.order(OrderRole.ENTRY).request
    assert (request.kind, request.price, request.trigger) == (LIMIT, Decimal("109.8"), None)
    world.bar(111.0)
    assert world.qty() == 0
    world.bar(QUIET + 10, low=109.0)
    assert world.qty() == Decimal("1.01"), "111 a unit at 109.8"
    assert world.order(OrderRole.STOP).request.trigger == Decimal("98.7"), "111 less 10 %, from 109.8"


def test_a_short_limit_entry_lies_over_the_close():
    world = World(setup(play()))
    world.bar(ENTER_SHORT)
    assert world.order(OrderRole.ENTRY).request.price == Decimal("89.9")


def test_a_stop_entry_rests_as_a_trigger_and_fills_there_or_worse():
    world = World(setup(play(STOP, offset=None, at=Level("highest(2)"))))
    world.bar(100.0, high=113.0)
    world.bar(ENTER_LONG)
    request = world.order(OrderRole.ENTRY).request
    assert (request.kind, request.trigger, request.price) == (STOP, Decimal(113), None)
    world.bar(112.0, high=112.9)
    assert world.qty() == 0
    world.bar(114.0, open=112.0)
    assert world.machine.ledger.position("levels", "BTCUSDT").entry_notional == 113 * Decimal("0.98")


def test_a_stop_entry_the_market_has_passed_and_one_without_a_price_are_refused():
    passed = World(setup(play(STOP, offset=None, at=Level("lowest(2)"))))
    assert verdicts(passed.bars(100.0, ENTER_LONG)) == [Reason.TRIGGER_PASSED]
    missing = World(setup(play(offset=None, at=Level("close - 500"))))
    assert verdicts(missing.bar(ENTER_LONG)) == [Reason.PRICE_UNKNOWN]


def test_post_only_is_the_venues_to_refuse():
    world = World(setup(play(offset=None, at=Level("close + 5"), post_only=True)))
    world.bar(ENTER_LONG)
    assert world.orders() == []
    (ended,) = world.machine.desk.book.ended_orders()
    assert ended.reason == Reason.POST_ONLY_WOULD_TAKE.value
    assert ended.request.post_only


def test_while_an_entry_works_another_signal_is_refused():
    world = World(setup(play()))
    assert verdicts(world.bar(ENTER_LONG)) == [None]
    assert verdicts(world.bar(ENTER_LONG)) == [Reason.ENTRY_WORKING]
    assert len(world.orders(OrderRole.ENTRY)) == 1


@pytest.mark.parametrize("restarted", [False, True])
def test_an_entry_that_does_not_fill_in_time_is_canceled(restarted):
    world = World(setup(play(valid_bars=2)))
    world.bar(ENTER_LONG)
    assert world.bar(110.0) == []
    if restarted:
        world.restart()
    assert world.bar(QUIET + 10, symbol=ETH) == [], "bars of another symbol do not count"
    commands = world.bar(110.0)
    (facts,) = [command.veto for command in of(SaveVeto, commands)]
    assert (facts.reason, facts.values["filled"]) == (Reason.ENTRY_EXPIRED, "0")
    assert world.orders() == []
    assert world.bar(110.0) == []


def test_the_rest_of_an_entry_that_fills_in_part_is_canceled_and_what_filled_stays():
    facts = setup(play(valid_bars=1), symbols=("BTCUSDT",), instruments=(instrument(volume_caps_fills=True),))
    world = World(facts)
    world.bar(ENTER_LONG)
    world.bar(109.0, volume=0.5)
    assert world.qty() == Decimal("0.5")
    assert world.orders(OrderRole.ENTRY) == []
    assert [order.request.qty for order in world.orders(OrderRole.STOP)] == [Decimal("0.5")]


def test_an_entry_that_ends_with_its_bars_makes_room_at_the_same_close():
    world = World(setup(play(valid_bars=1)))
    world.bar(ENTER_LONG)
    commands = world.bar(115.0)
    assert verdicts(commands) == [None]
    assert world.order(OrderRole.ENTRY).request.price == Decimal("113.8")


def test_a_later_signal_takes_the_place_of_an_entry_that_rests():
    world = World(setup(play(replace=True)))
    world.bar(ENTER_LONG)
    old = world.order(OrderRole.ENTRY)
    commands = world.bar(115.0)
    assert verdicts(commands) == [None]
    kinds = [type(c) for c in commands if isinstance(c, SubmitOrder | CancelOrder | SaveSignal)]
    assert kinds == [CancelOrder, SubmitOrder, SaveSignal], "the cancel is confirmed first"
    assert world.order(OrderRole.ENTRY).request.price == Decimal("113.8")
    assert old.client_id != world.order(OrderRole.ENTRY).client_id


def test_the_later_signal_may_be_one_of_the_other_side():
    world = World(setup(play(replace=True, offset=percent(30.0))))
    world.bars(ENTER_LONG, ENTER_SHORT)
    request = world.order(OrderRole.ENTRY).request
    assert (request.side.value, request.price) == ("sell", Decimal("115.7"))


def test_a_signal_that_waits_outlives_a_restart():
    world = Hand(setup(play(replace=True)))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    assert verdicts(world.bar(115.0)) == [], "it waits for the venue's word"
    world.restart()
    commands = world.take(OrderCanceled(world.now, entry.client_id))
    assert verdicts(commands) == [None]
    assert world.order(OrderRole.ENTRY).request.price == Decimal("113.8")


def test_where_the_old_entry_fills_instead_the_new_one_is_not_asked_for():
    world = Hand(setup(play(replace=True)))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.bar(115.0)
    seen = len(world.commands)
    world.fill(entry, price="109.8")
    assert verdicts(world.commands[seen:]) == [Reason.ENTRY_WORKING]
    assert world.orders(OrderRole.ENTRY) == []


def test_a_signal_that_waits_gives_way_to_a_later_one_and_obeys_the_gates():
    world = Hand(setup(play(replace=True)))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.bar(115.0)
    assert verdicts(world.bar(116.0)) == [Reason.ENTRY_WORKING], "the one before it"
    world.ask(Action.PAUSE)
    assert verdicts(world.take(OrderCanceled(world.now, entry.client_id))) == [Reason.LADDER]


def test_without_replace_a_signal_waits_only_for_an_entry_that_is_canceled_anyway():
    world = Hand(setup(play()))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.ask(Action.PAUSE)
    assert world.order(OrderRole.ENTRY).cancel_requested
    world.ask(Action.RESUME)
    assert verdicts(world.bar(115.0)) == []
    assert verdicts(world.take(OrderCanceled(world.now, entry.client_id))) == [None]


@pytest.mark.parametrize(
    ("tif", "volume", "qty", "reason"),
    [
        (TimeInForce.IOC, 0.5, "0.5", "IOC_REMAINDER"),
        (TimeInForce.FOK, 0.5, "0", "FOK_UNFILLED"),
        (TimeInForce.FOK, 5.0, "0.99", ""),
    ],
)
def test_immediate_entries_take_what_there_is_or_all_or_nothing(tif, volume, qty, reason):
    rules = instrument(volume_caps_fills=True)
    order = play(offset=None, at=Level("close + 1"), tif=tif)
    world = World(setup(order, symbols=("BTCUSDT",), instruments=(rules,)))
    world.bar(ENTER_LONG)
    world.market(bar(111.0, world.now + STEP, volume=volume))
    assert world.qty() == Decimal(qty)
    entry = next(o for o in world.machine.desk.book.ended_orders() if o.request.role is OrderRole.ENTRY)
    assert entry.reason == reason


def test_an_exit_ends_what_is_left_of_an_entry():
    leaving = spec(entry=EntryOrder(LIMIT, percent(1.0)), long_exit=Rule("close < 105"), take_profit=None)
    rules = instrument(volume_caps_fills=True)
    world = World(setup(leaving, symbols=("BTCUSDT",), instruments=(rules,)))
    world.bar(ENTER_LONG)
    world.bar(109.0, volume=0.5)
    assert len(world.orders(OrderRole.ENTRY)) == 1
    world.bar(104.0, open=109.9, high=109.9, volume=0.01)
    assert world.orders(OrderRole.ENTRY) == []
