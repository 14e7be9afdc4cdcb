"""A whole engine in one event loop: commands and answers, ends and exit codes, and what breaks it."""

import asyncio
import gc
import shutil

import pytest

from engine.config.packaged import socket_path
from engine.core.snapshot import Phase
from engine.domain.commands import NoticeLevel
from engine.domain.errors import LockHeldError
from engine.domain.events import Action, OnStop
from engine.domain.modes import Holder, RiskMode, Rung
from engine.domain.reasons import Reason
from engine.runtime import upkeep
from engine.runtime.context import open_context
from engine.runtime.link import SocketLink
from engine.storage.latch import Latch
from engine.storage.sessions import newest_sessions
from tests.unit.runtime.rig import (
    DEADLINE_S,
    RESTLESS,
    copy_state,
    engine_on,
    eventually,
    market_settings,
    run_engine,
    tape_settings,
    write_play,
)
from tests.unit.runtime.running import after_the_tape, running, waiting_tape

PACE = 2_000.0  # a minute of the tape in 30 ms


# commands


async def test_a_day_at_the_market(tmp_path):
    async with running(market_settings(tmp_path)) as there:
        await there.until(lambda snapshot: snapshot.ticks[0].price > 0)
        assert there.now.status.phase is Phase.DISARMED
        assert await there.refused(Action.ARM, "wrong") == Reason.NOT_CONFIRMED
        assert (await there.done(Action.ARM, "restless")).text == "arm done"
        await there.until(lambda snapshot: snapshot.account.fills >= 2)
        assert await there.refused(Action.ARM, "restless") == Reason.ALREADY_SO
        await there.done(Action.PAUSE)
        assert there.now.status.rung is Rung.REDUCE
        await there.done(Action.RESUME)
        await there.until(lambda snapshot: any(position.qty for position in snapshot.positions))
        await there.done(Action.FLATTEN)
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        assert not any(position.qty for position in there.now.positions)
        assert there.engine.context.latch.engaged()
        assert await there.refused(Action.ARM, "restless") == Reason.REASON_REQUIRED
        await there.done(Action.ARM, "restless", "looked at it")
        assert not there.engine.context.latch.engaged()
        health = there.now.health
        assert health.events > 50
        assert 0 < health.latency_p50_ms <= health.latency_p99_ms <= health.latency_p999_ms
        assert health.session == there.engine.context.session
        (feed,) = there.now.feeds
        assert (feed.name, feed.state) == ("synthetic", "connected")
        report = await there.end()
    assert (report.exit_code, report.text, report.run) == (0, "enough", None)


async def test_commands_still_work_after_the_end_of_a_tape(tmp_path):
    async with after_the_tape(tmp_path) as there:
        (feed,) = there.now.feeds
        assert (feed.name, feed.state) == ("tape", "ended")
        await there.done(Action.PAUSE)
        assert await there.refused(Action.PAUSE) == Reason.ALREADY_SO
        assert await there.refused(Action.RISK_MODE, "reckless") == Reason.UNKNOWN_COMMAND
        assert await there.refused(Action.RESOLVE, "nobody dead", "why") == Reason.NO_SUCH_ORDER
        await there.done(Action.RISK_MODE, "observe")
        assert there.now.status.rung is Rung.HOLD
        await there.done(Action.RESUME)
        await there.done(Action.DISARM)
        assert [hold.holder for hold in there.now.status.holds] == [Holder.RISK_OBSERVE, Holder.DISARMED]


async def test_a_command_reaches_an_engine_through_its_socket(tmp_path):
    async with after_the_tape(tmp_path) as there:
        path = socket_path(there.engine.context.directory)
        link = await SocketLink.connect(path, actor="test", instance="default")
        assert link.hello == there.engine.hello
        reply = await link.command(Action.STOP, argument="keep")
        assert reply.ok
        report = await there.task
        goodbye = await eventually(lambda: link.goodbye)
        assert goodbye.exit_code == report.exit_code == 0
        await link.close()


# ends


