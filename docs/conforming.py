"""docs/conformance.md: every case with its promise, and how it ended on each adapter."""

import json
from pathlib import Path

from marks import table

from engine.venues.conformance.cases import ORDER_CASES
from engine.venues.conformance.data import DATA_CASES

RESULTS = Path(__file__).resolve().parent.parent / "tests" / "conformance" / "results.json"
ADAPTERS = ("simulated", "replay", "ccxt on the local exchange")
NO_SUCH = "-"  # an adapter without orders, or without a market of its own


def cases() -> str:
    """Return the table of all cases."""
    results: dict[str, dict[str, str]] = json.loads(RESULTS.read_text("utf-8"))
    promises = [(case.number, case.promise) for case in DATA_CASES]
    promises += [(case.number, case.promise) for case in ORDER_CASES]
    rows = [
        (number, promise, *(results[name].get(number, NO_SUCH) for name in ADAPTERS))
        for number, promise in promises
    ]
    return table(("case", "promise", *ADAPTERS), rows)
