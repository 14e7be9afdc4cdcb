"""A start goes on where the last one stopped, wherever that was; what cannot be used is kept and said."""

import asyncio
import re
import time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.core.snapshot import AccountSection, Phase
from engine.domain.events import Action
from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.runtime.beginning import ENGINE_ACTOR
from engine.runtime.factory import Source
from engine.runtime.session import decode_state, encode_state
from engine.storage.checkpoints import DAMAGED_SUFFIX, CheckpointStore
from engine.storage.orders import OrderRepository
from tests.unit.runtime.rig import (
    copy_state,
    engine_on,
    eventually,
    market_settings,
    run_engine,
    tape_settings,
    write_play,
    write_tape,
)

BARS = 300


def at_rest(engine):
    """Write what a record holds so far: all of it survives a kill from here on."""
    engine.context.pump.mark_tape()
    engine.context.recorder.flush()


def checkpoint(engine):
    """Save a checkpoint as the engine itself does."""
    at_rest(engine)
    context = engine.context
    state = context.pump.state(context.session, context.config.shape, context.source.files)
    context.checkpoints.save(context.pump.sequence, context.clock.now(), encode_state(state))


def ask(action, argument="", reason=""):
    """Return a hook that puts an operator's command in line."""
    return lambda engine: engine._commands.post(action, "me", reason, argument)


class Killed:
    """A run that is killed before some event; `settings` are those of a start on what is left."""

    def __init__(self, settings, folder):
        self._settings, self._folder = settings, folder
        self.settings = settings

    def __call__(self, engine):
        self.settings = copy_state(self._settings, self._folder)

    @property
    def directory(self):
        return self.settings.state_dir / self.settings.instance

    @property
    def home(self):
        return self.directory / self.settings.mode.value

    @property
    def record(self):
        """The newest session's record."""
        return max((self.home / "records").iterdir())


async def killed_at(tmp_path, offset, hooks=None, *, checkpoints=False, **changes):
    """Play a tape and return what a kill before the event at `offset` leaves."""
    settings = tape_settings(tmp_path, **changes)
    killed = Killed(settings, tmp_path / f"killed{offset}")
    report = await run_engine(settings, (hooks or {}) | {offset: killed}, checkpoints=checkpoints)
    assert report.exit_code == 0, report
    assert killed.settings is not settings
    return killed


async def straight(tmp_path, hooks=None, **changes):
    """Play the same tape without a break; return what it came to."""
    settings = tape_settings(tmp_path, state_dir=tmp_path / "straight", **changes)
    report = await run_engine(settings, hooks)
    assert report.run is not None
    assert report.run.trades > 10
    return report.run


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """What the tape comes to without a break."""
    return asyncio.run(straight(tmp_path_factory.mktemp("whole")))


async def resumed(settings, **options):
    """Start on what is left; return the notes of the start and what the run came to."""
    async with engine_on(settings, **options) as engine:
        report = await engine.run()
        return engine.context, report.run


LINE = 1  # what is told of the file, before its first event


def went_on(context):
    """Return how many events a run goes on from, and how many of them it handled again, as its note says."""
    found = re.search(r"goes on from session (\w+): (\d+) .* checkpoint, (\d+) handled", context.notes[-1])
    assert found is not None, context.notes
    assert found[1] == context.resumed
    return int(found[2]), int(found[3])


def same(run, other):
    return (run.signal_hash, run.trade_hash, run.final_equity, run.orders, run.bars) == (
        other.signal_hash,
        other.trade_hash,
        other.final_equity,
        other.orders,
        other.bars,
    )


# what is gone on from


async def test_a_first_start_begins_fresh_and_has_nothing_to_say(tmp_path):
    async with engine_on(tape_settings(tmp_path)) as engine:
        assert (engine.context.resumed, engine.context.notes) == ("", ())
        assert engine.context.pump.sequence == 0


@pytest.mark.parametrize("offset", [1, 2, 29, 113, 200, BARS - 1])
async def test_a_run_that_is_killed_anywhere_comes_to_the_same_as_a_straight_one(tmp_path, whole, offset):
    killed = await killed_at(tmp_path, offset, checkpoints=True, runtime={"checkpoint_s": 0.03})
    context, run = await resumed(killed.settings)
    assert context.resumed
    assert same(run, whole)