@pytest.mark.parametrize("how", OnStop)
async def test_a_stop_leaves_what_it_was_told_to_leave(tmp_path, how):
    def stop(engine):
        assert engine.snapshot().positions[0].qty, "there is something to leave"
        engine.stop("enough", on_stop=how)

    report = await run_engine(tape_settings(tmp_path), {101: stop})
    assert (report.exit_code, report.text) == (0, "enough")
    assert bool(report.positions) is (how is not OnStop.FLATTEN)
    assert bool(report.open_orders) is (how is not OnStop.FLATTEN), "protection stays with its position"
    assert report.run is not None
    assert report.run.bars < 300


async def test_a_stop_does_what_the_settings_say_unless_told_otherwise(tmp_path):
    settings = tape_settings(tmp_path, on_stop="flatten")
    report = await run_engine(settings, {101: lambda engine: engine.stop("enough")})
    assert report.positions == ()


async def test_the_end_of_a_tape_ends_an_engine_that_is_not_told_to_stay(tmp_path):
    report = await run_engine(tape_settings(tmp_path))
    assert (report.exit_code, report.text) == (0, "the tape ended")
    assert report.run is not None
    assert report.run.bars == report.run.rows == report.run.events == 300
    assert report.run.trades > 10
    assert report.run.wall_s > 0


async def test_an_engine_ends_when_it_has_lasted_as_long_as_it_should(tmp_path):
    report = await run_engine(market_settings(tmp_path, duration_s=0.2))
    assert (report.exit_code, report.text) == (0, "the duration is over")


async def test_a_session_that_ends_in_order_is_stored_as_ended(tmp_path):
    async with running(tape_settings(tmp_path, bars=60)) as there:
        report = await there.task
        async with there.engine.context.archive.database.reader() as reader:
            (session,) = await newest_sessions(reader, 5)
    assert (session.id, session.exit_code) == (there.engine.context.session, report.exit_code)
    assert session.ended is not None


async def test_an_engine_that_is_not_flat_by_the_deadline_says_so_with_its_exit_code(tmp_path):
    """The venue answers after 59 s, and each bar, three of which make the deadline, takes 60."""
    settings = tape_settings(tmp_path, simulated={"latency_ms": 59_000.0})
    stop = {101: lambda engine: engine.stop("enough", on_stop=OnStop.FLATTEN)}
    async with running(settings, stop) as there:
        assert (await there.task).exit_code == 4
        (alarm,) = there.now.alarms
    assert alarm.text.startswith(Reason.FLATTEN_DEADLINE)


@pytest.mark.parametrize(("how", "code"), [(OnStop.CANCEL_ENTRIES, 1), (OnStop.FLATTEN, 4)])
async def test_a_stop_that_takes_too_long_is_ended(tmp_path, how, code):
    slow = {"simulated": {"latency_ms": 3_000.0}, "runtime": {"shutdown_deadline_s": 1.0}}
    async with running(market_settings(tmp_path, arm=True, **slow)) as there:
        await there.until(lambda snapshot: snapshot.orders)
        report = await there.end(how)
    assert (report.exit_code, report.text) == (code, "the shutdown deadline of 1 s passed")
    assert report.open_orders


async def test_a_flatten_after_the_end_of_a_tape_says_at_once_what_no_market_can_close(tmp_path):
    async with after_the_tape(tmp_path, bars=101) as there:
        assert there.now.positions[0].qty
        await there.done(Action.FLATTEN)
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        (alarm,) = there.now.alarms
        assert "position BTCUSDT" in alarm.text
        assert (await there.end()).exit_code == 4


async def test_a_terminal_that_goes_away_ends_only_an_engine_that_was_told_so(tmp_path):
    async with after_the_tape(tmp_path) as there:
        there.engine.hang_up()
        await there.done(Action.PAUSE)
        assert there.now.status.phase is not Phase.STOPPING
    async with after_the_tape(tmp_path, on_hangup="stop") as there:
        there.engine.hang_up()
        assert (await there.task).exit_code == 129


