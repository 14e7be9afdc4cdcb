"""From signal to order to fill to protection to exit, on the simulated venue and by hand."""

from decimal import Decimal

import pytest

from engine.core.snapshot import Phase
from engine.domain.commands import CancelOrder, SaveSignal, SubmitOrder
from engine.domain.events import OrderRejected
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.orders import OrderKind, OrderState
from engine.domain.play import Distance, DistanceKind, Sizing, SizingKind
from engine.domain.reasons import Reason
from engine.domain.signals import SignalKind
from tests.builders import (
    BTC,
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    PLAY,
    QUIET,
    STEP,
    T0,
    World,
    bar,
    instrument,
    of,
    setup,
    spec,
    submitted,
    vetoes,
)
from tests.fakes import Hand


def verdicts(commands) -> list[Reason | None]:
    """Return what became of each signal: None where an order did."""
    return [signal.veto.reason if signal.veto else None for signal in of(SaveSignal, commands)]


def test_arm_signal_order_fill_protection_exit():
    world = World(setup(armed=False))
    assert verdicts(world.bar(ENTER_LONG)) == [Reason.LADDER]
    world.arm()
    assert world.phase() is Phase.ARMED
    world.bar(QUIET)
    entered = world.bar(ENTER_LONG)
    assert submitted(entered) == [("entry", "buy", "1")]
    assert verdicts(entered) == [None]
    assert world.qty() == 0, "a market order acts at the next bar's open"
    filled = world.bar(112.0)
    assert world.qty() == 1
    assert submitted(filled) == [("stop", "sell", "1"), ("target", "sell", "1")]
    stop, target = world.order(OrderRole.STOP).request, world.order(OrderRole.TARGET).request
    assert (stop.kind, stop.trigger) == (OrderKind.STOP, Decimal("100.9"))  # 112 - 10 % of 111
    assert (target.kind, target.price) == (OrderKind.LIMIT, Decimal("134.2"))  # 112 + 20 % of 111
    left = world.bar(EXIT_LONG)
    assert submitted(left) == [("exit", "sell", "1")]
    world.bar(103.0)
    assert world.qty() == 0
    assert world.orders() == [], "nothing protects what is closed"
    assert world.machine.ledger.realized == Decimal(-9)
    assert world.alarms() == {}


def test_a_short_is_the_mirror_image():
    world = World()
    assert submitted(world.bar(ENTER_SHORT)) == [("entry", "sell", "1.24")]  # 111 / 89
    assert submitted(world.bar(88.0)) == [("stop", "buy", "1.24"), ("target", "buy", "1.24")]
    assert world.order(OrderRole.STOP).request.trigger == Decimal("96.9")  # 88 + 10 % of 89
    assert world.order(OrderRole.TARGET).request.price == Decimal("70.2")  # 88 - 20 % of 89
    assert submitted(world.bar(EXIT_SHORT)) == [("exit", "buy", "1.24")]
    world.bar(QUIET)
    assert world.qty() == 0
    assert world.orders() == []


@pytest.mark.parametrize(("extreme", "realized"), [({"low": 95.0}, "-11.1"), ({"high": 140.0}, "22.2")])
def test_a_stop_or_a_target_ends_a_position_and_its_counterpart(extreme, realized):
    world = World()
    world.bars(ENTER_LONG, 111.0)
    world.bar(QUIET + 10, **extreme)
    assert world.qty() == 0
    assert world.orders() == []
    assert world.machine.ledger.realized == Decimal(realized)


def test_distances_may_be_absent_or_in_atr():
    bare = World(setup(spec(stop_loss=None, take_profit=None)))
    bare.bars(ENTER_LONG, 111.0)
    assert bare.qty() == 1
    assert bare.orders() == []
    atr = World(setup(spec(stop_loss=Distance(DistanceKind.ATR, 2.0, 2), take_profit=None)))
    atr.bar(100.0, high=103.0, low=99.0)
    atr.bar(101.0, high=104.0, low=100.0)
    atr.bars(ENTER_LONG, 111.0)
    assert atr.orders(OrderRole.TARGET) == []
    assert len(atr.orders(OrderRole.STOP)) == 1


