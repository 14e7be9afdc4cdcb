"""Measures what a trade costs a backtest whose play has a rule on every trade, over a million of them."""

from pathlib import Path

from benchmarks.bars import cost_of
from benchmarks.figures import Row, scratch
from benchmarks.loading import TRADES_FILE, million

PLAYS = {
    "no order": "ema(200) crosses_above ema(2000) and close < 0",
    "few orders": "ema(200) crosses_above ema(2000)",
}
TEXT = """\
name: prints
timeframe: trade
size: {{notional: 1000}}
long:
  enter: {enter}
  exit: ema(200) crosses_below ema(2000)
"""


def prints(runs: int = 5) -> list[Row]:
    """Return what a trade costs where none leads to an order, and where few do."""
    if not TRADES_FILE.exists():
        return [Row("a rule on every trade", "the file is not on this machine", "at least 500,000/s")]
    rows = []
    with scratch() as folder:
        for name, enter in PLAYS.items():
            path = Path(folder, "prints.yaml")
            path.write_text(TEXT.format(enter=enter), encoding="utf-8")
            cost = cost_of(str(path), runs, TRADES_FILE, million)
            value = (
                f"{cost.bar_ns:,.0f} ns, {cost.turns:.0f} turns of a bare loop, {1e9 / cost.bar_ns:,.0f}/s"
            )
            title = (
                f"backtest: a trade with a rule on each, {name} ({cost.orders_a_bar * 1e6:.0f} in a million)"
            )
            rows.append(Row(title, value, "235 turns (500,000/s at 8.5 ns)"))
    return rows
