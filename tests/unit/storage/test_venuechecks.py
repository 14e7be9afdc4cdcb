"""A venue is unlocked by a check that passed with the versions that are installed now."""

from pathlib import Path
from typing import Any

import pytest

from engine.domain.errors import StorageError
from engine.storage.venuechecks import (
    CheckedCase,
    VenueCheck,
    ccxt_version,
    check_path,
    save_check,
    why_locked,
)


def check(**changes: Any) -> VenueCheck:
    facts: dict[str, Any] = {
        "venue": "bybit",
        "site": "testnet",
        "at": 1,
        "ccxt": ccxt_version(),
        "adapter": 3,
        "passed": True,
        "cases": (CheckedCase("C01", "pass"), CheckedCase("C02", "fail", "why")),
    }
    return VenueCheck(**(facts | changes))


def test_a_venue_is_locked_until_its_cases_passed(tmp_path: Path):
    assert "never run" in why_locked(tmp_path, "bybit", 3)
    save_check(tmp_path, check())
    assert why_locked(tmp_path, "bybit", 3) == ""
    assert "never run" in why_locked(tmp_path, "okx", 3)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"passed": False}, "1 of its order cases failed"),
        ({"ccxt": "4.0.0"}, "passed with ccxt 4.0.0"),
        ({"adapter": 2}, "another version of the adapter"),
    ],
)
def test_another_version_locks_it_again(tmp_path: Path, changes: dict[str, Any], why: str):
    save_check(tmp_path, check(**changes))
    assert why in why_locked(tmp_path, "bybit", 3)


def test_a_torn_file_locks_it(tmp_path: Path):
    save_check(tmp_path, check()).write_text("{")
    assert "cannot be read" in why_locked(tmp_path, "bybit", 3)


def test_a_result_that_cannot_be_kept_says_where(tmp_path: Path):
    check_path(tmp_path, "bybit").parent.write_text("in the way")
    with pytest.raises(StorageError, match=r"\.venues"):
        save_check(tmp_path, check())
