"""The dispatcher: intents are durable before they act; a failing disk stops entries and nothing else."""

import asyncio
from decimal import Decimal

import pytest

from engine.domain.commands import (
    CancelOrder,
    Command,
    FlattenEnded,
    Latch,
    Notice,
    NoticeLevel,
    SaveFill,
    SaveTransition,
    SaveVeto,
    SetTimer,
    Stopped,
    SubmitOrder,
    TransitionKind,
)
from engine.domain.events import Fault, FaultKind
from engine.domain.ids import OrderRole
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.domain.vetoes import veto
from engine.runtime import dispatch
from engine.runtime.dispatch import Dispatcher
from engine.storage.latch import Latch as LatchFile
from tests.builders import BTC, PLAY, T0, fill, request
from tests.unit.runtime.rig import Lines, MemoryJournal, eventually

ENTRY = SubmitOrder(request("entry"), increases=True)
CLOSE = SubmitOrder(request("close", role=OrderRole.EXIT, reduce_only=True), increases=False)
CANCEL = CancelOrder("entry", "v1", BTC)
ARMED = SaveTransition(T0, TransitionKind.PHASE, "disarmed", "armed", "me", "")
EVIDENCE = SaveFill(fill(), Position(play=PLAY, symbol=BTC))
VETO = SaveVeto(veto(Reason.ALREADY_SO, ts=T0, cycle_id="op@1"))
INTENTS = (ENTRY, CLOSE, CANCEL, ARMED)


class Desk:
    """A dispatcher with everything around it in memory, but for the latch file."""

    def __init__(self, folder):
        self.journal = MemoryJournal()
        self.latch = LatchFile(folder)
        self.log = Lines()
        self.reported: list[Fault] = []
        self.batches: list[tuple[Command, ...]] = []
        self.dispatcher = Dispatcher(
            journal=self.journal,
            latch=self.latch,
            log=self.log.logger,
            report=self._report,
            on_batch=self.batches.append,
        )

    def _report(self, event):
        self.reported.append(event)
        return True

    async def commit(self, *batch: Command):
        return await self.dispatcher.commit(batch, T0)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.mark.parametrize("intent", INTENTS)
async def test_an_intent_is_durable_before_commit_returns(desk, intent):
    assert await desk.commit(intent) == {}
    assert desk.journal.stored == [intent]
    assert desk.batches == [(intent,)]


async def test_evidence_joins_the_next_intent_in_order(desk):
    await desk.commit(EVIDENCE)
    await desk.commit(VETO)
    assert desk.journal.stored == []
    await desk.commit(ENTRY)
    assert desk.journal.stored == [EVIDENCE, VETO, ENTRY]
    assert desk.journal.commits == 1


async def test_evidence_is_stored_by_the_next_flush(desk):
    await desk.commit(EVIDENCE)
    assert await desk.dispatcher.flush(T0)
    assert await desk.dispatcher.flush(T0), "nothing waits"
    assert desk.journal.stored == [EVIDENCE]
    assert desk.journal.commits == 1


async def test_evidence_does_not_pile_up_past_its_bound(desk, monkeypatch):
    monkeypatch.setattr(dispatch, "WAITING_MAX", 3)
    for _ in range(3):
        await desk.commit(EVIDENCE)
    assert desk.journal.stored == [EVIDENCE] * 3


async def test_what_a_failing_disk_cannot_take_is_not_entered_and_reductions_pass(desk):
    desk.journal.broken = True
    refusals = await desk.commit(ENTRY, CLOSE, CANCEL)
    assert refusals == {"entry": Reason.NOT_JOURNALED}
    assert await desk.commit(CLOSE) == {}


async def test_a_failing_disk_is_reported_once_and_once_more_when_it_works_again(desk):
    desk.journal.broken = True
    for batch in ((ENTRY, CANCEL), (EVIDENCE,), (CLOSE,)):
        await desk.commit(*batch)
    (fault,) = desk.reported
    assert fault == Fault(T0, FaultKind.STORAGE, "nothing can be stored: the disk is full")
    assert not await desk.dispatcher.flush(T0)
    assert len(desk.reported) == 1
    desk.journal.broken = False
    assert await desk.commit(ENTRY) == {}
    assert desk.reported[1:] == [Fault(T0, FaultKind.STORAGE, "all that waited is stored", cleared=True)]
    assert desk.journal.stored == [ENTRY, CANCEL, EVIDENCE, CLOSE, ENTRY]
    assert desk.log.events == ["storage failed", "storage works again"]


