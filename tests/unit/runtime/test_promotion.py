"""Promotion to live from the stores: evidence of all instances, one record, and what live then runs."""

import asyncio
from pathlib import Path

import pytest

from engine.config.plays import load_play
from engine.config.settings import Settings
from engine.domain.errors import NotPromotedError, StorageError
from engine.domain.shadow import Role, SaveStage
from engine.runtime.binding import load_play_file
from engine.runtime.promotion import (
    approve_play,
    approved_hashes,
    evidence_of,
    keep_evidence,
    stages_in,
    with_approved,
)
from engine.runtime.shadowreport import shadow_report
from engine.runtime.study.study import study
from engine.storage.database import Database
from engine.storage.journal import SqliteJournal
from engine.storage.promotions import approvals, approvals_path, keep_backtest
from tests.unit.risk.test_promotion import backtested, stage
from tests.unit.runtime.rig import tape_settings

PLAY = """\
name: canary
size: {notional: 100}
long: {enter: close crosses_above sma(3), exit: close crosses_below sma(3)}
"""


@pytest.fixture
def play(tmp_path: Path) -> Path:
    file = tmp_path / "canary.yaml"
    file.write_text(PLAY)
    return file


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


async def store(settings: Settings, instance: str, mode: str, *stages) -> None:
    assert settings.state_dir is not None
    database = await Database.open(settings.state_dir / instance / mode / "engine.sqlite")
    await SqliteJournal(database).commit([SaveStage(one) for one in stages])
    await database.close()


async def gather(settings: Settings, play: Path) -> None:
    """Put whole evidence of a play on record, over two instances."""
    assert settings.state_dir is not None
    hash_ = load_play(play).hash
    keep_backtest(settings.state_dir, backtested(40, hash_))
    await store(settings, "a", "shadow", stage(Role.TWIN, "shadow", 30.0, hash_=hash_))
    await store(settings, "b", "demo", stage(Role.RUNNING, "demo", 30.0, hash_=hash_))


async def test_stages_of_all_instances_count_and_replays_do_not(settings, play):
    await gather(settings, play)
    await store(settings, "a", "replay", stage(Role.TWIN, "replay", 30.0))
    assert sorted(one.mode for one in await stages_in(settings.state_dir)) == ["demo", "shadow"]


def test_what_is_missing_is_named_at_once(settings, play):
    with pytest.raises(NotPromotedError) as refused:
        approve_play(settings, play, actor="me", reason=" ")
    assert refused.value.exit_code == 4
    assert [line[2:4] for line in str(refused.value).splitlines()[1:]] == ["1.", "2.", "3.", "4."]
    assert approved_hashes(settings) == ()


def test_whole_evidence_is_accepted_and_recorded(settings, play):
    asyncio.run(gather(settings, play))
    approval = approve_play(settings, play, actor="me", reason="four weeks")
    assert evidence_of(settings, play).missing == ()
    assert approved_hashes(settings) == (load_play(play).hash,)
    (kept,) = approvals(settings.state_dir)
    assert kept == approval
    assert (kept.actor, kept.reason, kept.evidence.demo_trades) == ("me", "four weeks", 9)


def test_live_runs_what_was_promoted_last_until_the_file_is(settings, play):
    asyncio.run(gather(settings, play))
    approve_play(settings, play, actor="me", reason="good")
    promoted = load_play(play)
    assert with_approved((load_play_file(play),), settings)[0].spec == promoted
    play.write_text(PLAY.replace("sma(3)", "sma(4)"))
    assert with_approved((load_play_file(play),), settings)[0].spec == promoted
    play.write_text(PLAY.replace("canary", "another"))
    assert with_approved((load_play_file(play),), settings)[0].spec.name == "another"
    path = approvals_path(settings.state_dir)
    path.write_text(path.read_text().replace('"actor":"me"', '"actor":"you"') + "{}\n")
    with pytest.raises(StorageError):
        with_approved((load_play_file(play),), settings)


def test_a_backtest_leaves_evidence_of_its_version_and_data(tmp_path, play):
    settings = tape_settings(tmp_path, plays=(play,))
    tape: Path = settings.data[0].path
    keep_evidence(settings, study(settings))
    evidence = evidence_of(settings, play)
    (run,) = evidence.backtests
    assert run.data[0][0] == str(tape)
    assert len(run.data[0][1]) == 64
    assert run.hash == load_play(play).hash


def test_a_mode_without_a_store_has_no_signals(settings):
    report = shadow_report(settings, 10)
    assert (report.signals, report.stages) == ((), ())
