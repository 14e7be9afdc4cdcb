"""The control socket: private, bounded, and never in the engine's way."""

import asyncio
import json
import socket
import stat
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from engine.domain.errors import LockHeldError, RefusedError
from engine.domain.events import Action
from engine.runtime import control
from engine.runtime.client import COMMANDS_WAITING_MAX
from engine.runtime.protocol import (
    CommandReply,
    CommandRequest,
    Goodbye,
    Hello,
    SnapshotDelta,
    StatusRequest,
    Subscribe,
    difference,
    merge,
)
from engine.runtime.wire import REQUEST_BYTES_MAX, SNAPSHOT_BYTES_MAX, encode
from tests.unit.runtime.control_fakes import (
    HELLO,
    RATE_HZ,
    busy_snapshot,
    notices,
    raw_client,
    receive,
    serving,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.sock"


async def told(connection):
    """Wait until the server has closed, and return why."""
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    return connection.close_code, connection.close_reason


# the socket


async def test_the_socket_is_private_and_goes_with_the_server(path):
    async with serving(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_dead_engines_socket_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(path), raw_client(path) as console:
        assert await receive(console, Hello) == HELLO


async def test_a_living_engines_socket_is_left_alone(path):
    async with serving(path):
        with pytest.raises(LockHeldError, match="another engine answers"):
            async with serving(path):
                pass
        async with raw_client(path) as console:
            assert await receive(console, Hello) == HELLO


async def test_an_engine_too_busy_to_answer_is_living(path):
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(path))
        busy.listen(0)
        first.connect(str(path))
        with pytest.raises(LockHeldError):
            async with serving(path):
                pass


async def test_a_file_that_is_no_socket_is_not_removed(path):
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="not a socket"):
        async with serving(path):
            pass
    assert path.read_text() == "precious"


async def test_a_path_that_cannot_be_used_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        async with serving(tmp_path / "missing" / "c.sock"):
            pass


async def test_a_successors_socket_survives_our_end(path):
    async with serving(path):
        path.rename(path.with_name("old.sock"))
        successor = socket.socket(socket.AF_UNIX)
        successor.bind(str(path))
    assert path.exists()
    successor.close()


async def test_what_the_block_raises_comes_out_as_it_is(path):
    with pytest.raises(ZeroDivisionError):
        async with serving(path):
            raise ZeroDivisionError


# snapshots


