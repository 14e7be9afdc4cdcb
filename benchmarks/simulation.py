"""`python -m benchmarks.simulation --seeds N`: runs seeds of the simulation on all cores, and counts them.

A seed that fails prints what it takes to see it fail again, and ends the command with 4 once all have run.
`--seed N` replays one seed and prints its whole trace.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Iterator

from tests.simulation.seeds import Outcome, explain, outcome_of
from tests.simulation.world import World

CHUNK = 20
EXPLAINED_MAX = 5


def main() -> int:
    """Run the seeds that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, help="replay this one alone, with its trace")
    wish = parser.parse_args()
    if wish.seed is not None:
        return replay(wish.seed)
    started = time.monotonic()
    outcomes = []
    for outcome in run_all(range(wish.first, wish.first + wish.seeds), wish.processes):
        outcomes.append(outcome)
        if outcome.what:
            print(f"seed {outcome.seed}: {outcome.what}", flush=True)
        if len(outcomes) % 1_000 == 0:
            print(f"{len(outcomes)} seeds, {time.monotonic() - started:.0f} s", flush=True)
    failed = [outcome.seed for outcome in outcomes if outcome.what]
    print(summary(outcomes, time.monotonic() - started, wish.processes))
    for seed in sorted(failed)[:EXPLAINED_MAX]:
        print(f"\n{explain(seed)}")
    return 4 if failed else 0


def run_all(seeds: range, processes: int) -> Iterator[Outcome]:
    """Run seeds in parallel, in whatever order they end."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(outcome_of, seeds, chunksize=CHUNK)


def summary(outcomes: list[Outcome], wall_s: float, processes: int) -> str:
    """Return the figures of a run."""
    failed = sum(1 for outcome in outcomes if outcome.what)
    cpu_ms = sorted(outcome.cpu_s * 1e3 for outcome in outcomes)
    slow = cpu_ms[int(0.99 * len(cpu_ms))]
    return (
        f"{len(outcomes)} seeds, {failed} violations, {wall_s:.0f} s with {processes} processes: "
        f"{len(outcomes) / wall_s * 60:.0f} seeds a minute; a seed takes {statistics.median(cpu_ms):.0f} ms "
        f"of a core, {slow:.0f} ms at p99\n"
        f"{sum(outcome.crashes for outcome in outcomes)} crashes, "
        f"{sum(outcome.sent for outcome in outcomes)} orders, "
        f"{sum(outcome.fills for outcome in outcomes)} fills, "
        f"{sum(outcome.flats for outcome in outcomes)} flattens to FLAT"
    )


def replay(seed: int) -> int:
    """Run one seed and print all that happened."""
    world = World(seed)
    what = ""
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - it is what is looked for
        what = f"{type(error).__name__}: {error}"
    finally:
        world.close()
    for ts, line in world.trace:
        print(f"{(ts - world.time.start) / 1e9:10.3f} {line}")
    print(f"seed {seed}: {what or 'all held'}")
    return 4 if what else 0


if __name__ == "__main__":
    sys.exit(main())
