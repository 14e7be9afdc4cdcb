"""`python -m benchmarks [NAME ...]`: measures the figures and prints one table."""

import argparse
import os
import platform
import statistics
import subprocess
import sys

from benchmarks.bars import bars
from benchmarks.console import console
from benchmarks.figures import Row, backtest, console_start, live_path
from benchmarks.loading import loading, trades_to_bars
from benchmarks.modelswap import model_swap
from benchmarks.onvenue import on_the_exchange
from benchmarks.prints import prints
from benchmarks.reloads import reloads
from benchmarks.riskchain import chain
from benchmarks.storage import storage
from benchmarks.streaming import stream
from benchmarks.terminal import ROOT


def flatten(runs: int = 5) -> list[Row]:
    """Time the kill-switch in processes of its own."""
    command = [sys.executable, "-m", "benchmarks.flatten"]
    times = [
        float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        for _ in range(runs)
    ]
    name = "flatten: SIGUSR1 to the last of 100 cancels handed to the venue, console stopped"
    return [Row(name, f"{statistics.median(times):.0f} ms (worst {max(times):.0f})", "under 250 ms")]


BENCHMARKS = {
    "start": console_start,
    "live": live_path,
    "stream": stream,
    "console": console,
    "flatten": flatten,
    "venue": on_the_exchange,
    "storage": storage,
    "backtest": backtest,
    "bars": bars,
    "prints": prints,
    "loading": loading,
    "trades": trades_to_bars,
    "risk": chain,
    "reloads": reloads,
    "model": model_swap,
}


def main() -> int:
    """Run the benchmarks that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which; all where none is named")
    names = parser.parse_args().names or list(BENCHMARKS)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, Python {platform.python_version()}\n")
    print("| figure | measured | promised |\n|---|---|---|", flush=True)
    for name in names:
        for row in BENCHMARKS[name]():
            print(f"| {row.name} | {row.value} | {row.promise} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
