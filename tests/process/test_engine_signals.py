"""The engine's process alone: how each signal ends it, or does not."""

import signal

import pytest

from engine.api import Phase
from tests.process.harness import eventually, finish

pytestmark = pytest.mark.process

SLOW_VENUE = {"TRADER_TUI_SIMULATED__LATENCY_MS": "6000"}


def test_sigterm_stops_in_order_and_reports_what_is_left_open(house):
    engine = house.holding()
    engine.send_signal(signal.SIGTERM)
    done = finish(engine)
    assert done.code == 143
    assert "ended: SIGTERM (exit code 143)" in done.out
    assert "left open: BTCUSDT 0." in done.out  # the position
    assert done.out.count("stop sell") == done.out.count("target sell") == 1  # its protection stays
    assert house.gone()


def test_the_first_sigint_waits_for_the_venue_and_the_second_does_not(house):
    engine = house.engine("--play", house.play, "--arm", env=SLOW_VENUE)
    eventually(lambda: any(o.state.is_open for o in house.snapshot().orders), "an order is on its way")
    engine.send_signal(signal.SIGINT)
    eventually(lambda: house.phase() is Phase.STOPPING, "it stops")
    assert engine.poll() is None
    engine.send_signal(signal.SIGINT)
    assert finish(engine, timeout_s=5).code == 130
    assert house.gone()


def test_sighup_is_ignored(house):
    engine = house.engine()
    engine.send_signal(signal.SIGHUP)
    assert house.run("pause").code == 0  # it is asked after the signal came, and answers
    assert house.snapshot().status.paused
    assert engine.poll() is None


def test_sighup_stops_where_the_settings_say_so(house):
    engine = house.engine(env={"TRADER_TUI_ON_HANGUP": "stop"})
    engine.send_signal(signal.SIGHUP)
    assert finish(engine).code == 129
    assert house.gone()


def test_sigusr1_flattens_and_halts(house):
    engine = house.holding()
    engine.send_signal(signal.SIGUSR1)
    eventually(lambda: house.phase() is Phase.HALTED, "halted")
    assert not house.position()
    assert not any(order.state.is_open for order in house.snapshot().orders)
    assert house.run("arm", "--confirm", "holder").code == 4  # not without a reason
    assert house.run("arm", "--confirm", "holder", "--reason", "the cause is found").code == 0
    assert house.phase() is Phase.ARMED


def test_on_stop_flatten_leaves_nothing_open(house):
    engine = house.holding()
    done = house.run("stop", "--on-stop", "flatten", "--json")
    assert done.code == 0, done.err
    assert "left open" not in finish(engine).out
    assert house.gone()
