"""A console's link: over a real socket and in process, and what it says when there is no engine."""

import asyncio
import socket
import time
from contextlib import aclosing, asynccontextmanager

import msgspec
import pytest
from websockets.asyncio.server import unix_serve

from engine.api import Link
from engine.core.snapshot import Phase, Snapshot
from engine.domain.errors import ControlError
from engine.domain.events import Action
from engine.runtime import control
from engine.runtime.link import DirectLink, SocketLink, ask_once, fetch_status, send_command, wait_flat
from engine.runtime.panicline import PANIC_TIMEOUT_S
from engine.runtime.protocol import (
    WORDS_MAX,
    CommandReply,
    CommandRequest,
    Goodbye,
    Hello,
    StatusRequest,
    merge,
)
from engine.runtime.wire import unreachable
from engine.storage.latch import Latch
from tests.unit.runtime.control_fakes import (
    HELLO,
    WAIT_S,
    FakeEngine,
    notices,
    serving,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.sock"


@asynccontextmanager
async def attached(path, **options):
    """A server and a console on it."""
    async with serving(path, **options) as desk:
        link = await desk.link()
        try:
            yield desk, link
        finally:
            await link.close()


@asynccontextmanager
async def scripted(path, *frames):
    """Something that listens like an engine, says fixed frames and then only listens."""

    async def say(connection):
        for frame in frames:
            await connection.send(frame)
        await connection.wait_closed()

    async with asyncio.timeout(WAIT_S), unix_serve(say, str(path), close_timeout=0.1):
        yield


@asynccontextmanager
async def broken_off(path, reason):
    """Something that ends each connection with a reason."""

    async def refuse(connection):
        await connection.close(1013, reason)

    async with asyncio.timeout(WAIT_S), unix_serve(refuse, str(path), close_timeout=0.1):
        yield


async def in_thread(function, *arguments, **options):
    return await asyncio.to_thread(function, *arguments, **options)


# connecting


async def test_a_link_is_what_the_console_expects(path):
    async with attached(path) as (_, link):
        as_the_console_sees_it: Link = link
        assert as_the_console_sees_it.hello == HELLO
        assert as_the_console_sees_it.goodbye is None


async def test_no_engine_is_told_with_the_command_that_starts_one(path):
    with pytest.raises(ControlError, match=r"no engine runs for instance 'night'.*run --instance night"):
        await SocketLink.connect(path, actor="test", instance="night")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ControlError, match="no engine runs for instance 'default'"):
        await in_thread(fetch_status, path)


async def test_an_engine_that_hangs_is_told_with_the_way_around_it(path):
    with socket.socket(socket.AF_UNIX) as stopped:
        stopped.bind(str(path))
        stopped.listen(8)
        with pytest.raises(ControlError, match=r"does not answer.*flatten --direct --instance night"):
            await SocketLink.connect(path, actor="test", instance="night", timeout_s=0.05)
        with pytest.raises(ControlError, match="does not answer"):
            await in_thread(fetch_status, path, timeout_s=0.05)


async def test_another_protocol_names_both_versions(path):
    newer = msgspec.json.encode(msgspec.structs.replace(HELLO, protocol=99, version="9.9.9"))
    async with scripted(path, newer):
        with pytest.raises(ControlError, match=r"trader-tui 9\.9\.9, pid 4711\) speaks version 99.*speaks 1"):
            await SocketLink.connect(path, actor="test")
        with pytest.raises(ControlError, match="speaks version 99"):
            await in_thread(fetch_status, path)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b'{"type":"hello"}', "cannot read"),
        (b"\xff", "cannot read"),
        (b'{"type":"goodbye","exit_code":0,"text":"bye"}', "began with Goodbye"),
    ],
)
async def test_a_strange_first_message_is_told(path, frame, text):
    async with scripted(path, frame):
        with pytest.raises(ControlError, match=text):
            await SocketLink.connect(path, actor="test")


async def test_whoever_turns_us_away_is_quoted(path):
    async with broken_off(path, "16 consoles are attached already"):
        with pytest.raises(ControlError, match="broke off: 16 consoles are attached already"):
            await SocketLink.connect(path, actor="test")