async def test_a_run_goes_on_from_its_checkpoint_and_its_records_tail(tmp_path, whole):
    killed = await killed_at(tmp_path, 151, {80: checkpoint, 150: at_rest})
    context, run = await resumed(killed.settings)
    assert went_on(context) == (LINE + 80, 70)
    assert same(run, whole)


async def test_a_run_without_a_checkpoint_goes_on_from_its_record_alone(tmp_path, whole):
    killed = await killed_at(tmp_path, 151, {150: at_rest})
    context, run = await resumed(killed.settings)
    assert went_on(context) == (0, LINE + 150)
    assert same(run, whole)


async def test_a_run_may_be_killed_again_and_again(tmp_path, whole):
    killed = await killed_at(tmp_path, 60, {59: at_rest})
    for offset in (61, 130, 131, 240):
        settings = killed.settings
        killed = Killed(settings, tmp_path / f"again{offset}")
        await run_engine(settings, {offset - 1: at_rest, offset: killed})
    context, run = await resumed(killed.settings)
    assert context.resumed
    assert same(run, whole)


async def test_a_damaged_checkpoint_is_set_aside_and_an_older_one_used(tmp_path, whole):
    killed = await killed_at(tmp_path, 151, {80: checkpoint, 120: checkpoint, 150: at_rest})
    newest = max((killed.home / "checkpoints").glob("*.checkpoint"))
    newest.write_bytes(newest.read_bytes()[:-7])
    context, run = await resumed(killed.settings)
    assert newest.with_name(newest.name + DAMAGED_SUFFIX).exists()
    assert "is damaged" in context.notes[0]
    assert went_on(context) == (LINE + 80, 70)
    assert same(run, whole)


async def test_a_checkpoint_whose_state_cannot_be_read_is_passed_over_for_the_record(tmp_path, whole):
    killed = await killed_at(tmp_path, 151, {150: at_rest})
    CheckpointStore(killed.home / "checkpoints").save(120, 10**18 * 2, b"what an older version wrote")
    context, run = await resumed(killed.settings)
    assert any("passed over" in note for note in context.notes)
    assert went_on(context) == (0, LINE + 150)
    assert same(run, whole)


async def test_a_torn_tail_is_cut_and_said(tmp_path, whole):
    written = 0

    def until_here(engine):
        nonlocal written
        at_rest(engine)
        written = engine.context.recorder.size_bytes

    killed = await killed_at(tmp_path, 151, {80: checkpoint, 110: until_here, 150: at_rest})
    header, tail = sorted(killed.record.glob("*.segment"))
    tail.write_bytes(tail.read_bytes()[: written - header.stat().st_size + 5])
    context, run = await resumed(killed.settings)
    assert any("torn tail was cut" in note for note in context.notes)
    assert went_on(context) == (LINE + 80, 30)
    assert same(run, whole)


async def test_a_record_that_is_lost_leaves_the_checkpoint(tmp_path, whole):
    killed = await killed_at(tmp_path, 151, {80: checkpoint, 150: at_rest})
    for path in killed.record.iterdir():
        path.unlink()
    context, run = await resumed(killed.settings)
    assert any("the record's tail is lost" in note for note in context.notes)
    assert went_on(context) == (LINE + 80, 0)
    assert same(run, whole)


async def test_a_gap_in_the_record_ends_what_is_handled_again(tmp_path, whole):
    def fill_the_disk(engine):
        engine.context.recorder._free_bytes_min = 10**18

    hooks = {80: checkpoint, 110: at_rest, 111: fill_the_disk, 150: at_rest}
    killed = await killed_at(tmp_path, 151, hooks)
    context, run = await resumed(killed.settings)
    assert any("has a gap" in note for note in context.notes)
    assert went_on(context) == (LINE + 80, 30)
    assert same(run, whole)


async def test_a_record_that_goes_on_after_a_full_disk_is_handled_again_up_to_the_gap(tmp_path):
    """The gap lies before the checkpoint that made the record go on, and what followed at once is missing."""

    def fill_the_disk(engine):
        engine.context.recorder._free_bytes_min = 10**18

    def free_the_disk(engine):
        engine.context.recorder._free_bytes_min = 0
        engine.context.recorder.prune(82)

    hooks = {
        60: ask(Action.PAUSE),
        70: fill_the_disk,
        75: at_rest,
        80: checkpoint,
        81: ask(Action.RESUME),
        90: free_the_disk,
        100: ask(Action.PAUSE),
        150: at_rest,
    }
    killed = await killed_at(tmp_path, 151, hooks)
    context, _ = await resumed(killed.settings)
    assert any("the record has a gap at event" in note for note in context.notes), context.notes
    assert context.resumed


