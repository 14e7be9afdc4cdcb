"""What watches over the engine itself: silence, losses, faults, feeds, timers, reports and commands."""

from decimal import Decimal
from typing import Any

import pytest

from engine.core.machine import STALENESS_TIMER
from engine.domain.commands import CancelOrder, SaveTransition, SetTimer
from engine.domain.events import (
    Action,
    CancelRejected,
    Fault,
    FaultKind,
    FeedChanged,
    FeedState,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    TimerFired,
    Woken,
)
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.domain.modes import Holder, RiskMode, Rung
from engine.domain.reasons import Reason
from tests.builders import (
    BTC,
    DAY0,
    ENTER_LONG,
    ETH,
    PLAY,
    QUIET,
    T0,
    World,
    bar,
    fill,
    notices,
    of,
    quote,
    setup,
    submitted,
    trade,
    vetoes,
)
from tests.fakes import Hand, listed

# silence


def watched() -> Hand:
    return Hand(setup(stale_check_ns=NS_PER_S, stale_after_s=10.0))


def test_silence_is_looked_for_at_its_own_pace():
    world = watched()
    assert of(SetTimer, world.commands) == [SetTimer(STALENESS_TIMER, T0 + NS_PER_S)]
    assert of(SetTimer, world.wait(3)) == [SetTimer(STALENESS_TIMER, T0 + n * NS_PER_S) for n in (2, 3, 4)]


def test_a_tape_is_never_silent():
    assert World(setup(stale_check_ns=0)).commands == []


def test_a_silent_symbol_is_held_until_it_speaks_again():
    world = watched()
    world.market(trade(QUIET, world.now))
    world.market(trade(QUIET, world.now, ETH))
    assert world.wait(10) != []
    assert world.rung(BTC) is Rung.FULL
    world.market(quote(99.0, 101.0, world.now, ETH))
    world.wait(1)
    assert (world.rung(BTC), world.rung(ETH), world.rung()) == (Rung.REDUCE, Rung.FULL, Rung.FULL)
    assert world.alarms() == {f"stale:{BTC}": f"{BTC}: no data for more than 10 s"}
    world.market(trade(QUIET, world.now))
    world.wait(1)
    assert world.rung(BTC) is Rung.FULL
    assert world.alarms() == {}


def test_a_symbol_that_never_spoke_is_not_called_silent():
    world = watched()
    world.wait(100)
    assert world.rung(BTC) is Rung.FULL


def test_silence_cancels_the_entries_of_its_symbol_only():
    world = Hand(setup(stale_check_ns=NS_PER_S, stale_after_s=90.0))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.market(trade(QUIET, world.now + 80 * NS_PER_S, ETH))
    commands = world.wait(20)
    assert [command.client_id for command in of(CancelOrder, commands)] == [entry.client_id]


# losses


def losing(**limits: float) -> World:
    world = World(setup(daily_loss_max=Decimal(5), **dict[str, Any](limits)), now=DAY0)
    world.bars(ENTER_LONG, 111.0)
    return world


def test_the_days_loss_latches_reduce():
    world = losing()
    assert world.bar(106.1) == []
    commands = world.bar(106.0)
    (stored,) = of(SaveTransition, commands)
    assert (stored.before, stored.after, stored.actor) == ("normal", "reduce", "risk")
    assert stored.reason == "daily_loss: loss=5.00 limit=5.00"
    assert world.rung() is Rung.REDUCE
    assert world.alarms()["risk:reduce"].startswith("risk mode REDUCE: daily_loss")
    assert of(SaveTransition, world.bar(105.5)) == [], "it is latched once"


def test_a_fill_may_be_what_shows_the_loss():
    world = losing()
    world.bar(107.0, low=90.0)  # the stop fills at 99.9
    assert world.qty() == 0
    assert world.rung() is Rung.REDUCE


def test_midnight_resets_the_count_and_not_the_mode():
    world = losing()
    world.bar(106.0)
    world.until(DAY0 + NS_PER_DAY - 60 * NS_PER_S)
    world.bar(106.0)
    assert world.machine.ledger.day_pnl() == 0.0
    assert world.rung() is Rung.REDUCE


