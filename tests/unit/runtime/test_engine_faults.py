"""What breaks an engine, and what it does about it: disks, tasks, stalls, jams."""

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec

from engine.config.packaged import socket_path
from engine.core.snapshot import Phase
from engine.core.trading import Trading
from engine.domain.errors import StorageError
from engine.domain.events import Action, Fault, FaultKind
from engine.domain.modes import Holder, RiskMode, Rung
from engine.domain.reasons import Reason
from engine.runtime import upkeep
from engine.runtime.context import open_context
from engine.runtime.engine import Engine
from engine.runtime.link import SocketLink
from engine.runtime.session import decode_state
from engine.storage.sessions import newest_sessions
from tests.unit.runtime.rig import (
    DEADLINE_S,
    engine_on,
    eventually,
    market_settings,
    run_engine,
    tape_settings,
)
from tests.unit.runtime.running import Running, after_the_tape, running, waiting_tape


class BrokenError(Exception):
    """What nobody foresaw."""


async def test_a_task_that_breaks_ends_the_engine_in_order_with_its_cause(tmp_path, monkeypatch):
    async def fail(_self):
        raise BrokenError("the heart stood still")

    monkeypatch.setattr(upkeep.Upkeep, "_beat", fail)
    async with running(market_settings(tmp_path)) as there:
        report = await there.task
        assert (report.exit_code, report.text) == (1, "BrokenError: the heart stood still")
        assert there.log()[-1] == "the engine broke"
        assert "the heart stood still" in there.log_lines()[-1]["exception"]
        async with there.engine.context.archive.database.reader() as reader:
            (session,) = await newest_sessions(reader, 1)
        assert session.ended is None, "the next start takes it for what it was"


async def test_consoles_are_told_what_broke_the_engine(tmp_path):
    async with running(market_settings(tmp_path)) as there:
        await there.until(lambda snapshot: snapshot.ticks[0].price > 0)
        link = await SocketLink.connect(
            socket_path(there.engine.context.directory), actor="test", instance="default"
        )

        def fail(_batch):
            raise BrokenError("no good")

        there.engine._commands.on_batch = fail
        there.engine.flatten("me")
        report = await there.task
        assert " broke the engine: BrokenError: no good. The next start" in report.text
        goodbye = await eventually(lambda: link.goodbye)
        assert (goodbye.exit_code, goodbye.text) == (1, report.text)
        await link.close()


class Poison:
    """A bar that breaks the core, each time it comes."""

    def __init__(self, monkeypatch):
        self.wanted, poisoned, on_bar = False, None, Trading.on_bar

        def take(trading, bar, now):
            nonlocal poisoned
            if self.wanted and poisoned is None:
                poisoned = bar.ts
            if bar.ts == poisoned:
                raise AssertionError("the books do not add up")
            on_bar(trading, bar, now)

        monkeypatch.setattr(Trading, "on_bar", take)


async def test_a_core_that_breaks_cancels_its_entries_and_comes_back_without_what_broke_it(
    tmp_path, monkeypatch
):
    poison = Poison(monkeypatch)
    settings = market_settings(tmp_path, arm=True, simulated={"latency_ms": 3_000.0})
    async with running(settings) as there:
        context = there.engine.context
        asked = []
        monkeypatch.setattr(context.loop.venue, "cancel", lambda client_id, *_: asked.append(client_id))
        (entry,) = await there.until(lambda snapshot: snapshot.orders)
        poison.wanted = True
        report = await there.task
        broken = context.pump.sequence
    assert report.exit_code == 1
    assert report.text == (
        f"event {broken} broke the engine: AssertionError: the books do not add up. "
        "Asked the venue to cancel 1 working entries. The next start begins in risk mode OBSERVE."
    )
    assert asked == [entry.client_id]
    async with running(settings) as there:
        assert any(f"event {broken} was left out: it broke" in note for note in there.engine.context.notes)
        assert there.engine.context.pump.sequence >= broken - 1
        now = await there.until(lambda s: s.status.risk_mode is RiskMode.OBSERVE and s)
        assert now.status.rung == Rung.HOLD
        assert all(
            order.cancel_requested for order in there.engine.context.loop.machine.desk.book.open_orders()
        )