async def test_without_a_checkpoint_a_damaged_record_means_a_fresh_start(tmp_path, whole):
    killed = await killed_at(tmp_path, 151, {110: at_rest, 150: at_rest})
    first = min(killed.record.glob("*.segment"))
    first.write_bytes(b"\xff" * len(first.read_bytes()))
    context, run = await resumed(killed.settings)
    assert context.resumed == ""
    assert any("was passed over" in note for note in context.notes)
    assert same(run, whole)


async def test_a_record_that_does_not_follow_its_checkpoint_leaves_the_checkpoint(tmp_path, whole):
    killed = await killed_at(tmp_path, 151, {40: checkpoint, 80: ask(Action.PAUSE), 150: at_rest})
    change_checkpoint(killed.directory, lambda state: msgspec.structs.replace(state, sequence=7))
    context, run = await resumed(killed.settings)
    assert context.resumed
    assert "the record has a gap at event 8" in context.notes
    assert same(run, whole)


def change_checkpoint(directory, change):
    """Put a changed state in the place of all checkpoints of an instance that ran in one mode."""
    (checkpoints,) = directory.glob("*/checkpoints")
    store = CheckpointStore(checkpoints)
    found = store.load_newest(0).checkpoint
    assert found is not None
    for path in store.directory.iterdir():
        path.unlink()
    state = change(decode_state(found.payload))
    store.save(state.sequence, found.created, encode_state(state))


async def test_a_session_whose_record_was_never_begun_hides_no_older_one(tmp_path, whole):
    """A crash while a record's first bytes are written: the session before it is still gone on with."""
    killed = await killed_at(tmp_path, 151, {80: checkpoint, 150: at_rest})
    torn = killed.record.with_name("szzzzzzzzz")
    torn.mkdir()
    (torn / "000000.segment").write_bytes(b"")
    context, run = await resumed(killed.settings)
    assert went_on(context) == (LINE + 80, 70)
    assert same(run, whole)


# what is not gone on from


async def test_other_plays_begin_fresh_beside_the_old_session(tmp_path):
    killed = await killed_at(tmp_path, 151, {150: at_rest})
    other = killed.settings.model_copy(update={"plays": (write_play(tmp_path, "other"),)})
    context, run = await resumed(other)
    assert context.resumed == ""
    assert any("ran with other plays, data or rules" in note for note in context.notes)
    assert run.play == "other"


async def test_other_data_begin_fresh_beside_the_old_session(tmp_path):
    killed = await killed_at(tmp_path, 151, {150: at_rest})
    write_tape(tmp_path, BARS, seed=1).write_text(write_tape(tmp_path, BARS, seed=2).read_text())
    context, run = await resumed(killed.settings)
    assert context.resumed == ""
    assert any("ran with other plays, data or rules" in note for note in context.notes)
    assert run.bars == BARS


async def test_a_tape_that_was_played_to_its_end_begins_anew(tmp_path):
    settings = tape_settings(tmp_path)
    first = await run_engine(settings)
    context, run = await resumed(settings)
    assert (context.resumed, context.notes) == ("", ())
    assert first.run is not None
    assert same(run, first.run)


async def test_a_tape_that_ended_begins_anew_also_where_its_last_checkpoint_is_lost(tmp_path):
    settings = tape_settings(tmp_path)
    first = await run_engine(settings, {80: checkpoint}, checkpoints=False)
    checkpoints = tmp_path / "state" / "default" / "replay" / "checkpoints"
    max(checkpoints.glob("*.checkpoint")).unlink()
    context, run = await resumed(settings)
    assert context.resumed == ""
    assert first.run is not None
    assert same(run, first.run)


# under which settings the past is handled again


async def test_commands_of_the_tail_are_handled_again(tmp_path):
    hooks = {50: ask(Action.ARM, "zigzag"), 90: ask(Action.PAUSE), 120: ask(Action.RESUME)}
    killed = await killed_at(tmp_path, 151, hooks | {150: at_rest}, arm=False)
    armed = killed.settings.model_copy(update={"arm": True})
    context, run = await resumed(armed)
    assert went_on(context) == (0, LINE + 150 + 3), "commands are events, too"
    assert same(run, await straight(tmp_path, hooks, arm=False))


