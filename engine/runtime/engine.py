"""The engine at work: its tasks, its orderly end and the exit code of its process."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

import msgspec

from engine import __version__
from engine.config.packaged import socket_path
from engine.config.settings import OnHangup
from engine.core.snapshot import Phase, Snapshot
from engine.core.view import view
from engine.domain.errors import CheckpointError, InvariantError, StorageError, TraderError
from engine.domain.events import Action, Event, Fault, FaultKind, OnStop
from engine.ports import PushFeed
from engine.runtime.beginning import ENGINE_ACTOR, begin
from engine.runtime.causes import cause_of, described
from engine.runtime.collector import Collector
from engine.runtime.commands import CommandDesk
from engine.runtime.context import EngineContext, close_session
from engine.runtime.control import ControlServer
from engine.runtime.dispatch import Dispatcher
from engine.runtime.drivers import Gauges, RealTime, TapeTime, push_live, read_live
from engine.runtime.exitreport import ExitReport, exit_report
from engine.runtime.freeze import freeze
from engine.runtime.gauges import Health
from engine.runtime.inbox import Inbox
from engine.runtime.lookdesk import LookDesk
from engine.runtime.loop import Batch
from engine.runtime.protocol import (
    PROTOCOL_VERSION,
    CommandReply,
    CommandRequest,
    Hello,
    WhyReply,
    WhyRequest,
)
from engine.runtime.telling import Telling
from engine.runtime.upkeep import Upkeep, Work
from engine.runtime.whydesk import answer_why

T = TypeVar("T")


class Farewell(Protocol):
    """What consoles are told at the end."""

    async def say_goodbye(self, exit_code: int, text: str) -> None:
        """Tell how the engine ended."""
        ...


class Engine:
    """One engine, from an open context to its exit report."""

    def __init__(
        self,
        context: EngineContext,
        *,
        leave_at_end: bool = False,
        until_flat: bool = False,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """`leave_at_end`: end with the tape; `until_flat`: end with the flatten that a latch begins.

        `ready` is called once commands can be taken.
        """
        self.context = context
        self._leave_at_end = leave_at_end
        self._until_flat = until_flat
        self._ready = ready
        self._settings = context.settings
        self._inbox = Inbox()
        self._gauges, self._collector = Gauges(), Collector()
        self._ended = asyncio.Event()
        self._exit_code = 0
        self._why = "stopped"
        self._wall_s = 0.0
        self._stopping = asyncio.Event()
        self._driver = self._real_time()
        self._health = Health(context, self._gauges, self._inbox)
        self._commands = CommandDesk(self._offer, self._now, context.pump.sequence)
        self._dispatcher = Dispatcher(
            journal=context.journal,
            latch=context.latch,
            log=context.log,
            report=self._offer,
            on_batch=self._on_batch,
        )
        self.look = LookDesk(context.loop.machine, context.source.stream, self._now).look
        self._telling = Telling(self._settings, context.log, offer=self._offer, now=self._now)
        self._upkeep = Upkeep(
            context,
            tell=self._telling.newsroom.publish,
            health=self._health,
            inbox=self._inbox,
            offer=self._offer,
            now=self._now,
            store=self._dispatcher.flush,
        )

    @property
    def beat_s(self) -> float:
        """When (monotonic s) the event loop last turned; the watchdog reads it from its thread."""
        return self._health.beat_s

    # from outside; `stop` and `flatten` may be called from the loop's thread only

    def stop(self, why: str, exit_code: int = 0, on_stop: OnStop | None = None) -> None:
        """Begin the orderly end: what the settings say about open orders, then leave."""
        if self._exit_code == 0:
            self._exit_code = exit_code
        self._why = why
        argument = (on_stop or self._settings.on_stop).value
        self._commands.post(Action.STOP, ENGINE_ACTOR, why, argument)

    def flatten(self, actor: str) -> None:
        """Flatten, whoever asks and however."""
        self._commands.post(Action.FLATTEN, actor, "flatten")

    def report_stall(self, text: str) -> None:
        """The loop stood still and turns again: that is a fault a person should know of, and it is over."""
        now = self._now()
        self._offer(Fault(now, FaultKind.STALL, text))
        self._offer(Fault(now, FaultKind.STALL, text, cleared=True))

    def hang_up(self) -> None:
        """The terminal went away."""
        if self._settings.on_hangup is OnHangup.STOP:
            self.stop("hangup", 129)

    # the run

    async def run(self) -> ExitReport:
        """Run until stopped; return how it ended. Whatever a task dies of ends the engine in order."""
        context = self.context
        context.pump.hand_over(dispatcher=self._dispatcher, recorder=context.recorder, taken=self._on_taken)
        try:
            async with self._server() as server:
                code, text = await self._work_and_close()
                await server.say_goodbye(code, text)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            code, text = self._broke(error)
        finally:
            await self._telling.finish()
            self._collector.let_go()
        return exit_report(context, code, text, wall_s=self._wall_s)

    async def _work_and_close(self) -> tuple[int, str]:
        """Work to the end; return exit code and cause, also of a task that broke."""
        try:
            self._ready()
            await self._work()
            code = self._final_code()
            await self._close(code)
        except Exception as error:  # noqa: BLE001 - whatever it is, consoles are told before the end
            code, text = self._broke(error)
            return code, text + await freeze(self.context, cause_of(error), self._now())
        return code, self._why

    def _broke(self, error: BaseException) -> tuple[int, str]:
        cause = cause_of(error)
        self.context.log.error("the engine broke", error=repr(cause), exc_info=cause)
        return 1, str(cause) if isinstance(cause, TraderError) else described(cause)

    async def _work(self) -> None:
        """Run the pump and everything beside it until the end is reached."""
        async with asyncio.TaskGroup() as tasks:
            await begin(self.context, self._commands, self._now, until_flat=self._until_flat)
            self._collector.calm()
            beside = [tasks.create_task(work, name=name) for name, work in self._beside()]
            await self._drive(self._pump())
            async with self.context.pump.between_events:  # what the reader took is done to its end
                for task in beside:
                    task.cancel()

    def _beside(self) -> Iterator[tuple[str, Work]]:
        """Yield what runs beside the pump, each with its name."""
        yield from self._telling.listening()
        yield from self._upkeep.storing()
        yield from self._upkeep.watching()
        yield "deadline", self._await_deadline()
        yield "duration", self._await_duration()
        if self.context.feed is not None:
            take = self._take_at_once
            yield "feed", read_live(self.context.feed, self._inbox, self.context.clock, self._ended, take)
        if self.context.source.stream is not None:
            yield "feed", self._push(self.context.source.stream)
        if self.context.source.trading is not None:
            yield "venue", self.context.source.trading.run(self._offer)

    def _push(self, stream: PushFeed) -> Work:
        context = self.context
        market = context.loop.machine.market
        return push_live(
            stream,
            self._inbox,
            context.clock,
            self._ended,
            self._take_at_once,
            bars=context.config.setup.window_bars,
            known=market.last_close,
        )

    async def _take_at_once(self, event: Event, since_ns: int) -> bool:
        return await self._drive(self._driver.take_at_once(event, since_ns))

    async def _drive(self, work: Awaitable[T]) -> T:
        """Work on events; what that breaks of, unless it is one of our own errors, is a bug in the core."""
        try:
            return await work
        except Exception as error:
            if isinstance(error, TraderError):
                raise
            text = f"event {self.context.pump.sequence} broke the engine: {described(error)}."
            raise InvariantError(text) from error

    async def _pump(self) -> None:
        started = time.perf_counter()
        context = self.context
        if context.tape is None:
            await self._driver.run(self._ended)
            return
        tape = TapeTime(
            context.pump,
            self._inbox,
            context.tape,
            self._gauges,
            speed=self._settings.speed,
            next_at=context.loop.next_at,
        )
        await tape.run(self._ended)
        self._wall_s = time.perf_counter() - started
        if not self._ended.is_set() and self._leave_at_end:
            self._why = "the tape ended"
            return
        await tape.after(self._ended)

    def _real_time(self) -> RealTime:
        context = self.context
        return RealTime(context.pump, self._inbox, context.clock, self._gauges, next_at=context.loop.next_at)

    async def _await_duration(self) -> None:
        """Stop when the run has lasted as long as the settings say."""
        if self._settings.duration_s is not None:
            await asyncio.sleep(self._settings.duration_s)
            self.stop("the duration is over")

    async def _await_deadline(self) -> None:
        """End a stop that takes too long."""
        await self._stopping.wait()
        await asyncio.sleep(self._settings.runtime.shutdown_deadline_s)
        self._why = f"the shutdown deadline of {self._settings.runtime.shutdown_deadline_s:g} s passed"
        self._exit_code = self._exit_code or 1
        self._end()

    # wiring

    def _server(self) -> AbstractAsyncContextManager[Farewell]:
        context = self.context
        return ControlServer(
            socket_path(context.directory),
            hello=self.hello,
            snapshot=self.snapshot,
            command=self.ask,
            why=self.why,
            look=self.look,
            log=context.log,
            left=lambda console: self._commands.left(
                console, context.loop.machine.authority.operator.control
            ),
            rate_hz=self._settings.runtime.snapshot_hz,
        )

    @property
    def hello(self) -> Hello:
        """What the engine says of itself to a console."""
        instance, session = self._settings.instance, self.context.session
        return Hello(PROTOCOL_VERSION, __version__, os.getpid(), instance, session)

    async def ask(self, request: CommandRequest) -> CommandReply:
        """Carry out an operator's command and return what became of it."""
        if request.action is Action.PROMOTE:
            self._upkeep.follow_approvals()
        return await self._commands.ask(request)

    async def why(self, request: WhyRequest) -> WhyReply:
        """Tell why bars led to what they did; what is older is evaluated anew in a thread."""
        return await answer_why(self.context.loop.machine, request, self._now())

    def snapshot(self) -> Snapshot:
        """Return all that a console may know."""
        core = view(self.context.loop.machine, self._now())
        return msgspec.structs.replace(
            core,
            reloads=self._upkeep.reloads(),
            feeds=self._health.feeds(),
            health=self._health.section(),
            venue=self._health.venue,
        )

    def _offer(self, event: Event) -> bool:
        return self._inbox.offer(event, time.perf_counter_ns())

    def _now(self) -> int:
        """Return the engine's time: the tape's on a tape, else the clock's."""
        return self.context.pump.now if self.context.tape is not None else self.context.clock.now()

    def _on_batch(self, batch: Batch) -> None:
        self._commands.on_batch(batch)
        self._telling.newsroom.publish_batch(batch, self.context.pump.now)
        if self.context.tape is None:  # a tape brings the same events again
            self._upkeep.decided()
        flatten_ended = self._until_flat and self._dispatcher.flatten_ended is not None
        if self._dispatcher.stopped or flatten_ended:
            self._end()

    def _on_taken(self, event: Event) -> None:
        self._commands.on_event(event)
        if self.context.loop.machine.authority.operator.stopping is not None:
            self._stopping.set()

    def _end(self) -> None:
        self._ended.set()
        self._inbox.wake()

    # the end

    def _final_code(self) -> int:
        ended = self._dispatcher.flatten_ended
        flattening = self.context.loop.machine.authority.operator.phase is Phase.FLATTENING
        if flattening or (ended is not None and not ended.flat):
            return 4
        return self._exit_code

    async def _close(self, code: int) -> None:
        if not await self._dispatcher.flush(self._now()):
            raise StorageError(
                f"{self.context.directory}: what was decided last could not be stored; "
                "the next start takes it from the session's record."
            )
        try:
            await close_session(self.context, code)
        except CheckpointError as error:
            self.context.log.error("the last checkpoint failed", error=str(error))