async def test_a_tape_that_breaks_the_core_does_so_each_time_and_is_told(tmp_path, monkeypatch):
    Poison(monkeypatch).wanted = True
    settings = tape_settings(tmp_path, bars=20)
    for _ in range(2):
        report = await run_engine(settings)
        assert report.exit_code == 1
        assert "broke the engine: AssertionError: the books do not add up" in report.text


async def test_a_core_that_breaks_while_nothing_can_be_stored_says_so(tmp_path, monkeypatch):
    poison = Poison(monkeypatch)
    async with on_a_failing_disk(market_settings(tmp_path)) as (there, journal):
        await there.until(lambda snapshot: snapshot.ticks[0].price > 0)
        journal.broken = poison.wanted = True
        report = await there.task
    assert report.text.endswith("could not be stored (no space left): start without --arm.")


async def test_an_error_that_people_know_is_told_in_its_own_words(tmp_path, monkeypatch):
    async def fail(_self):
        raise StorageError("/x: the disk is gone. Mount it.")

    monkeypatch.setattr(upkeep.Upkeep, "_probe_lag", fail)
    report = await run_engine(market_settings(tmp_path))
    assert (report.exit_code, report.text) == (1, "/x: the disk is gone. Mount it.")


async def test_a_socket_that_cannot_be_made_ends_the_engine(tmp_path):
    settings = tape_settings(tmp_path)
    async with engine_on(settings) as engine:
        path = socket_path(engine.context.directory)
        path.mkdir()
        try:
            report = await engine.run()
        finally:
            path.rmdir()
    assert report.exit_code == 1
    assert report.run is not None
    assert report.run.events == 0


class FailingJournal:
    """A journal in front of the real one, whose disk fails when told."""

    def __init__(self, journal):
        self._journal, self.broken = journal, False

    async def commit(self, commands):
        if self.broken:
            raise StorageError("no space left")
        await self._journal.commit(commands)


@asynccontextmanager
async def on_a_failing_disk(settings, **options):
    """Run an engine whose journal a test can break."""
    async with asyncio.timeout(DEADLINE_S), open_context(settings, headless=False) as context:
        journal = FailingJournal(context.journal)
        stores = msgspec.structs.replace(context.stores, journal=journal)
        engine = Engine(replace(context, stores=stores), **options)
        there = Running(engine, asyncio.ensure_future(engine.run()))
        try:
            yield there, journal
        finally:
            journal.broken = False
            await there.end()


async def test_while_the_disk_fails_nothing_is_entered_and_reductions_pass(tmp_path):
    async with on_a_failing_disk(market_settings(tmp_path, arm=True)) as (there, journal):
        await there.until(lambda snapshot: any(position.qty for position in snapshot.positions))
        journal.broken = True
        await there.until(lambda s: "fault:storage" in [alarm.id for alarm in s.alarms])
        await there.done(Action.FLATTEN)
        await there.until(lambda snapshot: snapshot.status.phase is Phase.HALTED)
        assert not any(position.qty for position in there.now.positions)
        orders = there.now.account.fills
        await there.done(Action.ARM, "restless", "to see that nothing is entered")
        await there.until(lambda s: s.signals and s.signals[-1].reason == Reason.LADDER)
        assert there.now.account.fills == orders
        journal.broken = False
        await there.until(lambda snapshot: not snapshot.alarms)
        await there.until(lambda snapshot: any(position.qty for position in snapshot.positions))


