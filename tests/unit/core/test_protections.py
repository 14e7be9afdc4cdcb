"""Protections in the whole path: vetoed signals, restarts, new versions, corrected books."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.commands import SaveSignal
from engine.domain.events import PlaySwapped
from engine.domain.play import LossGuard, Protections, Sizing, SizingKind
from engine.domain.reasons import Reason
from tests.builders import ENTER_LONG, EXIT_LONG, QUIET, STEP, World, of, setup, spec, submitted
from tests.fakes import Hand

GUARD = LossGuard(trades=2, within_ns=60 * STEP, pause_ns=30 * STEP)
QUIETLY: dict[str, Any] = {"long_exit": None, "short_entry": None, "short_exit": None, "take_profit": None}


def guarded(**changes) -> World:
    return World(setup(spec(protections=Protections(**changes), **QUIETLY)))


def reasons(commands) -> list[str]:
    return [s.veto.text.split(" until")[0] if s.veto else "" for s in of(SaveSignal, commands)]


def stop_out(world: World) -> None:
    """Enter, and let the stop 10 % below fill."""
    world.bars(ENTER_LONG, 111.0)
    world.bar(QUIET, low=90.0)
    assert world.qty() == 0


@pytest.mark.parametrize("restarted", [False, True])
def test_after_two_stops_the_play_pauses(restarted):
    world = guarded(stop_loss_guard=GUARD)
    stop_out(world)
    stop_out(world)
    if restarted:
        world.restart()
    assert reasons(world.bar(ENTER_LONG)) == ["STOP_LOSS_GUARD"]
    world.bars(*[QUIET] * 28)
    assert reasons(world.bar(ENTER_LONG)) == [""], "30 bars later it goes on"


def test_a_cooldown_and_a_days_number_of_trades_are_vetoes_with_their_values():
    world = guarded(cooldown_bars=2, trades_per_day_max=2)
    stop_out(world)
    assert reasons(world.bar(ENTER_LONG)) == ["PLAY_COOLDOWN"]
    stop_out(world)
    world.bars(QUIET, QUIET)
    (saved,) = of(SaveSignal, world.bar(ENTER_LONG))
    assert saved.veto is not None
    assert saved.veto.reason is Reason.TRADES_PER_DAY_MAX
    assert (saved.veto.values["trades"], saved.veto.values["max"]) == ("2", "2")


def test_a_new_version_keeps_what_the_trades_were_and_one_without_protections_forgets_it():
    world = guarded(stop_loss_guard=GUARD)
    stop_out(world)
    stop_out(world)
    looser = spec(protections=Protections(stop_loss_guard=GUARD, cooldown_bars=1), **QUIETLY)
    world.take(PlaySwapped(world.now, looser, 2))
    assert reasons(world.bar(ENTER_LONG)) == ["STOP_LOSS_GUARD"]
    world.take(PlaySwapped(world.now, spec(**QUIETLY), 3))
    world.take(PlaySwapped(world.now, looser, 4))
    assert reasons(world.bar(ENTER_LONG)) == [""]


def test_a_trade_that_the_venue_does_not_show_counts_for_nothing():
    world = Hand(setup(spec(protections=Protections(stop_loss_guard=GUARD), **QUIETLY)))
    world.enter_long()
    world.flatten()
    for _ in range(6):
        world.cancel(*world.orders())
        world.wait(1)
        if world.silent.queries:
            world.report()
    (runner,) = world.machine.trading.runners
    assert world.qty() == 0
    assert runner.guard is not None
    assert not runner.guard.is_open
    assert runner.guard.trades == ()


def test_a_size_by_risk_counts_from_the_stop_of_the_signal():
    risk = Sizing(SizingKind.RISK_PERCENT, Decimal(1))
    world = World(setup(spec(sizing=risk, **QUIETLY)))
    assert submitted(world.bar(ENTER_LONG)) == [("entry", "buy", "9")]  # 100 over 11.1, the stop's distance


def test_a_size_by_volatility_counts_the_changes_of_its_period():
    target = Sizing(SizingKind.VOLATILITY_TARGET, Decimal(100), Decimal(5000), period=3)
    world = World(setup(spec(sizing=target, **QUIETLY)))
    world.bars(100.0, 101.0, 100.0, 101.0)
    (saved,) = of(SaveSignal, world.bar(ENTER_LONG))
    changes = [100 / 101 - 1, 0.01, 111 / 101 - 1]
    mean = sum(changes) / 3
    deviation = (sum((change - mean) ** 2 for change in changes) / 3) ** 0.5 * 100
    assert saved.signal.plan is not None
    assert saved.signal.plan.volatility == pytest.approx(deviation * (365 * 24 * 60) ** 0.5)


def test_without_movement_a_size_by_volatility_is_refused():
    target = Sizing(SizingKind.VOLATILITY_TARGET, Decimal(100), period=3)
    world = World(setup(spec(sizing=target, **QUIETLY)))
    assert reasons(world.bars(*[ENTER_LONG] * 4)) == ["VOLATILITY_UNKNOWN volatility=0"]
    assert reasons(world.bar(EXIT_LONG)) == []
