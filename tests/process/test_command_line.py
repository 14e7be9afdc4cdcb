"""What scripts rely on: one JSON object, exit codes, an end in time, and Ctrl-C that says one line."""

import json
import signal

import psutil
import pytest

from tests.process.harness import BRISK, eventually, finish, one_message

pytestmark = pytest.mark.process

BARS = 400_000
MINUTE_MS = 60_000
START_MS = 1_577_836_800_000  # 2020-01-01


def bars(path, count):
    """Write a file of one-minute bars that go up and down."""
    with path.open("w") as file:
        file.write("ts_ms,open,high,low,close,volume\n")
        for index in range(count):
            level = 10_000 + (index * 37) % 101
            file.write(f"{START_MS + index * MINUTE_MS},{level},{level + 9},{level - 9},{level + 5},12\n")
    return path


def test_backtest_and_replay_print_the_same_single_object(house, tmp_path):
    data = bars(tmp_path / "bars.csv", 500)
    test = house.run("backtest", "canary", "--data", data, "--json")
    play = house.run(
        *("run", "--mode", "replay", "--headless", "--speed", "max", "--arm", "--json"),
        *("--play", "canary", "--data", data),
    )
    assert (test.code, play.code) == (0, 0), test.err + play.err
    assert play.err == ""
    expected, result = json.loads(test.out), json.loads(play.out)
    assert result.keys() <= expected.keys(), "a backtest adds its figures"
    assert expected["trades"] > 0
    assert (result["signal_hash"], result["trade_hash"]) == (expected["signal_hash"], expected["trade_hash"])


def test_backtest_takes_a_stretch_of_time(house, tmp_path):
    data = bars(tmp_path / "bars.csv", 3_000)
    span = ("--from", "2020-01-01T10:00", "--to", f"{START_MS + 20 * 60 * MINUTE_MS}")
    done = house.run("backtest", "canary", "--data", data, *span, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["bars"] == 600
    nothing = house.run("backtest", "canary", "--data", data, "--from", "2024-01-01")
    assert nothing.code == 2
    assert "has no rows" in one_message(nothing)


def test_a_duration_ends_a_run_in_order(house):
    done = house.run("run", "--headless", "--duration", "1.5", "--json", env=BRISK)
    assert done.code == 0, done.err
    assert json.loads(done.out)["exit_code"] == 0
    assert house.gone()


def test_a_slow_replay_can_be_stopped_between_two_bars(house, tmp_path):
    data = bars(tmp_path / "bars.csv", 100)
    engine = house.engine("--mode", "replay", "--play", "canary", "--data", data, "--speed", "1")
    engine.send_signal(signal.SIGTERM)
    done = finish(engine, timeout_s=10)
    assert done.code == 143
    assert "ended: SIGTERM" in done.out


def test_ctrl_c_ends_a_backtest_with_one_line(house, tmp_path):
    house.unmeasured()
    data = bars(tmp_path / "bars.csv", BARS)
    process = house.start("backtest", "canary", "--data", data)
    watched = psutil.Process(process.pid)
    size = data.stat().st_size
    eventually(lambda: process.poll() is not None or watched.io_counters().read_chars > size, "it has read")
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 130
    assert one_message(done) == "trader-tui: interrupted"
