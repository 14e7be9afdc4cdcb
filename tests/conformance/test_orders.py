"""The order cases on every adapter that this program ships unlocked."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from engine.venues.conformance.cases import ORDER_CASES, Case
from engine.venues.conformance.ground import Ground
from engine.venues.conformance.running import Verdict, run_case
from tests.conformance.grounds import ccxt_on_local, simulated

GROUNDS = {"simulated": simulated, "ccxt on local": ccxt_on_local}


@pytest.mark.parametrize("case", ORDER_CASES, ids=lambda case: case.number)
@pytest.mark.parametrize("open_ground", GROUNDS.values(), ids=GROUNDS)
async def test_case(open_ground: Callable[[], AbstractAsyncContextManager[Ground]], case: Case):
    async with open_ground() as ground:
        result = await run_case(case, ground)
    assert result.verdict is not Verdict.FAIL, f"{result.promise} {result.text}"
