"""The play in backtrader: `PYTHON run_backtrader.py BARS.csv` prints one JSON object.

Market orders fill at the next bar's open, as ours do. Its EMA is seeded with a mean, as ours.
"""

import csv
import json
import math
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import backtrader as bt

CASH = 1_000_000
NOTIONAL = 10_000
FEE = 0.001


class EmaCross(bt.Strategy):
    """Long or flat."""

    def __init__(self) -> None:
        close = self.data.close
        self.cross = bt.ind.CrossOver(bt.ind.EMA(close, period=12), bt.ind.EMA(close, period=26))
        self.sent = 0

    def next(self) -> None:
        """Order at a cross."""
        if self.cross > 0 and not self.position:
            self.buy(size=math.floor(NOTIONAL / self.data.close[0] * 1000) / 1000)
            self.sent += 1
        elif self.cross < 0 and self.position:
            self.close()
            self.sent += 1


class Bars(bt.feed.DataBase):
    """Bars that were read before the run."""

    params = (("rows", ()),)

    def start(self) -> None:
        """Begin with the first."""
        super().start()
        self.left = iter(self.p.rows)

    def _load(self) -> bool:
        row = next(self.left, None)
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True


def read(path: str) -> list[tuple[float, ...]]:
    """Read the bars, their times as backtrader counts them."""
    with Path(path).open(encoding="utf-8") as file:
        rows = ([float(text) for text in row] for row in islice(csv.reader(file), 1, None))
        return [(bt.date2num(datetime.fromtimestamp(ms / 1000, UTC)), *others) for ms, *others in rows]


def main() -> None:
    """Load, run, report."""
    started = time.perf_counter()
    bars = read(sys.argv[1])
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=FEE)
    cerebro.addstrategy(EmaCross)
    cerebro.adddata(Bars(rows=bars, timeframe=bt.TimeFrame.Minutes))
    load_s = time.perf_counter() - started
    started = time.perf_counter()
    (play,) = cerebro.run()
    wall_s = time.perf_counter() - started
    result = {
        "version": version("backtrader"),
        "bars": len(bars),
        "orders": play.sent,
        "final_equity": cerebro.broker.getvalue(),
        "load_s": load_s,
        "wall_s": wall_s,
    }
    print(json.dumps(result))


main()