def test_only_a_person_with_a_reason_and_patience_raises_the_mode_again():
    world = losing(mode_dwell_s=100.0)
    world.bar(106.0)
    assert vetoes(world.ask(Action.RISK_MODE, "normal")) == ["REASON_REQUIRED"]
    assert vetoes(world.ask(Action.RISK_MODE, "normal", "seen")) == ["COOLING_DOWN"]
    world.wait(100)
    world.ask(Action.RISK_MODE, "normal", "seen")
    assert world.rung() is Rung.FULL
    assert world.alarms() == {}


def test_a_lower_mode_is_not_raised_by_a_loss():
    world = losing()
    world.ask(Action.RISK_MODE, "observe")
    world.bar(106.0)
    assert world.machine.authority.operator.risk_mode is RiskMode.OBSERVE


def test_the_gate_holds_entries_at_the_loss_where_a_person_freed_the_mode():
    world = losing(mode_dwell_s=0.0)
    world.bar(104.0)
    world.bar(104.0)
    assert world.qty() == 0
    world.ask(Action.RISK_MODE, "normal", "go on")
    world.bar(ENTER_LONG)
    assert world.machine.board.signals[-1].reason == Reason.DAILY_LOSS.value


# faults, feeds, timers


def test_a_fault_holds_until_it_is_over():
    world = Hand()
    world.take(Fault(T0, FaultKind.STORAGE, "disk full"), Fault(T0, FaultKind.OVERFLOW, "inbox full"))
    assert world.rung() is Rung.HOLD
    assert {h.holder: h.detail for h in world.machine.authority.holds.all} == {
        Holder.STORAGE: "storage",
        Holder.FAULT: "overflow",
    }
    assert set(world.alarms()) == {"fault:storage", "fault:overflow"}
    world.take(Fault(T0, FaultKind.STORAGE, "stored", cleared=True))
    assert world.rung() is Rung.HOLD
    commands = world.take(Fault(T0, FaultKind.OVERFLOW, "room again", cleared=True))
    assert world.rung() is Rung.FULL
    assert notices(commands, "fault") == ["overflow works again: room again"]
    assert world.alarms() == {}


@pytest.mark.parametrize(
    ("state", "level", "ended"),
    [
        (FeedState.CONNECTED, "info", False),
        (FeedState.DISCONNECTED, "warning", False),
        (FeedState.ENDED, "info", True),
    ],
)
def test_feeds_are_spoken_of(state, level, ended):
    world = Hand()
    (notice,) = world.take(FeedChanged(T0, "tape", state, "here"))
    assert (notice.level, notice.text) == (level, f"tape {state} here")  # type: ignore[union-attr]
    assert world.machine.feed_ended is ended


def test_a_timer_that_nobody_set_is_said():
    assert notices(Hand().take(TimerFired(T0, "x")), "fault") == ["a timer nobody set came due: x"]


def test_waking_up_changes_nothing():
    world = Hand()
    before = world.machine.state()
    assert world.take(Woken(T0)) == []
    assert world.machine.state() == before


def test_answers_for_orders_of_somebody_else_change_nothing():
    world = Hand()
    before = world.machine.state()
    events = (
        OrderAcked(T0, "x", "v"),
        OrderRejected(T0, "x", Reason.OFF_TICK),
        OrderCanceled(T0, "x"),
        CancelRejected(T0, "x", Reason.ORDER_NOT_FOUND),
    )
    assert world.take(*events) == []
    assert world.machine.state() == before


# fills


def test_a_fill_that_comes_twice_changes_nothing_the_second_time():
    world = Hand()
    world.bar(ENTER_LONG)
    booked = world.fill(world.order(OrderRole.ENTRY))
    before = world.machine.state()
    assert world.take(booked) == []
    assert world.machine.state() == before


def test_a_fill_of_an_order_that_nobody_knows_is_said():
    world = Hand()
    (text,) = notices(world.take(fill("stranger")), "foreign fill")
    assert "belongs to no order of ours: stranger" in text
    assert world.machine.ledger.fills == 0


