"""Keeps a stream alive: dials again when it breaks, and moves over to a fresh connection before its day ends.

After a break the first attempt is made at once; each that fails is followed by a longer pause. Venues end
every connection after 24 hours: some time before that a second one is opened beside it. Its messages wait
while the first tells the same; then the first is closed, and what waited is read: what was told before is
known by its name or number.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import msgspec

from engine.domain.errors import TransientError, VenueError
from engine.venues.ws_backoff import Backoff
from engine.venues.ws_socket import Socket
from engine.venues.ws_wire import Listener, SocketWire

SLICE_S = 0.004  # how long messages are read before other tasks get their turn
WATCH_S = 0.25
KEEP_AWAKE_S = 18.0  # venues with a ping of their own want it also while data comes


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The stream's rhythm and bounds, in seconds."""

    ping_s: float = 5.0  # after so long without a message a sign of life is asked for
    pong_s: float = 5.0  # and waited for so long
    silent_s: float = 15.0  # without market data for so long the connection is made anew
    silent_max_s: float = 240.0  # the wait is doubled each time that did not help, up to this
    renew_s: float = 23.5 * 3600
    overlap_s: float = 2.0


class Stream:
    """One stream of one wire, for as long as its task runs."""

    def __init__(
        self,
        wire: SocketWire,
        listener: Listener[bytes],
        timing: Timing,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`chance` returns numbers in [0, 1); `sleep` waits between attempts."""
        self._wire, self._listener, self._timing = wire, listener, timing
        self._sleep, self._chance = sleep, chance
        self._backoff = Backoff(chance)
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._renew_now = asyncio.Event()
        self._silent_s = timing.silent_s
        self.connections = 0

    async def run(self) -> None:
        """Keep the stream alive. Ends by cancellation only."""
        while True:
            try:
                error = await self._follow(await self._dial())
            except VenueError as refused:
                error = refused
            self._listener.broke(error)
            await self._sleep(self._backoff.pause_s(error))

    def renew(self) -> None:
        """Move over to a fresh connection as soon as that is open."""
        self._renew_now.set()

    def say(self, text: str) -> None:
        """Send a message on the connection there is; without one it is not sent."""
        self._outbox.put_nowait(text)

    async def _dial(self) -> Socket:
        socket = await Socket.dial(self._wire.url, self._wire.greeting)
        self.connections += 1
        return socket

    async def _follow(self, socket: Socket) -> VenueError:
        """Read a connection, and those that take over from it, to an end; return why it ended."""
        frames: list[bytes] = []
        took_over = False
        while True:
            self._listener.opened(took_over=took_over)
            try:
                async with asyncio.TaskGroup() as tasks:
                    renewal = tasks.create_task(self._renewal(socket))
                    beside = [tasks.create_task(self._watch(socket)), tasks.create_task(self._speak(socket))]
                    error = await self._read(socket, frames)
                    for task in (*beside, renewal):
                        task.cancel()
            finally:
                await socket.close()
            if renewal.cancelled():
                return error
            socket, frames = renewal.result()
            took_over = True

    async def _read(self, socket: Socket, frames: list[bytes]) -> VenueError:
        """Read to the connection's end; return why it ended."""
        listener = self._listener
        for frame in frames:
            self._heard(socket, data=listener.take(frame))
        await listener.flush()
        slice_end_s = time.monotonic() + SLICE_S
        while True:
            try:
                frame = await socket.receive()
            except TransientError as error:
                return error
            self._heard(socket, data=listener.take(frame))
            await listener.flush()
            if socket.heard_s > slice_end_s:  # messages that wait are received without a pause
                await asyncio.sleep(0)
                slice_end_s = time.monotonic() + SLICE_S

    def _heard(self, socket: Socket, *, data: bool) -> None:
        if data:
            socket.data_s = socket.heard_s
            self._backoff.worked()
            self._silent_s = self._timing.silent_s

    async def _watch(self, socket: Socket) -> None:
        """Ask for signs of life, and end a connection that gives none or brings no data."""
        timing, asked_s = self._timing, time.monotonic()
        while True:
            await asyncio.sleep(min(WATCH_S, timing.ping_s))
            now_s = time.monotonic()
            if now_s - socket.heard_s > timing.ping_s + timing.pong_s:
                socket.break_off(f"no sign of life for {now_s - socket.heard_s:.0f} s")
                return
            if now_s - socket.data_s > self._silent_s:
                socket.break_off(f"no market data for {now_s - socket.data_s:.0f} s")
                self._silent_s = min(2 * self._silent_s, timing.silent_max_s)
                return
            quiet = now_s - socket.heard_s > timing.ping_s and now_s - asked_s > timing.ping_s
            if quiet or (self._wire.ping and now_s - asked_s > KEEP_AWAKE_S):
                asked_s = now_s
                await socket.ask_for_life(self._wire.ping)

    async def _speak(self, socket: Socket) -> None:
        """Send what is to be said on this connection."""
        while not self._outbox.empty():
            self._outbox.get_nowait()  # it was meant for the one before
        while True:
            await socket.say(await self._outbox.get())

    async def _renewal(self, old: Socket) -> tuple[Socket, list[bytes]]:
        """When the time has come, open another connection, let both run, then close the old one."""
        wait_s = self._timing.renew_s * (1 - 0.02 * self._chance())
        try:
            async with asyncio.timeout(wait_s):
                await self._renew_now.wait()
        except TimeoutError:
            pass
        self._renew_now.clear()
        backoff = Backoff(self._chance)
        while True:
            try:
                socket = await self._dial()
                frames = await self._overlap(socket)
            except VenueError as error:  # the old one still works
                await self._sleep(backoff.pause_s(error))
                continue
            old.break_off("moved over")  # what it still brought is read first
            return socket, frames

    async def _overlap(self, socket: Socket) -> list[bytes]:
        """Collect what the new connection tells while the old one is read."""
        frames: list[bytes] = []
        try:
            async with asyncio.timeout(self._timing.overlap_s):
                while True:
                    frames.append(await socket.receive())
        except TimeoutError:
            return frames
        except BaseException:
            await socket.close()
            raise