async def test_what_is_no_engine_is_told(path):
    async def babble(reader, writer):
        writer.write(b"220 mail ready\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(babble, str(path)):
        with pytest.raises(ControlError, match="is not an engine of trader-tui"):
            await SocketLink.connect(path, actor="test")


async def test_a_path_too_long_is_told(tmp_path):
    with pytest.raises(ControlError, match="cannot be reached"):
        await SocketLink.connect(tmp_path / ("x" * 120), actor="test")


# snapshots


async def test_snapshots_are_whole_though_changes_travel(path):
    async with attached(path) as (desk, link), aclosing(link.snapshots()) as stream:
        assert await anext(stream) == desk.engine.now
        desk.engine.show(notices=notices(2))
        assert await anext(stream) == desk.engine.now


async def test_one_who_looks_late_sees_the_latest_only(path):
    async with attached(path) as (desk, link), aclosing(link.snapshots()) as stream:
        await anext(stream)
        for count in range(1, 4):
            desk.engine.show(notices=notices(count))
            await desk.engine.builds(2)
        await link.command(Action.PAUSE)  # its reply comes after the snapshots
        assert await anext(stream) == desk.engine.now


async def test_two_views_of_one_link_both_see_all(path):
    async with (
        attached(path) as (desk, link),
        aclosing(link.snapshots()) as one,
        aclosing(link.snapshots()) as two,
    ):
        assert await anext(one) == await anext(two) == desk.engine.now
        desk.engine.show(notices=notices(1))
        for stream in (one, two):
            while await anext(stream) != desk.engine.now:
                pass


async def test_snapshots_end_with_the_goodbye_after_the_last_one(path):
    async with attached(path) as (desk, link):
        seen: list[Snapshot] = []
        async for each in link.snapshots():
            if not seen:
                desk.engine.show(notices=notices(3))
                await desk.server.say_goodbye(4, "not flat")
            seen.append(each)
        assert seen[-1].notices == notices(3)
        assert link.goodbye == Goodbye(4, "not flat")
        assert link.broken is None


async def test_an_engine_that_vanishes_ends_the_stream_without_goodbye(path):
    async with attached(path) as (desk, link):
        async for _ in link.snapshots():
            for client in desk.server._clients:
                client.connection.transport.abort()
        assert link.goodbye is None
        assert "its process has ended" in str(link.broken)
        assert [each async for each in link.snapshots()] == [desk.engine.now]
        with pytest.raises(ControlError, match="broke off"):
            await link.command(Action.PAUSE)


async def test_an_unreadable_snapshot_ends_the_link_and_says_why(path):
    hello = msgspec.json.encode(HELLO)
    async with scripted(path, hello, hello, b'{"type":"snapshot","health":{"rss_mb":null}}'):
        link = await SocketLink.connect(path, actor="test")
        assert [each async for each in link.snapshots()] == []
        assert "cannot read" in str(link.broken)
        await link.close()


async def test_closing_ends_the_stream_and_not_the_engine(path):
    async with serving(path) as desk:
        link = await desk.link()
        async with aclosing(link.snapshots()) as stream:
            await anext(stream)
            await link.close()
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        again = await desk.link()
        assert (await again.command(Action.PAUSE)).ok
        await again.close()


# commands


async def test_a_command_brings_its_reply(path):
    async with attached(path) as (desk, link):
        reply = await link.command(Action.ARM, reason="start", argument="canary")
        assert reply.ok
        assert desk.engine.requests == [CommandRequest(1, Action.ARM, "test", "start", "canary")]


async def test_a_reason_of_any_length_and_of_bytes_that_are_no_characters_ends_no_conversation(path):
    """An engine reads frames of 64 KiB; a shell hands over what was typed, whatever it is."""
    async with attached(path) as (desk, link):
        assert (await link.command(Action.PAUSE, reason="é" * 100_000, argument="\udcff")).ok
        assert (await link.command(Action.RESUME)).ok
        request = desk.engine.requests[0]
        assert request.reason == "é" * (WORDS_MAX - 1) + "…"
        assert request.argument == "?"
        assert (await link.why(play="\udcff" * 70_000)).text
        assert (await link.command(Action.PAUSE)).ok


async def test_replies_find_their_commands(path):
    async with attached(path) as (desk, link):
        desk.engine.gate.clear()
        both = [asyncio.create_task(link.command(action)) for action in (Action.PAUSE, Action.RESUME)]
        await desk.engine.heard(2)
        desk.engine.gate.set()
        assert [reply.id for reply in await asyncio.gather(*both)] == [1, 2]


async def test_a_command_without_an_answer_says_what_to_do(path):
    async with attached(path) as (desk, link):
        desk.engine.gate.clear()
        with pytest.raises(ControlError, match=r"did not answer 'pause' within 0.05 s.*flatten --direct"):
            await link.command(Action.PAUSE, timeout_s=0.05)
        desk.engine.gate.set()
        assert (await link.command(Action.PAUSE)).ok  # the late reply of the first is not taken for this one


async def test_a_command_learns_that_the_engine_is_gone(path):
    async with attached(path) as (desk, link):
        desk.engine.gate.clear()
        asking = asyncio.create_task(link.command(Action.PAUSE))
        await desk.engine.heard(1)
        for client in desk.server._clients:
            client.connection.transport.abort()
        with pytest.raises(ControlError, match="broke off"):
            await asking


# panic


async def test_panic_flattens_from_any_thread(path):
    async with attached(path) as (desk, link):
        await in_thread(link.panic)
        assert desk.engine.requests == [CommandRequest(1, Action.FLATTEN, "test", "panic")]


async def test_panic_twice_uses_the_same_line(path):
    async with attached(path) as (desk, link):
        await in_thread(link.panic)
        desk.engine.reply = CommandReply(0, ok=False, reason="FLATTEN_RUNNING", text="runs already")
        await in_thread(link.panic)
        assert [request.id for request in desk.engine.requests] == [1, 2]
        assert len(desk.server._clients) == 2


async def test_a_refused_panic_is_told(path):
    async with attached(path) as (desk, link):
        desk.engine.reply = CommandReply(0, ok=False, reason="LOCK_NOT_HELD", text="not our lock")
        with pytest.raises(ControlError, match="refused to flatten: not our lock"):
            await in_thread(link.panic)


async def test_panic_reopens_a_dead_line(path):
    async with serving(path) as first:
        link = await first.link()
        await first.server.say_goodbye(0, "restart")
    async with serving(path) as second:
        await in_thread(link.panic)
        assert [request.action for request in second.engine.requests] == [Action.FLATTEN]
        await link.close()


async def test_panic_without_an_engine_sets_the_latch(path, tmp_path):
    async with serving(path) as desk:
        link = await desk.link(latch_dir=tmp_path)
    with pytest.raises(
        ControlError, match=r"NOT CONFIRMED: no engine runs.*latch is set: no entry leaves.*--direct"
    ):
        await in_thread(link.panic)
    assert "panic by test" in Latch(tmp_path).text()
    await link.close()


async def test_panic_at_a_stuck_engine_says_so_within_half_a_second(path, tmp_path):
    async with serving(path) as desk:
        link = await desk.link(latch_dir=tmp_path)
        desk.engine.gate.clear()
        started_s = time.monotonic()
        panics = [asyncio.create_task(in_thread(link.panic)) for _ in range(2)]
        told = await asyncio.gather(*panics, return_exceptions=True)
        assert time.monotonic() - started_s < PANIC_TIMEOUT_S + 0.3
        texts = sorted(str(error) for error in told)
        assert "does not answer" in texts[0]
        assert texts[0].count("flatten --direct") == 1
        # The other one has waited for the first, or has come in just when that had given up.
        assert "is being sent already" in texts[1] or "does not answer" in texts[1]
        assert Latch(tmp_path).engaged()
        desk.engine.gate.set()
        await link.close()


async def test_a_latch_that_cannot_be_set_is_told(path, tmp_path):
    async with serving(path) as desk:
        link = await desk.link(latch_dir=tmp_path / "missing")
        bare = await desk.link()
    with pytest.raises(ControlError, match="could not be set either"):
        await in_thread(link.panic)
    with pytest.raises(ControlError, match="NOT CONFIRMED") as told:
        await in_thread(bare.panic)
    assert "flatten latch" not in str(told.value)
    await link.close()
    await bare.close()


async def test_an_engine_without_a_panic_line_is_no_link(path, monkeypatch):
    monkeypatch.setattr(control, "CONNECTIONS_MAX", 1)
    async with serving(path) as desk:
        with pytest.raises(ControlError, match="connections are open already"):
            await desk.link()


# one-shot


async def test_status_tells_who_and_how(path):
    async with serving(path) as desk:
        hello, seen = await in_thread(fetch_status, path)
        assert (hello, seen) == (HELLO, desk.engine.now)


async def test_a_one_shot_command_brings_its_reply(path):
    async with serving(path) as desk:
        reply = await in_thread(send_command, path, Action.ARM, actor="cli", reason="go", argument="canary")
        assert reply == CommandReply(1, ok=True, text="done")
        assert desk.engine.requests == [CommandRequest(1, Action.ARM, "cli", "go", "canary")]


async def test_ask_once_returns_hello_and_answer(path):
    async with serving(path) as desk:
        hello, delta = await in_thread(ask_once, path, StatusRequest())
        assert isinstance(hello, Hello)
        assert merge(None, delta) == desk.engine.now
        _, reply = await in_thread(ask_once, path, CommandRequest(5, Action.PAUSE, "cli"))
        assert reply.id == 5


async def test_a_one_shot_command_without_an_answer_is_told(path):
    async with serving(path) as desk:
        desk.engine.gate.clear()
        with pytest.raises(ControlError, match="does not answer"):
            await in_thread(send_command, path, Action.PAUSE, actor="cli", timeout_s=0.1)
        desk.engine.gate.set()


async def test_answers_for_others_are_not_ours(path):
    hello = msgspec.json.encode(HELLO)
    stray = msgspec.json.encode(CommandReply(77, ok=True))
    ours = msgspec.json.encode(CommandReply(1, ok=False, text="ours"))
    async with scripted(path, hello, stray, ours):
        reply = await in_thread(send_command, path, Action.PAUSE, actor="cli")
        assert reply.text == "ours"


async def test_an_engine_that_ends_meanwhile_is_told(path):
    hello = msgspec.json.encode(HELLO)
    async with scripted(path, hello, msgspec.json.encode(Goodbye(0, "stopped by ann"))):
        with pytest.raises(ControlError, match=r"has ended \(exit code 0\): stopped by ann"):
            await in_thread(fetch_status, path)


@pytest.mark.parametrize("end", ["flat", "residual"])
async def test_wait_flat_follows_a_flatten_to_its_end(path, end):
    async with serving(path) as desk:
        desk.engine.phase(Phase.FLATTENING, "close positions")
        loop = asyncio.get_running_loop()
        seen = []

        def progress(each):
            seen.append(each.flatten.step)
            if len(seen) == 1:
                loop.call_soon_threadsafe(desk.engine.phase, Phase.HALTED, end)

        last = await in_thread(wait_flat, path, timeout_s=WAIT_S, on_progress=progress)
        assert seen == ["close positions", end]
        assert last == desk.engine.now


async def test_wait_flat_tells_what_is_left_when_time_is_up(path):
    async with serving(path) as desk:
        desk.engine.phase(Phase.FLATTENING, "cancel entries")
        with pytest.raises(
            ControlError, match="step cancel entries, 2 orders to cancel, 1 positions to close"
        ):
            await in_thread(wait_flat, path, timeout_s=0.2, on_progress=lambda _: None)
    async with scripted(path, msgspec.json.encode(HELLO)):
        with pytest.raises(ControlError, match="showed nothing"):
            await in_thread(wait_flat, path, timeout_s=0.05, on_progress=lambda _: None)


async def test_wait_flat_sees_the_end_that_comes_with_the_goodbye(path):
    async with serving(path, rate_hz=0.1) as desk:
        desk.engine.phase(Phase.FLATTENING, "close positions")
        loop = asyncio.get_running_loop()
        ended = []

        def end(_):
            desk.engine.phase(Phase.HALTED, "flat")
            ended.append(loop.create_task(desk.server.say_goodbye(0, "done")))

        def progress(each):
            if each.status.phase is Phase.FLATTENING:
                loop.call_soon_threadsafe(end, None)

        last = await in_thread(wait_flat, path, timeout_s=WAIT_S, on_progress=progress)
        assert last.flatten.step == "flat"
        await asyncio.gather(*ended)


# in process


def direct(engine, **options):
    """A link without a socket."""
    return DirectLink(
        hello=HELLO,
        snapshot=engine.snapshot,
        command=engine.command,
        why=engine.why,
        look=engine.look,
        actor="test",
        options="--instance day",
        **{"rate_hz": 100.0, **options},
    )


async def test_a_direct_link_is_a_link():
    engine = FakeEngine()
    link: Link = direct(engine)
    assert link.hello == HELLO
    assert link.goodbye is None
    assert (await link.command(Action.PAUSE, reason="lunch")).ok
    assert engine.requests == [CommandRequest(1, Action.PAUSE, "test", "lunch")]
    await link.close()


async def test_a_direct_link_shows_changes_until_the_goodbye():
    engine = FakeEngine()
    link = direct(engine)
    seen = []
    async with asyncio.timeout(WAIT_S):
        async for each in link.snapshots():
            seen.append(each)
            if len(seen) == 1:
                await asyncio.sleep(0)
                engine.show(notices=notices(1))
            else:
                engine.show(notices=notices(2))
                await link.say_goodbye(0, "done")
    assert [each.notices for each in seen] == [(), notices(1), notices(2)]
    assert link.goodbye == Goodbye(0, "done")


async def test_a_direct_link_skips_what_did_not_change():
    engine = FakeEngine()
    link = direct(engine)
    async with asyncio.timeout(WAIT_S), aclosing(link.snapshots()) as stream:
        await anext(stream)
        following = asyncio.create_task(anext(stream))
        await engine.builds(3)
        assert not following.done()
        await link.close()
        with pytest.raises(StopAsyncIteration):
            await following


async def test_a_direct_command_without_an_answer_is_told():
    engine = FakeEngine()
    engine.gate.clear()
    with pytest.raises(ControlError, match="did not answer 'arm'"):
        await direct(engine).command(Action.ARM, timeout_s=0.02)


async def test_direct_panic_from_a_thread_waits_for_the_answer():
    engine = FakeEngine()
    link = direct(engine)
    await in_thread(link.panic)
    assert [request.action for request in engine.requests] == [Action.FLATTEN]
    engine.reply = CommandReply(0, ok=False, reason="FLATTEN_RUNNING")
    await in_thread(link.panic)
    engine.reply = CommandReply(0, ok=False, reason="STOPPING")
    with pytest.raises(ControlError, match="refused to flatten: STOPPING"):
        await in_thread(link.panic)
    engine.gate.clear()
    with pytest.raises(ControlError, match="did not answer 'flatten'"):
        await in_thread(link.panic)


async def test_direct_panic_in_the_engines_own_loop_is_on_its_way():
    engine = FakeEngine()
    direct(engine).panic()
    async with asyncio.timeout(WAIT_S):
        await engine.heard(1)
    assert engine.requests[0].action is Action.FLATTEN


def test_direct_panic_after_the_loop_has_ended_is_told():
    async def made():
        return direct(FakeEngine())

    link = asyncio.run(made())
    with pytest.raises(ControlError, match="did not answer"):
        link.panic()


def test_a_socket_of_another_user_is_told(path):
    assert "belongs to another user" in str(unreachable(path, "night", PermissionError()))
