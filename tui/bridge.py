"""From the link to messages: connect, then stream until the engine ends. Touches no widget."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from textual.message import Message

from engine.api import Link, TraderError
from tui.messages import ConnectFailed, LinkDown, LinkUp, SnapshotArrived

Connect = Callable[[], Awaitable[Link]]


class Post(Protocol):
    """Where messages go: `App.post_message`."""

    def __call__(self, message: Message, /) -> bool:
        """Take a message; False once the app is closing."""
        ...


async def stream(connect: Connect, post: Post) -> None:
    """Connect and post what comes, until the engine is gone. Errors become messages."""
    try:
        link = await connect()
    except TraderError as error:
        post(ConnectFailed(str(error), error.exit_code))
        return
    except OSError as error:
        post(ConnectFailed(f"the engine could not be reached: {error}", 1))
        return
    post(LinkUp(link))
    await follow(link, post)


async def follow(link: Link, post: Post) -> None:
    """Post what comes over a link until it ends, then that it did."""
    problem = ""
    try:
        async for snapshot in link.snapshots():
            post(SnapshotArrived(snapshot))
    except (TraderError, OSError) as error:
        problem = str(error)
    finally:
        await link.close()
    post(LinkDown(link.goodbye, problem))