def test_protection_grows_with_a_position_that_fills_in_parts():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.25", "111")
    assert [order.request.qty for order in world.orders(OrderRole.STOP, OrderRole.TARGET)] == [
        Decimal("0.25"),
        Decimal("0.25"),
    ]
    old = {order.client_id for order in world.orders(OrderRole.STOP, OrderRole.TARGET)}
    seen = len(world.commands)
    world.fill(entry, "0.75", "112")
    commands = world.commands[seen:]
    assert submitted(commands) == [("stop", "sell", "1"), ("target", "sell", "1")]
    assert {command.client_id for command in of(CancelOrder, commands)} == old
    fresh = [order for order in world.orders(OrderRole.STOP) if not order.cancel_requested]
    assert [order.request.trigger for order in fresh] == [Decimal("100.6")]  # 111.75 - 11.1, down to the tick


def test_an_exit_takes_the_rest_of_its_entry_with_it():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.4")
    commands = world.bar(EXIT_LONG)
    assert submitted(commands) == [("exit", "sell", "0.4")]
    assert [command.client_id for command in of(CancelOrder, commands)] == [entry.client_id]


def test_a_stop_takes_the_rest_of_an_entry_with_it():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.4")
    world.fill(world.order(OrderRole.STOP), price="100")
    canceled = [command.client_id for command in of(CancelOrder, world.commands)]
    assert entry.client_id in canceled


def test_an_entry_that_ends_flat_by_its_own_fill_is_no_end():
    """A late fill of an entry may close what an overfilled exit turned round: the entry goes on."""
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.4")
    world.bar(EXIT_LONG)
    world.fill(world.order(OrderRole.EXIT), "0.6", "104")
    assert world.qty() == Decimal("-0.2")
    seen = len(world.commands)
    world.fill(entry, "0.2")
    assert world.qty() == 0
    canceled = {command.client_id for command in of(CancelOrder, world.commands[seen:])}
    assert entry.client_id not in canceled


def test_only_one_entry_and_one_exit_of_a_play_work_at_a_time():
    world = Hand()
    world.bar(ENTER_LONG)
    assert verdicts(world.bar(ENTER_LONG)) == [Reason.ENTRY_WORKING]
    world.fill(world.order(OrderRole.ENTRY))
    world.bar(EXIT_LONG)
    assert verdicts(world.bar(EXIT_LONG)) == [Reason.EXIT_WORKING]


def test_an_exit_finds_nothing_to_close_when_its_position_is_on_the_other_side():
    world = Hand()
    world.bar(ENTER_LONG)
    world.fill(world.order(OrderRole.ENTRY))
    world.machine.trading.runners[0].side = -1  # what a play believes never moves what is not there
    assert verdicts(world.bar(EXIT_SHORT)) == [Reason.NOTHING_TO_CLOSE]


@pytest.mark.parametrize(
    ("changes", "reason", "values"),
    [
        ({"takes_orders": False}, Reason.VENUE_TAKES_NO_ORDERS, {"gate": "takes orders", "value": "no"}),
        (
            {"order_notional_max": Decimal(100)},
            Reason.ORDER_NOTIONAL_MAX,
            {"value": "111.00", "limit": "100"},
        ),
        ({"position_notional_max": Decimal(100)}, Reason.POSITION_NOTIONAL_MAX, {"gate": "position cap"}),
        ({"open_orders_max": 0}, Reason.OPEN_ORDERS_MAX, {"value": "0", "limit": "0"}),
    ],
)
def test_a_gate_that_stops_a_signal_is_stored_with_its_values(changes, reason, values):
    world = World(setup(**changes))
    commands = world.bar(ENTER_LONG)
    (signal,) = of(SaveSignal, commands)
    assert signal.veto is not None
    assert (signal.veto.reason, signal.veto.cycle_id) == (reason, f"{PLAY}@{(T0 + STEP) // 1_000_000}")
    assert (signal.veto.play, signal.veto.symbol, signal.client_id) == (PLAY, BTC, "")
    assert signal.veto.values.items() >= values.items()
    assert submitted(commands) == []
    assert world.machine.board.signals[-1].reason == reason.value
    assert world.machine.tally.vetoed == 1


def test_a_bar_that_comes_late_leads_to_nothing():
    world = World(setup(stale_after_s=10.0))
    steps = world.loop.market(bar(ENTER_LONG, T0), T0 + 11 * NS_PER_S)
    assert steps is not None
    assert verdicts(next(steps)) == [Reason.DATA_STALE]


