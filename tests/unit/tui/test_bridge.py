"""From the link to messages: what a connection can do, and what the app is told of it."""

from collections.abc import AsyncIterator

from textual.message import Message

from engine.api import ControlError, Goodbye, LockHeldError, Snapshot
from tests.console_fakes import FakeLink, snapshot
from tui.bridge import Connect, stream
from tui.messages import ConnectFailed, LinkDown, LinkUp, SnapshotArrived


class BrokenLink(FakeLink):
    """Breaks after its first snapshot."""

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        """Yield one, then fail."""
        yield snapshot()
        raise ControlError("the socket closed")


async def told(connect: Connect) -> list[Message]:
    """Return all messages of one connection."""
    seen: list[Message] = []

    def post(message: Message, /) -> bool:
        seen.append(message)
        return True

    await stream(connect, post)
    return seen


def failing(error: Exception) -> Connect:
    """Return a connect function that raises."""

    async def connect() -> FakeLink:
        raise error

    return connect


def reaching(link: FakeLink) -> Connect:
    """Return a connect function that reaches a link."""

    async def connect() -> FakeLink:
        return link

    return connect


async def test_a_connection_from_first_to_last() -> None:
    """Up, snapshots, down with the goodbye; and the link is let go."""
    link = FakeLink([snapshot(), snapshot()])
    link.end(Goodbye(0, "stopped"))
    messages = await told(reaching(link))
    assert [type(message) for message in messages] == [LinkUp, SnapshotArrived, SnapshotArrived, LinkDown]
    assert isinstance(messages[-1], LinkDown)
    assert messages[-1].goodbye == Goodbye(0, "stopped")
    assert link.closed


async def test_an_engine_that_cannot_start_is_one_message() -> None:
    """With the exit code its error calls for."""
    (message,) = await told(failing(LockHeldError("held by pid 7")))
    assert isinstance(message, ConnectFailed)
    assert (message.text, message.exit_code) == ("held by pid 7", 3)


async def test_a_socket_that_is_not_there_is_one_message() -> None:
    """Whatever the system called it."""
    (message,) = await told(failing(FileNotFoundError("no such socket")))
    assert isinstance(message, ConnectFailed)
    assert (message.text, message.exit_code) == ("the engine could not be reached: no such socket", 1)


async def test_a_broken_connection_is_down_with_its_error() -> None:
    """And without a goodbye."""
    *_, message = await told(reaching(BrokenLink()))
    assert isinstance(message, LinkDown)
    assert (message.goodbye, message.error) == (None, "the socket closed")


def test_a_newer_snapshot_replaces_a_waiting_one() -> None:
    """A slow screen falls behind by no more than one."""
    first, second = SnapshotArrived(snapshot()), SnapshotArrived(snapshot())
    assert first.can_replace(second)
    assert not first.can_replace(LinkDown(None))
