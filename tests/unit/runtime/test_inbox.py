"""The inbox: who goes first, what may be conflated, and where a reader must wait."""

import asyncio

import pytest

from engine.domain.events import Action, Fault, FaultKind, FeedChanged, FeedState, Woken
from engine.domain.market import Trade
from engine.runtime.inbox import Inbox
from tests.builders import BTC, ETH, bar, control, fill, quote, trade


def drain(inbox):
    """Take all that waits, in the order in which it is taken."""
    events = []
    while (waiting := inbox.take()) is not None:
        events.append(waiting.event)
    return events


def offer(inbox, *events):
    """Put events in line; return what became of each."""
    return [inbox.offer(event, number) for number, event in enumerate(events)]


def test_events_leave_by_priority_and_then_in_the_order_they_came():
    inbox = Inbox()
    first, second = trade(1.0), trade(2.0)
    answer = FeedChanged(1, "feed", FeedState.CONNECTED)
    command, fault = control(Action.PAUSE), Fault(1, FaultKind.STALL, "")
    assert all(offer(inbox, first, Woken(1), answer, fill(), second, command, fault))
    assert len(inbox) == 7
    assert drain(inbox) == [command, fault, fill(), answer, Woken(1), first, second]
    assert len(inbox) == 0


def test_an_event_keeps_the_time_it_came_at():
    inbox = Inbox()
    inbox.offer(trade(1.0), 17)
    waiting = inbox.take()
    assert waiting is not None
    assert (waiting.event, waiting.since_ns) == (trade(1.0), 17)


def test_under_load_a_trade_joins_the_waiting_one_of_its_symbol():
    inbox = Inbox(conflate_above=2)
    offer(
        inbox,
        trade(100.0, ts=1, qty=1.0),
        trade(50.0, ts=1, symbol=ETH),
        trade(103.0, ts=2, qty=2.0),
        trade(99.0, ts=3, qty=4.0),
        trade(101.0, ts=4, qty=8.0),
    )
    merged, other = drain(inbox)
    assert merged == Trade(4, BTC, 101.0, 15.0, 1, 103.0, 99.0, 4)
    assert other == trade(50.0, ts=1, symbol=ETH)
    assert inbox.conflated == 3


def test_under_load_a_quote_takes_the_place_of_the_waiting_one_of_its_symbol():
    inbox = Inbox(conflate_above=1)
    offer(inbox, quote(1.0, 2.0, ts=1), quote(5.0, 6.0, ts=2, symbol=ETH), quote(3.0, 4.0, ts=3))
    assert drain(inbox) == [quote(3.0, 4.0, ts=3), quote(5.0, 6.0, ts=2, symbol=ETH)]


def test_below_the_threshold_every_tick_is_kept():
    inbox = Inbox(conflate_above=3)
    ticks = [trade(float(price)) for price in range(3)]
    offer(inbox, *ticks)
    assert drain(inbox) == ticks
    assert inbox.conflated == 0


def test_no_tick_joins_another_across_a_bar_of_its_symbol():
    inbox = Inbox(conflate_above=1)
    before, closes, after = trade(100.0, ts=1), bar(100.0, ts=2), trade(101.0, ts=3)
    quotes = quote(1.0, 2.0, ts=1), quote(1.0, 3.0, ts=3)
    offer(inbox, before, quotes[0], closes, after, quotes[1])
    assert drain(inbox) == [before, quotes[0], closes, after, quotes[1]]


def test_a_bar_of_another_symbol_keeps_no_ticks_apart():
    inbox = Inbox(conflate_above=1)
    offer(inbox, trade(100.0, ts=1), bar(9.0, ts=2, symbol=ETH), trade(101.0, ts=3))
    first, _ = drain(inbox)
    assert first == Trade(3, BTC, 101.0, 2.0, 1, 101.0, 100.0, 2)


def test_a_tick_that_was_taken_is_joined_no_more():
    inbox = Inbox(conflate_above=1)
    offer(inbox, trade(100.0, ts=1), bar(9.0, ts=2, symbol=ETH))
    taken = inbox.take()
    assert taken is not None
    offer(inbox, trade(101.0, ts=3))
    assert taken.event == trade(100.0, ts=1)
    assert drain(inbox)[-1] == trade(101.0, ts=3)


def test_bars_are_refused_rather_than_dropped_when_a_queue_is_full():
    inbox = Inbox(lossless_max=2)
    assert inbox.bound == 2
    assert offer(inbox, bar(1.0), bar(2.0), bar(3.0)) == [True, True, False]
    assert offer(inbox, fill("a"), fill("b"), fill("c")) == [True, True, False]
    assert drain(inbox) == [fill("a"), fill("b"), bar(1.0), bar(2.0)]


def test_control_and_faults_are_taken_however_many_wait():
    inbox = Inbox(lossless_max=2)
    commands = [control(Action.PAUSE, sequence=number) for number in range(50)]
    assert all(offer(inbox, *commands, Fault(1, FaultKind.STORAGE, "")))
    assert len(inbox) == 51


@pytest.mark.parametrize("bound", [1, 2, 8])
async def test_a_reader_waits_for_room_and_goes_on_when_half_is_taken(bound):
    inbox = Inbox(lossless_max=bound)
    offer(inbox, *(bar(float(number)) for number in range(bound)))
    offered: list[float] = []

    async def read():
        for number in range(100, 103):
            while not inbox.offer(bar(float(number)), 0):
                await inbox.room()
            offered.append(float(number))

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        await asyncio.sleep(0)
        assert offered == [], "there is no room yet"
        closes: list[float] = []
        while len(closes) < bound + 3:
            closes += [event.close for event in drain(inbox)]
            await asyncio.sleep(0)
    assert closes == [*(float(number) for number in range(bound)), 100.0, 101.0, 102.0]


async def test_waiting_ends_with_an_event_with_time_or_when_woken():
    inbox = Inbox()
    async with asyncio.timeout(5):
        await inbox.wait(0.001)
        inbox.offer(trade(1.0), 0)
        await inbox.wait(None)
        drain(inbox)
        waiter = asyncio.ensure_future(inbox.wait(None))
        await asyncio.sleep(0)
        assert not waiter.done()
        inbox.wake()
        await waiter
    assert inbox.take() is None
