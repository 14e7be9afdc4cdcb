"""The loop: machine, venue and timers advanced together, one event at a time, by one writer.

The loop is synchronous and has no clock. Whoever drives it (backtest, replay, real time) supplies events and
times, and makes each batch of commands durable before the loop carries it out.
"""

import heapq
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

import msgspec

from engine.core.machine import Machine
from engine.core.machine_state import MachineState
from engine.domain.commands import (
    NOTHING,
    CancelAllAfter,
    CancelOrder,
    ClearTimer,
    Command,
    QueryOrder,
    QueryVenue,
    SetTimer,
    SubmitOrder,
)
from engine.domain.events import Event, OrderRejected, OrderSent, TimerFired
from engine.domain.market import MarketEvent
from engine.domain.reasons import Reason
from engine.ports import Venue

Batch = tuple[Command, ...]
# What a driver may answer to a batch: client ids that must not be sent, each with its reason.
Refusals = dict[str, Reason]
Steps = Generator[Batch, Refusals | None, None]

NO_REFUSALS: Refusals = {}
NO_EVENTS: tuple[Event, ...] = ()
NEVER = 2**63


class LoopState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a checkpoint holds: the machine, the venue inside the loop, and the timers."""

    machine: MachineState
    venue: bytes
    timers: tuple[tuple[str, int], ...]


class Loop:
    """Advances the machine and what belongs to it."""

    def __init__(self, machine: Machine, venue: Venue) -> None:
        self.machine = machine
        self.venue = venue
        self._timers: list[tuple[int, int, str]] = []
        self._timer_at: dict[str, int] = {}
        self._timer_sequence = 0
        self.next_due = NEVER  # when the next timer or venue answer is due, ns UTC
        self._acts = self._table()

    def start(self, now: int) -> Steps:
        """Begin a run."""
        commands = self.machine.start(now)
        if commands:
            yield from self.carry_on(commands, now)

    def take(self, event: Event, now: int) -> Steps:
        """Take one event from outside and all that follows from it at once."""
        return self._settle((event,), now)

    def market(self, event: MarketEvent, now: int) -> Steps | None:
        """Take a market event: resting orders match first, then fills reach the core, then the play.

        Most events lead to nothing: None then says so without the cost of a generator.
        """
        answers = self.venue.on_market(event)
        if answers:
            return self._settle((*answers, event), now)
        commands = self.machine.handle(event, now)
        return self.carry_on(commands, now) if commands else None

    def due(self, now: int) -> Steps:
        """Take the timers and venue answers that are due by `now`, oldest first."""
        while (at := self.next_due) <= now:
            events = self._pop_due(at)
            self._look_ahead()
            yield from self._settle(events, at)

    def next_at(self) -> int | None:
        """Return when the next timer or venue answer is due, None where nothing waits."""
        return None if self.next_due == NEVER else self.next_due

    def _look_ahead(self) -> None:
        """Keep `next_due` true: it is read on every event and changes only where commands are carried out."""
        while self._timers and self._timer_at.get(self._timers[0][2]) != self._timers[0][0]:
            heapq.heappop(self._timers)
        timer_at = self._timers[0][0] if self._timers else NEVER
        venue_at = self.venue.next_at()
        self.next_due = timer_at if venue_at is None or venue_at > timer_at else venue_at

    def carry_on(self, commands: Batch, now: int) -> Steps:
        """Carry out commands that `machine.handle` already returned, and all that follows from them."""
        return self._settle((), now, commands)

    def _settle(self, events: Iterable[Event], now: int, commands: Batch = NOTHING) -> Steps:
        queue = list(events)
        if commands:
            queue += self._carry_out(commands, now, (yield commands) or NO_REFUSALS)
        for event in queue:  # grows meanwhile: what follows from an event comes after all before it
            commands = self.machine.handle(event, now)
            if commands:
                queue += self._carry_out(commands, now, (yield commands) or NO_REFUSALS)

    def _carry_out(self, commands: Batch, now: int, refusals: Refusals) -> Sequence[Event]:
        acts = self._acts
        if acts.keys().isdisjoint(map(type, commands)):
            return NO_EVENTS
        events: list[Event] = []
        for command in commands:
            act = acts.get(type(command))
            if act is not None:
                events += act(command, now, refusals)
        self._look_ahead()
        return events

    def _table(self) -> dict[type[Command], Callable[[Any, int, Refusals], Sequence[Event]]]:
        """Say what the loop itself carries out; the rest is the driver's: to store, to say, to leave."""
        return {
            SubmitOrder: self._submit,
            CancelOrder: lambda c, now, _: self.venue.cancel(c.client_id, c.symbol, now),
            QueryVenue: lambda c, now, _: self.venue.query(c.request_id, now),
            QueryOrder: lambda c, now, _: self.venue.query_order(c.client_id, c.symbol, now),
            CancelAllAfter: lambda c, now, _: self.venue.cancel_all_after(c.timeout_ms, now),
            SetTimer: lambda c, _now, _: self._set_timer(c.timer_id, c.at),
            ClearTimer: self._clear_timer,
        }

    def _submit(self, command: SubmitOrder, now: int, refusals: Refusals) -> Sequence[Event]:
        client_id = command.request.client_id
        if client_id in refusals:
            return (OrderRejected(now, client_id, refusals[client_id]),)
        return (OrderSent(now, client_id), *self.venue.submit(command.request, now))

    def _set_timer(self, timer_id: str, at: int) -> Sequence[Event]:
        self._timer_sequence += 1
        self._timer_at[timer_id] = at
        heapq.heappush(self._timers, (at, self._timer_sequence, timer_id))
        return NO_EVENTS

    def _clear_timer(self, command: ClearTimer, _now: int, _refusals: Refusals) -> Sequence[Event]:
        self._timer_at.pop(command.timer_id, None)
        return NO_EVENTS

    def _pop_due(self, at: int) -> Sequence[Event]:
        """Return what is due at one moment: the venue's answers go before timers, as their priority says."""
        venue_at = self.venue.next_at()
        if venue_at is not None and venue_at <= at:
            return self.venue.on_time(at)
        _, _, timer_id = heapq.heappop(self._timers)
        del self._timer_at[timer_id]
        return (TimerFired(at, timer_id),)

    # checkpoint

    def state(self) -> LoopState:
        """Return all that a checkpoint needs."""
        live = [
            (timer_id, at) for at, _, timer_id in sorted(self._timers) if self._timer_at.get(timer_id) == at
        ]
        return LoopState(
            machine=self.machine.state(), venue=self.venue.state(), timers=tuple(dict(live).items())
        )

    def restore(self, state: LoopState) -> None:
        """Take up a checkpoint's state."""
        self.machine.restore(state.machine)
        self.venue.restore(state.venue)
        self._timers.clear()
        self._timer_at.clear()
        for timer_id, at in state.timers:
            self._set_timer(timer_id, at)
        self._look_ahead()
