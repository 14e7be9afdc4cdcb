"""An event loop whose time is the simulation's: one callback a step, and a crash drops everything."""

import asyncio
import heapq
import itertools
import math
from asyncio import events
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any

from engine.domain.market import NS_PER_S

CLOSES_MAX = 20  # how often a coroutine that waits while it is closed is closed again


class Time:
    """The one clock of a simulation, ns UTC, and what the world does at which time."""

    def __init__(self, now: int) -> None:
        self.start = self.now = now
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def at(self, ts: int, do: Callable[[], None]) -> None:
        """Let something happen at a time, ns UTC."""
        heapq.heappush(self._heap, (max(ts, self.now), next(self._count), do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Let something happen in so many seconds."""
        self.at(self.now + int(seconds * NS_PER_S), do)

    def next_at(self) -> int | None:
        """Return when the world does something next."""
        return self._heap[0][0] if self._heap else None

    def turn(self) -> None:
        """Let time go on to what the world does next, and let it happen."""
        ts, _, do = heapq.heappop(self._heap)
        self.now = max(self.now, ts)
        do()


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs the tasks of one engine in the world's time. Threads are steps, too: nothing runs beside it.

    Of its superclass only the names are used: that one asks the system for sockets.
    """

    def __init__(self, time: Time, works_s: Callable[[], float]) -> None:
        """`works_s` says how long (s) the next work in a thread takes."""
        self._time, self._works_s = time, works_s
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._count = itertools.count()
        self._tasks: list[asyncio.Task[Any]] = []
        self.steps = 0
        self.dead = False

    # what asyncio asks of a loop

    def time(self) -> float:
        """Return seconds since the simulation began."""
        return (self._time.now - self._time.start) / NS_PER_S

    def call_soon(  # type: ignore[override]  # of the types of its arguments nothing is known here
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Put a callback in line; nothing is once the engine crashed."""
        handle = asyncio.Handle(callback, args, self, context)
        if not self.dead:
            self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there is one thread

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Put a callback in line in so many seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Put a callback in line at a time of the loop."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        at = self._time.start + math.ceil(when * NS_PER_S - 0.01)  # never early: rounding is below that
        if not self.dead:
            heapq.heappush(self._timers, (at, next(self._count), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer stays in the heap until its time."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> Any:
        """Return a task of this loop."""
        task: asyncio.Task[Any] = asyncio.Task(
            coro, loop=self, name=None if name is None else str(name), context=context
        )
        self._tasks.append(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Do work that belongs in a thread in a step of its own, a little later."""
        future = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 - it goes to whoever waits
                if not future.done():
                    future.set_exception(error)
                return
            if not future.done():
                future.set_result(result)

        self.call_later(self._works_s(), work)
        return future

    def get_debug(self) -> bool:
        """Return that nothing is checked twice."""
        return False

    def is_running(self) -> bool:
        """Return that the loop runs."""
        return True

    def is_closed(self) -> bool:
        """Return whether the engine crashed."""
        return self.dead

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Say nothing: what a crash leaves behind is nobody's."""

    # what the simulation asks of it

    def next_at(self) -> int | None:
        """Return when this loop does something next, now where something is ready."""
        if self._ready:
            return self._time.now
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def step(self) -> None:
        """Run one callback; where none is ready, let time go on to the next timer first."""
        if not self._ready:
            at, _, handle = heapq.heappop(self._timers)
            self._time.now = max(self._time.now, at)
            self._ready.append(handle)
            while self._timers and self._timers[0][0] <= at:
                self._ready.append(heapq.heappop(self._timers)[2])
        following = self._ready.popleft()
        if following.cancelled():
            return
        self.steps += 1
        events._set_running_loop(self)
        try:
            following._run()
        finally:
            events._set_running_loop(None)

    def crash(self) -> None:
        """Drop everything as it is. What still runs while coroutines are closed reaches nothing any more."""
        self.dead = True
        self._ready.clear()
        self._timers.clear()
        events._set_running_loop(self)
        try:
            for task in reversed(self._tasks):
                task._log_destroy_pending = False  # it is meant to be dropped
                if not task.done():
                    _close(task.get_coro())
        finally:
            events._set_running_loop(None)


def _close(coro: Any) -> None:
    for _ in range(CLOSES_MAX):
        with suppress(RuntimeError, BaseExceptionGroup):  # it waited again while it was closed
            coro.close()
            return
