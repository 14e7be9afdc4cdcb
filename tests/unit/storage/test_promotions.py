"""What is on record of versions: lines that only grow, and that show when one was changed."""

import pytest

from engine.config.packaged import data_path
from engine.config.plays import load_play
from engine.domain.errors import StorageError
from engine.risk.promotion import Evidence
from engine.storage import promotions
from engine.storage.promotions import (
    Approval,
    approvals,
    approvals_path,
    approve,
    keep_backtest,
    kept_backtests,
)
from tests.unit.risk.test_promotion import backtested

SPEC = load_play(data_path("configs/plays/canary.yaml"))


def approval(hash_: str) -> Approval:
    return Approval(
        at=1,
        actor="me",
        reason="good",
        play="canary",
        hash=hash_,
        spec=SPEC,
        evidence=Evidence(hash=hash_),
        chain="",
    )


def test_approvals_come_back_in_order(tmp_path):
    assert approvals(tmp_path) == ()
    for hash_ in ("a", "b", "c"):
        approve(tmp_path, approval(hash_))
    assert [one.hash for one in approvals(tmp_path)] == ["a", "b", "c"]
    assert approvals(tmp_path)[0].spec == SPEC
    assert approvals_path(tmp_path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("harm", ["change", "take out", "garbage"])
def test_a_record_that_was_touched_approves_nothing(tmp_path, harm):
    for hash_ in ("a", "b", "c"):
        approve(tmp_path, approval(hash_))
    path = approvals_path(tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    if harm == "change":
        lines[1] = lines[1].replace('"hash":"b"', '"hash":"x"')
    elif harm == "take out":
        del lines[1]
    else:
        lines[1] = "{\n"
    path.write_text("".join(lines))
    with pytest.raises(StorageError, match="nothing is approved"):
        approvals(tmp_path)
    with pytest.raises(StorageError):
        approve(tmp_path, approval("d"))


def test_backtests_are_kept_and_torn_lines_passed_over(tmp_path):
    keep_backtest(tmp_path, backtested(7))
    path = tmp_path / promotions.FOLDER / promotions.BACKTESTS
    with path.open("a") as file:
        file.write('{"at": 1\n')
    keep_backtest(tmp_path, backtested(8))
    assert [one.trades for one in kept_backtests(tmp_path)] == [7, 8]


def test_of_too_many_backtests_the_newer_half_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(promotions, "BACKTESTS_BYTES_MAX", 1_000)
    for trades in range(20):
        keep_backtest(tmp_path, backtested(trades))
    kept = [one.trades for one in kept_backtests(tmp_path)]
    assert kept[-1] == 19
    assert len(kept) < 10


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / promotions.FOLDER).write_text("in the way")
    with pytest.raises(StorageError):
        keep_backtest(tmp_path, backtested())
    with pytest.raises(StorageError):
        approvals(tmp_path)
