"""Measures an engine on the local exchange: tick to order, the kill-switch, reconnects.

The exchange is a process of its own; the engine runs in this one, wired as `run --mode demo` wires it, so
that times can be taken inside. `python -m benchmarks.venue order|flatten|reconnect ...` prints JSON.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from engine.api import block_signals, load_settings

if __name__ == "__main__":
    block_signals()  # before the imports below: they start threads, which must not take the signal

import aiohttp

from benchmarks.figures import PYTHON
from benchmarks.flatten import ORDERS, rest_orders, until
from benchmarks.terminal import ROOT, Terminal
from engine.core.snapshot import Phase
from engine.domain.commands import SubmitOrder
from engine.domain.events import Action
from engine.domain.modes import Rung
from engine.runtime.context import open_context
from engine.runtime.dispatch import Dispatcher
from engine.runtime.engine import Engine
from engine.runtime.protocol import CommandRequest
from engine.venues.ratelimit import VenueBudget
from engine.venues.ratelimits import LIMITS, limits_of
from engine.venues.ws_feed import VenueFeed

SYMBOL = "BTCUSDT"
RATE = 1_000  # events/s of the exchange's market
DROPS = 20
CALM_S = 0.3  # between two of them
QUANTILES = {"p50": 0.5, "p99": 0.99}
# A few orders a second: under the venue's limits, so that none waits for its turn.
PLAY = """\
name: bench
symbols: [BTCUSDT]
timeframe: trade
size: {notional: 300}
long:
  enter: sma(40) crosses_above sma(160)
  exit: sma(40) crosses_below sma(160)
"""


@contextmanager
def exchange(*words: str) -> Iterator[int]:
    """Run a local exchange; give its port."""
    command = [PYTHON, "-m", "tui", "venue", "--port", "0", "--json", "--symbols", "BTCUSDT", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(json.loads(process.stdout.readline())["port"])
        finally:
            process.kill()  # what is started here has our signals blocked


class Stopwatch:
    """When each order's trade was received, its intent durable and its frame written; perf_counter ns."""

    def __init__(self) -> None:
        self.received = 0  # the last frame of market data
        self.data = 0  # the last that held any
        self.decided: dict[str, tuple[int, int]] = {}  # by client id: received, and what the disk took of it
        self.written: dict[str, int] = {}

    def install(self) -> None:
        """Look over the shoulder of feed, dispatcher and HTTP client, from here on."""
        take, commit, create = VenueFeed.take, Dispatcher.commit, aiohttp.ClientSession.__init__

        def watched_take(feed: Any, frame: Any) -> bool:
            self.received = time.perf_counter_ns()
            if found := take(feed, frame):
                self.data = self.received
            return found

        async def watched_commit(dispatcher: Any, batch: Any, now: int) -> Any:
            started = time.perf_counter_ns()
            refusals = await commit(dispatcher, batch, now)
            ended = time.perf_counter_ns()
            for command in batch:
                if type(command) is SubmitOrder:
                    self.decided[command.request.client_id] = self.received, ended - started
            return refusals

        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(self._on_chunk)

        def watched_create(session: Any, *arguments: Any, **options: Any) -> None:
            create(session, *arguments, **options | {"trace_configs": [trace]})

        VenueFeed.take = watched_take  # type: ignore[assignment,method-assign]
        Dispatcher.commit = watched_commit  # type: ignore[assignment,method-assign]
        aiohttp.ClientSession.__init__ = watched_create  # type: ignore[assignment,method-assign]

    async def _on_chunk(self, _session: Any, _context: Any, sent: Any) -> None:
        if sent.url.path.endswith("/order/create"):
            self.written.setdefault(json.loads(sent.chunk)["orderLinkId"], time.perf_counter_ns())

    def times_ms(self) -> dict[str, list[float]]:
        """Return what each order took from its trade to its frame, in all and without the disk."""
        pairs = [(self.decided[key], at) for key, at in self.written.items() if key in self.decided]
        return {
            "all": [(at - received) / 1e6 for (received, _), at in pairs],
            "disk": [disk / 1e6 for (_, disk), _ in pairs],
            "rest": [(at - received - disk) / 1e6 for (received, disk), at in pairs],
        }


