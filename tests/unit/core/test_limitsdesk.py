"""Limits that change while the engine runs: tighter at once, looser with a person where money is real."""

from decimal import Decimal
from typing import Any

import msgspec

from engine.core.view import view
from engine.domain.calendar import Window
from engine.domain.commands import SaveTransition, TransitionKind
from engine.domain.events import Action
from engine.domain.limits import Limits, LimitsChanged
from engine.domain.modes import Rung
from tests.builders import BTC, ENTER_LONG, EXIT_LONG, PLAY, QUIET, World, of, setup, vetoes

NOON = Window(name="noon", starts=(720,), minutes=30)
HALF = Decimal(50)


def live(**limits: Any) -> World:
    return World(setup(confirms_loosening=True, **limits))


def change(world: World, id_: str = "aa", calendar: tuple[Window, ...] = (), **limits: Any) -> list[Any]:
    wanted = msgspec.structs.replace(world.setup.limits, **limits)
    return world.take(LimitsChanged(world.now, id_, wanted, calendar))


def in_force(world: World) -> Limits:
    return world.machine.policy.limits


def test_without_real_money_a_change_is_in_force_at_once():
    world = World(setup(order_notional_max=Decimal(100)))
    (stored,) = of(SaveTransition, change(world, order_notional_max=Decimal(200)))
    assert (stored.kind, stored.actor) == (TransitionKind.LIMITS, "config file")
    assert (stored.before, stored.after) == ("order_notional_max=100", "order_notional_max=200")
    assert in_force(world).order_notional_max == 200
    assert world.alarms() == {}


def test_with_real_money_tighter_is_at_once_and_looser_waits():
    world = live(order_notional_max=Decimal(100), leverage_max=2.0)
    change(world, "aa", order_notional_max=HALF, leverage_max=4.0)
    assert (in_force(world).order_notional_max, in_force(world).leverage_max) == (HALF, 2.0)
    assert "leverage_max 2 -> 4" in world.alarms()["limits"]
    section = view(world.machine, world.now).risk
    assert [(row.setting, row.now, row.wanted) for row in section.pending] == [("leverage_max", "2", "4")]
    assert section.pending_id == "aa"


def test_a_person_accepts_what_they_saw_and_says_why():
    world = live(leverage_max=2.0)
    assert vetoes(world.ask(Action.ACCEPT_LIMITS, "aa", "why")) == ["ALREADY_SO"]
    change(world, "aa", leverage_max=4.0)
    assert vetoes(world.ask(Action.ACCEPT_LIMITS, "bb", "why")) == ["NOT_CONFIRMED"]
    assert vetoes(world.ask(Action.ACCEPT_LIMITS, "aa", " ")) == ["REASON_REQUIRED"]
    (stored,) = of(SaveTransition, world.ask(Action.ACCEPT_LIMITS, "aa", "tested it on the demo account"))
    assert (stored.after, stored.reason) == ("leverage_max=4", "tested it on the demo account")
    assert (in_force(world).leverage_max, world.alarms()) == (4.0, {})


def test_a_file_that_is_changed_back_asks_for_nothing_any_more():
    world = live(leverage_max=2.0)
    change(world, leverage_max=4.0)
    change(world, "bb", leverage_max=2.0)
    assert (world.alarms(), world.machine.policy.proposal) == ({}, None)


def test_windows_are_added_at_once_and_taken_away_by_a_person():
    world = live(calendar=(NOON,))
    evening = Window(name="evening", starts=(1080,), minutes=30)
    assert world.rung() is Rung.REDUCE
    change(world, "aa", calendar=(evening,))
    assert len(world.machine.policy.calendar) == 2
    assert world.rung() is Rung.REDUCE
    world.ask(Action.ACCEPT_LIMITS, "aa", "the news came early")
    assert [window.name for window in world.machine.policy.calendar] == ["evening"]
    assert world.rung() is Rung.FULL


def test_limits_in_force_and_what_waits_outlive_a_restart():
    world = live(leverage_max=2.0, order_notional_max=Decimal(1000))
    change(world, "aa", leverage_max=4.0, order_notional_max=HALF, drawdown_max_percent=5.0)
    before = world.loop.state()
    world.restart()
    assert world.loop.state() == before
    assert in_force(world).order_notional_max == HALF
    world.ask(Action.ACCEPT_LIMITS, "aa", "still wanted")
    assert in_force(world).leverage_max == 4.0


def test_what_keeps_a_part_of_the_limits_follows_them():
    world = World(setup())
    change(world, profit_reserve_percent=Decimal(10), drawdown_max_percent=5.0)
    assert world.machine.ledger.capital.reserve_percent == 10
    assert world.machine.risk.losses.watches
    change(world, profit_reserve_percent=Decimal(0))
    assert not world.machine.risk.losses.watches


def test_a_play_that_was_stopped_goes_on_with_a_reason():
    world = World(setup(repeat_entries_max=2))
    for _ in range(2):
        world.bars(ENTER_LONG, 111.0, EXIT_LONG, QUIET)
    assert view(world.machine, world.now).risk.stopped == (f"{PLAY} {BTC} buy",)
    assert vetoes(world.ask(Action.ENABLE, "nobody", "why")) == ["ALREADY_SO"]
    assert vetoes(world.ask(Action.ENABLE, PLAY)) == ["REASON_REQUIRED"]
    (stored,) = of(SaveTransition, world.ask(Action.ENABLE, PLAY, "a flat market, it is meant to"))
    assert (stored.before, stored.after) == (f"{PLAY} stopped", f"{PLAY} enters again")
    assert view(world.machine, world.now).risk.stopped == ()


def test_a_person_may_decline_what_waits_and_the_file_is_asked_again_when_it_changes():
    world = live(leverage_max=2.0)
    assert vetoes(world.ask(Action.DECLINE, "aa")) == ["ALREADY_SO"]
    change(world, "aa", leverage_max=4.0)
    assert vetoes(world.ask(Action.DECLINE, "bb")) == ["NOT_CONFIRMED"]
    (stored,) = of(SaveTransition, world.ask(Action.DECLINE, "aa", "not today"))
    assert (stored.kind, stored.before, stored.after, stored.reason) == (
        TransitionKind.LIMITS,
        "aa waits",
        "declined",
        "not today",
    )
    assert (in_force(world).leverage_max, world.alarms(), world.machine.policy.proposal) == (2.0, {}, None)
    change(world, "cc", leverage_max=3.0)
    assert view(world.machine, world.now).risk.pending_id == "cc"
