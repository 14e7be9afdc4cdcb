"""What makes time pass: a tape at any pace decides the same, and the clock of the world misses nothing."""

import asyncio
import time
from collections import deque
from itertools import islice

import pytest

from engine.core.machine import Machine
from engine.core.snapshot import Phase
from engine.domain.events import Action, Control, Event, Fault, FaultKind, FeedChanged, FeedState, Woken
from engine.domain.market import NS_PER_S, Bar
from engine.runtime import drivers
from engine.runtime.drivers import TAPE_MARK_EVENTS, Gauges, RealTime, TapeClock, TapeTime, read_live
from engine.runtime.inbox import Inbox
from engine.runtime.loop import Loop
from engine.runtime.pump import Pump
from engine.runtime.session import decode_state, encode_state
from engine.storage.codec import Consumed, Tape
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    PLAY,
    QUIET,
    STEP,
    T0,
    bar,
    control,
    setup,
)
from tests.unit.runtime.rig import Committed, MemoryRecorder, eventually

CLOSES = (QUIET, ENTER_LONG, QUIET, EXIT_LONG, QUIET, ENTER_SHORT, QUIET, EXIT_SHORT) * 3
TAPE = tuple(bar(close, T0 + number * STEP) for number, close in enumerate(CLOSES, start=1))
FAST = 20_000.0  # a minute of the tape in 3 ms
LATENCY_NS = 7 * NS_PER_S


class ListFeed:
    """A tape in memory; `at[offset]` is called before that event is handed out."""

    base_step_ns = STEP

    def __init__(self, events=TAPE):
        self._events = events
        self.instruments = ()
        self.at = {}

    def events(self, offset=0):
        for number, event in enumerate(islice(self._events, offset, None), start=offset):
            self.at.pop(number, lambda: None)()
            yield event

    def fingerprint(self):
        return {}


class Desk:
    """A pump on a real machine and a venue that answers after seven seconds, with what drives it."""

    def __init__(self, feed=None, *, speed=None, **options):
        facts = setup(**options)
        venue = SimulatedVenue(facts.instruments, SimulatedConfig(latency_ns=LATENCY_NS))
        self.loop = Loop(Machine(facts), venue)
        self.dispatcher, self.recorder = Committed(), MemoryRecorder()
        self.pump = Pump(self.loop, dispatcher=self.dispatcher, recorder=self.recorder)
        self.inbox, self.gauges, self.ended = Inbox(), Gauges(), asyncio.Event()
        self.feed = feed or ListFeed()
        self.tape = TapeTime(
            self.pump, self.inbox, self.feed, self.gauges, speed=speed, next_at=self.loop.next_at
        )
        self._controls = 0

    def ask(self, action, argument=""):
        """Put an operator's command in line."""
        self._controls += 1
        self.inbox.offer(control(action, argument, sequence=self._controls), time.perf_counter_ns())

    def stop(self):
        """End the run from outside."""
        self.ended.set()
        self.inbox.wake()

    def restarted(self, **options):
        """Return a new desk that goes on from this one's state."""
        desk = Desk(self.feed, **options)
        desk.pump.restore(decode_state(encode_state(self.pump.state("s", "shape", {}))))
        return desk

    async def run(self):
        """Play the tape; fresh desks start their loop first."""
        async with asyncio.timeout(20):
            if not self.pump.sequence:
                await self.pump.begin(T0)
            await self.tape.run(self.ended)
        return self

    @property
    def phase(self):
        return self.loop.machine.authority.operator.phase

    @property
    def hashes(self):
        tally = self.loop.machine.tally
        return tally.signal_hash, tally.trade_hash, self.pump.fingerprint

    def consumed(self, kind):
        return [entry for entry in self.recorder.of(Consumed) if isinstance(entry.event, kind)]


# the tape


@pytest.mark.parametrize("speed", [FAST, FAST * 50, 1e9])
async def test_the_pace_of_a_tape_changes_nothing(speed):
    fastest = await Desk().run()
    assert fastest.loop.machine.ledger.trades >= 5
    paced = await Desk(speed=speed).run()
    assert paced.hashes == fastest.hashes
    assert paced.pump.sequence == fastest.pump.sequence == len(TAPE) + 1


@pytest.mark.parametrize("speed", [None, FAST])
@pytest.mark.parametrize("cut", [1, 2, 7, len(TAPE) - 1])
async def test_a_tape_that_is_interrupted_anywhere_goes_on_as_if_it_had_not_been(cut, speed):
    straight = await Desk().run()
    first = Desk(speed=speed)
    first.feed.at[cut] = first.stop
    await first.run()
    assert first.pump.tape_offset == cut
    second = await first.restarted(speed=speed).run()
    assert second.hashes == straight.hashes