def test_more_than_was_ordered_is_booked_protected_and_said():
    world = Hand()
    world.bar(ENTER_LONG)
    seen = len(world.commands)
    world.fill(world.order(OrderRole.ENTRY), "1.5")
    assert vetoes(world.commands[seen:]) == ["OVERFILL"]
    assert submitted(world.commands[seen:]) == [("stop", "sell", "1.5"), ("target", "sell", "1.5")]
    assert world.qty() == Decimal("1.5")


# reports


def test_a_report_that_disagrees_with_our_books_is_an_alarm_until_it_agrees():
    world = Hand()
    world.enter_long()
    world.report(request_id=1, BTCUSDT="3")
    alarm = f"position:{BTC}"
    assert world.alarms() == {alarm: f"{BTC}: the venue shows 3, our books 1"}
    world.report(request_id=2, complete=False, BTCUSDT="1")
    assert alarm in world.alarms(), "an incomplete report proves nothing"
    world.report(listed("foreign"), request_id=3, BTCUSDT="1", ETHUSDT="0")
    assert world.alarms() == {}


def test_reports_that_no_flatten_asked_for_change_no_order():
    world = Hand()
    world.bar(ENTER_LONG)
    world.report(listed("tt-lost"), request_id=7)
    assert of(CancelOrder, world.commands) == []


# commands


def test_a_refused_command_is_stored_and_said():
    world = Hand()
    commands = world.ask(Action.ARM, PLAY)
    assert vetoes(commands) == ["ALREADY_SO"]
    assert notices(commands, "refused") == ["ALREADY_SO action=arm actor=me"]


def test_every_change_is_stored_with_who_and_why():
    world = Hand()
    changes = [
        (Action.PAUSE, "", ("pause", "running", "paused")),
        (Action.RESUME, "", ("pause", "paused", "running")),
        (Action.DISARM, "", ("phase", "armed", "disarmed")),
        (Action.ARM, PLAY, ("phase", "disarmed", "armed")),
        (Action.RISK_MODE, "reduce", ("risk_mode", "normal", "reduce")),
    ]
    for action, argument, stored in changes:
        commands = world.ask(action, argument, "because")
        (change,) = of(SaveTransition, commands)
        assert (change.kind, change.before, change.after) == stored
        assert (change.actor, change.reason) == ("me", "because")
        assert notices(commands, "mode") == [f"{stored[0]}: {stored[1]} -> {stored[2]} by me (because)"]


def test_alarms_are_acknowledged_by_id():
    world = Hand()
    world.take(Fault(T0, FaultKind.STALL, "slow"))
    assert world.ask(Action.ACKNOWLEDGE, "fault:stall") == []
    assert [alarm.acknowledged for alarm in world.machine.board.alarms()] == [True]


def test_an_entry_between_lowering_and_its_ack_is_canceled_once():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    commands = world.ask(Action.PAUSE)
    assert [command.client_id for command in of(CancelOrder, commands)] == [entry.client_id]
    assert of(CancelOrder, world.take(OrderAcked(world.now, entry.client_id, "v"))) == []
    world.take(CancelRejected(world.now, entry.client_id, Reason.ORDER_NOT_FOUND))
    seen = len(world.commands)
    world.fill(entry, "0.2")
    cancels = [command.client_id for command in of(CancelOrder, world.commands[seen:])]
    assert cancels == [entry.client_id], "an entry that proves alive below FULL is canceled again"


def test_market_data_counts_at_every_rung():
    world = Hand()
    world.flatten()
    world.market(bar(QUIET, world.now))
    assert world.machine.market.price(BTC) == QUIET
    assert world.machine.trading.runners[0].evaluator.bars == 1


def test_a_failing_disk_lets_exits_through_and_holds_entries_back():
    world = Hand()
    world.take(Fault(T0, FaultKind.STORAGE, "disk full"))
    assert world.rung() is Rung.REDUCE
    world.take(Fault(T0, FaultKind.STORAGE, "stored", cleared=True))
    assert world.rung() is Rung.FULL


def test_what_lifts_by_itself_is_not_held_by_a_restart():
    world = Hand()
    world.take(Fault(T0, FaultKind.OVERFLOW, "inbox full"))
    state = world.machine.state()
    later = Hand()
    later.machine.restore(state)
    later.machine.begin_anew()
    assert later.rung() is Rung.FULL
