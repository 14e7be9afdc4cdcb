"""Consoles on a control socket: each has an id, and the engine hears of one that is gone."""

import socket
from pathlib import Path

import pytest

from engine import __version__
from engine.core.operator import InControl
from engine.domain.errors import ControlError
from engine.domain.events import Action
from engine.instance import connect_at
from engine.runtime.commands import CommandDesk
from engine.runtime.link import SocketLink
from engine.runtime.protocol import PROTOCOL_VERSION, Hello
from engine.runtime.wire import unreachable
from tests.builders import T0
from tests.unit.runtime.control_fakes import serving


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.sock"


async def test_a_console_sends_its_id_with_every_command(path):
    async with serving(path) as desk:
        link = await desk.link(console="c1")
        assert link.console == "c1"
        await link.command(Action.PAUSE)
        assert [request.console for request in desk.engine.requests] == ["c1"]
        await link.close()


async def test_a_console_that_is_gone_is_told_of_once(path):
    gone: list[str] = []
    async with serving(path, left=gone.append) as desk:
        link = await desk.link(console="c1")
        await link.command(Action.PAUSE)
        await link.close()
    assert gone == ["c1"]


async def test_a_console_that_came_back_has_not_left(path):
    """The engine may find the connection that broke dead only minutes after the console has a new one."""
    gone: list[str] = []
    async with serving(path, left=gone.append) as desk:
        broken, new = await desk.link(console="c1"), await desk.link(console="c1")
        for link in (broken, new):
            await link.command(Action.TAKE_CONTROL)
        await broken.close()
        await new.command(Action.PAUSE)
        assert gone == []
        await new.close()
    assert gone == ["c1"]


async def test_nobody_is_told_of_one_that_has_no_id(path):
    gone: list[str] = []
    async with serving(path, left=gone.append) as desk:
        first, second = await desk.link(), await desk.link(console="c2")
        await first.command(Action.PAUSE)
        await first.close()
        await second.command(Action.PAUSE)
        await second.close()
    assert gone == ["c2"]


@pytest.mark.parametrize(("holder", "posted"), [("c1", [Action.RELEASE_CONTROL]), ("c2", []), (None, [])])
def test_control_goes_back_only_where_the_console_that_left_had_it(holder, posted):
    line = []

    def offer(event):
        line.append(event)
        return True

    desk = CommandDesk(offer, lambda: T0, 0)
    desk.left("c1", InControl(holder, "me@pts/1", T0) if holder else None)
    assert [event.action for event in line] == posted
    assert all((event.console, event.actor) == ("c1", "me@pts/1") for event in line)


# an engine elsewhere, whose socket ssh brought here


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(), "there is no socket at /tmp/x.sock: the ssh that forwards it is not running"),
        (ConnectionRefusedError(), "/tmp/x.sock is no socket"),
        (PermissionError(), "belongs to another user"),
        (TimeoutError(), "nobody answers at /tmp/x.sock: the line hangs"),
        (EOFError("closed"), "what it is forwarded to is gone, or is no control socket (closed)"),
        (ControlError("the engine speaks version 2"), "the engine speaks version 2"),
    ],
)
def test_what_a_forwarded_socket_lacks_is_told_without_a_word_of_this_machines_instances(error, told):
    text = str(unreachable(Path("/tmp/x.sock"), "", error))
    assert told in text
    assert "--instance" not in text


def test_a_socket_that_an_ended_ssh_left_is_to_be_removed(tmp_path):
    left = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(left))
    assert "Remove that file" in str(unreachable(left, "", ConnectionRefusedError()))


async def test_an_engine_elsewhere_is_reached_by_its_socket_alone(path):
    async with serving(path) as desk:
        link = await connect_at(path, "me@here", console="c1")
        await link.command(Action.PAUSE)
        assert desk.engine.requests[0].actor == "me@here"
        await link.close()


async def test_what_it_does_not_answer_is_to_be_done_on_its_machine(path):
    async with serving(path) as desk:
        link = await SocketLink.connect(path, actor="me", instance="")
        desk.engine.gate.clear()
        with pytest.raises(ControlError, match="`trader-tui flatten --direct` on the engine's machine"):
            await link.command(Action.PAUSE, timeout_s=0.05)
        await link.close()


async def test_another_protocol_is_explained_with_both_versions(path):
    hello = Hello(PROTOCOL_VERSION + 1, "9.9.9", 4711, "night", "s1")
    async with serving(path, hello=hello):
        with pytest.raises(ControlError) as caught:
            await connect_at(path, "me")
    told = str(caught.value)
    assert f"trader-tui 9.9.9, pid 4711) speaks version {PROTOCOL_VERSION + 1}" in told
    assert f"(trader-tui {__version__}) speaks {PROTOCOL_VERSION}" in told
    assert "Use trader-tui 9.9.9 to control it" in told
