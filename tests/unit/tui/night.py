"""An instance whose engine is a small fake in a thread of the test: lock, socket and answers are real."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import msgspec
import structlog
from structlog.testing import CapturingLogger

from engine.api import Action, CommandReply, FlattenSection, Phase, Snapshot, state_directory
from engine.config.packaged import socket_path
from engine.config.settings import Settings
from engine.runtime.control import ControlServer
from engine.runtime.protocol import CommandRequest, LookReply, LookRequest, WhyReply, WhyRequest
from engine.storage.lock import InstanceLock
from tests.unit.runtime.control_fakes import HELLO, RATE_HZ, snapshot

WAIT_S = 5.0


class Night:
    """An engine that shows what it is told to. `on` does something when a command comes."""

    def __init__(self, settings: Settings, *, mute: bool = False) -> None:
        """`mute`: it holds its lock and answers nobody."""
        self.settings = settings
        self.shown: Snapshot = snapshot()
        self.reply = CommandReply(0, ok=True, text="done")
        self.requests: list[CommandRequest] = []
        self.on: dict[Action, Callable[[], None]] = {}
        self._mute = mute
        self._lock = InstanceLock(state_directory(settings))
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._lock.acquire(self.settings.instance, time.time_ns())
        if not self._mute:
            self._thread.start()
            assert self._ready.wait(WAIT_S), "the fake engine serves"
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Leave as an engine does: a goodbye, then the lock."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # it was told already, and has just closed its loop
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(WAIT_S)
        self._lock.release()

    def let_go(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def flatten(self, step: str, *residual: str) -> None:
        """Be in a step of a flatten, or past it."""
        ended = step in ("flat", "residual")
        phase = Phase.HALTED if ended else Phase.FLATTENING
        status = msgspec.structs.replace(self.shown.status, phase=phase)
        section = FlattenSection(step=step, cancels_left=0 if ended else 2, residual=residual)
        self.shown = msgspec.structs.replace(self.shown, status=status, flatten=section)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = ControlServer(
            socket_path(state_directory(self.settings)),
            hello=HELLO,
            snapshot=lambda: self.shown,
            command=self._command,
            why=_no_bars,
            look=_nothing,
            log=structlog.wrap_logger(
                CapturingLogger(), wrapper_class=structlog.make_filtering_bound_logger(0), processors=[_as_is]
            ),
            rate_hz=RATE_HZ,
        )
        async with server:
            self._ready.set()
            await self._stop.wait()
            await server.say_goodbye(0, "stopped")

    async def _command(self, request: CommandRequest) -> CommandReply:
        self.requests.append(request)
        self.on.get(request.action, lambda: None)()
        return self.reply


async def _nothing(request: LookRequest) -> LookReply:
    return LookReply(request.id, text="nothing here")


async def _no_bars(request: WhyRequest) -> WhyReply:
    return WhyReply(request.id, text="no bars here")


def _as_is(_logger: Any, _name: str, line: Any) -> Any:
    return line
