"""Measures how fast files of market data are read and trades are made bars.

`python -m benchmarks.loading FILE` reads one file and prints seconds, rows and peak memory.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.figures import YEAR_FILE, Row, loop_ns
from benchmarks.terminal import DATA, ROOT
from engine.config.settings import CacheSettings
from engine.domain.market import NS_PER_S, MarketEvent, Trade
from engine.runtime.datacache import open_cache
from engine.venues.barbuilder import BarBuilder, bars_of_trades
from engine.venues.datafile import TradeColumns
from engine.venues.replay import DataSource, FileFeed, Tape, load_tape

TRADES_FILE = DATA / "trades/binance_usdm_btcusdt_20240808_trades.csv.gz"
TRADES = 1_000_000
STEP_NS = 5 * NS_PER_S


def loading(runs: int = 5) -> list[Row]:
    """Time the first and later reads of the year's bars and of the largest file of trades."""
    promises = {YEAR_FILE: ("under 2 s", "under 0.3 s"), TRADES_FILE: ("-", "-")}
    return [row for path, promise in promises.items() if path.exists() for row in _reads(path, promise, runs)]


def _reads(path: Path, promises: tuple[str, str], runs: int) -> list[Row]:
    firsts, laters, loops = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="bench-") as cache:
            loops.append(loop_ns())
            firsts.append(_read_apart(path, cache))
            laters.append(_read_apart(path, cache))
    loop = f"bare loop {statistics.median(loops):.0f} ns"
    return [
        Row(
            f"{name} read of {path.name}, {reads[0]['rows']:,} rows ({loop})",
            f"{statistics.median(read['seconds'] for read in reads):.3f} s,"
            f" {max(read['peak_mb'] for read in reads):.0f} MB at most",
            promise,
        )
        for name, reads, promise in zip(("first", "later"), (firsts, laters), promises, strict=True)
    ]


def trades_to_bars(runs: int = 5) -> list[Row]:
    """Time a million trades into bars of 5 s: by columns, as events of a tape, and one by one."""
    if not TRADES_FILE.exists():
        return [Row("trades into bars", "the file is not on this machine", "at least 2,000,000/s")]
    tape = million(load_tape(DataSource(TRADES_FILE)))
    columns, digits = tape.columns, tape.instrument.qty_digits
    assert isinstance(columns, TradeColumns)
    events = [event for event in FileFeed(tape).events() if isinstance(event, Trade)]
    ways: dict[str, tuple[Callable[[], object], str]] = {
        "trades into bars, by columns (tapes)": (
            lambda: bars_of_trades(columns, STEP_NS, digits),
            "at least 2,000,000/s",
        ),
        "trades as events with their bars (tapes)": (lambda: _drained(FileFeed(tape).events()), "-"),
        "trades into bars, one by one (live feeds)": (lambda: _one_by_one(tape, events), "-"),
    }
    rows = []
    for name, (work, promise) in ways.items():
        seconds, loops = [], []
        for _ in range(runs):
            loops.append(loop_ns())
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
        rate = len(events) / statistics.median(seconds)
        rows.append(Row(f"{name} (bare loop {statistics.median(loops):.0f} ns)", f"{rate:,.0f}/s", promise))
    return rows


def million(tape: Tape) -> Tape:
    """Repeat a tape of trades, later and later, until it has a million."""
    columns = tape.columns
    assert isinstance(columns, TradeColumns)
    times = -(-TRADES // columns.ts.size)
    span_ns = int(columns.ts[-1] - columns.ts[0]) + NS_PER_S
    later = np.repeat(np.arange(times) * span_ns, columns.ts.size)[:TRADES]
    names = ("price", "qty", "side")
    repeated = (np.tile(getattr(columns, name), times)[:TRADES] for name in names)
    longer = TradeColumns(np.tile(columns.ts, times)[:TRADES] + later, *repeated)
    return Tape(tape.path, tape.sha256, tape.instrument, longer, tape.quirks, tape.derived)


def _drained(events: Iterator[MarketEvent]) -> None:
    for _ in events:
        pass


def _one_by_one(tape: Tape, trades: list[Trade]) -> None:
    add = BarBuilder(tape.instrument.symbol, STEP_NS, tape.instrument.qty_digits).add_trade
    for trade in trades:
        add(trade)


def _read_apart(path: Path, cache: str) -> dict[str, float]:
    """Read a file in a fresh process with a cache folder of its own."""
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    command = [sys.executable, "-m", "benchmarks.loading", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    facts: dict[str, float] = json.loads(done.stdout)
    return facts


def main() -> int:
    """Read the file that is named."""
    started = time.perf_counter()
    tape = load_tape(DataSource(Path(sys.argv[1])), store=open_cache(CacheSettings()))
    facts = {
        "seconds": time.perf_counter() - started,
        "rows": int(tape.columns.ts.size),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }
    print(json.dumps(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
