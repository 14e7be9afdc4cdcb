"""`python -m benchmarks.peers [NAME ...] [--on bars|trades] [--runs N] [--write]`: speed beside others'.

Each peer is installed into an environment of its own. All sides read the same file and trade the same play:
an EMA cross, long or flat, a market order of 10,000 at each cross, fee 0.1 %; on the year's bars EMA 12/26,
on a million trades EMA 200/2000 with a rule on every trade. Ours and the peer's runs take turns, so that what
else the machine does meets both. Loading is apart. `--write` puts the table into docs/performance.md.
"""

import argparse
import gzip
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_path

from benchmarks.figures import YEAR_FILE, loop_ns
from benchmarks.loading import TRADES_FILE, million
from benchmarks.peers.environments import PEERS, InstallError, Peer, python_of, python_version
from benchmarks.terminal import ROOT
from engine.domain.market import NS_PER_MS
from engine.venues.datafile import TradeColumns
from engine.venues.replay import DataSource, load_tape

HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "performance.md"
RUN_TIMEOUT_S = 1800.0
ENVIRONMENT = {
    "TRADER_TUI_LIMITS__ORDER_NOTIONAL_MAX": "null",
    "TRADER_TUI_LIMITS__POSITION_NOTIONAL_MAX": "null",
    "TRADER_TUI_ACCOUNT__EQUITY": "1000000",
}
HEAD = (
    "| system | version | {}/s | ours is faster by | orders | final equity | peak memory | |\n"
    "|---|---|---:|---:|---:|---:|---:|---|"
)


class Run(NamedTuple):
    """One run of one side."""

    version: str
    bars: int
    orders: int
    equity: float
    bars_s: float
    peak_mb: float


class Series(NamedTuple):
    """The runs of a peer with ours before each, and what a bare loop cost meanwhile (ns a turn)."""

    peer: Peer
    ours: list[Run]
    theirs: list[Run]
    loops: list[float]


class RunError(Exception):
    """A side did not run to its end; `str()` says why in a line."""


def main() -> int:
    """Compare with the peers that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = sorted({peer.name for peer in PEERS})
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all unless named")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--on", choices=WORKS, default="bars", help="what the work is; default: bars")
    parser.add_argument("--rows", type=int, help="only so many rows")
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT.name}")
    where = user_cache_path("trader-tui", appauthor=False) / "peers"
    parser.add_argument("--environments", type=Path, default=where, help=f"default: {where}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there is {', '.join(names)}")
    work = WORKS[options.on]
    if not work.source.exists():
        print(f"{work.source} is not on this machine", file=sys.stderr)
        return 1
    peers = [p for p in PEERS if p.on == options.on and (not options.names or p.name in options.names)]
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        data = work.write(Path(folder), options.rows)
        outcomes = [compare(peer, work, data, options.runs, options.environments) for peer in peers]
    text = table(outcomes, work, options.runs)
    print(text)
    if options.write:
        begin, end = (f"<!-- peers on {options.on} {edge} -->" for edge in ("begin", "end"))
        before, _, rest = DOCUMENT.read_text("utf-8").partition(begin)
        DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", "utf-8")
    return 0


def write_bars(folder: Path, rows: int | None) -> Path:
    """Write the year's bars as all sides can read them.

    In some bars the open lies outside of low and high, which two peers refuse: the range is widened.
    """
    bars = folder / "bars.csv"
    with gzip.open(YEAR_FILE, "rt", encoding="utf-8") as source, bars.open("w", encoding="utf-8") as target:
        next(source)
        target.write("ts_ms,open,high,low,close,volume\n")
        for number, line in enumerate(source):
            if number == rows:
                break
            ts, opened, high, low, close, volume = line.rstrip("\n").split(",")[:6]
            high, low = max(high, opened, key=float), min(low, opened, key=float)
            target.write(f"{ts},{opened},{high},{low},{close},{volume}\n")
    instrument = (HERE / "bars.instrument.yaml").read_text("utf-8")
    bars.with_name("bars.instrument.yaml").write_text(instrument, "utf-8")
    return bars


def write_trades(folder: Path, rows: int | None) -> Path:
    """Write a million trades as all sides can read them: the file's own, again and again, later and later."""
    tape = million(load_tape(DataSource(TRADES_FILE)))
    columns = tape.columns
    assert isinstance(columns, TradeColumns)
    trades = folder / "trades.csv"
    table = zip(*(getattr(columns, name).tolist() for name in ("ts", "price", "qty", "side")), strict=True)
    with trades.open("w", encoding="utf-8") as target:
        target.write("ts_ms,price,qty,side\n")
        for ts, price, qty, side in islice(table, rows):
            target.write(f"{ts // NS_PER_MS},{price},{qty},{'buy' if side > 0 else 'sell'}\n")
    instrument = (HERE / "trades.instrument.yaml").read_text("utf-8")
    trades.with_name("trades.instrument.yaml").write_text(instrument, "utf-8")
    return trades