@asynccontextmanager
async def engine_on(port: int, folder: str, **flags: Any) -> AsyncIterator[Engine]:
    """Run an armed engine in this process."""
    play = Path(folder) / "bench.yaml"
    play.write_text(PLAY)
    given = {"mode": "demo", "venue": "local", "local.port": port, "plays": (str(play),), "state_dir": folder}
    settings = await asyncio.to_thread(load_settings, given | {"limits.open_orders_max": 2 * ORDERS} | flags)
    async with open_context(settings, headless=False) as context:
        engine = Engine(context)
        run = asyncio.create_task(engine.run())
        machine = context.loop.machine
        await until(lambda: machine.market.price(SYMBOL) > 0)
        await engine.ask(CommandRequest(1, Action.ARM, "bench", "measuring", "bench"))
        await until(lambda: machine.authority.holds.rung(SYMBOL) is Rung.FULL)
        try:
            yield engine
        finally:
            engine.stop("measured")
            await run


async def tick_to_order(folder: str, seconds: float, sync: str, *, attached: bool) -> dict[str, float]:
    """Return percentiles in ms from a trade's frame to its order's frame."""
    watch = Stopwatch()
    watch.install()
    with exchange("--events-per-s", str(RATE), "--no-limits") as port, ExitStack() as stack:
        async with engine_on(port, folder, **{"runtime.synchronous": sync}):
            if attached:
                command = [PYTHON, "-m", "tui", "attach", "--state-dir", folder]
                terminal = stack.enter_context(Terminal(command, columns=200, rows=50, environment={}))
                await asyncio.to_thread(terminal.watch, seconds)
            else:
                await asyncio.sleep(seconds)
    times = watch.times_ms()
    found = {
        f"{name}_{mark}": _quantile(times[name], part) for name in times for mark, part in QUANTILES.items()
    }
    return found | {"orders": len(times["all"])}


async def kill_switch(folder: str, *, limits: bool) -> dict[str, float]:
    """Return how long (ms) a flatten of 100 resting orders takes to queue its cancels, and to be flat."""
    kept, LIMITS["local"] = limits_of("local"), ()  # an entry waits 5 s for its turn at most: they rest first
    handed: list[int] = []
    with exchange("--no-limits") as port:
        async with engine_on(port, folder) as engine:
            machine, venue = engine.context.loop.machine, engine.context.loop.venue
            async with engine.context.pump.between_events:
                rest_orders(machine, engine.context.clock.now())
            await until(lambda: sum(1 for o in machine.desk.book.open_orders() if o.venue_id) >= ORDERS)
            await asyncio.to_thread(_post, port, "_limits", {"enabled": limits})
            if limits:
                budget = VenueBudget(Path(folder), venue="local", host="bench", limits=kept)
                venue._calls._budget = budget  # type: ignore[attr-defined]  # noqa: SLF001 - the account's has none
            cancel = venue.cancel

            def watched(client_id: str, symbol: str, now: int) -> Any:
                handed.append(time.perf_counter_ns())
                return cancel(client_id, symbol, now)

            venue.cancel = watched  # type: ignore[method-assign]
            pressed = time.perf_counter_ns()
            engine.flatten("bench")
            await until(lambda: machine.authority.operator.phase is Phase.HALTED)
            flat = time.perf_counter_ns()
    return {"queued_ms": (handed[ORDERS - 1] - pressed) / 1e6, "flat_ms": (flat - pressed) / 1e6}


async def reconnects(folder: str) -> dict[str, float]:
    """Return how long (ms) it takes from a broken line to the next trade, with the server at once back."""
    watch, taken_ms = Stopwatch(), []
    watch.install()
    with exchange("--events-per-s", str(RATE)) as port:
        async with engine_on(port, folder):
            for _ in range(DROPS):
                broken = time.perf_counter_ns()
                await asyncio.to_thread(_post, port, "_faults", {"on": "public", "do": "disconnect"})
                await until(lambda broken=broken: watch.data > broken)  # type: ignore[misc]
                taken_ms.append((watch.data - broken) / 1e6)
                await asyncio.sleep(CALM_S)
    return {f"reconnect_{mark}": _quantile(taken_ms, part) for mark, part in QUANTILES.items()}


def _post(port: int, path: str, body: object) -> None:
    data = json.dumps(body).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", data):
        pass


def _quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def main() -> int:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("order", "flatten", "reconnect"))
    parser.add_argument("seconds", nargs="?", type=float, default=20.0)
    parser.add_argument("sync", nargs="?", default="full")
    parser.add_argument("--attached", action="store_true")
    parser.add_argument("--limits", action="store_true")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        match wish.what:
            case "order":
                work = tick_to_order(folder, wish.seconds, wish.sync, attached=wish.attached)
            case "flatten":
                work = kill_switch(folder, limits=wish.limits)
            case _:
                work = reconnects(folder)
        print(json.dumps(asyncio.run(work)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