async def test_a_disk_that_works_again_is_found_by_a_flush(desk):
    desk.journal.broken = True
    await desk.commit(CLOSE)
    desk.journal.broken = False
    assert await desk.dispatcher.flush(T0)
    assert desk.reported[-1].cleared
    assert desk.journal.stored == [CLOSE]


async def test_what_a_long_failure_must_let_go_is_said_and_never_called_stored(desk, monkeypatch):
    monkeypatch.setattr(dispatch, "WAITING_MAX", 3)
    desk.journal.broken = True
    closes = [SubmitOrder(request(f"c{number}"), increases=False) for number in range(5)]
    for close in closes:
        await desk.commit(close)
    desk.journal.broken = False
    await desk.dispatcher.flush(T0)
    assert desk.journal.stored == closes[2:]
    assert desk.reported[-1].cleared
    assert desk.reported[-1].text == "what waited is stored but for 2 of the oldest commands"


async def test_a_flush_that_is_given_up_loses_nothing(desk):
    await desk.commit(EVIDENCE)
    desk.journal.gate.clear()
    flushing = asyncio.ensure_future(desk.dispatcher.flush(T0))
    await asyncio.sleep(0)
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    desk.journal.gate.set()
    assert await desk.dispatcher.flush(T0)
    assert desk.journal.stored == [EVIDENCE]


async def test_an_intent_waits_for_a_flush_under_way_and_comes_after_it(desk):
    await desk.commit(EVIDENCE)
    desk.journal.gate.clear()
    flushing = asyncio.ensure_future(desk.dispatcher.flush(T0))
    committing = asyncio.ensure_future(desk.commit(ENTRY))
    await asyncio.sleep(0)
    assert not committing.done()
    desk.journal.gate.set()
    assert await flushing
    assert await committing == {}
    assert desk.journal.stored == [EVIDENCE, ENTRY]


async def test_a_set_latch_holds_back_entries_and_lets_reductions_pass(desk):
    desk.latch.engage("by hand")
    assert await desk.commit(ENTRY, CLOSE) == {"entry": Reason.LATCHED}
    assert await desk.commit(CANCEL) == {}
    desk.latch.release()
    assert await desk.commit(ENTRY) == {}


async def test_the_core_sets_and_removes_the_latch(desk):
    await desk.commit(Latch(engaged=True, text="flatten by me"))
    assert desk.latch.engaged()
    assert desk.latch.text() == "flatten by me"
    await desk.commit(Latch(engaged=False))
    assert not desk.latch.engaged()


async def test_a_latch_is_set_before_anything_waits_for_the_disk(desk):
    desk.journal.gate.clear()
    committing = asyncio.ensure_future(desk.commit(Latch(engaged=True), CANCEL))
    await eventually(desk.latch.engaged)
    assert not committing.done()
    desk.journal.gate.set()
    await committing


async def test_a_latch_that_cannot_be_set_is_said_and_holds_back_nothing(tmp_path):
    desk = Desk(tmp_path / "gone")
    assert await desk.commit(Latch(engaged=True), CANCEL) == {}
    assert desk.log.events == ["the latch could not be changed"]
    assert desk.journal.stored == [CANCEL]


async def test_notices_wait_for_no_disk(desk):
    for level in NoticeLevel:
        await desk.commit(Notice(T0, level, f"kind {level}", "text"))
    assert desk.journal.commits == 0


async def test_the_end_of_a_flatten_and_of_a_stop_are_kept_for_the_exit(desk):
    assert desk.dispatcher.flatten_ended is None
    assert not desk.dispatcher.stopped
    ended = FlattenEnded(T0, False, ("position BTCUSDT 1",), Decimal(30_000))
    await desk.commit(ended, SetTimer("x", 1), Stopped(T0))
    assert desk.dispatcher.flatten_ended == ended
    assert desk.dispatcher.stopped