async def test_what_cannot_be_stored_at_the_end_is_left_to_the_next_start(tmp_path):
    settings = market_settings(tmp_path, arm=True)
    async with on_a_failing_disk(settings) as (there, journal):
        await there.until(lambda snapshot: snapshot.account.fills >= 1)
        journal.broken = True
        report = await there.end()
        fills = there.now.account.fills
        assert report.exit_code == 1
        assert "could not be stored" in report.text
    async with engine_on(settings) as engine:
        assert engine.snapshot().account.fills == fills
        assert any("handled again" in note for note in engine.context.notes)


async def test_a_checkpoint_that_cannot_be_written_is_said_and_the_engine_goes_on(tmp_path):
    settings = waiting_tape(tmp_path, runtime={"checkpoint_s": 0.02})
    async with running(settings, leave_at_end=False) as there:
        await there.until(lambda snapshot: snapshot.health.checkpoint_age_s >= 0)
        checkpoints = there.engine.context.checkpoints.directory
        checkpoints.rename(checkpoints.with_name("elsewhere"))
        checkpoints.write_text("no directory")
        await eventually(lambda: "checkpoint failed" in there.log())
        await there.done(Action.PAUSE)
        report = await there.end()
    assert report.exit_code == 0
    assert "the last checkpoint failed" in there.log()


async def test_a_checkpoint_on_its_way_is_not_overtaken_by_the_last_one(tmp_path):
    """Else a session that ended in order would be taken for one that broke off."""
    saving, go_on = threading.Event(), threading.Event()
    async with running(waiting_tape(tmp_path), leave_at_end=False) as there:
        store = there.engine.context.checkpoints
        save = store.save

        def slow(sequence, now, payload):
            if not saving.is_set():
                saving.set()
                assert go_on.wait(10)
            return save(sequence, now, payload)

        store.save = slow
        await eventually(saving.is_set)
        ending = asyncio.ensure_future(there.end())
        await eventually(there.engine._ended.is_set)
        await asyncio.sleep(0)
        go_on.set()
        assert (await ending).exit_code == 0
        found = store.load_newest(there.engine.context.clock.now()).checkpoint
    assert found is not None
    assert decode_state(found.payload).ended


async def test_no_checkpoint_rests_on_what_could_not_be_stored(tmp_path):
    settings = market_settings(tmp_path, arm=True, runtime={"checkpoint_s": 0.02})
    async with on_a_failing_disk(settings) as (there, journal):
        await there.until(lambda snapshot: snapshot.account.fills >= 1)
        journal.broken = True
        await eventually(lambda: "checkpoint put off" in there.log())
        before = sorted(there.engine.context.checkpoints.directory.iterdir())
        await asyncio.sleep(0.1)
        assert sorted(there.engine.context.checkpoints.directory.iterdir()) == before


async def test_a_record_that_stops_and_goes_on_is_said(tmp_path):
    async with after_the_tape(tmp_path, runtime={"checkpoint_s": 0.05}) as there:
        recorder = there.engine.context.recorder
        free_bytes_min, recorder._free_bytes_min = recorder._free_bytes_min, 10**18
        await there.done(Action.PAUSE)
        await there.until(lambda s: any("record stopped: only" in n.text for n in s.notices))
        recorder._free_bytes_min = free_bytes_min
        await there.until(lambda s: any("record goes on" in n.text for n in s.notices))


async def test_a_stall_is_raised_and_over(tmp_path):
    async with after_the_tape(tmp_path) as there:
        there.engine.report_stall("the loop stood still for 3 s")
        await there.until(lambda snapshot: any("stall works again" in n.text for n in snapshot.notices))
        assert there.now.alarms == ()


async def test_a_fault_holds_the_rung_until_it_is_over(tmp_path):
    async with after_the_tape(tmp_path) as there:
        now = there.engine.context.pump.now
        there.engine._offer(Fault(now, FaultKind.OVERFLOW, "too much"))
        await there.until(lambda snapshot: Holder.FAULT in [hold.holder for hold in snapshot.status.holds])
        there.engine._offer(Fault(now, FaultKind.OVERFLOW, "less", cleared=True))
        await there.until(lambda snapshot: not snapshot.status.holds)
