"""Measures the feed of a venue in processes of their own, and puts it beside the bare loop."""

import json
import statistics
import subprocess

from benchmarks.figures import PYTHON, Row, loop_ns
from benchmarks.terminal import DATA, ROOT

FILE = DATA / "raw/binance_usdm_btcusdt_20240808.jsonl.gz"
TARGET_PER_S, TARGET_LOOP_NS = 50_000, 8.5


def stream(runs: int = 5) -> list[Row]:
    """Return how many recorded messages a second go through feed and core, and what the parts cost."""
    if not FILE.exists():
        return [Row("stream: recorded messages", "the file is not on this machine", "at least 50,000/s")]
    found, loops = [], []
    for _ in range(runs):
        loops.append(loop_ns())
        command = [PYTHON, "-m", "benchmarks.stream", str(FILE)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        found.append(json.loads(done.stdout))
    median = {key: statistics.median(run[key] for run in found) for key in found[0]}
    turn_ns = statistics.median(loops)
    turns = 1e9 / median["per_s"] / turn_ns
    most = 1e9 / TARGET_PER_S / TARGET_LOOP_NS
    return [
        Row(
            f"stream: {median['messages']:,.0f} recorded messages of Binance USD-M, from bytes through feed"
            f" and core, record and journal (bare loop {turn_ns:.0f} ns)",
            f"{median['per_s']:,.0f} messages/s",
            f"at least {TARGET_PER_S:,} messages/s where a bare loop costs {TARGET_LOOP_NS} ns",
        ),
        Row(
            "the same in turns of a bare loop, one message",
            f"{turns:,.0f} turns",
            f"at most {most:,.0f} turns",
        ),
        Row("of that, decoding, books and bars alone", f"{median['feed_per_s']:,.0f} messages/s", "-"),
    ]
