"""`python -m benchmarks.resting FOLDER`: leaves a state folder with 1,000 orders that rest at the venue."""

import asyncio
import sys
from typing import Any

from engine.api import block_signals, load_settings

if __name__ == "__main__":
    block_signals()  # before the imports below: they start threads, which must not take the signal

from benchmarks.flatten import rest_orders, until
from engine.domain.events import OnStop
from engine.runtime.context import open_context
from engine.runtime.engine import Engine

ORDERS = 1_000
FLAGS: dict[str, Any] = {"plays": ("canary",), "arm": True, "limits.open_orders_max": ORDERS}


async def rest(folder: str) -> None:
    """Run an engine until all orders rest, and stop it with them resting."""
    async with open_context(load_settings(FLAGS | {"state_dir": folder}), headless=False) as context:
        engine = Engine(context)
        run = asyncio.create_task(engine.run())
        machine = context.loop.machine
        await until(lambda: all(machine.market.price(symbol) for symbol in machine.market.symbols()))
        async with context.pump.between_events:
            rest_orders(machine, context.clock.now(), ORDERS)
        await until(lambda: sum(1 for o in machine.desk.book.open_orders() if o.venue_id) >= ORDERS)
        engine.stop("they rest", on_stop=OnStop.KEEP)
        await run


if __name__ == "__main__":
    asyncio.run(rest(sys.argv[1]))
