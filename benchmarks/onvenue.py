"""Measures an engine on the local exchange, each figure in processes of its own (benchmarks.venue)."""

import json
import statistics
import subprocess
import sys

from benchmarks.figures import Row
from benchmarks.terminal import ROOT

MARKS = ("p50", "p99")
RATE = 1_000
ORDERS = 100


def on_the_exchange(runs: int = 3, seconds: int = 40) -> list[Row]:
    """Measure an engine on the local exchange, in processes of their own."""
    rows: list[Row] = []
    for sync, attached in (("full", False), ("normal", False), ("full", True)):
        rows += _order_rows(runs, seconds, sync, attached=attached)
    for words, name in (((), "limits off"), (("--limits",), "limits on")):
        found = [_run("flatten", *words) for _ in range(runs)]
        value = f"{_median(found, 'queued_ms'):.0f} ms; {_median(found, 'flat_ms'):.0f} ms"
        what = f"flatten of {ORDERS} orders, {name}: cancels queued; flat"
        rows.append(Row(what, value, "queued within 250 ms"))
    found = [_run("reconnect") for _ in range(runs)]
    value = " / ".join(f"{_median(found, f'reconnect_{mark}'):.0f}" for mark in MARKS)
    rows.append(Row("a broken line to the next data: p50 / p99", f"{value} ms", "500 ms and the dial"))
    return rows


def _order_rows(runs: int, seconds: int, sync: str, *, attached: bool) -> list[Row]:
    found = [_run("order", str(seconds), sync, *(("--attached",) if attached else ())) for _ in range(runs)]
    where = f"{'console attached' if attached else 'headless'}, {sync} sync"
    count = sum(round(run["orders"]) for run in found)
    value = {
        part: " / ".join(f"{_median(found, f'{part}_{mark}'):.2f}" for mark in MARKS)
        for part in ("all", "rest")
    }
    return [
        Row(
            f"trade's frame to order's frame, {RATE:,} events/s, {where} ({count} orders): p50 / p99",
            f"{value['all']} ms",
            "reported",
        ),
        Row(
            "the part of it that is not disk",
            f"{value['rest']} ms",
            "-" if attached else "p99 under 1 ms where a bare loop costs 8.5 ns",
        ),
    ]


def _median(found: list[dict[str, float]], name: str) -> float:
    return statistics.median(run[name] for run in found)


def _run(*words: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.venue", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return dict(json.loads(done.stdout))
