"""Operator commands on their way in and out: numbered, in line, answered when the core has decided."""

import asyncio

import pytest

from engine.core.intervening import NOTICE
from engine.domain.commands import Notice, NoticeLevel, SaveVeto, Stopped
from engine.domain.events import Action, Control, Woken
from engine.domain.reasons import Reason
from engine.domain.reasontable import REASONS
from engine.domain.vetoes import veto
from engine.runtime.commands import CommandDesk
from engine.runtime.protocol import CommandReply, CommandRequest
from tests.builders import T0

PAUSE = CommandRequest(7, Action.PAUSE, "me@tty", "lunch", "")


@pytest.fixture
def line():
    return []


@pytest.fixture
def desk(line):
    def offer(event):
        line.append(event)
        return True

    return CommandDesk(offer, lambda: T0, 41)


async def asked(desk, request=PAUSE):
    """Ask, and let the command get in line."""
    task = asyncio.ensure_future(desk.ask(request))
    await asyncio.sleep(0)
    return task


async def test_a_command_goes_in_line_with_its_number_and_all_it_says(desk, line):
    task = await asked(desk)
    assert line == [Control(T0, 42, Action.PAUSE, "me@tty", "lunch", "")]
    assert not task.done(), "nobody has decided yet"
    task.cancel()


async def test_a_command_that_is_taken_and_not_refused_is_done(desk, line):
    task = await asked(desk)
    desk.on_event(Woken(T0))
    desk.on_batch((Stopped(T0),))
    desk.on_event(line[0])
    assert await task == CommandReply(7, ok=True, text="pause done")


async def test_a_refusal_says_the_reason_what_it_means_and_what_to_do(desk, line):
    task = await asked(desk)
    desk.on_batch((SaveVeto(veto(Reason.ALREADY_SO, ts=T0, cycle_id="op@42", action="pause")),))
    desk.on_event(line[0])
    reply = await task
    facts = REASONS[Reason.ALREADY_SO]
    assert (reply.id, reply.ok, reply.reason) == (7, False, "ALREADY_SO")
    assert reply.text == f"ALREADY_SO action=pause: {facts.meaning} {facts.remedy}"


async def test_another_command_s_refusal_is_not_ours(desk, line):
    first, second = await asked(desk), await asked(desk)
    desk.on_batch((SaveVeto(veto(Reason.ALREADY_SO, ts=T0, cycle_id="op@43")),))
    desk.on_batch((SaveVeto(veto(Reason.LADDER, ts=T0, cycle_id="zigzag@1")),))
    desk.on_event(line[0])
    assert (await first).ok
    assert not (await second).ok


async def test_who_gave_up_waiting_disturbs_nobody(desk, line):
    task = await asked(desk)
    task.cancel()
    desk.on_event(line[0])  # decided before the waiter is gone
    with pytest.raises(asyncio.CancelledError):
        await task
    desk.on_event(line[0])


async def test_a_command_may_be_posted_without_waiting(desk, line):
    control = desk.post(Action.FLATTEN, "SIGUSR1", "flatten")
    assert line == [control]
    assert control.cycle_id == "op@42"
    desk.on_event(control)


async def test_what_the_core_says_was_done_is_the_answer(desk, line):
    task = await asked(desk, CommandRequest(7, Action.CLOSE_POSITION, "me@tty", "", "canary"))
    desk.on_batch((Notice(T0, NoticeLevel.WARNING, NOTICE, "1 BTCUSDT of canary closes"),))
    desk.on_event(line[0])
    assert (await task).text == "1 BTCUSDT of canary closes"
    desk.on_batch((Notice(T0, NoticeLevel.GOOD, NOTICE, "canary promoted to generation 2"),))
    desk.on_event(Woken(T0))  # a swap that had waited: no command led to it now
    task = await asked(desk)
    desk.on_event(line[1])
    assert (await task).text == "pause done"
