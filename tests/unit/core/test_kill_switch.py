"""The kill-switch inside the machine: latch, flat, halt, late fills, deadlines, restarts."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.core.authority import DEADLINE_TIMER
from engine.core.snapshot import Phase
from engine.domain.commands import (
    CancelOrder,
    ClearTimer,
    FlattenEnded,
    Latch,
    QueryVenue,
    SaveTransition,
    SaveVeto,
    SetTimer,
)
from engine.domain.events import Action, CancelRejected, OrderRejected, OrderTimedOut, TimerFired
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.orders import OrderState
from engine.domain.reasons import Reason
from engine.execution.flatten import RETRY_TIMER, Step
from tests.builders import BTC, ENTER_LONG, PLAY, T0, World, notices, of, setup, submitted, vetoes
from tests.fakes import Hand, listed


def halted(world: Hand) -> Hand:
    """Flatten a world with nothing open, to the end."""
    world.flatten()
    world.report()
    world.report()
    assert world.phase() is Phase.HALTED
    return world


def test_flat_on_a_simulated_venue_takes_the_next_trade_and_two_reports():
    world = World(setup(flatten_deadline_s=300.0))
    world.bars(ENTER_LONG, 111.0)
    commands = world.flatten()
    kinds = [type(command).__name__ for command in commands]
    assert kinds[:3] == ["Latch", "SetTimer", "SaveTransition"], "the latch comes before all else"
    assert submitted(commands) == [("flatten", "sell", "1")]
    assert world.phase() is Phase.FLATTENING
    commands = world.bar(110.0)
    order = [k for k in map(_kind, commands) if k in ("fill", "query", "cancel", "ended")]
    assert order == ["fill", "query", "cancel", "cancel", "query", "ended"]
    (ended,) = of(FlattenEnded, commands)
    assert (ended.flat, ended.residual, ended.elapsed_ms) == (True, (), Decimal(60_000))
    assert world.phase() is Phase.HALTED
    assert world.orders() == []
    assert world.qty() == 0
    assert ClearTimer(DEADLINE_TIMER) in commands
    assert ClearTimer(RETRY_TIMER) in commands
    assert notices(commands, "flatten") == ["FLAT in 60000 ms"]
    assert world.alarms() == {}


def _kind(command) -> str:
    match type(command).__name__:
        case "SaveFill":
            return "fill"
        case "QueryVenue":
            return "query"
        case "CancelOrder":
            return "cancel"
        case "FlattenEnded":
            return "ended"
        case _:
            return ""


def test_a_flatten_is_latched_stored_and_has_a_deadline():
    world = Hand(setup(flatten_deadline_s=5.0))
    commands = world.ask(Action.FLATTEN, reason="why not")
    assert of(Latch, commands) == [Latch(engaged=True, text="flatten by me: why not")]
    assert SetTimer(DEADLINE_TIMER, T0 + 5 * NS_PER_S) in commands
    (stored,) = of(SaveTransition, commands)
    assert (stored.before, stored.after, stored.actor) == ("armed", "flattening", "me")


@pytest.mark.parametrize(
    ("action", "argument"),
    [(Action.ARM, PLAY), (Action.DISARM, ""), (Action.RESUME, ""), (Action.FLATTEN, "")],
)
def test_nothing_is_freed_while_a_flatten_runs(action, argument):
    world = Hand()
    world.ask(Action.PAUSE)
    world.flatten()
    commands = world.ask(action, argument, "please")
    assert vetoes(commands) == ["FLATTEN_RUNNING"]
    (refused,) = of(SaveVeto, commands)
    assert refused.veto.cycle_id == "op@3"
    assert refused.veto.values == {"action": action.value, "actor": "me"}
    assert world.phase() is Phase.FLATTENING


def test_the_way_out_of_a_halt_is_arming_with_a_reason():
    world = halted(Hand())
    assert vetoes(world.arm()) == ["REASON_REQUIRED"]
    assert vetoes(world.ask(Action.DISARM)) == ["HALTED"]
    commands = world.arm("books compared")
    assert of(Latch, commands) == [Latch(engaged=False)]
    assert world.phase() is Phase.ARMED
    assert submitted(world.bar(ENTER_LONG)) == [("entry", "buy", "1")]


def test_arming_without_a_halt_before_leaves_the_latch_alone():
    world = Hand(setup(armed=False))
    assert of(Latch, world.arm()) == []


def test_at_the_deadline_the_engine_halts_with_the_residual_and_its_venue_ids():
    world = Hand()
    stop = world.enter_long()
    world.flatten()
    close = world.order(OrderRole.FLATTEN)
    world.ack(close, "v-close")
    commands = world.wait(30)
    (ended,) = of(FlattenEnded, commands)
    assert not ended.flat
    assert any("v-close" in line for line in ended.residual)
    assert any(stop.client_id in line for line in ended.residual)
    assert f"position {BTC} 1 ({PLAY})" in ended.residual
    assert world.phase() is Phase.HALTED
    assert world.alarms()["flatten"].startswith("FLATTEN_DEADLINE: not flat, left: order v")
    world.arm("closed by hand")
    assert world.alarms() == {}


def test_who_arms_over_a_position_that_was_left_gets_its_stop_at_once():
    world = Hand()
    stop = world.enter_long()
    world.flatten()
    world.cancel(stop)
    world.wait(31)
    assert world.phase() is Phase.HALTED
    assert world.qty() == 1
    seen = len(world.commands)
    world.arm("it shall stay")
    assert ("stop", "sell", "1") in submitted(world.commands[seen:])


def test_who_arms_over_a_position_that_kept_its_stop_gets_no_second_one():
    world = Hand()
    world.enter_long()
    world.flatten()
    world.wait(31)
    seen = len(world.commands)
    world.arm("it shall stay")
    assert not [order for order in submitted(world.commands[seen:]) if order[0] == "stop"]


def test_a_venue_that_never_answers_leaves_a_residual_without_names():
    world = Hand()
    world.flatten()
    world.wait(30)
    assert world.alarms()["flatten"].endswith("left: the venue could not be verified")


def test_what_fills_late_while_halted_is_closed_again():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.flatten()
    world.cancel(entry)
    world.report()
    world.report()
    assert world.phase() is Phase.HALTED
    seen = len(world.commands)
    world.fill(entry, "0.3")
    commands = world.commands[seen:]
    assert world.phase() is Phase.FLATTENING
    assert submitted(commands) == [("flatten", "sell", "0.3")]
    assert notices(commands, "flatten") == [f"late fill of {BTC} while halted: flattening again"]
    assert of(Latch, commands)[0].text == "flatten by engine: late fill while halted"
    world.fill(world.order(OrderRole.FLATTEN))
    world.report()
    world.report()
    assert world.phase() is Phase.HALTED
    assert world.qty() == 0


def test_a_residual_that_closes_late_needs_no_new_flatten():
    world = Hand()
    world.enter_long()
    world.flatten()
    close = world.order(OrderRole.FLATTEN)
    world.wait(31)
    world.fill(close)
    assert world.phase() is Phase.HALTED
    assert world.qty() == 0
    stop = world.order(OrderRole.STOP)
    assert stop.cancel_requested, "nothing protects what is closed"


def test_a_second_flatten_from_a_halt_begins_anew():
    world = Hand()
    world.enter_long()
    world.flatten()
    world.wait(31)
    commands = world.flatten()
    assert world.phase() is Phase.FLATTENING
    assert submitted(commands) == [], "the first close still works"
    world.fill(world.order(OrderRole.FLATTEN))
    world.report()
    world.cancel(*world.orders(OrderRole.STOP, OrderRole.TARGET))
    world.report()
    assert world.phase() is Phase.HALTED
    assert "flatten" not in world.alarms()


def test_the_deadline_of_an_ended_flatten_does_nothing():
    world = halted(Hand())
    assert world.take(TimerFired(world.now, DEADLINE_TIMER), TimerFired(world.now, RETRY_TIMER)) == []
    assert world.phase() is Phase.HALTED


@pytest.mark.parametrize("step", ["close", "verify", "protection", "verify flat"])
def test_a_restart_in_the_middle_goes_on_without_arming(step):
    world = Hand()
    stop = world.enter_long()
    target = world.order(OrderRole.TARGET)
    world.flatten()
    close = world.order(OrderRole.FLATTEN)
    parts: list[tuple[str, Callable[[], object]]] = [
        ("close", lambda: world.fill(close)),
        ("verify", world.report),
        ("protection", lambda: world.cancel(stop, target)),
        ("verify flat", world.report),
    ]
    for name, part in parts:
        if name == step:
            world.restart()
            assert world.phase() is Phase.FLATTENING
        part()
    assert world.phase() is Phase.HALTED
    assert world.machine.authority.flatten.state.step is Step.FLAT


def test_the_deadline_survives_a_restart():
    world = Hand()
    world.enter_long()
    world.flatten()
    world.restart()
    commands = world.wait(30)
    assert [ended.flat for ended in of(FlattenEnded, commands)] == [False]
    assert world.phase() is Phase.HALTED


def test_refused_closes_are_tried_again_after_a_moment_and_not_for_ever():
    world = Hand()
    world.enter_long()
    world.flatten()
    sent = 0
    for _ in range(20):
        for close in world.orders(OrderRole.FLATTEN):
            sent += 1
            world.take(OrderRejected(world.now, close.client_id, Reason.OFF_LOT))
        world.wait(0.25)
        if len(world.silent.queries) and world.machine.authority.flatten.state.step is Step.VERIFY:
            world.report(listed(world.order(OrderRole.STOP).client_id), BTCUSDT="1")
    assert 10 <= sent <= 20, "one close a quarter of a second"
    world.wait(30)
    assert world.phase() is Phase.HALTED


def test_a_refused_cancel_is_asked_for_again_after_a_moment():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    world.flatten()
    commands = world.take(CancelRejected(world.now, entry.client_id, Reason.ORDER_NOT_FOUND))
    assert of(CancelOrder, commands) == []
    assert RETRY_TIMER in [timer.timer_id for timer in of(SetTimer, commands)]
    world.wait(0.25)
    world.report(listed(entry.client_id))
    commands = world.wait(0.25)
    assert [command.client_id for command in of(CancelOrder, commands)] == [entry.client_id]


def test_an_unknown_entry_keeps_no_position_open_and_no_flat_is_said():
    world = Hand()
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.fill(entry, "0.5")
    lost = world.order(OrderRole.STOP)
    world.take(OrderTimedOut(world.now, lost.client_id))
    commands = world.flatten()
    assert submitted(commands) == [("flatten", "sell", "0.5")]
    world.fill(world.order(OrderRole.FLATTEN))
    world.cancel(entry)
    world.report()
    world.cancel(*world.orders(OrderRole.TARGET))
    assert world.phase() is Phase.FLATTENING
    world.wait(30)
    assert [order.state for order in world.orders()] == [OrderState.UNKNOWN]
    assert world.machine.authority.flatten.state.step is Step.RESIDUAL


def test_a_close_that_the_venue_cancels_is_sent_again():
    world = Hand()
    world.enter_long()
    world.flatten()
    close = world.order(OrderRole.FLATTEN)
    world.fill(close, "0.4")
    seen = len(world.commands)
    world.cancel(close)
    assert submitted(world.commands[seen:]) == []
    assert of(QueryVenue, world.wait(0.25)) == [QueryVenue(1)]
    seen = len(world.commands)
    world.report(BTCUSDT="0.6")
    assert submitted(world.commands[seen:]) == [("flatten", "sell", "0.6")]


def test_a_close_without_an_answer_is_sent_again():
    world = Hand()
    world.enter_long()
    world.flatten()
    world.take(OrderTimedOut(world.now, world.order(OrderRole.FLATTEN).client_id))
    world.wait(0.25)
    seen = len(world.commands)
    world.report(BTCUSDT="1")
    assert submitted(world.commands[seen:]) == [("flatten", "sell", "1")]


def test_a_play_forgets_a_position_that_was_written_off():
    world = Hand()
    world.enter_long()
    world.take(OrderRejected(world.now, world.order(OrderRole.STOP).client_id, Reason.OFF_TICK))
    world.flatten()
    reject = OrderRejected(
        world.now, world.order(OrderRole.FLATTEN).client_id, Reason.REDUCE_ONLY_WOULD_INCREASE
    )
    world.take(reject)
    world.wait(0.25)
    world.report()
    world.cancel(*world.orders())
    world.report()
    assert world.phase() is Phase.HALTED
    assert world.qty() == 0
    assert world.alarms() == {}
    world.arm("closed by hand at the venue")
    assert submitted(world.bar(ENTER_LONG)) == [("entry", "buy", "1")]


def test_a_fill_that_explains_a_write_off_is_verified_again_but_not_closed():
    world = Hand()
    world.enter_long()
    world.flatten()
    close = world.order(OrderRole.FLATTEN)
    world.cancel(close)
    world.wait(0.25)
    world.report()
    world.cancel(*world.orders())
    world.report()
    assert world.phase() is Phase.HALTED
    seen = len(world.commands)
    world.fill(close, price="105")
    assert submitted(world.commands[seen:]) == []
    assert world.phase() is Phase.FLATTENING
    world.report()
    world.report()
    assert world.phase() is Phase.HALTED
    assert world.qty() == 0
    assert world.machine.ledger.realized == Decimal(-6)  # in at 111, out at 105