@pytest.mark.parametrize("with_checkpoint", [True, False])
async def test_the_past_is_handled_again_under_the_settings_it_had(tmp_path, whole, with_checkpoint):
    """Stricter limits at a restart must not undo orders that were sent under the old ones."""
    hooks = {80: checkpoint} if with_checkpoint else {}
    killed = await killed_at(tmp_path, 151, hooks | {150: at_rest})
    strict = killed.settings.limits.model_copy(update={"order_notional_max": Decimal(10)})
    async with engine_on(killed.settings.model_copy(update={"limits": strict})) as engine:
        before = engine.context.loop.machine.desk.sequence
        assert before > 50
        assert engine.context.config.setup.limits.order_notional_max == 10
        assert engine.context.loop.machine.setup.limits.order_notional_max == 10
        report = await engine.run()
    assert report.run is not None
    assert before <= report.run.orders < whole.orders, "the present limits count from here on"


@pytest.mark.parametrize("goes_through_checkpoint", [True, False])
async def test_what_a_real_account_made_is_not_counted_twice(tmp_path, monkeypatch, goes_through_checkpoint):
    """The venue's balance at a restart holds the profits of the session that is gone on with."""
    configure, balance = Source.configure, Decimal(10_000)

    def on_account(self, birth_s):
        config = configure(self, birth_s)
        setup = msgspec.structs.replace(config.setup, start_equity=balance)
        return msgspec.structs.replace(config, setup=setup, orders="local")

    monkeypatch.setattr(Source, "configure", on_account)
    killed = await killed_at(tmp_path, 200, {150: checkpoint if goes_through_checkpoint else at_rest})
    balance = Decimal(9_000)
    async with engine_on(killed.settings) as engine:
        assert went_on(engine.context)
        assert engine.context.loop.machine.ledger.start_equity == 10_000
        assert engine.context.config.setup.start_equity == 10_000, "so says the next session's record"
        again = copy_state(killed.settings, tmp_path / "again")
    balance = Decimal(8_000)
    async with engine_on(again) as engine:
        assert engine.context.loop.machine.ledger.start_equity == 10_000


async def test_a_restart_without_arm_goes_on_disarmed_and_says_so(tmp_path):
    killed = await killed_at(tmp_path, 151, {150: at_rest})
    async with engine_on(killed.settings.model_copy(update={"arm": False})) as engine:
        before = engine.context.loop.machine.desk.sequence
        await engine.run()
        snapshot = engine.snapshot()
    assert snapshot.status.phase is Phase.DISARMED
    assert any(f"by {ENGINE_ACTOR} (a restart without --arm" in notice.text for notice in snapshot.notices)
    assert engine.context.loop.machine.desk.sequence <= before + 1, "only an exit may follow"


async def test_refusals_of_the_dispatcher_are_handled_again_as_they_were(tmp_path):
    hooks = {
        100: lambda engine: engine.context.latch.engage("somebody else"),
        140: lambda engine: engine.context.latch.release(),
    }
    killed = await killed_at(tmp_path, 151, {80: checkpoint, 150: at_rest} | hooks)
    context, run = await resumed(killed.settings)
    assert went_on(context) == (LINE + 80, 70)
    assert same(run, await straight(tmp_path, hooks))


# an account lives on


async def trading(engine, fills):
    """Wait until an engine has traded so often."""
    await eventually(lambda: engine.snapshot().account.fills >= fills)


async def test_a_paper_account_goes_on_after_an_orderly_end(tmp_path):
    settings = market_settings(tmp_path, arm=True)
    accounts: list[AccountSection] = []
    for number in range(2):
        async with engine_on(settings) as engine:
            if accounts:
                start = engine.snapshot().account
                assert (start.fills, start.realized) == (accounts[-1].fills, accounts[-1].realized)
                assert engine.context.resumed
            await run_until(engine, lambda engine=engine, number=number: trading(engine, 3 * (number + 1)))
            accounts.append(engine.snapshot().account)
    assert accounts[1].fills > accounts[0].fills


async def run_until(engine, met):
    """Run an engine until something holds, then stop it in order."""
    async with asyncio.timeout(30):
        task = asyncio.ensure_future(engine.run())
        await met()
        engine.stop("enough")
        report = await task
    assert report.exit_code == 0, report


