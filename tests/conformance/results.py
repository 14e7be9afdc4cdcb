"""The results that docs/conformance.md is written from, held against each run of the tests."""

import json
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")


def recorded() -> dict[str, dict[str, str]]:
    """Return the verdict of each case by adapter."""
    results: dict[str, dict[str, str]] = json.loads(RESULTS.read_text())
    return results
