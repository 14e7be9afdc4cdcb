"""kill -9 and what comes after it: the same decisions, the same position, and no arming by itself."""

import json
import random
import signal

import pytest

from engine.api import Phase
from tests.process.harness import LIMIT_S, eventually, finish

pytestmark = pytest.mark.process

TRADES = 60_000


@pytest.fixture
def tape(tmp_path):
    """A file of trades: a random walk, four trades a second."""
    rng = random.Random(5)
    price, ts = 50_000.0, 1_700_000_000_000
    lines = ["ts_ms,price,qty,side"]
    for _ in range(TRADES):
        ts += rng.randint(1, 500)
        price = max(1_000.0, price + rng.gauss(0, 4))
        lines.append(f"{ts},{price:.1f},{rng.randint(1, 900) / 1000:.3f},{rng.choice(('buy', 'sell'))}")
    path = tmp_path / "walk.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_replay_goes_on_after_kill_9_as_if_nothing_had_been(house, tape):
    house.unmeasured()
    straight = json.loads(house.run("backtest", "canary", "--data", tape, "--json", timeout_s=120).out)
    assert straight["signals"] > 100
    assert straight["trades"] > 100
    replay = ["run", "--mode", "replay", "--headless", "--speed", "max", "--arm", "--json"]
    replay += ["--play", "canary", "--data", str(tape)]
    killed = house.start(*replay)
    eventually(lambda: TRADES / 10 < progress(house) < TRADES, "it is in the middle", timeout_s=LIMIT_S)
    killed.send_signal(signal.SIGKILL)
    assert finish(killed).out == ""
    again = house.run(*replay, timeout_s=120)
    assert again.code == 0, again.err
    result = json.loads(again.out)  # one object and nothing else
    for name in ("signal_hash", "trade_hash", "signals", "orders", "fills", "trades", "final_equity"):
        assert result[name] == straight[name], name


def progress(house):
    """Return how many events of the tape the engine has seen."""
    return house.snapshot().feeds[0].events


def test_a_position_survives_kill_9_and_trades_on_only_when_armed(house):
    engine = house.holding()
    position = house.position()
    orders = protection(house)
    engine.send_signal(signal.SIGKILL)
    engine.wait(LIMIT_S)
    assert house.gone(), "the kernel gives the lock back"

    second = house.engine("--play", house.play)
    assert house.position() == position
    assert protection(house) == orders
    assert house.phase() is Phase.DISARMED
    second.send_signal(signal.SIGKILL)
    second.wait(LIMIT_S)

    house.engine("--play", house.play, "--arm")
    eventually(lambda: house.phase() is Phase.ARMED, "armed by --arm")
    assert house.position() == position
    assert protection(house) == orders


def protection(house):
    """Return our open orders by venue id."""
    return sorted((o.venue_id, o.client_id) for o in house.snapshot().orders if o.state.is_open)


def test_an_engine_killed_while_stopping_can_be_stopped_after_a_restart(house):
    slow = {"TRADER_TUI_SIMULATED__LATENCY_MS": "6000"}
    engine = house.engine("--play", house.play, "--arm", env=slow)
    eventually(lambda: any(o.state.is_open for o in house.snapshot().orders), "an order is on its way")
    engine.send_signal(signal.SIGTERM)
    eventually(lambda: house.phase() is Phase.STOPPING, "it stops")
    engine.send_signal(signal.SIGKILL)
    engine.wait(LIMIT_S)
    again = house.engine("--play", house.play)
    assert house.phase() is Phase.DISARMED
    assert house.run("pause").code == 0
    again.send_signal(signal.SIGTERM)
    again.send_signal(signal.SIGINT)
    assert finish(again).code in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_a_session_that_was_killed_verifies(house):
    engine = house.holding()
    engine.send_signal(signal.SIGKILL)
    engine.wait(LIMIT_S)
    done = house.run("verify", "last", "--json")
    assert done.code == 0, done.out + done.err
    verdict = json.loads(done.out)
    assert verdict["identical"]
    assert verdict["decisions"] > 0


def test_a_broken_checkpoint_is_set_aside(house):
    engine = house.holding()
    position = house.position()
    engine.send_signal(signal.SIGTERM)
    finish(engine)
    checkpoints = sorted((house.folder() / "paper" / "checkpoints").glob("*.checkpoint"))
    newest = checkpoints[-1]
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 0xFF
    newest.write_bytes(data)
    again = house.engine("--play", house.play)
    assert house.position() == position
    log = (house.folder() / "logs" / "engine.log").read_text()
    assert f"{newest.name}: " in log, "the log says what was set aside"
    assert newest.with_name(f"{newest.name}.damaged").is_file()
    again.send_signal(signal.SIGTERM)
    assert finish(again).code == 143
