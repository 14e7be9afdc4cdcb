"""What a console with a probe in it has written down."""

import time
from pathlib import Path

BUSY_ACTION = "bottom"  # the action after which the probe keeps the screen busy
PATIENCE_S = 15.0
POLL_S = 0.002


class Log:
    """The file that `benchmarks.consoleprobe` writes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[tuple[int, str]]:
        """Return what happened: ns of the machine's monotonic clock, and what."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [(int(at), what) for at, what in (line.split(" ", 1) for line in lines)]

    def count(self, what: str) -> int:
        """Return how often something happened."""
        return sum(name == what for _, name in self.entries())

    def until(self, what: str, times: int) -> None:
        """Wait until something happened so often. Raises TimeoutError."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self.count(what) < times:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{what!r} did not happen {times} times within {PATIENCE_S} s")
            time.sleep(POLL_S)
