"""The data cases on every feed of this program, held against what the docs say."""

from pathlib import Path

import pytest

from engine.venues.conformance.data import DATA_CASES, DataCase, run_data_case
from engine.venues.conformance.running import Verdict
from tests.conformance.grounds import DATA_GROUNDS
from tests.conformance.results import recorded


@pytest.mark.parametrize("case", DATA_CASES, ids=lambda case: case.number)
@pytest.mark.parametrize("adapter", DATA_GROUNDS)
def test_data_case(adapter: str, case: DataCase, tmp_path: Path):
    result = run_data_case(case, DATA_GROUNDS[adapter](tmp_path))
    assert result.verdict is not Verdict.FAIL, f"{result.promise} {result.text}"
    assert recorded()[adapter][case.number] == result.verdict, "run python -m tests.conformance"
