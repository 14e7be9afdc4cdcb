"""`verify` re-runs what was recorded: the same engine decides the same, another one is found out."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from engine.domain.errors import ConfigError, StorageError
from engine.domain.events import Action
from engine.domain.reasons import Reason
from engine.runtime import verify
from engine.runtime.session import decode_config
from engine.runtime.verify import verify_session
from engine.storage.codec import SessionHeader
from engine.storage.record_reader import RecordReader
from engine.storage.record_writer import RecordWriter
from tests.unit.runtime.rig import (
    copy_state,
    engine_on,
    eventually,
    market_settings,
    run_engine,
    tape_settings,
)


def ask(action, argument=""):
    return lambda engine: engine._commands.post(action, "me", "", argument)


def record_of(settings):
    """The newest session's record."""
    return max((settings.state_dir / settings.instance / settings.mode.value / "records").iterdir())


def played(settings, hooks=None):
    """Run an engine to its end; return its record and report."""
    report = asyncio.run(run_engine(settings, hooks))
    assert report.exit_code == 0
    return record_of(settings), report


def killed(settings, tmp_path, offset, hooks=None):
    """Return the record that a kill before an event leaves."""
    left = []

    def kill(engine):
        engine.context.pump.mark_tape()
        engine.context.recorder.flush()
        left.append(copy_state(settings, tmp_path / "killed"))

    played(settings, (hooks or {}) | {offset: kill})
    return record_of(left[0]), left[0]


@pytest.fixture
def another_engine(monkeypatch):
    """Let `verify` build its engine with changed facts, as a changed program would decide otherwise."""

    def change(**facts):
        def changed(data):
            config = decode_config(data)
            return msgspec.structs.replace(config, setup=msgspec.structs.replace(config.setup, **facts))

        monkeypatch.setattr(verify, "decode_config", changed)

    return change


def test_a_replay_is_identical(tmp_path):
    record, report = played(tape_settings(tmp_path))
    verdict = verify_session(record)
    assert verdict.identical, verdict
    assert (verdict.difference, verdict.torn, verdict.ended) == ("", "", True)
    assert verdict.session == record.name
    assert report.run is not None
    assert verdict.decisions > report.run.orders
    assert verdict.events == report.run.events + 2, "the line on the file and the tape's end, too"


@pytest.mark.parametrize("speed", ["max", 20_000.0])
def test_a_replay_with_commands_is_identical_at_any_pace(tmp_path, speed):
    hooks = {
        20: ask(Action.ARM, "zigzag"),
        60: ask(Action.PAUSE),
        80: ask(Action.RESUME),
        120: ask(Action.FLATTEN),
    }
    record, _ = played(tape_settings(tmp_path, arm=False, speed=speed, bars=160), hooks)
    verdict = verify_session(record)
    assert verdict.identical, verdict
    assert verdict.events == 160 + 4 + 2


async def test_a_session_on_a_market_is_identical(tmp_path):
    settings = market_settings(tmp_path, arm=True)
    await traded(settings)
    await traded(settings)  # goes on from the first
    records = sorted((tmp_path / "state" / "default" / "paper" / "records").iterdir())
    assert len(records) == 2
    for record in records:
        verdict = await asyncio.to_thread(verify_session, record)
        assert verdict.identical, verdict
        assert verdict.ended
        assert verdict.decisions > 5


async def traded(settings):
    """Run an engine until it traded once."""
    async with engine_on(settings) as engine, asyncio.timeout(20):
        task = asyncio.ensure_future(engine.run())
        fills = engine.snapshot().account.fills
        await eventually(lambda: engine.snapshot().account.fills > fills)
        engine.stop("enough")
        await task


def test_refusals_of_the_dispatcher_are_part_of_the_record(tmp_path):
    hooks = {
        100: lambda engine: engine.context.latch.engage("somebody else"),
        140: lambda engine: engine.context.latch.release(),
    }
    record, _ = played(tape_settings(tmp_path), hooks)
    verdict = verify_session(record)
    assert verdict.identical, verdict


