"""Measures the kill-switch: from SIGUSR1 to the last of 100 cancels handed to the venue adapter.

An engine of its own is given 100 resting entry orders; a console is attached and stopped (SIGSTOP).
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.terminal import Terminal
from engine.api import block_signals, load_settings

ORDERS = 100


def main() -> int:
    """Print the milliseconds."""
    block_signals()
    from engine.domain.events import Event
    from engine.domain.ids import OrderRole
    from engine.domain.orders import OrderKind
    from engine.domain.signals import Side
    from engine.ports import Venue
    from engine.runtime.context import open_context
    from engine.runtime.engine import Engine
    from engine.runtime.process import Signals

    class Timed:
        """The venue, with the time each cancel is handed to it."""

        def __init__(self, venue: Venue) -> None:
            self._venue = venue
            self.cancels: list[int] = []

        def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
            self.cancels.append(time.perf_counter_ns())
            return self._venue.cancel(client_id, symbol, now)

        def __getattr__(self, name: str) -> object:
            return getattr(self._venue, name)

    async def measure(folder: str) -> float:
        settings = load_settings(
            {"state_dir": folder, "plays": ("canary",), "arm": True, "limits.open_orders_max": 200}
        )
        async with open_context(settings, headless=False) as context:
            engine = Engine(context)
            Signals(engine, asyncio.get_running_loop())
            run = asyncio.create_task(engine.run())
            machine, pump = context.loop.machine, context.pump
            while not all(machine.market.price(symbol) for symbol in machine.market.symbols()):
                await asyncio.sleep(0.05)
            symbol = machine.market.symbols()[0]
            instrument = machine.desk.instruments[symbol]
            async with pump.between_events:
                for level in range(1, ORDERS + 1):
                    price = instrument.round_price_down(instrument.price(machine.market.price(symbol)) / 2)
                    machine.desk.submit(
                        role=OrderRole.ENTRY,
                        play="canary",
                        symbol=symbol,
                        side=Side.BUY,
                        qty=instrument.lot * 10,
                        now=context.clock.now(),
                        cycle_id=f"bench@{level}",
                        kind=OrderKind.LIMIT,
                        price=price + level * instrument.tick,
                    )
            command = [sys.executable, "-m", "tui", "attach", "--state-dir", folder]
            with Terminal(command, columns=200, rows=50, environment={}) as terminal:
                await asyncio.to_thread(terminal.until, "eng ok", 15)
                while sum(1 for order in machine.desk.book.open_orders() if order.venue_id) < ORDERS:
                    await asyncio.sleep(0.05)
                timed = Timed(context.loop.venue)
                context.loop.venue = timed  # type: ignore[assignment]  # it passes everything on
                os.kill(terminal.process.pid, signal.SIGSTOP)
                pressed = time.perf_counter_ns()
                os.kill(os.getpid(), signal.SIGUSR1)
                while len(timed.cancels) < ORDERS:
                    await asyncio.sleep(0.01)
            engine.stop("measured")
            await run
            return (timed.cancels[ORDERS - 1] - pressed) / 1e6

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        print(f"{asyncio.run(measure(str(Path(folder)))):.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