async def test_the_first_cause_of_a_stop_gives_the_exit_code(tmp_path):
    async with after_the_tape(tmp_path) as there:
        there.engine.stop("SIGTERM", 143)
        there.engine.stop("SIGINT", 130)
        assert (await there.task).exit_code == 143


# flattening


async def test_a_latch_that_is_found_at_start_leads_to_a_flatten(tmp_path):
    settings = market_settings(tmp_path, arm=True)
    directory = tmp_path / "state" / "default"
    directory.mkdir(parents=True)
    Latch(directory).engage("by hand")
    async with running(settings) as there:
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        assert any("latch found at start: by hand" in notice.text for notice in there.now.notices)
        assert there.now.account.fills == 0
        assert (await there.end()).exit_code == 0


async def test_a_latch_that_is_found_before_a_tape_leads_to_a_flatten_too(tmp_path):
    directory = tmp_path / "state" / "default"
    directory.mkdir(parents=True)
    Latch(directory).engage("by hand")
    async with running(tape_settings(tmp_path, speed=PACE), leave_at_end=False) as there:
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        assert there.engine.context.pump.tape_offset < 100, "it does not wait for the end of the tape"
        assert there.now.account.fills == 0


async def test_an_engine_for_a_flatten_alone_ends_with_it(tmp_path):
    settings = tape_settings(tmp_path)
    await run_engine(settings, {101: lambda engine: engine.stop("enough", on_stop=OnStop.KEEP)})
    paper = market_settings(tmp_path, state_dir=tmp_path / "paper")
    for phase in (Phase.DISARMED, Phase.HALTED):
        async with engine_on(paper, until_flat=True) as engine:
            assert engine.snapshot().status.phase is phase
            engine.context.latch.engage("flatten --direct")
            async with asyncio.timeout(DEADLINE_S):
                report = await engine.run()
        assert report.exit_code == 0


async def test_an_engine_that_was_killed_while_flattening_goes_on_flattening(tmp_path):
    async with running(market_settings(tmp_path, simulated={"latency_ms": 300.0})) as there:
        await there.until(lambda snapshot: snapshot.ticks[0].price > 0)
        await there.done(Action.FLATTEN)
        assert there.now.status.phase is Phase.FLATTENING
        there.engine._dispatcher.stopped = True  # leave in the middle of it
        there.engine._end()
        await there.task
    async with running(market_settings(tmp_path)) as there:
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        assert not any(notice.kind == "refused" for notice in there.now.notices)


# what stays over a restart


@pytest.mark.parametrize("lost", ["the state", "the last moments", "nothing"])
async def test_pause_and_risk_mode_survive_whatever_else_is_lost(tmp_path, lost):
    """Both are in the database before they are acknowledged, and in the record a moment later."""
    settings = market_settings(tmp_path, arm=True)
    async with running(settings, checkpoints=False) as there:
        await there.until(lambda snapshot: snapshot.ticks[0].price > 0)
        there.engine.context.recorder.flush()
        await there.done(Action.PAUSE)
        await there.done(Action.RISK_MODE, "observe")
        if lost == "nothing":
            there.engine.context.recorder.flush()
        elif lost == "the last moments":
            there.engine.context.recorder.flush = lambda **_: None
        killed = copy_state(settings, tmp_path / "killed")
    if lost == "the state":
        shutil.rmtree(tmp_path / "killed" / "default" / "paper" / "records")
    async with running(killed) as there:
        assert bool(there.engine.context.resumed) is (lost != "the state")
        await there.until(lambda s: s.status.paused and s.status.risk_mode is RiskMode.OBSERVE)
        assert not any(notice.kind == "refused" for notice in there.now.notices)


async def test_a_halt_survives_though_its_latch_and_the_last_moments_are_lost(tmp_path):
    """A power cut may take a latch that a full disk kept unsynced; the database knows of the halt."""
    settings = market_settings(tmp_path)
    async with running(settings, checkpoints=False) as there:
        await there.until(lambda snapshot: snapshot.ticks[0].price > 0)
        there.engine.context.recorder.flush()
        there.engine.context.recorder.flush = lambda **_: None
        await there.done(Action.FLATTEN)
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        killed = copy_state(settings, tmp_path / "killed")
    (tmp_path / "killed" / "default" / "flatten.latch").unlink()
    async with running(killed) as there:
        assert there.engine.context.resumed
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)