async def test_the_end_of_a_tape_is_an_event():
    desk = await Desk().run()
    (ended,) = desk.consumed(FeedChanged)
    assert ended.event == FeedChanged(TAPE[-1].ts, "tape", FeedState.ENDED)
    assert desk.loop.machine.feed_ended
    assert desk.gauges.events == len(TAPE)


async def test_a_stopped_tape_does_not_tell_of_its_end():
    desk = Desk()
    desk.feed.at[3] = desk.stop
    await desk.run()
    assert not desk.loop.machine.feed_ended
    assert desk.recorder.entries[-1] == Tape(3, 3)


@pytest.mark.parametrize("speed", [None, FAST])
async def test_commands_are_taken_between_two_events_at_the_time_of_the_tape(speed):
    desk = Desk(speed=speed, armed=False)
    desk.feed.at[1] = lambda: desk.ask(Action.ARM, PLAY)
    desk.feed.at[4] = lambda: desk.ask(Action.PAUSE)
    await desk.run()
    armed, paused = desk.consumed(Control)
    assert (armed.sequence, paused.sequence) == (2, 6)
    assert TAPE[0].ts <= armed.now < TAPE[1].ts
    assert TAPE[3].ts <= paused.now < TAPE[4].ts
    assert Tape(1, 1) in desk.recorder.entries, "the record says how far the tape was before the command"
    assert Tape(5, 4) in desk.recorder.entries
    assert desk.loop.machine.desk.sequence > 0


async def test_a_command_during_a_long_silence_of_a_paced_tape_is_not_kept_waiting():
    desk = Desk(ListFeed((TAPE[0], bar(QUIET, TAPE[0].ts + 3600 * NS_PER_S))), speed=1.0, armed=False)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        run = tasks.create_task(desk.run())
        await eventually(lambda: desk.gauges.events == 1)
        desk.ask(Action.ARM, PLAY)
        await eventually(lambda: desk.phase is Phase.ARMED)
        assert not run.done()
        desk.stop()


async def test_what_is_due_in_a_long_silence_of_a_paced_tape_is_taken_when_its_time_comes():
    """A flatten between two bars an hour apart needs the venue's answers, which need seven seconds each."""
    silence = bar(QUIET, TAPE[1].ts + 3600 * NS_PER_S)
    desk = Desk(ListFeed((*TAPE[:2], silence)), speed=2_000.0)
    desk.feed.at[2] = lambda: desk.ask(Action.FLATTEN)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        run = tasks.create_task(desk.run())
        await eventually(lambda: desk.phase is Phase.HALTED)
        assert not run.done()
        assert desk.pump.now < silence.ts
        desk.stop()


@pytest.mark.parametrize("speed", [None, 1e9])
async def test_other_tasks_get_their_turn_while_a_tape_has_no_pauses(speed):
    bars = tuple(bar(QUIET, T0 + number * STEP) for number in range(1, 12_000))
    desk = Desk(ListFeed(bars), speed=speed)
    turns = 0

    async def beside():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.ensure_future(beside())
    await desk.run()
    task.cancel()
    assert turns > 5
    marks = [entry.offset for entry in desk.recorder.of(Tape)]
    assert marks == [*range(TAPE_MARK_EVENTS, len(bars), TAPE_MARK_EVENTS), len(bars)]


async def test_after_the_end_of_a_tape_commands_still_work_and_time_goes_on():
    desk = await Desk(ListFeed(TAPE[:1])).run()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.tape.after(desk.ended))
        desk.ask(Action.PAUSE)
        await eventually(lambda: desk.loop.machine.authority.operator.paused)
        before = desk.pump.now
        desk.ask(Action.RESUME)
        await eventually(lambda: not desk.loop.machine.authority.operator.paused)
        assert TAPE[0].ts < before < desk.pump.now < TAPE[0].ts + 20 * NS_PER_S
        desk.stop()


async def test_after_the_end_of_a_tape_nobody_waits_for_what_is_due():
    """Each answer of the venue takes seven seconds, and no market will come in between."""
    desk = await Desk(ListFeed(TAPE[:2])).run()
    desk.ask(Action.FLATTEN)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.tape.after(desk.ended))
        await eventually(lambda: desk.phase is Phase.HALTED and desk.loop.next_at() is None)
        desk.stop()
    assert desk.consumed(Woken)
    assert desk.pump.now > TAPE[1].ts + 2 * LATENCY_NS


