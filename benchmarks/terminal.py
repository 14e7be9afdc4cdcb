"""A pseudo-terminal that runs a console and watches what it writes."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"  # beside the repository, where there is any
READ_BYTES = 65_536
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "", "TRADER_TUI_CONSOLE__WELCOME": "false"}


class Terminal:
    """A command in a pseudo-terminal of a given size; every byte it writes is read and counted."""

    def __init__(self, command: list[str], *, columns: int, rows: int, environment: dict[str, str]) -> None:
        self.started_s = time.perf_counter()
        self.written = 0
        self._seen = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**os.environ, **TERMINAL, **environment},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + 5
        while self.process.poll() is None and time.monotonic() < deadline_s:
            self._read(0.05)
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def until(self, text: str, timeout_s: float) -> float:
        """Read until a text was written; return seconds since the start. Raises TimeoutError."""
        deadline_s = time.monotonic() + timeout_s
        while text.encode() not in self._seen:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{text!r} was not written within {timeout_s} s")
            self._read(0.02)
        return time.perf_counter() - self.started_s

    def forget(self) -> None:
        """Let `until` look at what is written from here on."""
        self._seen = b""

    def watch(self, duration_s: float) -> float:
        """Read for a while; return the bytes a second."""
        before, begun_s = self.written, time.monotonic()
        while time.monotonic() - begun_s < duration_s:
            self._read(0.05)
        return (self.written - before) / (time.monotonic() - begun_s)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def _read(self, timeout_s: float) -> None:
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return
        try:
            data = os.read(self._master, READ_BYTES)
        except OSError:
            return
        self.written += len(data)
        self._seen = (self._seen + data)[-4 * READ_BYTES :]