async def test_a_restart_with_arm_arms_what_was_disarmed(tmp_path):
    await run_engine(market_settings(tmp_path, duration_s=0.05))
    async with running(market_settings(tmp_path, arm=True)) as there:
        assert there.engine.context.resumed
        await there.until(lambda snapshot: snapshot.status.phase is Phase.ARMED)


async def test_what_had_to_be_guessed_of_the_data_is_one_line_a_file_and_all_of_it_in_the_log(tmp_path):
    settings = tape_settings(tmp_path, bars=20)
    settings.data[0].path.with_suffix(".instrument.yaml").unlink()
    async with running(settings) as there:
        await there.task
        (told,) = (notice for notice in there.now.notices if notice.kind == "data")
        assert any("tick 0.1, from the prices" in line for line in there.log())
    assert told.level is NoticeLevel.INFO
    assert "trades as BTCUSDT, as --data says; derived: base, quote, tick," in told.text


# hot-reload


async def test_a_changed_play_swaps_and_a_broken_one_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(upkeep, "RELOAD_S", 0.01)
    async with running(market_settings(tmp_path)) as there:
        (row,) = there.now.reloads
        assert (row.play, row.generation, row.result) == ("restless", 1, "loaded")
        write_play(tmp_path, "restless", RESTLESS.replace("close > 0", "close > 1"))
        row = await there.until(lambda snapshot: snapshot.reloads[0].generation == 2 and snapshot.reloads[0])
        assert row.result == "swapped"
        write_play(tmp_path, "restless", RESTLESS.replace("close > 0", "close >"))
        row = await there.until(lambda snapshot: snapshot.reloads[0].failures and snapshot.reloads[0])
        assert (row.generation, row.result) == (2, "rejected")
        await there.until(lambda s: any("restless runs generation 2" in n.text for n in s.notices))


# engines beside and after each other


async def test_a_replay_leaves_the_paper_account_of_its_instance_as_it_was(tmp_path):
    paper = market_settings(tmp_path, arm=True, on_stop="keep")
    async with running(paper) as there:
        await there.until(lambda snapshot: snapshot.account.fills >= 2)
        await there.end()
        account = there.now.account
    replay = await run_engine(tape_settings(tmp_path, bars=60))
    assert replay.exit_code == 0
    async with engine_on(paper) as engine:
        assert engine.context.resumed
        assert engine.snapshot().account.fills == account.fills
        assert engine.snapshot().account.equity == account.equity


async def test_a_second_engine_on_the_same_state_is_refused_and_named(tmp_path):
    settings = waiting_tape(tmp_path)
    async with running(settings, leave_at_end=False) as there:
        with pytest.raises(LockHeldError, match="is in use by pid"):
            async with open_context(settings, headless=False):
                pytest.fail("nobody may enter")
        await there.done(Action.PAUSE)
    async with engine_on(settings):
        pass  # the lock went back with its engine


async def test_two_engines_in_one_process_do_not_see_each_other(tmp_path):
    tapes = [tape_settings(tmp_path, state_dir=tmp_path / name, bars=60) for name in ("one", "two")]
    async with running(tapes[0], leave_at_end=False) as one, running(tapes[1], leave_at_end=False) as two:
        for there in (one, two):
            await there.until(lambda snapshot: snapshot.status.data_ended)
        await one.done(Action.FLATTEN)
        await one.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        assert two.now.status.phase is Phase.ARMED
        assert not two.engine.context.latch.engaged()
        await two.done(Action.PAUSE)
        assert not one.now.status.paused
        assert two.log().count("session begins") == one.log().count("session begins") == 1
        await one.end()
        await two.done(Action.RESUME)


async def test_an_engine_gives_the_collector_back(tmp_path):
    assert gc.isenabled()
    async with after_the_tape(tmp_path):
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
