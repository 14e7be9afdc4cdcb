"""Measures the store: what a durable intent costs, how soon an engine is back, and a second one refused.

The restarted engine has 1,000 orders resting at the venue. They are made in a process of its
own: `python -m benchmarks.resting FOLDER`. All disk figures are of the disk with the temporary folder.
"""

import asyncio
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

from benchmarks.figures import PYTHON, Row, loop_ns, scratch
from benchmarks.resting import FLAGS, ORDERS
from benchmarks.terminal import ROOT
from engine.api import Snapshot, TraderError, fetch_status, load_settings
from engine.domain.commands import SubmitOrder
from engine.domain.ids import IdSpace, OrderRole
from engine.domain.modes import Holder
from engine.domain.orders import OrderKind, OrderRequest
from engine.domain.signals import Side
from engine.storage.database import Database
from engine.storage.journal import SqliteJournal

COMMITS = 2_000
TOGETHER = 16
LIMIT_S = 60.0
POLL_S = 0.002
REFUSED = re.compile(r"in use by pid \d+ on \S+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


def storage() -> list[Row]:
    """Return all figures of the store."""
    return [*commits(), *restarts()]


def commits() -> list[Row]:
    """Return what a durable intent costs alone, and where several wait."""
    with scratch() as folder:
        alone, together, wall_s = asyncio.run(_commit_times(Path(folder, "engine.sqlite")))
        bare = _bare_syncs(Path(folder, "bare"))
    turn = f"bare loop {loop_ns():.0f} ns"
    return [
        Row("the disk alone: 4 KiB written and synced: p50 / p99", _us(bare), "-"),
        Row(f"intent durable, full sync, one alone: p50 / p99 ({turn})", _us(alone), "reported"),
        Row(f"intent durable, full sync, {TOGETHER} waiting: p50 / p99 of each", _us(together), "reported"),
        Row(f"intents made durable while {TOGETHER} wait", f"{len(together) / wall_s:,.0f}/s", "reported"),
    ]


def restarts(runs: int = 5) -> list[Row]:
    """Return how long a restart takes to be reconciled, and a second start beside it to be refused."""
    restarted, refused = [], []
    with scratch() as folder:
        made, state = str(Path(folder, "made")), str(Path(folder, "state"))
        subprocess.run([PYTHON, "-m", "benchmarks.resting", made], cwd=ROOT, check=True)
        for _ in range(runs):
            shutil.rmtree(state, ignore_errors=True)
            shutil.copytree(made, state)
            with _engine(state) as taken_s:
                restarted.append(taken_s)
                refused.append(_refusal(state))
    return [
        Row(f"restart to reconciled, {ORDERS:,} stored orders, all open", _s(restarted), "under 5 s"),
        Row(
            "a second engine refused, naming pid, host and since: wall clock",
            _s([wall_s for wall_s, _ in refused]),
            "within 1 s",
        ),
        Row("the same, processor time", _s([cpu_s for _, cpu_s in refused]), "-"),
    ]


async def _commit_times(path: Path) -> tuple[list[int], list[int], float]:
    """Return the ns of each commit alone and with others, and how long (s) the latter took in all."""
    database = await Database.open(path)
    journal, ids = SqliteJournal(database), IdSpace(1_720_000_000, "bench")

    async def timed(sequence: int) -> int:
        started = time.perf_counter_ns()
        await journal.commit([SubmitOrder(_request(ids, sequence), increases=True)])
        return time.perf_counter_ns() - started

    alone = [await timed(sequence) for sequence in range(COMMITS)]
    together, started = [], time.perf_counter()
    for first in range(COMMITS, 2 * COMMITS, TOGETHER):
        together += await asyncio.gather(*map(timed, range(first, first + TOGETHER)))
    wall_s = time.perf_counter() - started
    await database.close()
    return alone, together, wall_s


def _bare_syncs(path: Path) -> list[int]:
    """Return the ns that the disk takes for a page, to compare with."""
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(COMMITS):
            started = time.perf_counter_ns()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append(time.perf_counter_ns() - started)
    return times


def _request(ids: IdSpace, sequence: int) -> OrderRequest:
    return OrderRequest(
        client_id=ids.client_id("bench", OrderRole.ENTRY, sequence),
        cycle_id=f"bench@{sequence}",
        play="bench",
        symbol="BTCUSDT",
        side=Side.BUY,
        role=OrderRole.ENTRY,
        kind=OrderKind.LIMIT,
        qty=Decimal("0.010"),
        ts=1_720_000_000_000_000_000 + sequence,
        price=Decimal("60000.1"),
    )


@contextmanager
def _engine(state: str) -> Iterator[float]:
    """Start an engine; give the seconds until it is reconciled, and kill it afterwards."""
    settings = load_settings({"state_dir": state})
    command = [PYTHON, "-m", "tui", "run", "--headless", "--play", "canary", "--arm", "--state-dir", state]
    limit = {"TRADER_TUI_LIMITS__OPEN_ORDERS_MAX": str(FLAGS["limits.open_orders_max"])}
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | limit, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                with suppress(TraderError):
                    if _reconciled(fetch_status(settings)[1]):
                        break
                if process.poll() is not None or time.perf_counter() - started > LIMIT_S:
                    sys.exit("the engine was never reconciled")
                time.sleep(POLL_S)
            yield time.perf_counter() - started
        finally:
            process.kill()


def _reconciled(snapshot: Snapshot) -> bool:
    """Tell whether an engine that has begun to take events knows its orders, and has compared its books."""
    held = any(hold.holder is Holder.RECONCILING for hold in snapshot.status.holds)
    return bool(snapshot.orders) and snapshot.health.events > 0 and not held


def _refusal(state: str) -> tuple[float, float]:
    """Return wall and processor seconds that a second engine takes to say who has the first."""
    command = [PYTHON, "-m", "tui", "run", "--headless", "--state-dir", state]
    before_s, started = _children_s(), time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    taken_s = time.perf_counter() - started
    if done.returncode != 3 or not REFUSED.search(done.stderr):
        sys.exit(f"the second engine was not refused as promised: {done.returncode} {done.stderr}")
    return taken_s, _children_s() - before_s


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _us(times_ns: list[int]) -> str:
    ordered = sorted(times_ns)
    return f"{statistics.median(ordered) / 1e3:.0f} / {ordered[int(len(ordered) * 0.99)] / 1e3:.0f} us"


def _s(times_s: list[float]) -> str:
    return f"{statistics.median(times_s):.2f} s (worst {max(times_s):.2f})"
