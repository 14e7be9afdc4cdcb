"""The order cases on every adapter that this program ships unlocked, held against what the docs say."""

import pytest

from engine.venues.conformance.cases import ORDER_CASES, Case
from engine.venues.conformance.running import Verdict, run_case
from tests.conformance.grounds import ORDER_GROUNDS
from tests.conformance.results import recorded


@pytest.mark.parametrize("case", ORDER_CASES, ids=lambda case: case.number)
@pytest.mark.parametrize("adapter", ORDER_GROUNDS)
async def test_order_case(adapter: str, case: Case):
    async with ORDER_GROUNDS[adapter]() as ground:
        result = await run_case(case, ground)
    assert result.verdict is not Verdict.FAIL, f"{result.promise} {result.text}"
    assert recorded()[adapter][case.number] == result.verdict, "run python -m tests.conformance"
