"""A program in a tmux of its own: what it costs, and keys for it."""

import os
import shlex
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from benchmarks.terminal import ROOT, TERMINAL

ENDS_WITHIN_S = 10.0


class Pane:
    """One command in one pane; its process is the command's."""

    def __init__(self, command: list[str], *, columns: int, rows: int, environment: dict[str, str]) -> None:
        self._server = f"bench-{os.getpid()}-{time.monotonic_ns()}"
        self._environment = {**os.environ, **TERMINAL, **environment}
        line = f"exec {shlex.join(command)}"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows, "-s", "s", line)
        self.process = psutil.Process(int(self._tmux("display-message", "-p", "-t", "s", "#{pane_pid}")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")
        self.process.wait(ENDS_WITHIN_S)  # one that stayed would cost what is measured after it

    def until(self, text: str, timeout_s: float = 20.0) -> None:
        """Wait until a text is on the screen. Raises TimeoutError."""
        deadline_s = time.monotonic() + timeout_s
        while text not in self.screen():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{text!r} did not come:\n{self.screen()}")
            time.sleep(0.05)

    def screen(self) -> str:
        """Return the screen as text."""
        return self._tmux("capture-pane", "-p", "-t", "s")

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names."""
        self._tmux("send-keys", "-t", "s", *names)

    def used_s(self) -> float:
        """Return the processor time of the program so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def written(self) -> int:
        """Return the bytes that the program wrote so far: to the terminal, but for a few to the engine."""
        lines = Path(f"/proc/{self.process.pid}/io").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))

    def resident_mb(self) -> float:
        """Return the program's resident memory."""
        return float(self.process.memory_info().rss) / 1e6

    def _tmux(self, *words: object) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self._server, *map(str, words)],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()
