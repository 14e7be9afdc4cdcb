"""Structured logs: one JSON object a line, UTC, secrets redacted, in files that rotate."""

import json
import os
import threading
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger, WrappedLogger

from engine.config.secrets import Redactor
from engine.config.settings import LogLevel, LogSettings
from engine.domain.errors import StorageError

FILE_NAME = "engine.log"
_BYTES_PER_MB = 1_000_000
_LEVELS = {LogLevel.DEBUG: 10, LogLevel.INFO: 20, LogLevel.WARNING: 30, LogLevel.ERROR: 40}

Logger = FilteringBoundLogger


class RotatingFile:
    """A log file of bounded size with a bounded number of older ones: engine.log, engine.log.1, ...

    A line that cannot be written is counted in `lost` and given up: a full disk must not stop the engine.
    """

    def __init__(self, path: Path, bytes_max: int, files: int) -> None:
        """Open for appending. Raises StorageError."""
        self.path = path
        self.lost = 0
        self._bytes_max = bytes_max
        self._files = files
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor, self._size = self._opened()
        except OSError as error:
            raise StorageError(f"the log {path} cannot be written: {error.strerror}") from None

    def write(self, line: bytes) -> None:
        """Append a line with its newline."""
        with self._lock:
            try:
                if self._size + len(line) > self._bytes_max and self._size > 0:
                    self._rotate()
                self._size += os.write(self._descriptor, line)
            except OSError:
                self.lost += 1

    def close(self) -> None:
        """Close the file; later lines are lost."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1

    def _opened(self) -> tuple[int, int]:
        # One unbuffered append a line: a killed engine leaves every line it wrote.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return descriptor, os.fstat(descriptor).st_size

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        if self._files == 1:
            self.path.unlink(missing_ok=True)
        full = self._descriptor
        self._descriptor, self._size = self._opened()
        os.close(full)

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path


class EngineLog:
    """One engine's log: a logger to hand on and bind to, and its files. Two engines share nothing of it."""

    def __init__(
        self,
        folder: Path,
        settings: LogSettings,
        *,
        redactor: Redactor | None = None,
        screen: TextIO | None = None,
        **context: str,
    ) -> None:
        """Open the log in `folder`; `screen` gets readable lines as well. Raises StorageError."""
        self.file = RotatingFile(folder / FILE_NAME, int(settings.max_mb * _BYTES_PER_MB), settings.files)
        unbound = structlog.wrap_logger(
            _Sink(self.file, screen),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.format_exc_info,
                _Render(redactor or Redactor()),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
            context_class=dict,
            cache_logger_on_first_use=False,
        )
        self.logger: Logger = unbound.bind(**context)  # bound once: a level that is off costs one call

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()


def readable_screen(stream: TextIO, *, headless: bool) -> TextIO | None:
    """Return the stream where a person may read along: headless, on a terminal; elsewhere None."""
    return stream if headless and stream.isatty() else None


class _Render:
    """The last processor: redact, then write the line once for machines and once for people."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(
        self, _logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]
    ) -> tuple[tuple[bytes, dict[str, Any]], dict[str, Any]]:
        fields = {"time": event.pop("time"), "level": event.pop("level"), "event": event.pop("event")}
        fields["event"] = self._redactor.text(str(fields["event"]))
        fields |= self._redactor.value(event)
        return (_encoded(fields), fields), {}


class _Sink:
    """What structlog hands rendered lines to: one method a level, all alike."""

    def __init__(self, file: RotatingFile, screen: TextIO | None) -> None:
        self._file = file
        self._screen = screen

    def info(self, line: bytes, fields: dict[str, Any]) -> None:
        self._file.write(line)
        if self._screen is not None:
            self._show(self._screen, fields)

    debug = warning = error = critical = info

    def _show(self, screen: TextIO, fields: dict[str, Any]) -> None:
        more = dict(fields)
        trace = more.pop("exception", "")
        head = f"{more.pop('time')[11:23]} {more.pop('level'):<8} {more.pop('event')}"
        text = " ".join([head, *(f"{key}={value}" for key, value in more.items())])
        with suppress(OSError, ValueError):  # the terminal went away; the file has the line
            screen.write(f"{text}\n{trace}\n" if trace else f"{text}\n")
            screen.flush()


def _encoded(fields: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(fields) + b"\n"
    except (OverflowError, UnicodeEncodeError):  # integers past 64 bits, broken text from outside
        return json.dumps(fields).encode() + b"\n"