def test_the_clock_of_a_tape_runs_so_many_times_faster():
    clock = TapeClock(T0, 1_000_000.0)
    begun = clock.now()
    assert begun >= T0
    assert clock.now() >= begun
    assert clock.seconds_until(T0 + 3600 * 1_000_000 * NS_PER_S) == pytest.approx(3600, abs=60)


# the clock of the world


class HandClock:
    """A clock that the test sets."""

    def __init__(self, now=T0):
        self.time = now

    def now(self):
        return self.time

    def go_on_from(self, ns):
        self.time = max(self.time, ns)


class HandFeed:
    """A live feed that hands out what it was given when its time has come."""

    base_step_ns = STEP
    instruments = ()
    skipped_ns = 0

    def __init__(self, *events):
        self.waiting = deque(events)

    def poll(self, now):
        events = []
        while self.waiting and self.waiting[0].ts <= now:
            events.append(self.waiting.popleft())
        return events

    def next_at(self):
        return 0  # ask again at once: the test moves the clock

    def history(self, bars):
        return ()


@pytest.fixture
def clock():
    return HandClock()


def real_time(desk, clock):
    return RealTime(desk.pump, desk.inbox, clock, desk.gauges, next_at=desk.loop.next_at)


async def test_events_are_stamped_when_they_are_taken_and_highest_priority_goes_first(clock):
    desk = Desk(armed=False)
    await desk.pump.begin(T0)
    driver = real_time(desk, clock)
    desk.inbox.offer(TAPE[0], 0)
    desk.ask(Action.ARM, PLAY)
    clock.time = TAPE[0].ts + 5
    assert await driver.take_waiting()
    assert await driver.take_waiting()
    assert not await driver.take_waiting()
    kinds = [(type(entry.event).__name__, entry.now) for entry in desk.recorder.of(Consumed)]
    assert kinds == [("Control", TAPE[0].ts + 5), ("Bar", TAPE[0].ts + 5)]
    assert desk.gauges.events == 2
    assert desk.gauges.latency.percentiles_ms(1.0)[0] > 0


async def test_time_never_goes_back_for_the_core(clock):
    desk = Desk()
    await desk.pump.begin(T0 + 100)
    desk.inbox.offer(TAPE[0], 0)
    clock.time = T0
    await real_time(desk, clock).take_waiting()
    assert desk.pump.now == T0 + 100


async def test_a_quiet_market_still_lets_time_pass(clock):
    """The venue's answer is due while nothing comes in: the core hears of it, and the record says when."""
    desk = Desk(stale_check_ns=NS_PER_S)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        await desk.pump.begin(T0)
        tasks.create_task(real_time(desk, clock).run(desk.ended))
        clock.time = T0 + NS_PER_S
        desk.inbox.wake()
        (woken, *_) = await eventually(lambda: desk.consumed(Woken))
        assert woken.now == T0 + NS_PER_S
        assert desk.loop.next_at() == T0 + 2 * NS_PER_S
        desk.stop()


async def test_a_live_feed_drives_the_core_through_the_inbox(clock):
    desk = Desk()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        await desk.pump.begin(T0)
        tasks.create_task(read_live(HandFeed(*TAPE[:6]), desk.inbox, clock, desk.ended))
        tasks.create_task(real_time(desk, clock).run(desk.ended))
        for event in TAPE[:6]:
            clock.time = event.ts + LATENCY_NS
            await eventually(lambda: desk.gauges.events > TAPE.index(event))  # noqa: B023 - asked at once
        desk.stop()
    assert [entry.event for entry in desk.consumed(Bar)] == list(TAPE[:6])
    assert desk.loop.machine.desk.sequence > 0


async def test_a_reader_hands_what_it_brings_to_an_idle_driver_at_once(clock, monkeypatch):
    """Nobody runs the driver: what comes is taken in the reader's own task, in order."""
    monkeypatch.setattr(drivers, "SLICE_NS", 3600 * NS_PER_S)  # on a busy machine, too
    desk = Desk()
    await desk.pump.begin(T0)
    driver = real_time(desk, clock)
    clock.time = TAPE[5].ts
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        feed = HandFeed(*TAPE[:6])
        tasks.create_task(read_live(feed, desk.inbox, clock, desk.ended, driver.take_at_once))
        await eventually(lambda: desk.gauges.events == 6)
        desk.ended.set()
    assert desk.inbox.is_empty
    assert [entry.event for entry in desk.consumed(Bar)] == list(TAPE[:6])
    assert desk.gauges.latency.percentiles_ms(1.0)[0] > 0


