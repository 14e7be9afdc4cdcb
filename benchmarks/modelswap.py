"""Measures the reload of a model of 1 MB while events come: how long the engine pauses, whether one is lost.

Run as a process of its own: `python -m benchmarks.modelswap EVENTS_PER_S RELOADS` prints JSON. All is as in
`run --headless` on the embedded market, whose events are drawn before the clock starts (see live).
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from engine.api import block_signals, load_settings

if __name__ == "__main__":
    block_signals()  # before the imports below: they start threads, which must not take the signal

import numpy as np

from benchmarks.figures import Row
from benchmarks.live import LEAD_NS, Drawn
from benchmarks.terminal import ROOT
from engine.domain.events import PlaySwapped
from engine.domain.market import NS_PER_S
from engine.models.manifest import Architecture, Manifest, Normalisation, write_manifest
from engine.models.weights import write_weights
from engine.runtime.context import open_context
from engine.runtime.engine import Engine
from engine.runtime.process import SWITCH_S

EVERY_S = 5.0
PROBE_S = 0.002
FEATURES = ("rsi(14)", "roc(5)", "(close - ema(20)) / atr(14)", "stoch(14, 3, 3)")
HIDDEN = (352, 352)  # 126,000 weights of 8 bytes
PLAY = """\
name: heavy
model: {file: heavy.npz, features: [rsi(14), roc(5), "(close - ema(20)) / atr(14)", stoch(14)], horizon: 5}
size: {notional: 1000}
long: {enter: model > 0.6, exit: model < 0.5}
"""


def write_model(folder: Path, seed: int) -> int:
    """Write weights drawn by a seed; return their size in bytes."""
    count = len(FEATURES)
    told = Manifest(
        schema_version=1,
        architecture=Architecture.MLP,
        hidden=HIDDEN,
        features=FEATURES,
        input_shape=(count,),
        normalisation=Normalisation((0.0,) * count, (50.0,) * count),
        horizon_bars=5,
        sha256="",
    )
    draw = np.random.default_rng(seed)
    data = write_weights({name: draw.normal(size=shape) * 0.05 for name, shape in told.shapes.items()})
    told = msgspec.structs.replace(told, sha256=hashlib.sha256(data).hexdigest())
    for name, content in (("heavy.npz", data), ("heavy.json", write_manifest(told))):
        beside = folder / f".{name}.new"
        beside.write_bytes(content)
        beside.replace(folder / name)
    return len(data)


def _timed(handler: Callable[[Any, int], None], times: list[float]) -> Callable[[Any, int], None]:
    def handle(event: Any, now: int) -> None:
        started = time.perf_counter()
        handler(event, now)
        times.append((time.perf_counter() - started) * 1e3)

    return handle


async def _probe(lags: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(PROBE_S)
        lags.append((time.perf_counter() - before - PROBE_S) * 1e3)


async def measure(rate: float, reloads: int, folder: Path) -> dict[str, float]:
    """Return times in ms, and counts."""
    sys.setswitchinterval(SWITCH_S)
    size = write_model(folder, 0)
    (folder / "heavy.yaml").write_text(PLAY)
    seconds = (reloads + 1) * EVERY_S
    flags = {
        "state_dir": str(folder / "state"),
        "plays": (str(folder / "heavy.yaml"),),
        "arm": True,
        "synthetic.events_per_s": rate,
    }
    async with open_context(load_settings(flags), headless=True) as context:
        assert context.feed is not None, "the embedded market is a live feed"
        start = context.clock.now() + LEAD_NS
        drawn = Drawn(context.feed, start, seconds)
        swaps: list[float] = []
        lags: list[float] = []
        handlers = context.loop.machine._handlers  # noqa: SLF001 - the one place where a swap is timed alone
        handlers[PlaySwapped] = _timed(handlers[PlaySwapped], swaps)
        engine = Engine(replace(context, source=msgspec.structs.replace(context.source, live=drawn)))
        run = asyncio.create_task(engine.run())
        probe = asyncio.create_task(_probe(lags))
        await asyncio.sleep(max(0.0, (start - context.clock.now()) / NS_PER_S))
        lags.clear()
        for seed in range(1, reloads + 1):
            await asyncio.to_thread(write_model, folder, seed)
            await asyncio.sleep(EVERY_S)
        probe.cancel()
        await asyncio.sleep(EVERY_S)
        health = engine.snapshot().health
        engine.stop("measured")
        await run
    return {
        "model_bytes": size,
        "reloads": len(swaps),
        "swap_p50_ms": float(np.percentile(swaps, 50)),
        "swap_max_ms": max(swaps),
        "lag_p99_ms": float(np.percentile(lags, 99)),
        "lag_max_ms": max(lags),
        "latency_p99_ms": health.latency_p99_ms,
        "latency_p999_ms": health.latency_p999_ms,
        "drawn": drawn.drawn,
        "taken": health.events,
        "conflated": health.conflated,
    }


def model_swap(rate: int = 1_000, reloads: int = 20) -> list[Row]:
    """Reload a model again and again in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.modelswap", str(rate), str(reloads)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    found = json.loads(done.stdout)
    value = (
        f"swap {found['swap_p50_ms']:.1f} ms (worst {found['swap_max_ms']:.1f}), loop late p99 "
        f"{found['lag_p99_ms']:.1f} ms, events p99 {found['latency_p99_ms']:.2f} ms, "
        f"{found['conflated']:.0f} conflated"
    )
    name = f"{found['reloads']:.0f} reloads of a model of 1 MB at {rate:,} events/s"
    return [Row(name, value, "pause under 5 ms p99, no event lost")]


def main() -> int:
    """Print what was measured."""
    rate, reloads = float(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        print(json.dumps(asyncio.run(measure(rate, reloads, Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
