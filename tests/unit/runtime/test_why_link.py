"""Why, over the control socket: asked beside commands, bounded in time, told in words where it fails."""

import asyncio
from contextlib import suppress

import pytest

from engine.domain.errors import ControlError
from engine.domain.events import Action
from engine.runtime.ask import ask_why
from engine.runtime.link import SocketLink
from engine.runtime.protocol import CommandReply, WhyRequest
from engine.runtime.wire import encode
from tests.unit.runtime.control_fakes import HELLO, FakeEngine, serving
from tests.unit.runtime.test_link import attached, direct, in_thread, path, scripted

__all__ = ["path"]  # the fixture


async def test_why_is_asked_under_a_number_of_its_own_while_commands_wait(path):
    async with attached(path) as (desk, link):
        desk.engine.gate.clear()
        waiting = [
            asyncio.create_task(link.command(Action.PAUSE)),
            asyncio.create_task(link.why(play="zigzag", last=3, at=7)),
        ]
        await desk.engine.until(lambda: len(desk.engine.requests) == 1 and len(desk.engine.asked) == 1)
        desk.engine.gate.set()
        reply, told = await asyncio.gather(*waiting)
        assert reply.ok
        assert (told.id, told.text) == (2, "no bars of zigzag")
        assert desk.engine.asked == [WhyRequest(2, "zigzag", 3, 7)]


async def test_why_that_fails_or_takes_too_long_is_told_in_words(path):
    async with serving(path, answer_timeout_s=0.05) as desk:
        link = await desk.link()
        desk.engine.gate.clear()
        assert "no answer within" in (await link.why()).text
        desk.engine.gate.set()
        desk.engine.failure = ValueError("bug")
        assert "failed to explain" in (await link.why()).text
        assert "why_failed" in desk.logged()
        await link.close()


async def test_why_without_an_answer_names_the_way_out(path, monkeypatch):
    monkeypatch.setattr("engine.runtime.link.WHY_TIMEOUT_S", 0.05)
    async with attached(path) as (desk, link):
        desk.engine.gate.clear()
        with pytest.raises(ControlError, match="does not answer"):
            await link.why()
        desk.engine.gate.set()


async def test_an_engine_that_does_not_know_the_question_says_so(path):
    hello = encode(HELLO)
    async with scripted(path, hello, encode(CommandReply(1, ok=False, text="not understood"))):
        link = await SocketLink.connect(path, actor="me", latch_dir=None)
        with suppress(ControlError):
            assert (await link.why()).text == "not understood"
        await link.close()


async def test_why_from_a_shell(path):
    async with serving(path) as desk:
        told = await in_thread(ask_why, path, WhyRequest(1, "night"))
        assert told.text == "no bars of night"
        assert desk.engine.asked == [WhyRequest(1, "night")]


async def test_why_from_a_shell_to_an_engine_that_does_not_know_the_question(path):
    async with scripted(path, encode(HELLO), encode(CommandReply(1, ok=False, text="not understood"))):
        assert (await in_thread(ask_why, path, WhyRequest(1))).text == "not understood"


async def test_why_in_process():
    engine = FakeEngine()
    link = direct(engine)
    assert (await link.why(play="p")).text == "no bars of p"
    assert engine.asked == [WhyRequest(1, "p")]
    await link.close()
