"""Run all cases and keep their results for the docs: python -m tests.conformance."""

import asyncio
import json
import tempfile
from pathlib import Path

from engine.venues.conformance.cases import ORDER_CASES
from engine.venues.conformance.data import DATA_CASES, run_data_case
from engine.venues.conformance.running import run_cases
from tests.conformance.grounds import DATA_GROUNDS, ORDER_GROUNDS
from tests.conformance.results import RESULTS


async def results(folder: Path) -> dict[str, dict[str, str]]:
    """Run everything."""
    found: dict[str, dict[str, str]] = {name: {} for name in (*ORDER_GROUNDS, *DATA_GROUNDS)}
    for name, open_data in DATA_GROUNDS.items():
        data = open_data(folder)
        found[name] |= {case.number: run_data_case(case, data).verdict.value for case in DATA_CASES}
    for name, open_ground in ORDER_GROUNDS.items():
        async with open_ground() as ground:
            played = await run_cases(ORDER_CASES, ground)
        found[name] |= {result.number: result.verdict.value for result in played}
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        RESULTS.write_text(json.dumps(asyncio.run(results(Path(made))), indent=1) + "\n")
