"""One connection to the control socket, as the server sees it."""

import asyncio

from websockets.asyncio.server import ServerConnection

from engine.core.snapshot import Snapshot

COMMANDS_WAITING_MAX = 16  # of one client; it is not read further until one is answered


class Client:
    """One connection and what it was sent last."""

    __slots__ = ("behind_since_s", "commands", "connection", "console", "due_s", "interval_s", "sent")

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.console = ""  # its id, once a command has told
        self.commands = asyncio.Semaphore(COMMANDS_WAITING_MAX)
        self.sent: Snapshot | None = None
        self.interval_s = 0.0
        self.due_s = 0.0
        self.behind_since_s: float | None = None

    @property
    def unread(self) -> bool:
        """Whether the last thing written still waits for the client to read."""
        return self.connection.transport.get_write_buffer_size() > 0
