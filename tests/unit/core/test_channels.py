"""What adapters report of their channels: breakers open and close, hold, alarm and latch."""

from engine.domain.commands import SetTimer
from engine.domain.events import CallOutcome, Channel, ChannelReport
from engine.domain.modes import Rung
from engine.risk.breaker import BreakerState
from tests.builders import of, setup
from tests.fakes import Hand

OK, TRANSIENT, LIMITED, AUTH = (
    CallOutcome.OK,
    CallOutcome.TRANSIENT,
    CallOutcome.RATE_LIMITED,
    CallOutcome.AUTH,
)


def told(world: Hand, channel: Channel, outcome: CallOutcome, times: int = 1, text: str = "timed out"):
    commands = []
    for _ in range(times):
        commands += world.take(ChannelReport(world.now, "bybit", channel, outcome, text))
    return commands


def state(world: Hand) -> BreakerState:
    (row,) = world.machine.channels.rows()
    return row.state


def test_five_failures_within_half_a_minute_open_the_breaker_and_hold_until_it_has_rested():
    world = Hand(setup())
    told(world, Channel.ORDERS, TRANSIENT, 4)
    assert (state(world), world.rung()) == (BreakerState.CLOSED, Rung.FULL)
    (timer,) = of(SetTimer, told(world, Channel.ORDERS, TRANSIENT))
    assert timer.timer_id == "breaker.bybit orders"
    assert (state(world), world.rung()) == (BreakerState.OPEN, Rung.REDUCE)
    world.wait(15)
    assert (state(world), world.rung()) == (BreakerState.HALF_OPEN, Rung.FULL)
    told(world, Channel.ORDERS, OK)
    assert state(world) is BreakerState.CLOSED
