"""The pump: it numbers, records, stores and fingerprints what the loop decides, one event at a time."""

import asyncio

import pytest

from engine.core.machine import Machine
from engine.domain.commands import SaveOrder, SaveVeto, SubmitOrder
from engine.domain.errors import CheckpointError
from engine.domain.events import Action, OrderRejected, Recalled, Woken
from engine.domain.market import NS_PER_S
from engine.domain.reasons import Reason
from engine.runtime.loop import Loop
from engine.runtime.pump import NO_FINGERPRINT, Pump, is_market
from engine.runtime.session import decode_state, encode_state
from engine.storage.codec import Consumed, Effects, Tape
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import ENTER_LONG, EXIT_LONG, QUIET, STEP, T0, bar, control, fill, quote, setup, trade
from tests.unit.runtime.rig import Committed, MemoryRecorder

LATENCY_NS = 5 * NS_PER_S
CLOSES = (QUIET, ENTER_LONG, QUIET, EXIT_LONG, QUIET)
BARS = tuple(bar(close, T0 + number * STEP) for number, close in enumerate(CLOSES, start=1))


class Desk:
    """A pump on a real machine and a venue that answers after five seconds."""

    def __init__(self, **options):
        facts = setup(**options)
        venue = SimulatedVenue(facts.instruments, SimulatedConfig(latency_ns=LATENCY_NS))
        self.loop = Loop(Machine(facts), venue)
        self.dispatcher, self.recorder = Committed(), MemoryRecorder()
        self.pump = Pump(self.loop, dispatcher=self.dispatcher, recorder=self.recorder)

    @property
    def submitted(self):
        """The orders that were asked for, with the time at which each was."""
        return [(now, c.request.role.value) for now, c in self.commands() if isinstance(c, SubmitOrder)]

    def commands(self):
        """All that was decided, with the time at which it was."""
        return [(now, command) for now, batch in self.dispatcher.batches for command in batch]

    def state(self):
        return decode_state(encode_state(self.pump.state("s1", "shape", {"a.csv": "f00"})))


async def played(bars=BARS, **options):
    """Play bars as a tape."""
    desk = Desk(**options)
    await desk.pump.begin(T0)
    for event in bars:
        await desk.pump.consume_tape(event)
    return desk


async def test_events_are_numbered_and_recorded_before_what_they_lead_to():
    desk = Desk(stale_check_ns=NS_PER_S)
    await desk.pump.begin(T0)
    await desk.pump.consume(BARS[0], BARS[0].ts)
    await desk.pump.consume(BARS[1], BARS[1].ts)
    assert desk.pump.sequence == 2
    assert desk.recorder.of(Consumed) == [
        Consumed(1, BARS[0].ts, BARS[0]),
        Consumed(2, BARS[1].ts, BARS[1]),
    ]
    numbers = [(type(entry), entry.sequence) for entry in desk.recorder.entries]
    assert numbers[:2] == [(Effects, 0), (Effects, 0)], "the start set a timer, and it fired before the bar"
    second = numbers.index((Consumed, 2))
    assert set(numbers[second + 1 :]) == {(Effects, 2)}


async def test_a_tape_leaves_its_offset_in_the_record_and_not_its_events():
    desk = await played()
    desk.pump.mark_tape()
    assert desk.recorder.of(Consumed) == []
    assert desk.recorder.entries[-1] == Tape(5, 5)


async def test_an_event_counts_the_same_from_a_tape_and_from_outside():
    tape = await played()
    outside = Desk()
    await outside.pump.begin(T0)
    for event in BARS:
        await outside.pump.consume(event, event.ts)
    assert outside.pump.fingerprint == tape.pump.fingerprint != NO_FINGERPRINT
    assert outside.dispatcher.batches == tape.dispatcher.batches


async def test_what_is_due_before_an_event_is_taken_at_its_own_time():
    desk = await played(BARS[:3])
    assert desk.submitted[0] == (BARS[1].ts, "entry")
    acknowledged = [c.order.updated for _, c in desk.commands() if isinstance(c, SaveOrder)]
    assert acknowledged[0] == BARS[1].ts + LATENCY_NS
    assert desk.pump.now == BARS[2].ts


