"""Several processes on one machine: locks, attached shells, the kill-switch from a second one."""

import json
import os
import signal
import socket

import pytest

from engine.api import Phase
from engine.storage import lock
from tests.process.harness import eventually, finish, one_message

pytestmark = pytest.mark.process

STATUS_FIELDS = {
    *("mode", "rung", "holders", "armed", "risk_mode", "positions", "orders", "feeds", "breakers"),
    *("hot_reload", "latency", "uptime_s", "pid"),
}


def test_a_second_engine_is_refused_and_told_who_has_the_first(house):
    house.unmeasured()
    engine = house.engine()
    tries = [house.run("run", "--headless") for _ in range(2)]
    assert {done.code for done in tries} == {3}
    message = one_message(tries[0])
    assert f"pid {engine.pid} on {socket.gethostname()} since 20" in message
    # It waits for the lock for less than a second and works little more than any start that is refused.
    assert lock.WAIT_S < 1
    refused = house.run("run", "--headless", "--mode", "live")
    assert min(done.cpu_s for done in tries) < refused.cpu_s + 0.5
    assert house.phase() is Phase.DISARMED


def test_status_as_json_has_every_field(house):
    engine = house.holding()
    done = house.run("status", "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts.keys() >= STATUS_FIELDS
    assert (facts["mode"], facts["armed"], facts["rung"], facts["pid"]) == ("paper", True, "FULL", engine.pid)
    assert [p["symbol"] for p in facts["positions"]] == ["BTCUSDT"]
    assert {o["role"] for o in facts["orders"]} == {"stop", "target"}
    assert all(feed["age_ms"] >= 0 for feed in facts["feeds"])
    words = house.run("status").out
    assert "paper, armed, risk mode normal" in words
    assert "BTCUSDT 0." in words


def test_commands_from_a_shell(house):
    house.engine("--play", house.play)
    refused = house.run("arm", "--confirm", "wrong")
    assert refused.code == 4
    assert "holder" in one_message(refused)
    assert house.phase() is Phase.DISARMED
    said = house.run("arm", "--confirm", "holder", "--json")
    assert (said.code, json.loads(said.out)["ok"]) == (0, True)
    assert house.phase() is Phase.ARMED
    assert house.run("pause").code == 0
    assert house.snapshot().status.paused
    assert house.run("resume").code == 0
    assert house.run("mode", "reduce").code == 0
    assert house.snapshot().status.risk_mode.value == "reduce"
    assert house.run("disarm").code == 0
    assert house.phase() is Phase.DISARMED


def test_stop_waits_until_the_engine_has_ended(house):
    engine = house.engine()
    done = house.run("stop", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["ended"] is True
    assert house.gone()
    assert finish(engine).code == 0
    again = house.run("stop")
    assert again.code == 1
    assert "no engine runs" in one_message(again)


def test_flatten_all_reaches_every_instance(house):
    house.holding(instance="one")
    house.holding(instance="two")
    done = house.run("flatten", "--all", "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["flat"] is True
    assert {item["instance"]: item["flat"] for item in facts["instances"]} == {"one": True, "two": True}
    for instance in ("one", "two"):
        assert house.phase(instance) is Phase.HALTED
        assert not house.position(instance)


def test_flatten_all_reaches_an_instance_in_another_state_directory(house):
    house.holding()
    there, house.state_dir = house.state_dir, house.root / "empty"
    done = house.run("flatten", "--all", "--json")
    house.state_dir = there
    assert done.code == 0, done.err
    assert [item["flat"] for item in json.loads(done.out)["instances"]] == [True]
    assert house.phase() is Phase.HALTED


def test_flatten_direct_replaces_an_engine_that_stands_still(house):
    engine = house.holding()
    engine.send_signal(signal.SIGSTOP)
    asked = house.run("flatten", "--timeout", "1")
    assert asked.code == 4
    assert "does not answer" in asked.err
    assert "flatten --direct" in asked.err
    assert "latch is set" in asked.err
    assert "FLAT" not in asked.out
    done = house.run("flatten", "--direct", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["flat"] is True
    assert engine.wait(5) in (-signal.SIGKILL, -signal.SIGTERM, 143)
    assert house.gone()

    house.engine("--play", house.play)
    eventually(lambda: house.phase() is Phase.HALTED, "a latched engine comes back halted")
    assert not house.position()


def test_flatten_reaches_an_engine_whose_socket_is_gone(house):
    house.holding()
    for socket_file in house.state_dir.rglob("*.sock"):
        socket_file.rename(socket_file.with_suffix(".away"))
    looked = house.run("status")
    assert looked.code == 1
    assert "kill -USR1" in one_message(looked)
    done = house.run("flatten")
    assert done.code == 4, "nobody confirmed it"
    assert "SIGUSR1 told pid" in done.err
    for socket_file in house.state_dir.rglob("*.away"):
        socket_file.rename(socket_file.with_suffix(".sock"))
    eventually(lambda: house.phase() is Phase.HALTED, "it heard the signal")
    assert not house.position()


def test_flatten_without_an_engine_never_says_flat(house):
    done = house.run("flatten")
    assert done.code == 4
    assert "no engine runs" in one_message(done)
    everywhere = house.run("flatten", "--all", "--json")
    assert everywhere.code == 4
    assert json.loads(everywhere.out) == {"flat": False, "instances": []}


def test_plain_lines_follow_an_engine_and_leave_it_running(house):
    house.engine()
    lines = house.start("attach", "--plain")
    first = lines.stdout.readline()
    assert "PAPER" in first
    os.kill(lines.pid, signal.SIGINT)
    done = finish(lines)
    assert done.code == 130
    assert "the engine goes on" in done.err
    assert house.phase() is Phase.DISARMED
