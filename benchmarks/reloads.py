"""Measures hot-reload while events run: how long a swap or a new twin holds the core up, what 1,000 leave.

Run as a process of its own: `python -m benchmarks.reloads` prints JSON.
"""

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import PYTHON, Row
from benchmarks.terminal import ROOT
from engine.config.plays import load_play, parse_play
from engine.domain.events import Backfill, PlaySwapped
from engine.domain.market import NS_PER_S, Bar, Trade
from engine.domain.play import PlaySpec
from engine.domain.versions import TwinChanged
from engine.runtime.hotreload import PlayReloader
from engine.runtime.playdiff import compare
from engine.runtime.reloadentry import WatchedPlay
from engine.strategy.model import NO_MODELS
from tests.builders import BTC, STEP, T0, World, setup

RATE = 1_000
SWAPS, RELOADS = 20, 1_000
WINDOW, QUIET_S = 600, 5.0
LEAK_MAX_MB, PAUSE_MAX_MS = 5.0, 5.0
PLAY = """\
name: ema_cross
size: {{notional: 1000}}
long: {{enter: "ema(12) crosses_above ema({slow})", exit: "ema(12) crosses_below ema({slow})"}}
stop_loss: {{percent: 2}}
"""


def reloads() -> list[Row]:
    """Return the pauses and the growth, measured in a process of its own."""
    done = subprocess.run([PYTHON, "-m", "benchmarks.reloads"], cwd=ROOT, capture_output=True, check=True)
    found = json.loads(done.stdout)
    pause = f"{found['event_p99_ms']:.2f} ms (worst {found['event_max_ms']:.1f})"
    swap = f"{found['swap_p50_ms']:.2f} / {found['swap_p99_ms']:.2f} ms"
    return [
        Row(
            f"an event at {RATE:,} events/s while a play is reloaded {SWAPS} times, window full: p99",
            pause,
            f"under {PAUSE_MAX_MS:g} ms",
        ),
        Row("the same without a reload: p99", f"{found['quiet_p99_ms']:.2f} ms", "-"),
        Row("of that, the swap itself, warmed on 600 bars: p50 / p99", swap, "-"),
        Row("a new shadow twin, warmed on 600 bars: p50", f"{found['twin_p50_ms']:.2f} ms", "-"),
        Row(
            f"growth of memory over {RELOADS:,} reloads, half of them twins",
            f"{found['growth_mb']:.2f} MB",
            f"under {LEAK_MAX_MB:g} MB",
        ),
    ]


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def _world(play: PlaySpec) -> World:
    """Return a core whose window is full."""
    world = World(setup(play, window_bars=WINDOW))
    closes = (100.0 + abs(n % 60 - 30) / 5 for n in range(WINDOW))  # up and down each hour
    past = tuple(Bar(T0 + n * STEP, BTC, 100.0, 101.0, 99.0, c, 1.0, STEP) for n, c in enumerate(closes))
    world.until(T0 + WINDOW * STEP)
    world.take(Backfill(world.now, past))
    return world


def _swap(world: World, versions: list[PlaySpec], times: int) -> tuple[list[float], list[float]]:
    """Swap and watch versions by turns; return what each swap and each new twin took, in seconds."""
    swaps, twins = [], []
    for n in range(times):
        started = time.perf_counter()
        world.take(PlaySwapped(world.now, versions[n % 10], n + 2))
        between = time.perf_counter()
        world.take(TwinChanged(world.now, "ema_cross", "ema_cross", versions[(n + 1) % 10], n + 2))
        swaps.append(between - started)
        twins.append(time.perf_counter() - between)
        world.commands.clear()
    gc.collect()
    return swaps, twins


async def _events(world: World, late: list[float], ended: asyncio.Event) -> None:
    """Take a trade each millisecond; note by how much each was done after it was due, in seconds."""
    due, n = time.perf_counter(), 0
    while not ended.is_set():
        due, n = due + 1 / RATE, n + 1
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        world.market(Trade(world.now + NS_PER_S // RATE, BTC, 100.0 + n % 5, 0.1, 1, 100.0, 100.0))
        late.append(time.perf_counter() - due)


async def _reload(world: World, path: Path) -> None:
    """Change a play's file again and again, as an editor would, and take what comes of it."""
    machine = world.machine
    runner = machine.trading.runners[0]
    reloader = PlayReloader(
        [WatchedPlay(path, load_play(path))],
        load=load_play,
        window=lambda _: machine.trading.window(runner),
        now=0,
        compare=lambda spec, bars: compare(runner.binding, spec, machine.setup, bars, NO_MODELS),
    )
    changes = 0
    for n in range(SWAPS):
        await asyncio.to_thread(path.write_text, PLAY.format(slow=30 + n), "utf-8")
        for look in (0, 1):
            for change in await reloader.check(n * 2.0 + look, world.now):
                world.take(change)
                changes += 1
            await asyncio.sleep(0.25)
    assert changes >= SWAPS - 1, changes


async def _measure() -> dict[str, float]:
    versions = [parse_play(PLAY.format(slow=20 + n), "bench") for n in range(10)]
    world = _world(versions[0])
    _swap(world, versions, RELOADS // 10)  # warm the allocator before memory counts
    before = _rss_mb()
    swaps, twins = _swap(world, versions, RELOADS // 2)
    growth = _rss_mb() - before
    late: list[float] = []
    ended = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ema_cross.yaml"
        path.write_text(PLAY.format(slow=20), "utf-8")
        running = asyncio.create_task(_events(world, late, ended))
        await asyncio.sleep(QUIET_S)
        quiet = sorted(late)
        late.clear()
        await _reload(world, path)
        ended.set()
        await running
    late.sort()
    return {
        "growth_mb": growth,
        "swap_p50_ms": statistics.median(swaps) * 1e3,
        "swap_p99_ms": _p99_ms(sorted(swaps)),
        "twin_p50_ms": statistics.median(twins) * 1e3,
        "quiet_p99_ms": _p99_ms(quiet),
        "event_p99_ms": _p99_ms(late),
        "event_max_ms": late[-1] * 1e3,
    }


def _p99_ms(rising: list[float]) -> float:
    return rising[int(len(rising) * 0.99)] * 1e3


if __name__ == "__main__":
    json.dump(asyncio.run(_measure()), sys.stdout)