async def test_nothing_is_taken_at_once_where_another_waits_or_is_worked_on(clock):
    desk = Desk(armed=False)
    await desk.pump.begin(T0)
    driver = real_time(desk, clock)
    async with desk.pump.between_events:
        assert not await driver.take_at_once(TAPE[0], time.perf_counter_ns())
    desk.ask(Action.ARM, PLAY)
    assert not await driver.take_at_once(TAPE[0], time.perf_counter_ns())
    assert await driver.take_waiting()
    assert await driver.take_at_once(TAPE[0], time.perf_counter_ns())
    assert [type(entry.event).__name__ for entry in desk.recorder.of(Consumed)] == ["Control", "Bar"]


async def test_what_comes_after_a_slice_of_work_is_not_taken_at_once(clock):
    desk = Desk()
    await desk.pump.begin(T0)
    long_ago_ns = time.perf_counter_ns() - 2 * drivers.SLICE_NS
    assert not await real_time(desk, clock).take_at_once(TAPE[0], long_ago_ns)


async def test_what_follows_from_an_event_taken_at_once_is_waited_for(clock):
    """The driver slept without an end; the event leads to an order, and its answer is due in a moment."""
    desk = Desk()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        await desk.pump.begin(T0)
        driver = real_time(desk, clock)
        tasks.create_task(driver.run(desk.ended))
        await asyncio.sleep(0)
        for event in TAPE:
            if desk.loop.next_at() is not None:
                break
            clock.time = event.ts
            assert await driver.take_at_once(event, time.perf_counter_ns())
        due = desk.loop.next_at()
        assert due is not None
        clock.time = due
        await eventually(lambda: desk.consumed(Woken))
        assert desk.pump.now == due
        desk.stop()


async def test_after_the_end_a_reader_hands_nothing_on_at_once(clock):
    desk = Desk()
    await desk.pump.begin(T0)
    driver = real_time(desk, clock)
    clock.time = TAPE[5].ts

    async def take(event, since_ns):
        desk.ended.set()
        return await driver.take_at_once(event, since_ns)

    await read_live(HandFeed(*TAPE[:6]), desk.inbox, clock, desk.ended, take)
    assert desk.gauges.events == 1
    assert len(desk.inbox) == 5


async def test_a_reader_waits_where_the_inbox_is_full(clock):
    inbox, ended = Inbox(lossless_max=2), asyncio.Event()
    clock.time = TAPE[-1].ts
    taken: list[Event] = []
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(read_live(HandFeed(*TAPE[:7]), inbox, clock, ended))
        await asyncio.sleep(0)
        assert len(inbox) == 2
        while len(taken) < 7:
            if (waiting := inbox.take()) is not None:
                taken.append(waiting.event)
            await asyncio.sleep(0)
        ended.set()
        await reader
    assert taken == list(TAPE[:7])


async def test_a_jam_that_lasts_is_a_fault_until_it_is_over(clock, monkeypatch):
    monkeypatch.setattr(drivers, "JAM_S", 0.02)
    inbox, ended = Inbox(lossless_max=2), asyncio.Event()
    clock.time = TAPE[-1].ts
    taken: list[Event] = []
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(read_live(HandFeed(*TAPE[:4]), inbox, clock, ended))
        await eventually(lambda: len(inbox) == 3)
        fault = inbox.take()
        assert fault is not None
        assert isinstance(fault.event, Fault)
        assert (fault.event.kind, fault.event.cleared) == (FaultKind.OVERFLOW, False)
        assert fault.event.text.endswith("2 events wait, and the feed stands")
        ended.set()
        while not (reader.done() and len(inbox) == 0):
            if (waiting := inbox.take()) is not None:
                taken.append(waiting.event)
            await asyncio.sleep(0)
    assert [event for event in taken if isinstance(event, Bar)] == list(TAPE[:4])
    assert [event.cleared for event in taken if isinstance(event, Fault)] == [True]


async def test_a_busy_market_leaves_other_tasks_their_turn(clock):
    desk = Desk()
    for number in range(10_000):
        desk.inbox.offer(bar(QUIET, T0 + number), 0)
    turns = 0

    async def beside():
        nonlocal turns
        while len(desk.inbox):
            await asyncio.sleep(0)
            turns += 1
        desk.stop()

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        await desk.pump.begin(T0)
        tasks.create_task(real_time(desk, clock).run(desk.ended))
        tasks.create_task(beside())
    assert desk.gauges.events == 10_000
    assert turns > 5
