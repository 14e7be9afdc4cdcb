"""The flatten latch: a file whose presence forbids orders that increase exposure, in every process."""

import os
from pathlib import Path

from engine.storage.atomic import sync_directory
from engine.storage.failures import os_failure

FILE_NAME = "flatten.latch"


class Latch:
    """The latch of one state directory. It is asked before every submit, so asking costs one stat."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._name = str(self.path)

    def engage(self, text: str) -> None:
        """Set the latch durably; `text` says who and why. Raises StorageError.

        It holds from the moment the file exists, before a byte of the text is written: a full disk can
        take the text away but not the latch.
        """
        try:
            descriptor = os.open(self._name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise os_failure(self.path, "set the flatten latch", error) from error
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
            sync_directory(self.path.parent)
        except OSError as error:
            raise os_failure(self.path, "make the flatten latch durable (it is set)", error) from error
        finally:
            os.close(descriptor)

    def engaged(self) -> bool:
        """Tell whether the latch is set; it counts as set where the disk gives no clear answer."""
        try:
            os.stat(self._name)  # noqa: PTH116 - half the cost of Path.stat, and on the order path
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def text(self) -> str:
        """Return who set the latch and why, empty where that cannot be read."""
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def release(self) -> None:
        """Remove the latch; nothing where it is not set. Raises StorageError."""
        try:
            self.path.unlink(missing_ok=True)
            sync_directory(self.path.parent)
        except OSError as error:
            raise os_failure(self.path, "remove the flatten latch", error) from error
