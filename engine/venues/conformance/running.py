"""Runs cases on a ground, one after the other, each from and back to a flat account."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from engine.domain.errors import VenueError
from engine.venues.conformance.cases import Case
from engine.venues.conformance.ground import CaseError, Ground, NotApplicableError


class Verdict(StrEnum):
    """How a case ended."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    NOT_APPLICABLE = "n/a"


class CaseResult(msgspec.Struct, frozen=True):
    """One case and how it ended, with what was seen where a promise was broken."""

    number: str
    promise: str
    verdict: Verdict
    text: str = ""


async def run_case(case: Case, ground: Ground) -> CaseResult:
    """Run one case; the account is flat in the instrument before and after it."""
    try:
        ground.begin()
        await ground.flat()
        ground.begin()
        await case.play(ground)
        ground.begin()
        await ground.flat()
    except NotApplicableError as missing:
        return CaseResult(case.number, case.promise, Verdict.NOT_APPLICABLE, str(missing))
    except (CaseError, VenueError) as broken:
        return CaseResult(case.number, case.promise, Verdict.FAIL, str(broken))
    return CaseResult(case.number, case.promise, Verdict.PASS)


async def run_cases(
    cases: Sequence[Case], ground: Ground, tell: Callable[[CaseResult], None] = lambda _: None
) -> list[CaseResult]:
    """Run cases in their order; `tell` hears of each when it is done."""
    results: list[CaseResult] = []
    for case in cases:
        result = await run_case(case, ground)
        results.append(result)
        tell(result)
    return results
