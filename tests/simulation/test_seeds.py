"""The engine under seeds: whatever line, venue, disk, power and operator do, what must hold holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.seeds import explain, outcome_of, run_seed

pytestmark = pytest.mark.simulation

SEEDS = 300
BATCH = 25
ROOT = Path(__file__).parents[2]
FEW = (0, 1, 7, 42)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_nothing_is_lost_doubled_or_freed_whatever_goes_wrong(first):
    outcomes = [outcome_of(seed) for seed in range(first, first + BATCH)]
    failed = [outcome.seed for outcome in outcomes if outcome.what]
    assert not failed, "\n\n".join(map(explain, failed))
    assert sum(outcome.crashes for outcome in outcomes) > BATCH, "seeds without crashes show little"
    assert sum(outcome.fills for outcome in outcomes) > BATCH
    assert sum(outcome.flats for outcome in outcomes) > 0


@pytest.mark.parametrize("seed", FEW)
def test_a_seed_is_a_run(seed):
    one, other = run_seed(seed), run_seed(seed)
    assert one.trace == other.trace
    assert outcome_of(seed).fingerprint == outcome_of(seed).fingerprint


def test_a_seed_is_the_same_run_in_every_process_whatever_the_hashes_are():
    told = {hashed: _in_a_process(hashed) for hashed in ("0", "1", "4711")}
    here = [outcome_of(seed).fingerprint for seed in FEW]
    assert told == dict.fromkeys(told, here)


def _in_a_process(hash_seed: str) -> list[str]:
    code = (
        "from tests.simulation.seeds import outcome_of\n"
        f"for seed in {FEW}: print(outcome_of(seed).fingerprint)"
    )
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()