class Work(NamedTuple):
    """What all sides do: the play, what its data is made of and how, and what a row of it is called."""

    play: Path
    source: Path
    write: Callable[[Path, int | None], Path]
    rows: str


WORKS = {
    "bars": Work(HERE / "ema_cross.yaml", YEAR_FILE, write_bars, "bars"),
    "trades": Work(HERE / "ema_trades.yaml", TRADES_FILE, write_trades, "trades"),
}


def compare(peer: Peer, work: Work, data: Path, runs: int, environments: Path) -> Series | str:
    """Run ours and the peer in turns; return why not in a line of the table."""
    series = Series(peer, [], [], [])
    try:
        python = python_of(peer, environments)
        for number in range(runs):
            series.loops.append(loop_ns())
            series.ours.append(run_ours(work.play, data))
            series.theirs.append(run_peer(peer, python, data))
            rates = f"{series.ours[-1].bars_s:,.0f} and {series.theirs[-1].bars_s:,.0f} {work.rows}/s"
            told = f"{peer.name} {number + 1}/{runs}: {rates}, loop {series.loops[-1]:.1f} ns"
            print(told, file=sys.stderr, flush=True)
    except InstallError as error:
        return f"| {peer.name} | {peer.version} | - | - | - | - | - | cannot be installed: {error} |"
    except RunError as error:
        return f"| {peer.name} | {peer.version} | - | - | - | - | - | does not run: {error} |"
    return series


def run_ours(play: Path, data: Path) -> Run:
    """Run our backtest in a process of its own."""
    command = [sys.executable, "-m", "tui", "backtest", str(play), "--data", str(data), "--json"]
    result, peak_mb = measured(command, {**os.environ, **ENVIRONMENT})
    return Run(
        "",
        result["bars"],
        result["orders"],
        float(result["final_equity"]),
        result["bars"] / result["wall_s"],
        peak_mb,
    )


def run_peer(peer: Peer, python: Path, data: Path) -> Run:
    """Run a peer's script in its environment."""
    result, peak_mb = measured([str(python), "-W", "ignore", str(peer.script), str(data)], dict(os.environ))
    on = python_version(python)
    return Run(
        result["version"] if on == platform.python_version() else f"{result['version']} on Python {on}",
        result["bars"],
        result["orders"],
        result["final_equity"],
        result["bars"] / result["wall_s"],
        peak_mb,
    )


def measured(command: list[str], environment: dict[str, str]) -> tuple[dict[str, Any], float]:
    """Run a command to its end; return the object it printed last, and its peak memory in MB."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        lines, why = out.read().splitlines(), err.read().splitlines()
    if process.returncode or not lines:
        raise RunError((why or ["it said nothing"])[-1][:200])
    result: dict[str, Any] = json.loads(lines[-1])
    return result, usage.ru_maxrss / 1000


def table(outcomes: list[Series | str], work: Work, runs: int) -> str:
    """Write the table with the facts of the machine."""
    compared = [outcome for outcome in outcomes if isinstance(outcome, Series)]
    loops = [loop for series in compared for loop in series.loops] or [loop_ns()]
    bars = compared[0].ours[0].bars if compared else 0
    head = (
        f"{bars:,} {work.rows}, medians of {runs} runs. {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} cores shared with other work, Python {platform.python_version()}; a turn of a"
        f" bare loop cost {statistics.median(loops):.1f} ns ({min(loops):.1f} to {max(loops):.1f})."
    )
    ours = [run for series in compared for run in series.ours]
    lines = [line("**trader-tui**", ours, "", "")] if ours else []
    for outcome in outcomes:
        if isinstance(outcome, str):
            lines.append(outcome)
            continue
        ratios = [mine.bars_s / its.bars_s for mine, its in zip(outcome.ours, outcome.theirs, strict=True)]
        lines.append(
            line(outcome.peer.name, outcome.theirs, f"{statistics.median(ratios):.1f}", outcome.peer.note)
        )
    return "\n".join([head, "", HEAD.format(work.rows), *lines])


def line(name: str, runs: list[Run], ratio: str, note: str) -> str:
    """Write a row of the table."""
    rate = statistics.median(run.bars_s for run in runs)
    orders = ", ".join(f"{count:,}" for count in sorted({run.orders for run in runs}))
    equity = ", ".join(f"{value:,.2f}" for value in sorted({round(run.equity, 2) for run in runs}))
    memory = f"{max(run.peak_mb for run in runs):,.0f} MB"
    version = runs[0].version
    return f"| {name} | {version} | {rate:,.0f} | {ratio} | {orders} | {equity} | {memory} | {note} |"


if __name__ == "__main__":
    sys.exit(main())