async def test_nothing_is_built_while_nobody_asks(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(encode(CommandRequest(1, Action.PAUSE, "test")))
        await receive(console, CommandReply)
        assert desk.engine.built == 0
        assert desk.server.subscribers == 0


async def test_a_subscriber_gets_everything_first_and_then_only_what_changed(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(encode(Subscribe(RATE_HZ)))
        first = await receive(console, SnapshotDelta)
        assert merge(None, first) == desk.engine.now
        desk.engine.show(notices=notices(2))
        assert await receive(console, SnapshotDelta) == SnapshotDelta(notices=notices(2))
        desk.engine.show(notices=notices(0))
        assert await receive(console, SnapshotDelta) == SnapshotDelta(notices=())


async def test_nothing_is_sent_while_nothing_changes(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(encode(Subscribe(RATE_HZ)))
        await receive(console, SnapshotDelta)
        await desk.engine.builds(5)
        await console.send(encode(CommandRequest(7, Action.PAUSE, "test")))
        assert (await receive(console, CommandReply)).id == 7  # and no snapshot came before it


async def test_many_consoles_cost_one_snapshot_a_tick(path):
    async with serving(path, rate_hz=10.0) as desk, raw_client(path) as one, raw_client(path) as two:
        for console in (one, two):
            await receive(console, Hello)
            await console.send(encode(Subscribe(RATE_HZ)))
            await receive(console, SnapshotDelta)
        assert desk.engine.built == 1
        assert desk.server.subscribers == 2
        desk.engine.show(notices=notices(1))
        for console in (one, two):
            assert await receive(console, SnapshotDelta) == SnapshotDelta(notices=notices(1))
        assert desk.engine.built == 2


async def test_a_console_may_ask_for_fewer_snapshots(path):
    async with serving(path) as desk, raw_client(path) as slow, raw_client(path) as fast:
        for console, rate_hz in ((slow, 0.0), (fast, 1e9)):
            await receive(console, Hello)
            await console.send(encode(Subscribe(rate_hz)))
            await receive(console, SnapshotDelta)
        for count in range(1, 4):
            desk.engine.show(notices=notices(count))
            assert await receive(fast, SnapshotDelta) == SnapshotDelta(notices=notices(count))
        await slow.send(encode(StatusRequest()))
        assert merge(None, await receive(slow, SnapshotDelta)) == desk.engine.now  # whole: the first since


async def test_a_status_request_gets_one_whole_snapshot(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(encode(StatusRequest()))
        assert merge(None, await receive(console, SnapshotDelta)) == desk.engine.now
        assert desk.server.subscribers == 0


async def test_status_after_a_command_shows_what_it_did(path):
    async with serving(path, rate_hz=0.1) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(encode(StatusRequest()))
        await receive(console, SnapshotDelta)
        desk.engine.show(notices=notices(3))
        await console.send(encode(CommandRequest(1, Action.PAUSE, "test")))
        await receive(console, CommandReply)
        await console.send(encode(StatusRequest()))
        assert (await receive(console, SnapshotDelta)).notices == notices(3)


async def test_a_status_request_between_snapshots_does_not_break_the_deltas(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(encode(Subscribe(RATE_HZ)))
        view = merge(None, await receive(console, SnapshotDelta))
        for count in (1, 2, 3):
            desk.engine.show(notices=notices(count % 2))
            await console.send(encode(StatusRequest()))
            while view.notices != notices(count % 2):
                view = merge(view, await receive(console, SnapshotDelta))


async def test_a_snapshot_that_fails_is_logged_once_and_commands_go_on(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(encode(Subscribe(RATE_HZ)))
        await receive(console, SnapshotDelta)
        desk.engine.failure = ZeroDivisionError()
        await desk.engine.builds(3)
        desk.engine.failure = None
        desk.engine.show(notices=notices(1))
        assert await receive(console, SnapshotDelta) == SnapshotDelta(notices=notices(1))
        assert desk.logged() == ["snapshot_failed"]


async def test_a_status_that_fails_closes_with_a_reason(path):
    async with serving(path) as desk, raw_client(path) as console:
        desk.engine.failure = ZeroDivisionError()
        await receive(console, Hello)
        await console.send(encode(StatusRequest()))
        assert await told(console) == (1011, "the engine failed to answer; see its log")
        assert desk.logged() == ["control_failed"]


# commands


async def test_a_command_is_answered_under_its_own_id(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        request = CommandRequest(42, Action.ARM, "ann@desk", "start of day", "canary")
        await console.send(encode(request))
        assert await receive(console, CommandReply) == CommandReply(42, ok=True, text="done")
        assert desk.engine.requests == [request]


async def test_a_command_passes_one_that_waits(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        desk.engine.gate.clear()
        await console.send(encode(CommandRequest(1, Action.STOP, "test")))
        await desk.engine.heard(1)
        await console.send(encode(Subscribe(RATE_HZ)))
        await receive(console, SnapshotDelta)
        await console.send(encode(StatusRequest()))
        await receive(console, SnapshotDelta)
        desk.engine.gate.set()
        assert (await receive(console, CommandReply)).id == 1


async def test_a_command_is_carried_out_though_its_sender_left(path):
    async with serving(path) as desk:
        desk.engine.gate.clear()
        async with raw_client(path) as console:
            await receive(console, Hello)
            await console.send(encode(CommandRequest(1, Action.FLATTEN, "test")))
            await desk.engine.heard(1)
        desk.engine.gate.set()
    assert [request.action for request in desk.engine.requests] == [Action.FLATTEN]


async def test_a_command_without_an_answer_is_reported(path):
    async with serving(path, answer_timeout_s=0.05) as desk, raw_client(path) as console:
        await receive(console, Hello)
        desk.engine.gate.clear()
        await console.send(encode(CommandRequest(5, Action.STOP, "test")))
        reply = await receive(console, CommandReply)
        assert (reply.id, reply.ok, reply.reason) == (5, False, "NO_ANSWER")


async def test_commands_that_fail_are_answered(path):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        desk.engine.failure = RefusedError("the inbox is closed")
        await console.send(encode(CommandRequest(1, Action.PAUSE, "test")))
        assert await receive(console, CommandReply) == CommandReply(1, ok=False, text="the inbox is closed")
        desk.engine.failure = ZeroDivisionError()
        await console.send(encode(CommandRequest(2, Action.PAUSE, "test")))
        reply = await receive(console, CommandReply)
        assert (reply.id, reply.ok) == (2, False)
        assert "see its log" in reply.text
        assert desk.logged() == ["command_failed"]


async def test_a_client_has_only_so_many_commands_waiting(path):
    async with serving(path) as desk, raw_client(path) as console, raw_client(path) as other:
        await receive(console, Hello)
        await receive(other, Hello)
        desk.engine.gate.clear()
        for number in range(1, COMMANDS_WAITING_MAX + 5):
            await console.send(encode(CommandRequest(number, Action.PAUSE, "test")))
        await desk.engine.heard(COMMANDS_WAITING_MAX)
        await other.send(encode(CommandRequest(1, Action.FLATTEN, "other")))  # others are not held up
        await desk.engine.heard(COMMANDS_WAITING_MAX + 1)
        assert desk.engine.requests[-1].actor == "other"
        desk.engine.gate.set()
        replies = [await receive(console, CommandReply) for _ in range(COMMANDS_WAITING_MAX + 4)]
        assert sorted(reply.id for reply in replies) == list(range(1, COMMANDS_WAITING_MAX + 5))


# bad input


@pytest.mark.parametrize(
    ("frame", "request_id"),
    [
        ({"type": "command", "id": 9, "action": "selfdestruct", "actor": "x"}, 9),
        ({"type": "command", "id": 3, "action": "arm"}, 3),
        ({"type": "telepathy"}, 0),
        ({"id": "seven"}, 0),
        ([], 0),
    ],
)
async def test_an_unknown_request_is_refused_and_the_talk_goes_on(path, frame, request_id):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(json.dumps(frame))
        reply = await receive(console, CommandReply)
        assert (reply.id, reply.ok, reply.reason) == (request_id, False, "UNKNOWN_COMMAND")
        assert reply.text.startswith("not understood: ")
        await console.send(encode(CommandRequest(1, Action.PAUSE, "test")))
        assert (await receive(console, CommandReply)).ok
        assert desk.logged() == []


@pytest.mark.parametrize(
    "frame", [b"", b"{", b"GET / HTTP/1.1", b"\xff\xfe\x00", b'{"type":"status","x":' + b"[" * 30_000]
)
async def test_a_frame_that_is_no_json_closes_with_a_reason(path, frame):
    async with serving(path) as desk, raw_client(path) as console:
        await receive(console, Hello)
        await console.send(frame)
        code, reason = await told(console)
        assert (code, reason) == (1007, "a frame must be one JSON message")
        assert desk.logged() == []


async def test_a_frame_that_is_too_large_closes(path):
    async with serving(path), raw_client(path) as console:
        await receive(console, Hello)
        await console.send(b" " * (REQUEST_BYTES_MAX + 1))
        assert (await told(console))[0] == 1009


async def test_a_caller_that_speaks_no_websocket_harms_nobody(path, capfd):
    async with serving(path), raw_client(path) as console:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"\x00\x01\x02 hello?\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()
        assert await receive(console, Hello) == HELLO
    assert capfd.readouterr().err == ""


async def test_consoles_are_bounded(path, monkeypatch):
    monkeypatch.setattr(control, "SUBSCRIBERS_MAX", 1)
    async with serving(path), raw_client(path) as one, raw_client(path) as two, raw_client(path) as three:
        for console in (one, two, three):
            await receive(console, Hello)
        for console in (one, one, two):
            await console.send(encode(Subscribe(RATE_HZ)))
        await receive(one, SnapshotDelta)
        code, reason = await told(two)
        assert (code, reason) == (1013, "1 consoles are attached already; close one")
        await three.send(encode(CommandRequest(1, Action.FLATTEN, "test")))  # commands still find a way in
        assert (await receive(three, CommandReply)).ok


async def test_connections_are_bounded(path, monkeypatch):
    monkeypatch.setattr(control, "CONNECTIONS_MAX", 1)
    async with serving(path), raw_client(path) as one:
        await receive(one, Hello)
        async with raw_client(path) as two:
            code, reason = await told(two)
        assert code == 1013
        assert "connections are open already" in reason


# slow consoles


async def test_a_console_that_does_not_read_is_passed_over_and_then_let_go(path):
    async with serving(path, slow_s=0.3) as desk, raw_client(path) as good:
        async with raw_client(path, max_queue=1) as stuck:
            for console in (stuck, good):
                await receive(console, Hello)
                await console.send(encode(Subscribe(RATE_HZ)))
                await receive(console, SnapshotDelta)
            largest = count = 0
            while desk.server.subscribers == 2:
                count += 1
                page = notices(2, f"{count} " + "x" * 100_000)
                desk.engine.show(notices=page)
                assert (await receive(good, SnapshotDelta)).notices == page  # the other misses nothing
                waiting = [c.connection.transport.get_write_buffer_size() for c in desk.server._clients]
                largest = max(largest, *waiting)
            assert 0 < largest < 300_000  # one frame at most waits for it
        assert desk.logged() == ["console_too_slow"]


async def test_a_console_that_reads_late_gets_the_latest(path):
    async with serving(path) as desk, raw_client(path, max_queue=1) as late:
        await receive(late, Hello)
        await late.send(encode(Subscribe(RATE_HZ)))
        view = merge(None, await receive(late, SnapshotDelta))
        (client,) = desk.server._clients
        count = 0
        while not client.unread:
            count += 1
            desk.engine.show(notices=notices(2, f"{count} " + "x" * 100_000))
            await desk.engine.builds(1)
        desk.engine.show(notices=notices(1, "the last"))
        while view.notices != notices(1, "the last"):
            view = merge(view, await receive(late, SnapshotDelta))
        assert view == desk.engine.now


async def test_a_reply_to_one_who_does_not_read_is_given_up(path):
    async with serving(path, slow_s=0.1) as desk, raw_client(path, max_queue=1) as stuck:
        await receive(stuck, Hello)
        desk.engine.reply = CommandReply(0, ok=True, text="x" * 1_000_000)
        for number in range(6):
            await stuck.send(encode(CommandRequest(number, Action.PAUSE, "test")))
        await desk.engine.until(lambda: "console_too_slow" in desk.logged())


async def test_the_end_does_not_wait_for_one_who_does_not_read(path):
    async with serving(path) as desk, raw_client(path, max_queue=1) as stuck:
        await receive(stuck, Hello)
        await stuck.send(encode(Subscribe(RATE_HZ)))
        await receive(stuck, SnapshotDelta)
        (client,) = desk.server._clients
        while not client.unread:
            desk.engine.show(notices=notices(2, f"{desk.engine.built} " + "x" * 100_000))
            await desk.engine.builds(1)
        started_s = time.monotonic()
        await desk.server.say_goodbye(0, "done")
        assert time.monotonic() - started_s < 2 * control.CLOSE_TIMEOUT_S


# goodbye


async def test_goodbye_follows_the_last_snapshot(path):
    async with serving(path, rate_hz=0.1) as desk, raw_client(path) as console, raw_client(path) as idle:
        for each in (console, idle):
            await receive(each, Hello)
        await console.send(encode(Subscribe(RATE_HZ)))
        await receive(console, SnapshotDelta)
        desk.engine.show(notices=notices(1))
        ending = asyncio.create_task(desk.server.say_goodbye(4, "not flat"))
        assert await receive(console, SnapshotDelta) == SnapshotDelta(notices=notices(1))
        assert await receive(console, Goodbye) == Goodbye(4, "not flat")
        assert await receive(idle, Goodbye) == Goodbye(4, "not flat")
        assert (await told(console))[0] == 1001
        await ending
        assert not path.exists()


async def test_an_end_without_goodbye_closes_all_the_same(path):
    async with raw_client_of_a_server_that_ends(path) as console:
        assert (await told(console))[0] == 1001
    assert not path.exists()


@asynccontextmanager
async def raw_client_of_a_server_that_ends(path):
    async with AsyncExitStack() as clients:
        async with serving(path):
            console = await clients.enter_async_context(raw_client(path))
            await receive(console, Hello)
        yield console


def test_a_busy_screen_fits_a_frame_and_survives_the_wire():
    frame = encode(difference(None, busy_snapshot()))
    assert len(frame) < SNAPSHOT_BYTES_MAX
    assert merge(None, msgspec.json.decode(frame, type=SnapshotDelta)) == busy_snapshot()
