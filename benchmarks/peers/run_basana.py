"""The play in basana: `PYTHON run_basana.py BARS.csv` prints one JSON object.

Market orders fill at the next bar's open, as ours do; liquidity has no end and no impact, as in ours.
"""

import asyncio
import csv
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from importlib.metadata import version
from pathlib import Path

import basana as bs
from basana.backtesting import exchange as backtesting
from basana.backtesting.fees import Percentage
from basana.backtesting.liquidity import InfiniteLiquidity
from basana.core.event import FifoQueueEventSource

PAIR = bs.Pair("XBT", "USD")
CASH = Decimal(1_000_000)
NOTIONAL = Decimal(10_000)
LOT = Decimal("0.001")
FEE_PERCENT = Decimal("0.1")
MINUTE = timedelta(minutes=1)


class Ema:
    """An average seeded with the mean of the first values, as ours."""

    def __init__(self, period: int) -> None:
        self.period, self.alpha = period, 2.0 / (period + 1)
        self.seen, self.total, self.value = 0, 0.0, 0.0

    def update(self, x: float) -> float | None:
        """Take a value; None while there are too few."""
        self.seen += 1
        if self.seen > self.period:
            self.value += (x - self.value) * self.alpha
            return self.value
        self.total += x
        self.value = self.total / self.period
        return self.value if self.seen == self.period else None


class EmaCross:
    """Long or flat."""

    def __init__(self, exchange: backtesting.Exchange) -> None:
        self.exchange = exchange
        self.fast, self.slow = Ema(12), Ema(26)
        self.above: bool | None = None
        self.held = Decimal(0)
        self.orders = 0

    async def on_bar(self, event: bs.BarEvent) -> None:
        """Order at a cross."""
        close = event.bar.close
        price = float(close)
        fast, slow = self.fast.update(price), self.slow.update(price)
        if fast is None or slow is None:
            return
        was_above, self.above = self.above, fast > slow
        if was_above is False and self.above and not self.held:
            self.held = (NOTIONAL / close).quantize(LOT, ROUND_DOWN)
            await self.order(bs.OrderOperation.BUY)
        elif was_above and not self.above and self.held:
            await self.order(bs.OrderOperation.SELL)
            self.held = Decimal(0)

    async def order(self, operation: bs.OrderOperation) -> None:
        """Send a market order."""
        self.orders += 1
        await self.exchange.create_market_order(operation, PAIR, self.held)


def read(path: str) -> list[bs.BarEvent]:
    """Read the bars; an event comes at its bar's close."""
    events = []
    with Path(path).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            begin = datetime.fromtimestamp(int(row["ts_ms"]) / 1000, UTC)
            numbers = (Decimal(row[name]) for name in ("open", "high", "low", "close", "volume"))
            events.append(bs.BarEvent(begin + MINUTE, bs.Bar(begin, PAIR, *numbers, MINUTE)))
    return events


async def main() -> None:
    """Load, run, report."""
    started = time.perf_counter()
    events = read(sys.argv[1])
    dispatcher = bs.backtesting_dispatcher()
    exchange = backtesting.Exchange(
        dispatcher,
        {"USD": CASH},
        liquidity_strategy_factory=InfiniteLiquidity,
        fee_strategy=Percentage(FEE_PERCENT),
    )
    exchange.set_pair_info(PAIR, bs.PairInfo(3, 8))
    exchange.add_bar_source(FifoQueueEventSource(events=list(events)))
    play = EmaCross(exchange)
    exchange.subscribe_to_bar_events(PAIR, play.on_bar)
    load_s = time.perf_counter() - started
    started = time.perf_counter()
    await dispatcher.run()
    wall_s = time.perf_counter() - started
    cash, coins = await exchange.get_balance("USD"), await exchange.get_balance("XBT")
    result = {
        "version": version("basana"),
        "bars": len(events),
        "orders": play.orders,
        "final_equity": float(cash.total + coins.total * events[-1].bar.close),
        "load_s": load_s,
        "wall_s": wall_s,
    }
    print(json.dumps(result))


asyncio.run(main())
