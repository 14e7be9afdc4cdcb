"""Measures the program's figures on this machine; each function returns rows for the table."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.terminal import DATA, ROOT, Terminal

PYTHON = sys.executable
BUSY = {"TRADER_TUI_SYNTHETIC__EVENTS_PER_S": "1000"}
YEAR_FILE = DATA / "bars/bitmex_xbtusd_1m_2020.csv.gz"
CALIBRATION_LOOPS = 3_000_000


class Row(NamedTuple):
    """One figure: what, its value, what was promised."""

    name: str
    value: str
    promise: str


def loop_ns() -> float:
    """Return what a bare loop costs here and now: how fast or busy the machine is."""
    started = time.process_time()
    for _ in range(CALIBRATION_LOOPS):
        pass
    return (time.process_time() - started) / CALIBRATION_LOOPS * 1e9


def console_start(runs: int = 5) -> list[Row]:
    """Time the first frame and the first live data of a console that starts its engine."""
    first, live = [], []
    for _ in range(runs):
        with scratch() as state, console(state, {}) as terminal:
            first.append(terminal.until("Market", 10))
            live.append(terminal.until("eng ok", 10))
            stop(state)
    return [
        Row("console: first frame", f"{statistics.median(first):.2f} s", "under 0.7 s"),
        Row("console: live data", f"{statistics.median(live):.2f} s", "under 2 s"),
    ]


def live_path(runs: int = 5, seconds: int = 20) -> list[Row]:
    """Measure the engine's latency at 2,000 events/s that were drawn before, in processes of their own."""
    command = [PYTHON, "-m", "benchmarks.live", "2000", str(seconds), "ema_cross"]
    found, loops = [], []
    for _ in range(runs):
        loops.append(loop_ns())
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        found.append(json.loads(done.stdout))
    names = ("p50_ms", "p99_ms", "p999_ms")
    value = " / ".join(f"{statistics.median(run[name] for run in found) * 1e3:.0f}" for name in names)
    return [
        Row(
            "live path, headless, EMA cross: event-in to effects-out p50 / p99 / p99.9 at 2,000 events/s"
            f" (bare loop {statistics.median(loops):.0f} ns)",
            f"{value} us",
            "p50 under 40 us, p99 under 150 us where a bare loop costs 8.5 ns",
        )
    ]


def latency_rows(facts: dict[str, Any], how: str, promise: str) -> list[Row]:
    """Return the rows of one latency measurement."""
    latency, rate = facts["latency"], facts["health"]["events_per_s"]
    value = " / ".join(f"{latency[key]:.3f}" for key in ("p50_ms", "p99_ms", "p999_ms"))
    return [
        Row(
            f"engine, {how}: event-in to effects-out p50 / p99 / p99.9 at {rate:.0f} events/s",
            f"{value} ms",
            promise,
        )
    ]


def backtest(runs: int = 5) -> list[Row]:
    """Run the EMA cross over the year file; the loop's cost beside it tells how busy the machine was."""
    if not YEAR_FILE.exists():
        return [Row("backtest, year file", "the file is not on this machine", "at least 150,000 bars/s")]
    environment = {
        **os.environ,
        "TRADER_TUI_LIMITS__ORDER_NOTIONAL_MAX": "null",
        "TRADER_TUI_LIMITS__POSITION_NOTIONAL_MAX": "null",
    }
    rates, loops, loads, memory = [], [], [], []
    command = [PYTHON, "-m", "tui", "backtest", "ema_cross", "--data", str(YEAR_FILE), "--json"]
    for _ in range(runs):
        loops.append(loop_ns())
        process = psutil.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
        peak = 0
        while process.poll() is None:
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.Error:
                break
            time.sleep(0.02)
        run = json.loads(process.communicate()[0])
        rates.append(run["events_per_s"])
        loads.append(run["load_s"])
        memory.append(peak / 1e6)
    return [
        Row(
            f"backtest, EMA cross, {run['bars']} bars, {run['orders']} orders"
            f" (bare loop {statistics.median(loops):.0f} ns)",
            f"{statistics.median(rates):,.0f} bars/s",
            "at least 500,000 bars/s where a bare loop costs 8.5 ns",
        ),
        Row("backtest: loading the year file", f"{statistics.median(loads):.2f} s", "-"),
        Row("backtest: peak memory", f"{max(memory):.0f} MB", "bounded"),
    ]


def status(state: str) -> dict[str, Any]:
    """Return what `status --json` prints."""
    command = [PYTHON, "-m", "tui", "status", "--state-dir", state, "--json"]
    facts: dict[str, Any] = json.loads(
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    )
    return facts


def stop(state: str) -> None:
    """Stop an engine."""
    subprocess.run(
        [PYTHON, "-m", "tui", "stop", "--state-dir", state], cwd=ROOT, capture_output=True, check=False
    )


def console(state: str, environment: dict[str, str]) -> Terminal:
    """Open a console of 200x50 on an engine of its own."""
    command = [PYTHON, "-m", "tui", "--state-dir", state]
    return Terminal(command, columns=200, rows=50, environment=environment)


@contextmanager
def scratch() -> Iterator[str]:
    """Give a state folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        yield str(Path(folder))
