"""Measures the kill-switch: from SIGUSR1 to the last of 100 cancels handed to the venue adapter.

An engine of its own is given 100 resting entry orders; a console is attached and stopped (SIGSTOP).
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

from engine.api import block_signals, load_settings

if __name__ == "__main__":
    block_signals()  # before the imports below: they start threads, which must not take the signal

from benchmarks.terminal import Terminal
from engine.core.machine import Machine
from engine.domain.events import Event
from engine.domain.ids import OrderRole
from engine.domain.orders import OrderKind
from engine.domain.signals import Side
from engine.ports import Venue
from engine.runtime.context import open_context
from engine.runtime.engine import Engine
from engine.runtime.process import Signals

ORDERS = 100
POLL_S = 0.02


class Timed:
    """The venue, with the time each cancel is handed to it."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.cancels: list[int] = []

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Note the time and pass the cancel on."""
        self.cancels.append(time.perf_counter_ns())
        return self._venue.cancel(client_id, symbol, now)

    def __getattr__(self, name: str) -> object:
        return getattr(self._venue, name)


def rest_orders(machine: Machine, now: int, count: int = ORDERS) -> None:
    """Decide on entries far below the market; they go out with the next event."""
    symbol = machine.market.symbols()[0]
    instrument = machine.desk.instruments[symbol]
    price = instrument.round_price_down(instrument.price(machine.market.price(symbol)) / 2)
    for level in range(1, count + 1):
        machine.desk.submit(
            role=OrderRole.ENTRY,
            play="canary",
            symbol=symbol,
            side=Side.BUY,
            qty=instrument.lot * 10,
            now=now,
            cycle_id=f"bench@{level}",
            kind=OrderKind.LIMIT,
            price=price + level * instrument.tick,
        )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition of the engine in this process."""
    while not condition():
        await asyncio.sleep(POLL_S)


async def measure(folder: str) -> float:
    """Return the milliseconds of one kill."""
    flags = {"state_dir": folder, "plays": ("canary",), "arm": True, "limits.open_orders_max": 200}
    async with open_context(load_settings(flags), headless=False) as context:
        engine = Engine(context)
        Signals(engine, asyncio.get_running_loop())
        run = asyncio.create_task(engine.run())
        machine = context.loop.machine
        await until(lambda: all(machine.market.price(symbol) for symbol in machine.market.symbols()))
        async with context.pump.between_events:
            rest_orders(machine, context.clock.now())
        command = [sys.executable, "-m", "tui", "attach", "--state-dir", folder]
        with Terminal(command, columns=200, rows=50, environment={}) as terminal:
            await asyncio.to_thread(terminal.until, "eng ok", 15)
            await until(lambda: sum(1 for o in machine.desk.book.open_orders() if o.venue_id) >= ORDERS)
            timed = Timed(context.loop.venue)
            context.loop.venue = timed  # type: ignore[assignment]  # it passes everything on
            os.kill(terminal.process.pid, signal.SIGSTOP)
            pressed = time.perf_counter_ns()
            os.kill(os.getpid(), signal.SIGUSR1)
            await until(lambda: len(timed.cancels) >= ORDERS)
        engine.stop("measured")
        await run
        return (timed.cancels[ORDERS - 1] - pressed) / 1e6


def main() -> int:
    """Print the milliseconds."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        print(f"{asyncio.run(measure(folder)):.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
