"""A tape: recorded bars and what goes wrong at which of them, played to a core, and what it decided.

What is written down of a run is short enough to be read: modes, holds, vetoes by their reasons, orders. Its
fingerprint chains all that was decided, so that a run that differs anywhere is another one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from engine.domain.commands import (
    CancelOrder,
    Command,
    SaveFill,
    SaveSignal,
    SaveTransition,
    SaveVeto,
    SubmitOrder,
)
from engine.domain.events import Action, CallOutcome, Channel, ChannelReport, Event, OrderTimedOut
from engine.domain.market import NS_PER_S, Bar
from engine.domain.orders import OrderRequest
from engine.strategy.model import NO_MODELS, Models
from engine.venues.simulated import SimulatedConfig, SimulatedVenue
from tests.builders import BTC, STEP, World
from tests.unit.strategy.bar_builders import recorded_bars

_DECIDED = (SubmitOrder, CancelOrder, SaveFill, SaveSignal, SaveTransition, SaveVeto)
_encode = msgspec.json.Encoder(decimal_format="string").encode


class Line(SimulatedVenue):
    """A venue behind a line: while that is cut, requests are lost and nothing is answered."""

    cut = False
    lost: list[OrderRequest]

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Hand over an order, or lose it."""
        if self.cut:
            self.lost.append(request)
            return ()
        return super().submit(request, now)

    def query(self, request_id: int, now: int) -> Sequence[Event]:
        """Ask, or ask nobody."""
        return () if self.cut else super().query(request_id, now)

    def query_order(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask about an order, or ask nobody."""
        return () if self.cut else super().query_order(client_id, symbol, now)


class Telling(msgspec.Struct, frozen=True):
    """What a tape came to."""

    fingerprint: str
    lines: list[str]


class Tape:
    """Bars of a file with a core on them; `facts` are those of tests.builders.setup."""

    def __init__(self, setup: Any, *, bars: int, models: Models = NO_MODELS) -> None:
        self._bars: Iterator[Bar] = iter(recorded_bars(bars))
        first = next(self._bars)
        self.line = Line(setup.instruments, SimulatedConfig())
        self.line.lost = []
        self.world = World(setup, self.line, now=first.ts, models=models)
        self._begun = first.ts
        self._said: list[tuple[int, str]] = []
        self._chain = hashlib.sha256()
        self._holds: frozenset[str] = frozenset()
        self.world.watch = self._watch

    # what happens

    def play(self, count: int) -> None:
        """Let so many bars close."""
        for bar in self._next(count):
            self.world.market(bar)
            self._look()

    def silence(self, count: int) -> None:
        """Let the time of so many bars pass without one."""
        for bar in self._next(count):
            self.world.until(bar.ts)
            self._look()

    def fail(self, count: int, channel: Channel = Channel.ORDERS) -> None:
        """Let so many calls fail, a second apart."""
        for _ in range(count):
            self.world.wait(1.0)
            self.world.take(
                ChannelReport(self.world.now, "local", channel, CallOutcome.TRANSIENT, "HTTP 503")
            )
            self._look()

    def give_up(self) -> None:
        """Let the time-outs of all lost orders come."""
        for request in self.line.lost:
            self.world.take(OrderTimedOut(self.world.now, request.client_id))
            self._look()

    def resolve(self) -> None:
        """Let a person say of all lost orders that they never got to the venue."""
        while self.line.lost:
            request = self.line.lost.pop(0)
            self.ask(Action.RESOLVE, f"{request.client_id} dead", "it is not at the venue")

    def ask(self, action: Action, argument: str, reason: str) -> None:
        """Let the operator ask for something."""
        self.world.ask(action, argument, reason)
        self._look()

    def _next(self, count: int) -> Iterator[Bar]:
        for _ in range(count):
            yield next(self._bars)

    # what came of it

    def told(self) -> Telling:
        """Return what happened, repetitions counted."""
        lines: list[str] = []
        for text, same in groupby(self._said, key=lambda entry: entry[1]):
            times = [at for at, _ in same]
            more = f" x{len(times)} until {_clock(times[-1])}" if len(times) > 1 else ""
            lines.append(f"{_clock(times[0])} {text}{more}")
        return Telling(self._chain.hexdigest()[:16], lines)

    def _watch(self, batch: Sequence[Command]) -> None:
        for command in batch:
            if isinstance(command, _DECIDED):
                self._chain.update(_encode(command))
            text = _text(command)
            if text:
                self._say(text)

    def _look(self) -> None:
        holds = frozenset(hold.holder.value for hold in self.world.machine.authority.holds.all)
        changed = [f"+{name}" for name in sorted(holds - self._holds)]
        changed += [f"-{name}" for name in sorted(self._holds - holds)]
        self._holds = holds
        if changed:
            self._say(f"holds {' '.join(changed)}, rung {self.world.rung(BTC).name}")

    def _say(self, text: str) -> None:
        self._said.append(((self.world.now - self._begun) // NS_PER_S, text))


def _text(command: Command) -> str:
    """Return what is worth a line; fills and what works for a position are in the fingerprint only."""
    match command:
        case SaveTransition():
            return f"{command.kind.value} {command.before} > {command.after}: {command.reason}"
        case SaveSignal(veto=veto) if veto is not None:
            return f"veto {veto.reason.value}"
        case SaveVeto():
            return f"veto {command.veto.reason.value}"
        case SubmitOrder(increases=True):
            return f"entry {command.request.side.value}"
        case _:
            return ""


def _clock(seconds: int) -> str:
    minutes = seconds // 60
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds % 60:02d}"


assert STEP == 60 * NS_PER_S, "the tapes are of minutes"