async def test_what_is_recalled_comes_before_all_that_is_due():
    """Until then the core would give ids out again that the journal knows."""
    desk = await played(BARS[:2])
    now = BARS[1].ts + LATENCY_NS
    assert desk.loop.next_due <= now, "the entry's answer is due"
    await desk.pump.consume(Recalled(now, (), (), 4711), now)
    assert desk.loop.machine.desk.sequence == 4711
    assert desk.loop.next_due <= now, "it is due still"
    await desk.pump.consume(Woken(now), now)
    assert desk.loop.next_due > now


async def test_time_can_pass_without_an_event():
    desk = await played(BARS[:2])
    before = desk.pump.sequence
    seen = len(desk.dispatcher.batches)
    await desk.pump.pass_time(BARS[1].ts + LATENCY_NS - 1)
    assert len(desk.dispatcher.batches) == seen
    await desk.pump.pass_time(BARS[1].ts + LATENCY_NS)
    assert len(desk.dispatcher.batches) > seen
    assert desk.pump.now == BARS[1].ts + LATENCY_NS
    assert desk.pump.sequence == before


async def test_a_refused_order_is_recorded_and_reaches_the_core():
    desk = await played(BARS[:1])
    desk.dispatcher.refuse = Reason.LATCHED
    await desk.pump.consume_tape(BARS[1])
    ((_, entry),) = [(now, command) for now, command in desk.commands() if isinstance(command, SubmitOrder)]
    refused = OrderRejected(BARS[1].ts, entry.request.client_id, Reason.LATCHED)
    assert desk.recorder.of(Consumed) == [Consumed(2, BARS[1].ts, refused)]
    assert desk.loop.machine.desk.book.open_orders() == ()
    assert "LATCHED" in [
        command.veto.reason for _, command in desk.commands() if isinstance(command, SaveVeto)
    ]


async def test_who_listens_is_told_of_an_event_after_all_that_follows_from_it():
    desk = Desk(armed=False)
    await desk.pump.begin(T0)
    told = []
    desk.pump.hand_over(
        dispatcher=desk.dispatcher,
        recorder=desk.recorder,
        taken=lambda event: told.append((event, len(desk.dispatcher.batches))),
    )
    command = control(Action.ARM, "levels")
    await desk.pump.consume(command, T0)
    await desk.pump.consume(Woken(T0 + 1), T0 + 1)
    assert told == [(command, 1), (Woken(T0 + 1), 1)]


@pytest.mark.parametrize("cut", range(len(BARS) + 1))
async def test_a_pump_goes_on_from_a_state_as_if_nothing_had_happened(cut):
    whole = await played()
    first = await played(BARS[:cut])
    second = Desk()
    second.pump.restore(first.state())
    assert second.pump.tape_offset == second.pump.sequence == cut
    for event in BARS[cut:]:
        await second.pump.consume_tape(event)
    assert second.pump.fingerprint == whole.pump.fingerprint
    assert second.loop.machine.tally.trade_hash == whole.loop.machine.tally.trade_hash


async def test_a_state_is_taken_between_events_and_never_within_one():
    """A checkpoint asked for while an order waits for the disk holds the order as sent, not as lost."""
    desk = Desk()
    await desk.pump.begin(T0)
    await desk.pump.consume_tape(BARS[0])
    gate = asyncio.Event()

    class Slow(Committed):
        async def commit(self, batch, now):
            await gate.wait()
            return await super().commit(batch, now)

    desk.pump.hand_over(dispatcher=Slow(), recorder=desk.recorder)

    async def checkpoint():
        async with desk.pump.between_events:
            return desk.state()

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.pump.consume_tape(BARS[1]))
        await asyncio.sleep(0)
        taken = tasks.create_task(checkpoint())
        await asyncio.sleep(0)
        assert not taken.done()
        gate.set()
    state = taken.result()
    assert state.sequence == 2
    again = Desk()
    again.pump.restore(state)
    for event in BARS[2:]:
        await again.pump.consume_tape(event)
    whole = await played()
    assert again.pump.fingerprint == whole.pump.fingerprint


def test_a_state_that_cannot_be_read_says_so():
    with pytest.raises(CheckpointError, match="cannot be read"):
        decode_state(b"\x00")


def test_market_data_is_told_from_everything_else():
    assert all(is_market(event) for event in (bar(1.0), trade(1.0), quote(1.0, 2.0)))
    assert not is_market(fill())


async def test_commits_are_measured():
    desk = await played()
    (p99,) = desk.pump.commit_latency.percentiles_ms(0.99)
    assert p99 > 0