async def stored_ids(context):
    async with context.archive.database.reader() as reader:
        return [order.client_id for order in await OrderRepository(reader).newest()]


async def test_ids_never_repeat_over_starts_in_one_second(tmp_path):
    """Every fresh start has a birth of its own, however fast one follows the other."""
    settings = tape_settings(tmp_path, bars=40)
    births = set()
    for _ in range(4):
        async with engine_on(settings) as engine:
            await engine.run()
            births.add(engine.context.config.setup.birth_s)
            ids = await stored_ids(engine.context)
    assert len(births) == 4
    assert len({client_id[:13] for client_id in ids}) == 4


async def test_ids_never_repeat_where_the_journal_knows_more_than_the_record(tmp_path):
    """Orders of the last moments before a kill are in the journal, and not yet in the record."""
    settings = market_settings(tmp_path, arm=True)
    killed = Killed(settings, tmp_path / "killed")
    async with engine_on(settings) as engine:

        async def until_killed():
            await trading(engine, 2)
            killed(engine)

        await run_until(engine, until_killed)
    for path in killed.record.glob("*.segment"):
        if path.stem != "000000":
            path.unlink()  # all that came after the start
    async with engine_on(killed.settings) as engine:
        before = await stored_ids(engine.context)
        assert before
        await run_until(engine, lambda: trading(engine, engine.snapshot().account.fills + 2))
        after = await stored_ids(engine.context)
    assert len(after) == len(set(after))
    assert engine.context.loop.machine.desk.sequence > len(before)


async def test_time_that_nobody_ran_is_not_run_through_second_by_second(tmp_path):
    settings = market_settings(tmp_path)
    async with engine_on(settings) as engine:
        await run_until(engine, lambda: eventually(lambda: engine.context.pump.sequence > 5))
    change_checkpoint(tmp_path / "state" / "default", _ten_days_older)
    async with engine_on(settings) as engine:
        begun = engine.context.pump.sequence
        await run_until(engine, lambda: eventually(lambda: engine.context.pump.sequence > begun + 5))
        record = Path(engine.context.stores.records.place(engine.context.session))
    decisions = sum(file.stat().st_size for file in record.glob("*.segment"))  # noqa: ASYNC240 - it ended
    assert decisions < 50_000, "one decision a second of ten days takes a megabyte"


async def test_a_clock_set_back_during_a_run_stops_neither_market_nor_timers(tmp_path, monkeypatch):
    of_day = time.time_ns
    settings = market_settings(tmp_path)
    async with engine_on(settings) as engine:
        pump = engine.context.pump

        async def set_back():
            await eventually(lambda: pump.sequence > 5)
            stood_at, events = pump.now, engine.snapshot().feeds[0].events
            monkeypatch.setattr(time, "time_ns", lambda: of_day() - 3_600 * NS_PER_S)
            await eventually(lambda: engine.snapshot().feeds[0].events > events + 5)
            await eventually(lambda: pump.now > stood_at + NS_PER_S)

        await run_until(engine, set_back)
        due = engine.context.loop.next_at()
        assert due is not None
        assert due < pump.now + 60 * NS_PER_S


async def test_a_clock_set_back_between_starts_goes_on_from_where_the_session_stood(tmp_path, monkeypatch):
    of_day = time.time_ns
    settings = market_settings(tmp_path)
    async with engine_on(settings) as engine:
        await run_until(engine, lambda: eventually(lambda: engine.context.pump.sequence > 5))
        stood_at, session = engine.context.pump.now, engine.context.session
    monkeypatch.setattr(time, "time_ns", lambda: of_day() - 3_600 * NS_PER_S)
    async with engine_on(settings) as engine:
        assert engine.context.session > session, "sessions stay in order"
        begun = engine.context.pump.sequence
        await run_until(engine, lambda: eventually(lambda: engine.context.pump.sequence > begun + 5))
        assert engine.context.pump.now > stood_at
    assert any("behind the last session" in note for note in engine.context.notes)


def _ten_days_older(state):
    timers = tuple((timer_id, at - 10 * NS_PER_DAY) for timer_id, at in state.loop.timers)
    assert timers
    loop = msgspec.structs.replace(state.loop, timers=timers)
    return msgspec.structs.replace(state, loop=loop, now=state.now - 10 * NS_PER_DAY)
