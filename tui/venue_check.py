"""What `trader-tui venue check` does: plays the order cases, says how each ended, and what that unlocks."""

import sys
from typing import TYPE_CHECKING

import msgspec

from engine.api import check_venue

if TYPE_CHECKING:
    from engine.api import Settings

NOT_PASSED = 4


def run(settings: "Settings", symbol: str, *, as_json: bool) -> int:
    """Play the cases; 4 where one failed. Raises TraderError."""

    def tell(number: str, verdict: str, promise: str, seen: str) -> None:
        if not as_json:
            why = f"\n      {seen}" if seen else ""
            sys.stdout.write(f"{number}  {verdict:<4}  {promise}{why}\n")
            sys.stdout.flush()

    check = check_venue(settings, symbol, tell)
    if as_json:
        sys.stdout.write(msgspec.json.encode(check).decode() + "\n")
    else:
        failed = sum(case.verdict == "fail" for case in check.cases)
        told = (
            f"{failed} cases failed: it is there for data only"
            if failed
            else "all cases passed, it takes orders"
        )
        sys.stdout.write(f"{check.venue} ({check.site}, ccxt {check.ccxt}): {told}\n")
    return 0 if check.passed else NOT_PASSED