def test_what_a_kill_left_and_what_went_on_from_it_are_identical(tmp_path):
    hooks = {60: ask(Action.PAUSE), 70: ask(Action.RESUME)}
    record, left = killed(tape_settings(tmp_path), tmp_path, 151, hooks)
    verdict = verify_session(record)
    assert verdict.identical, verdict
    assert not verdict.ended
    went_on, _ = played(left)
    assert went_on != record
    verdict = verify_session(went_on)
    assert verdict.identical, verdict
    assert verdict.ended


def test_a_torn_tail_is_told_and_what_is_left_is_identical(tmp_path):
    record, _ = killed(tape_settings(tmp_path), tmp_path, 151, {60: ask(Action.PAUSE)})
    last = max(record.glob("*.segment"))
    last.write_bytes(last.read_bytes()[:-3])
    verdict = verify_session(record)
    assert verdict.identical, verdict
    assert "unfinished frame" in verdict.torn
    assert not verdict.ended


def test_another_limit_is_found_at_the_first_event_it_changes(tmp_path, another_engine):
    record, _ = played(tape_settings(tmp_path))
    before = verify_session(record)
    config = decode_config(RecordReader(record).header.config)
    another_engine(limits=msgspec.structs.replace(config.setup.limits, order_notional_max=Decimal(10)))
    verdict = verify_session(record)
    assert not verdict.identical
    assert verdict.decisions == 2, "after what is told of the file, the first decision is another one already"
    assert f"event {verdict.events}: this engine decides" in verdict.difference
    assert Reason.ORDER_NOTIONAL_MAX in verdict.difference
    assert "the record has digest" in verdict.difference
    assert verdict.events < before.events
    assert verdict.ended, "the record tells of its end, however far the re-run came"


def test_an_engine_that_no_longer_decides_is_found(tmp_path, another_engine):
    record, _ = killed(tape_settings(tmp_path), tmp_path, 151)
    another_engine(plays=())
    verdict = verify_session(record)
    assert not verdict.identical
    assert "this engine decides nothing" in verdict.difference


def test_a_fingerprint_that_differs_at_the_end_is_found(tmp_path):
    def lie(engine):
        engine.context.recorder.end(400, "f" * 64, 0)

    record, _ = played(tape_settings(tmp_path, bars=60), {50: lie})
    verdict = verify_session(record)
    assert not verdict.identical
    assert verdict.difference.startswith("the record ends with " + "f" * 64)


def test_a_record_whose_beginning_was_pruned_cannot_be_re_run(tmp_path):
    header = SessionHeader(session="s", started=0, instance="i", birth=0, engine_version="0", config=b"")
    writer = RecordWriter(tmp_path / "s", header, bytes_max=10**9, segment_bytes=1, free_bytes_min=0)
    for sequence in range(1, 4):
        writer.tape(sequence, sequence)
        writer.flush()
    writer.close()
    (tmp_path / "s" / "000001.segment").unlink()
    with pytest.raises(StorageError, match=r"was pruned \(record_max_gb\); what is left cannot be re-run"):
        verify_session(tmp_path / "s")


def test_a_gap_cannot_be_re_run(tmp_path):
    def fill_the_disk(engine):
        engine.context.recorder._free_bytes_min = 10**18

    record, _ = played(tape_settings(tmp_path), {100: fill_the_disk})
    with pytest.raises(StorageError, match="the record has a gap at event"):
        verify_session(record)


def test_a_changed_data_file_is_named(tmp_path):
    settings = tape_settings(tmp_path)
    record, _ = played(settings)
    path = settings.data[0].path
    path.write_text(path.read_text().replace("1000.0", "1000.5", 1))
    with pytest.raises(ConfigError, match=r"\.csv: this file is not the one the session ran on"):
        verify_session(record)


def test_where_no_session_lies_that_is_said(tmp_path):
    with pytest.raises(StorageError, match="there is no session record here"):
        verify_session(tmp_path)
