"""What workers and the input thread tell the app; handlers own every change of the screen."""

from textual.message import Message

from engine.api import CommandReply, Goodbye, Link, Snapshot


class LinkUp(Message):
    """The engine answered."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link


class SnapshotArrived(Message):
    """A new snapshot; a newer one makes an unhandled older one worthless."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Let the queue keep only the newest."""
        return isinstance(message, SnapshotArrived)


class LinkDown(Message):
    """The stream ended: with the engine's goodbye, with an error, or without a word."""

    def __init__(self, goodbye: Goodbye | None, error: str = "") -> None:
        super().__init__()
        self.goodbye = goodbye
        self.error = error


class LinkMissed(Message):
    """A try to take up the engine again did not reach it."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class ConnectFailed(Message):
    """No engine could be reached or started. `exit_code` is what the program should return."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__()
        self.text = text
        self.exit_code = exit_code


class PanicPressed(Message):
    """A panic key was pressed; `fired` when it was the second of a pair and the engine was told."""

    def __init__(self, key: str, *, fired: bool, error: str = "") -> None:
        super().__init__()
        self.key = key
        self.fired = fired
        self.error = error


class TerminalGone(Message):
    """The terminal was closed or its input ended."""


class CommandDone(Message):
    """The engine answered a command, or did not."""

    def __init__(self, title: str, reply: CommandReply | None, error: str = "") -> None:
        super().__init__()
        self.title = title
        self.reply = reply
        self.error = error
