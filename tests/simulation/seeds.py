"""Runs seeds, and says of one that fails what it takes to see it fail again."""

import hashlib
import time
from typing import NamedTuple

from tests.simulation.faults import Kind
from tests.simulation.world import World

TRACE_LINES = 40


class Outcome(NamedTuple):
    """How a seed ended; `what` is empty where all held."""

    seed: int
    what: str
    fingerprint: str
    cpu_s: float
    crashes: int
    flats: int
    fills: int
    sent: int


def run_seed(seed: int, world_type: type[World] = World, without: frozenset[Kind] = frozenset()) -> World:
    """Run one seed to its end; what it broke of is raised."""
    world = world_type(seed, without=without)
    try:
        world.run()
    finally:
        world.close()
    return world


def outcome_of(seed: int, world_type: type[World] = World, without: frozenset[Kind] = frozenset()) -> Outcome:
    """Run one seed and say how it ended."""
    started = time.process_time()
    world = world_type(seed, without=without)
    what = ""
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - whatever breaks is what a simulation looks for
        what = f"{type(error).__name__}: {error}"
    finally:
        world.close()
    return Outcome(
        seed=seed,
        what=what,
        fingerprint=fingerprint(world),
        cpu_s=time.process_time() - started,
        crashes=world.crashes,
        flats=world.watch.flats,
        fills=len(world.exchange.fills),
        sent=len(world.watch.sent),
    )


def fingerprint(world: World) -> str:
    """Return the sha256 of all that happened, to the nanosecond and in order."""
    digest = hashlib.sha256()
    for ts, line in world.trace:
        digest.update(f"{ts} {line}\n".encode())
    digest.update(f"{world.steps} {world.time.now}".encode())
    return digest.hexdigest()


def explain(seed: int, world_type: type[World] = World) -> str:
    """Say why a seed fails, with the fewest kinds of faults that make it fail and the end of its trace."""
    needed = _needed(seed, world_type)
    outcome_world = world_type(seed, without=frozenset(Kind) - needed)
    what, about = "", ""
    try:
        outcome_world.run()
    except Exception as error:  # noqa: BLE001 - it is what is to be explained
        what, about = f"{type(error).__name__}: {error}", getattr(error, "about", "")
    finally:
        outcome_world.close()
    if not what:
        return f"seed {seed} does not fail"
    lines = [
        f"{(ts - outcome_world.time.start) / 1e9:10.3f} {line}"
        for ts, line in outcome_world.trace
        if not about or about in line or not line.startswith(("engine: hears", "line: "))
    ]
    faults = ", ".join(sorted(needed)) or "no faults at all"
    command = f"python -m benchmarks.simulation --seed {seed}"
    return "\n".join([f"seed {seed}: {what}", f"with {faults}; again: {command}", *lines[-TRACE_LINES:]])


def _needed(seed: int, world_type: type[World]) -> frozenset[Kind]:
    """Leave out one kind of fault after the other, as long as the seed still fails."""
    without: frozenset[Kind] = frozenset()
    for kind in Kind:
        if outcome_of(seed, world_type, without | {kind}).what:
            without |= {kind}
    return frozenset(Kind) - without
