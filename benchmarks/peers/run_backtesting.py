"""The play in backtesting.py: `PYTHON run_backtesting.py BARS.csv` prints one JSON object.

backtesting.py trades whole units, so a unit here is the lot of 0.001: prices are divided by 1,000. Its market
orders fill at the next bar's open, as ours do. Averages are computed before the run, as its users do it.
"""

import json
import sys
import time
from importlib.metadata import version

import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

LOT = 0.001
CASH = 1_000_000
NOTIONAL = 10_000
FEE = 0.001


def ema(values: pd.Series, period: int) -> pd.Series:
    """Seed with the mean of the first values, as ours."""
    seeded = pd.Series(values, dtype=float)
    seeded[: period - 1] = float("nan")
    seeded.iloc[period - 1] = values[:period].mean()
    return seeded.ewm(span=period, adjust=False).mean()


class EmaCross(Strategy):
    """Long or flat."""

    def init(self) -> None:
        """Compute both averages."""
        self.fast = self.I(ema, self.data.Close, 12)
        self.slow = self.I(ema, self.data.Close, 26)

    def next(self) -> None:
        """Order at a cross."""
        if not self.position and crossover(self.fast, self.slow):
            self.buy(size=int(NOTIONAL / self.data.Close[-1]))
        elif self.position and crossover(self.slow, self.fast):
            self.position.close()


def main() -> None:
    """Load, run, report."""
    started = time.perf_counter()
    bars = pd.read_csv(sys.argv[1])
    bars.index = pd.to_datetime(bars.pop("ts_ms"), unit="ms")
    bars.columns = [name.capitalize() for name in bars.columns]
    bars[["Open", "High", "Low", "Close"]] *= LOT
    test = Backtest(bars, EmaCross, cash=CASH, commission=FEE)
    load_s = time.perf_counter() - started
    started = time.perf_counter()
    stats = test.run()
    wall_s = time.perf_counter() - started
    left_open = len(stats["_strategy"].trades)
    result = {
        "version": version("backtesting"),
        "bars": len(bars),
        "orders": 2 * len(stats["_trades"]) + left_open,
        "final_equity": float(stats["Equity Final [$]"]),
        "load_s": load_s,
        "wall_s": wall_s,
    }
    print(json.dumps(result))


main()