def test_exits_need_fresh_data_too():
    world = World(setup(stale_after_s=10.0))
    world.bars(ENTER_LONG, 111.0)
    late = bar(EXIT_LONG, world.now + STEP)
    steps = world.loop.market(late, late.ts + 11 * NS_PER_S)
    assert steps is not None
    (signal,) = of(SaveSignal, next(steps))
    assert signal.veto is not None
    assert (signal.veto.reason, signal.veto.values) == (Reason.DATA_STALE, {"age_s": "11.0"})


@pytest.mark.parametrize(
    ("sizing", "reason"),
    [
        (Sizing(SizingKind.NOTIONAL, Decimal("0.5")), Reason.QTY_BELOW_MINIMUM),
        (Sizing(SizingKind.NOTIONAL, Decimal(2)), Reason.NOTIONAL_BELOW_MINIMUM),
    ],
)
def test_sizes_that_the_venue_would_not_take_are_not_sent(sizing, reason):
    world = World(setup(spec(sizing=sizing), instruments=(instrument(notional_min=Decimal(5)),)))
    assert verdicts(world.bar(ENTER_LONG)) == [reason]


def test_an_order_that_was_refused_before_it_left_is_rejected_with_the_reason():
    world = World()
    world.bar(QUIET)
    expected = world.machine.desk.sequence + 1
    world.refusals = {_next_entry_id(world, expected): Reason.LATCHED}
    commands = world.bar(ENTER_LONG)
    assert vetoes(commands) == ["LATCHED"]
    assert [order.state for order in world.machine.desk.book.ended_orders()] == [OrderState.REJECTED]
    world.refusals = {}
    world.bar(QUIET)
    assert submitted(world.bar(ENTER_LONG)) == [("entry", "buy", "1")]


def _next_entry_id(world: World, sequence: int) -> str:
    return world.machine.desk._ids.client_id(PLAY, OrderRole.ENTRY, sequence)


def test_a_stop_that_ends_leaves_an_alarm_until_another_rests():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.4")
    world.take(OrderRejected(world.now, world.order(OrderRole.STOP).client_id, Reason.OFF_TICK))
    alarm = f"unprotected:{PLAY}:{BTC}"
    assert "has no stop: stop sell 0.4 BTCUSDT was rejected" in world.alarms()[alarm]
    world.take(OrderRejected(world.now, world.order(OrderRole.TARGET).client_id, Reason.OFF_TICK))
    world.fill(entry, "0.6")
    assert alarm in world.alarms(), "asked for is not at rest"
    world.ack(world.order(OrderRole.STOP))
    assert world.alarms() == {}
    world.cancel(world.order(OrderRole.STOP))
    assert "was canceled" in world.alarms()[alarm]
    world.bar(EXIT_LONG)
    world.fill(world.order(OrderRole.EXIT))
    assert world.alarms() == {}


def test_a_stop_that_makes_room_for_another_is_no_alarm():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.4")
    first = world.order(OrderRole.STOP)
    world.ack(first)
    world.fill(entry, "0.6")
    world.ack(first)
    world.cancel(first)
    assert world.alarms() == {}


def test_a_thin_market_fills_in_parts_and_protection_follows():
    facts = setup(instruments=(instrument(volume_caps_fills=True),))
    world = World(facts)
    world.bar(ENTER_LONG)
    world.bar(111.0, volume=0.3)
    assert world.qty() == Decimal("0.3")
    assert {order.request.qty for order in world.orders(OrderRole.STOP)} == {Decimal("0.3")}
    world.bar(111.0, volume=5.0)
    assert world.qty() == 1
    assert [o.request.qty for o in world.orders(OrderRole.STOP, OrderRole.TARGET)] == [1, 1]


def test_every_signal_is_shown_with_its_order_or_its_reason():
    world = World()
    world.bars(ENTER_LONG, 111.0, EXIT_LONG)
    rows = list(world.machine.board.signals)
    assert [(row.kind, row.reason) for row in rows] == [(SignalKind.ENTRY, ""), (SignalKind.EXIT, "")]
    assert [row.text for row in rows] == [f"entry buy 1 {BTC}", f"exit sell 1 {BTC}"]
    saved = of(SaveSignal, world.commands)
    requests = [command.request.client_id for command in of(SubmitOrder, world.commands)]
    assert [signal.client_id for signal in saved] == [requests[0], requests[-1]]
