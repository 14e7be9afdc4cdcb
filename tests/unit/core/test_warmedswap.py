"""A version that was warmed ahead of its swap runs as one that is warmed within it."""

import msgspec
import pytest

from engine.core.machine import Machine
from engine.domain.events import PlaySwapped
from engine.domain.play import Rule
from engine.domain.warming import Warmed
from engine.strategy.legs import evaluator_of
from tests.builders import BTC, STEP, T0, bar, setup, spec

NEW = spec(long_entry=Rule("close > sma(3)"), long_exit=Rule("close < sma(3)"))
CLOSES = [100.0, 101.0, 99.0, 98.0, 102.0, 103.0, 97.0]


def fed(count: int) -> Machine:
    machine = Machine(setup(symbols=(BTC,)))
    for number in range(count):
        machine.handle(bar(CLOSES[number], T0 + number * STEP), T0 + number * STEP)
    return machine


def warmed(count: int, symbol: str = BTC) -> Warmed:
    evaluator = evaluator_of(NEW, symbol, step_ns=STEP)
    for number in range(count):
        evaluator.update(bar(CLOSES[number], T0 + number * STEP, symbol), 0)
    return Warmed(evaluator.state(), {symbol: T0 + (count - 1) * STEP})


def swapped(machine: Machine, ahead: Warmed | None) -> bytes:
    now = T0 + 6 * STEP
    machine.handle(PlaySwapped(now, NEW, 2, warmed=ahead), now)
    (runner,) = machine.trading.runners
    return runner.evaluator.state()


@pytest.mark.parametrize("ahead", range(1, 7))
def test_bars_that_came_after_the_trial_are_added(ahead: int):
    assert swapped(fed(6), warmed(ahead)) == swapped(fed(6), None)


def test_what_was_warmed_on_another_symbol_is_warmed_anew():
    assert swapped(fed(6), warmed(6, "ETHUSDT")) == swapped(fed(6), None)


def test_the_event_carries_it_through_a_record():
    event = PlaySwapped(T0, NEW, 2, warmed=warmed(5))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=PlaySwapped) == event
