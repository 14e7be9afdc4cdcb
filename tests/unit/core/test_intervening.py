"""The operator's hand on one position or order: what it does, what refuses it, and what a play does then."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.core.snapshot import Phase
from engine.domain.commands import (
    CancelOrder,
    SaveSignal,
    SaveTransition,
    SaveVeto,
    SubmitOrder,
    TransitionKind,
)
from engine.domain.events import Action, OrderTimedOut
from engine.domain.ids import OrderRole
from engine.domain.modes import RiskMode, Rung
from engine.domain.orders import OrderKind
from engine.domain.play import EntryOrder, ScaleIn
from engine.domain.reasons import Reason
from engine.domain.signals import SignalKind
from tests.builders import (
    BTC,
    ENTER_LONG,
    ENTER_SHORT,
    ETH,
    PLAY,
    QUIET,
    SELL,
    World,
    notices,
    of,
    percent,
    setup,
    spec,
    submitted,
    trade,
    vetoes,
)
from tests.fakes import Hand

encode = msgspec.msgpack.Encoder(decimal_format="string").encode

LIMIT_ENTRY = spec(entry=EntryOrder(OrderKind.LIMIT, percent(1.0), valid_bars=0, replace=False))


def close(world: World, argument: str = f"{PLAY} {BTC}", reason: str = "") -> list[Any]:
    return world.ask(Action.CLOSE_POSITION, argument, reason)


def cancel(world: World, client_id: str, reason: str = "") -> list[Any]:
    return world.ask(Action.CANCEL_ORDER, client_id, reason)


def verdicts(commands: list[Any]) -> list[Reason | None]:
    """Return what stopped each signal, None where it led to an order."""
    return [c.veto.reason if c.veto else None for c in of(SaveSignal, commands)]


def close_and_fill(world: Hand) -> None:
    """Close by hand, and let the venue tell that it is done."""
    close(world)
    world.fill(world.order(OrderRole.EXIT), price="111")
    world.cancel(*world.orders())


# closing


def test_only_the_position_that_was_confirmed_is_closed():
    """The one in the dialog may be gone, and another in its place, before a person has read and answered."""
    world = Hand()
    world.enter_long()
    opened = world.machine.ledger.position(PLAY, BTC).opened
    refusal = close(world, f"{PLAY} {BTC} {opened - 1}")
    assert vetoes(refusal) == ["CHANGED_SINCE_SHOWN"]
    assert submitted(refusal) == []
    assert len(submitted(close(world, f"{PLAY} {BTC} {opened}"))) == 1


def test_a_position_is_closed_at_market_and_keeps_its_stop_until_it_is_gone():
    world = Hand()
    stop = world.enter_long()
    commands = close(world, reason="news")
    (sent,) = of(SubmitOrder, commands)
    request = sent.request
    assert (request.role, request.side, request.qty, request.kind) == (
        OrderRole.EXIT,
        SELL,
        Decimal(1),
        OrderKind.MARKET,
    )
    assert (request.reduce_only, sent.increases, request.cycle_id) == (True, False, "op@1")
    assert of(CancelOrder, commands) == [], "its stop rests on"
    world.fill(world.order(OrderRole.EXIT), price="111")
    assert world.qty() == 0
    assert stop.client_id in [c.client_id for c in of(CancelOrder, world.commands)]


def test_it_is_stored_and_said_with_who_and_why():
    world = Hand()
    world.enter_long()
    commands = close(world, reason=" news ")
    (change,) = of(SaveTransition, commands)
    exit_id = world.order(OrderRole.EXIT).client_id
    assert (change.kind, change.before, change.after) == (
        TransitionKind.POSITION,
        f"{PLAY} {BTC} 1",
        f"closing by {exit_id}",
    )
    assert (change.actor, change.reason) == ("me", "news")
    assert notices(commands, "operator") == [
        f"1 {BTC} of {PLAY} closes at market by me; the play sits out until its next signal (news)"
    ]
    assert vetoes(commands) == []


@pytest.mark.parametrize("standing", ["disarmed", "paused", "reduce", "observe", "stale", "halted", "full"])
def test_no_rung_no_limit_and_no_old_data_refuses_it(standing):
    world = Hand(setup(order_rate_max=1, open_orders_max=1, stale_after_s=90.0, stale_check_ns=10**9))
    world.enter_long()
    match standing:
        case "disarmed":
            world.ask(Action.DISARM)
        case "paused":
            world.ask(Action.PAUSE)
        case "reduce" | "observe":
            world.ask(Action.RISK_MODE, standing)
        case "stale":
            world.wait(300)
            assert world.rung(BTC) is Rung.REDUCE
        case "halted":
            world.flatten()
            world.wait(31)
            assert world.phase() is Phase.HALTED
        case _:
            assert world.rung(BTC) is Rung.FULL
    assert submitted(close(world))[-1] == ("exit", "sell", "1")


def test_the_symbol_may_be_left_out():
    world = Hand()
    world.enter_long()
    assert submitted(close(world, PLAY)) == [("exit", "sell", "1")]


def test_a_short_position_is_bought_back():
    world = Hand()
    world.bar(ENTER_SHORT)
    world.fill(world.order(OrderRole.ENTRY), price="89")
    assert submitted(close(world))[0][:2] == ("exit", "buy")


@pytest.mark.parametrize(
    "argument", ["", "nobody", f"{PLAY} {ETH}", f"nobody {BTC}", f"{PLAY}  {BTC}", f"flatten {BTC}"]
)
def test_what_is_not_open_is_not_closed(argument):
    world = Hand()
    world.enter_long()
    commands = close(world, argument)
    assert vetoes(commands) == [Reason.NOTHING_TO_CLOSE]
    assert submitted(commands) == []


def test_a_flat_play_has_nothing_to_close():
    assert vetoes(close(Hand())) == [Reason.NOTHING_TO_CLOSE]


def test_it_is_not_closed_twice():
    world = Hand()
    world.enter_long()
    close(world)
    commands = close(world)
    assert vetoes(commands) == [Reason.EXIT_WORKING]
    assert submitted(commands) == []


def test_a_close_without_an_answer_stops_no_other():
    world = Hand()
    world.enter_long()
    close(world)
    world.take(OrderTimedOut(world.now, world.order(OrderRole.EXIT).client_id))
    assert submitted(close(world)) == [("exit", "sell", "1")]


def test_a_flatten_needs_no_help():
    world = Hand()
    world.enter_long()
    world.flatten()
    assert vetoes(close(world)) == [Reason.FLATTEN_RUNNING]
    assert vetoes(cancel(world, world.orders()[0].client_id)) == [Reason.FLATTEN_RUNNING]


def test_what_is_left_of_the_entry_is_canceled_first():
    world = Hand(setup(LIMIT_ENTRY))
    world.bar(ENTER_LONG)
    entry = world.order(OrderRole.ENTRY)
    world.ack(entry)
    world.fill(entry, "0.4")
    commands = close(world)
    kinds = [type(c) for c in commands if isinstance(c, CancelOrder | SubmitOrder)]
    assert kinds == [CancelOrder, SubmitOrder]
    assert submitted(commands) == [("exit", "sell", "0.4")]


def test_a_position_of_a_play_that_runs_no_more_is_closed_as_well():
    world = Hand()
    world.machine.desk.correct("gone", BTC, Decimal(2), Decimal(100), world.now)
    assert submitted(close(world, "gone")) == [("exit", "sell", "2")]


def test_of_several_positions_of_a_play_one_has_to_be_named():
    world = Hand()
    for symbol in (BTC, ETH):
        world.machine.desk.correct("gone", symbol, Decimal(2), Decimal(100), world.now)
    refusal = close(world, "gone")
    assert vetoes(refusal) == [Reason.WHICH_POSITION]
    assert of(SaveVeto, refusal)[0].veto.values["open"] == f"gone/{BTC} gone/{ETH}"
    assert submitted(close(world, f"gone {ETH}")) == [("exit", "sell", "2")]


# sitting out


def test_a_play_does_not_enter_again_while_its_rule_goes_on_to_hold():
    world = Hand()
    world.enter_long()
    close_and_fill(world)
    for _ in range(3):
        assert verdicts(world.bar(ENTER_LONG)) == [Reason.SITS_OUT]
    world.bar(QUIET)
    assert verdicts(world.bar(ENTER_LONG)) == [None]


def test_a_signal_of_the_other_side_ends_it():
    world = Hand()
    world.enter_long()
    close_and_fill(world)
    assert verdicts(world.bar(ENTER_LONG)) == [Reason.SITS_OUT]
    assert verdicts(world.bar(ENTER_SHORT)) == [None]


def test_it_does_not_end_before_the_position_is_gone():
    world = Hand()
    world.enter_long()
    close(world)
    world.bar(QUIET + 6)
    world.fill(world.order(OrderRole.EXIT))
    world.cancel(*world.orders())
    assert verdicts(world.bar(ENTER_LONG)) == [Reason.SITS_OUT]


@pytest.mark.parametrize("moment", range(5))
def test_it_survives_a_restart(moment):
    straight, restarted = Hand(), Hand()
    said: list[list[Any]] = []
    for world in (straight, restarted):
        world.enter_long()
        close_and_fill(world)
        heard: list[Any] = []
        for number, price in enumerate((ENTER_LONG, ENTER_LONG, QUIET, ENTER_LONG)):
            if world is restarted and number == moment:
                world.restart(new_run=True)
            heard += verdicts(world.bar(price))
        said.append(heard)
    assert said[0] == said[1] == [Reason.SITS_OUT, Reason.SITS_OUT, None]
    assert encode(straight.machine.trading.state()) == encode(restarted.machine.trading.state())


def test_a_play_on_each_print_sits_out_until_a_print_without_a_signal():
    world = Hand(setup(spec(timeframe="trade")))
    world.market(trade(ENTER_LONG, world.now + 1))
    world.fill(world.order(OrderRole.ENTRY))
    close_and_fill(world)
    prints = [world.market(trade(price, world.now + 1)) for price in (ENTER_LONG, QUIET, ENTER_LONG)]
    assert [verdicts(commands) for commands in prints] == [[Reason.SITS_OUT], [], [None]]


# canceling


def working_entry() -> Hand:
    world = Hand(setup(LIMIT_ENTRY))
    world.bar(ENTER_LONG)
    world.ack(world.order(OrderRole.ENTRY))
    return world


def test_an_order_is_canceled_by_its_client_id():
    world = working_entry()
    entry = world.order(OrderRole.ENTRY)
    commands = cancel(world, entry.client_id, "not now")
    assert [c.client_id for c in of(CancelOrder, commands)] == [entry.client_id]
    (change,) = of(SaveTransition, commands)
    client_id = entry.client_id
    assert (change.kind, change.before, change.after, change.reason) == (
        TransitionKind.ORDER,
        f"{client_id} acknowledged",
        f"{client_id} cancel asked for",
        "not now",
    )
    assert notices(commands, "operator") == [f"entry buy 1.01 {BTC} is canceled by me (not now)"]


def test_the_play_of_a_canceled_entry_sits_out_too():
    world = working_entry()
    entry = world.order(OrderRole.ENTRY)
    cancel(world, entry.client_id)
    world.cancel(entry)
    assert verdicts(world.bar(ENTER_LONG)) == [Reason.SITS_OUT]
    world.bar(QUIET)
    assert verdicts(world.bar(ENTER_LONG)) == [None]


def test_a_canceled_further_entry_does_not_come_back_on_the_next_bar():
    world = Hand(setup(spec(scale_in=ScaleIn(3, every=percent(1.0), against=False, size_factor=Decimal(1)))))
    world.enter_long()
    world.bar(113.0)
    further = world.order(OrderRole.ENTRY)
    cancel(world, further.client_id)
    world.cancel(further)
    commands = world.bar(114.0)
    (signal,) = of(SaveSignal, commands)
    assert signal.signal.kind is SignalKind.SCALE_IN
    assert verdicts(commands) == [Reason.SITS_OUT]
    world.bar(111.0)
    assert verdicts(world.bar(114.0)) == [None]


@pytest.mark.parametrize("role", [OrderRole.STOP, OrderRole.TARGET])
def test_what_protects_a_position_is_not_canceled(role):
    world = Hand()
    world.enter_long()
    commands = cancel(world, world.order(role).client_id)
    assert vetoes(commands) == [Reason.ORDER_PROTECTS]
    assert of(CancelOrder, commands) == []


def test_what_protects_nothing_any_more_may_be_canceled():
    world = Hand()
    stop = world.enter_long()
    world.ask(Action.RISK_MODE, RiskMode.OBSERVE.value)
    world.machine.desk.correct(PLAY, BTC, Decimal(-1), Decimal(100), world.now)
    assert [c.client_id for c in of(CancelOrder, cancel(world, stop.client_id))] == [stop.client_id]


def test_only_what_is_open_is_canceled_and_only_once():
    world = working_entry()
    entry = world.order(OrderRole.ENTRY)
    assert vetoes(cancel(world, "nobody")) == [Reason.NO_SUCH_ORDER]
    cancel(world, entry.client_id)
    assert vetoes(cancel(world, entry.client_id)) == [Reason.ALREADY_SO]
    world.cancel(entry)
    assert vetoes(cancel(world, entry.client_id)) == [Reason.ORDER_ENDED]


def test_an_order_without_an_answer_may_be_canceled():
    world = Hand()
    world.enter_long()
    close(world)
    leaving = world.order(OrderRole.EXIT)
    world.take(OrderTimedOut(world.now, leaving.client_id))
    assert [c.client_id for c in of(CancelOrder, cancel(world, leaving.client_id))] == [leaving.client_id]


def test_an_exit_may_be_canceled_and_asked_for_again():
    world = Hand()
    world.enter_long()
    close(world)
    leaving = world.order(OrderRole.EXIT)
    assert [c.client_id for c in of(CancelOrder, cancel(world, leaving.client_id))] == [leaving.client_id]
    world.cancel(leaving)
    assert submitted(close(world)) == [("exit", "sell", "1")]
