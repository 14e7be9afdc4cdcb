"""Backtest, replay through the live path and an interrupted replay give one hash, on recorded data."""

from pathlib import Path

import pytest

from benchmarks.parity import CASES, DATA, Case, compare, line

SLICE_ROWS = 5_000
WHOLE = Case("bars/binance_ethbtc_5m_201801.csv.gz", "canary")

pytestmark = [
    pytest.mark.process,
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.exists(), reason=f"no market data at {DATA}"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case.file).name.split(".")[0])
def test_a_slice_of_every_file_gives_one_hash_three_ways(case: Case, tmp_path: Path) -> None:
    outcome = compare(case, tmp_path, SLICE_ROWS)
    assert outcome.killed, "the third run ended before it could be killed"
    assert outcome.same, line(outcome)


@pytest.mark.whole
def test_a_whole_file_gives_one_hash_three_ways(tmp_path: Path) -> None:
    outcome = compare(WHOLE, tmp_path)
    assert outcome.killed, "the run ended before it could be killed"
    assert outcome.same, line(outcome)
