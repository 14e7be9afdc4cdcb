"""The console's only door: light to open, and everything behind it can be reached."""

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import engine
from engine import api
from engine.storage.lock import InstanceLock
from tests.unit.runtime.rig import START_MS, eventually, market_settings, tape_settings, write_tape

HEAVY = ("numpy", "aiosqlite", "ccxt", "pydantic", "psutil", "engine.core.machine", "engine.runtime.engine")
ROOT = Path(engine.__file__).parents[1]


def python(code: str) -> str:
    """Run code in an interpreter of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    return done.stdout


def test_everything_the_door_names_is_behind_it():
    assert sorted(api.__all__) == sorted(set(api.__all__))
    for name in api.__all__:
        assert hasattr(api, name), name


def test_the_door_opens_without_the_engine_s_weight():
    loaded = python("import sys, engine.api; print(*sys.modules)").split()
    assert not [name for name in HEAVY if name in loaded]


def test_signals_are_blocked_for_threads_that_come_later():
    code = """
import signal
from engine.api import block_signals
block_signals()
print(*sorted(number.name for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())))
"""
    assert python(code).split() == ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1"]


@asynccontextmanager
async def running(settings):
    """Run an engine behind the door until the test is done with it."""
    async with asyncio.timeout(30), api.open_engine(settings) as there:
        link = there.link("test")
        await eventually(lambda: there._engine.snapshot().health.events > 5)
        yield link


async def test_an_engine_is_found_asked_and_commanded(tmp_path):
    settings = market_settings(tmp_path)
    assert api.running_engine(settings) is None
    async with running(settings):
        owner = api.running_engine(settings)
        assert owner is not None
        assert owner.pid == os.getpid()
        hello, snapshot = await asyncio.to_thread(api.fetch_status, settings)
        assert hello.instance == snapshot.status.instance == "default"
        reply = await asyncio.to_thread(
            api.send_command, settings, api.Action.ARM, actor="me", argument="restless"
        )
        assert reply.ok
        refused = await asyncio.to_thread(api.send_command, settings, api.Action.ARM, actor="me")
        assert refused.reason == "ALREADY_SO"
        link = await api.connect(settings, "me")
        assert link.hello == hello
        assert (await anext(link.snapshots())).status.phase is api.Phase.ARMED
        await link.close()


async def test_a_flatten_can_be_watched_to_its_end(tmp_path):
    settings = market_settings(tmp_path, arm=True)
    seen: list[api.Snapshot] = []
    async with running(settings):
        reply = await asyncio.to_thread(api.send_command, settings, api.Action.FLATTEN, actor="me")
        assert reply.ok
        last = await asyncio.to_thread(api.wait_flat, settings, timeout_s=10.0, on_progress=seen.append)
    assert last.status.phase is api.Phase.HALTED
    assert seen


async def test_where_no_engine_runs_that_is_said(tmp_path):
    settings = market_settings(tmp_path)
    with pytest.raises(api.ControlError):
        await asyncio.to_thread(api.fetch_status, settings)
    with pytest.raises(api.ControlError):
        await api.connect(settings, "me", timeout_s=0.1)


def test_instances_that_run_are_listed(tmp_path):
    settings = market_settings(tmp_path)
    assert api.running_instances(settings) == ()
    root = api.state_directory(settings).parent
    locks = [InstanceLock(root / name) for name in ("day", "night")]
    (root / "asleep").mkdir(parents=True)
    for lock in locks:
        lock.acquire(lock.directory.name, 0)
    assert [found.instance for found in api.running_instances(settings)] == ["day", "night"]
    locks[0].release()
    assert [found.instance for found in api.running_instances(settings)] == ["night"]
    locks[1].release()


def test_places_are_known_without_an_engine(tmp_path):
    settings = market_settings(tmp_path)
    assert api.state_directory(settings) == tmp_path / "state" / "default"
    assert api.shipped("configs/plays/canary.yaml").is_file()
    assert api.user_directory().name == "trader-tui"
    with pytest.raises(api.ConfigError, match="does not ship"):
        api.shipped("configs/none.yaml")


def test_settings_are_loaded_in_layers(tmp_path):
    settings = api.load_settings({"state_dir": str(tmp_path), "instance": "night"})
    assert (settings.instance, settings.mode) == ("night", api.Mode.PAPER)
    with pytest.raises(api.ConfigError):
        api.load_settings({"mode": "reckless"})


def test_a_latch_can_be_set_whether_or_not_an_engine_runs(tmp_path):
    settings = market_settings(tmp_path)
    api.state_directory(settings).mkdir(parents=True)
    api.set_latch(settings, "by hand")
    assert (api.state_directory(settings) / "flatten.latch").read_text() == "by hand"


def test_a_backtest_is_run_over_a_span_of_time(tmp_path):
    settings = tape_settings(tmp_path, mode="backtest")
    assert api.run_backtest(settings).run.bars == 300
    half = (START_MS + 150 * 60_000) * 1_000_000
    assert api.run_backtest(settings, since=half).run.bars == 150
    assert api.run_backtest(settings, until=half).run.bars == 150


async def test_a_session_is_verified(tmp_path):
    async with running(market_settings(tmp_path)) as link:
        session = link.hello.session
    record = tmp_path / "state" / "default" / "paper" / "records" / session
    verdict = await asyncio.to_thread(api.verify_session, record)
    assert verdict.identical, verdict


def test_a_data_file_is_summed_up(tmp_path):
    summary = api.summarize_data(write_tape(tmp_path, 50), points=10)
    assert (summary.kind, summary.rows, summary.missing) == ("bars", 50, 0)
    assert len(summary.chart) == 10


def test_what_cannot_be_done_is_raised_before_anything_happens(tmp_path):
    settings = tape_settings(tmp_path).model_copy(update={"data": ()})
    with pytest.raises(api.ConfigError, match="give --data FILE"):
        api.run_engine(settings)
    with pytest.raises(api.ControlError, match="no session was ever recorded"):
        api.flatten_direct(settings, pytest.fail)
    with pytest.raises(api.TraderError, match="nowhere"):
        api.fetch_bars(
            venue="nowhere",
            symbol="BTCUSDT",
            timeframe="1m",
            since=0,
            until=None,
            out=tmp_path / "bars.csv",
            host=None,
            tell=lambda _: pytest.fail("nothing is fetched"),
        )
    assert not (tmp_path / "state").exists()
