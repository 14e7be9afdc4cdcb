"""What follows an open position: the plan it was entered with, its course, and the orders that protect it."""

import msgspec

from engine.core.board import Board
from engine.core.holds import Holds
from engine.core.runner import Runner
from engine.domain.commands import Command, NoticeLevel, SaveVeto
from engine.domain.market import Bar
from engine.domain.modes import Holder
from engine.domain.money import canonical
from engine.domain.orders import Order
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.domain.signals import Side, Signal, cycle_id
from engine.domain.vetoes import veto
from engine.execution.course import Course, after_bar, after_fill, begun, is_over, moved, reaches
from engine.execution.desk import Desk
from engine.execution.ledger import Ledger
from engine.execution.protect import Plan, protect
from engine.risk.sizing import Refusal

_CLOSING = frozenset({Holder.FLATTENING, Holder.HALTED})

Key = tuple[str, str]  # play and symbol


class Wish(msgspec.Struct, frozen=True):
    """A signal that a position leads to by itself, and why it cannot be, where it cannot."""

    signal: Signal
    refused: Refusal | None = None


class Following:
    """Keeps plans and courses by play and symbol."""

    def __init__(self, desk: Desk, ledger: Ledger, holds: Holds, board: Board, outbox: list[Command]) -> None:
        self._desk, self._ledger, self._holds = desk, ledger, holds
        self._board, self._outbox = board, outbox
        self.plans: dict[Key, Plan] = {}
        self.courses: dict[Key, Course] = {}
        self.leaving: frozenset[str] = frozenset()  # `PLAY SYMBOL` of what closes for want of a stop
        self.suspended = False  # while several fills are taken at once: only the last position is protected

    def on_fill(self, runner: Runner, position: Position, order: Order) -> None:
        """Let the course of a position follow a fill; it ends with the position."""
        key = position.play, position.symbol
        if position.is_flat:
            self.courses.pop(key, None)
        elif runner.follows:
            course = after_fill(self.courses.get(key), position, order)
            self.courses[key] = self._moved(course, runner, position)

    def protect(self, position: Position, now: int, cycle: str, last: float | None = None) -> None:
        """Make what rests at the venue for a position what is wanted.

        With the `last` price, a stop that moved past the market closes at market: a venue would refuse it.
        """
        key = position.play, position.symbol
        plan = self.plans.get(key)
        if plan is None or self.suspended or " ".join(key) in self.leaving:
            return
        course = self.courses.get(key)
        passed = protect(self._desk, position, plan, now, cycle, course=course, last=last)
        if passed is not None:
            play, symbol = key
            values = {"stop": canonical(passed.price), "last": repr(last)}
            facts = veto(Reason.STOP_PASSED, ts=now, cycle_id=cycle, play=play, symbol=symbol, **values)
            self._outbox.append(SaveVeto(facts))
            text = f"{symbol} of {play} closes at market: {facts.text}"
            self._board.notice(now, NoticeLevel.INFO, "stop passed", text, symbol)

    def reprotect(self, now: int) -> None:
        """Ask for every stop and target that should rest at the venue and, as far as is known, does not."""
        if not self.closing:
            for position in self._ledger.open_positions():
                self.protect(position, now, cycle_id(position.play, now))

    def on_bar(self, bar: Bar, runner: Runner, now: int, *, leaving: bool) -> Wish | None:
        """Let a position follow a closed bar of its symbol: move its stop, leave or enter further in time.

        `leaving` tells that a rule has led to an exit already.
        """
        spec, symbol = runner.binding.spec, runner.binding.symbol
        if bar.symbol != symbol:
            return None
        key = spec.name, symbol
        position = self._ledger.position(*key)
        before = self.courses.get(key) or begun(position)
        course = self._moved(after_bar(before, runner.side > 0, bar), runner, position)
        self.courses[key] = course
        if course.stop != before.stop and not self.closing:
            self.protect(position, now, cycle_id(spec.name, bar.ts), bar.close)
        if leaving:
            return None
        if is_over(course, position, spec, bar.ts):
            return Wish(runner.evaluator.leave(bar, Side.SELL if runner.side > 0 else Side.BUY))
        return self._further(bar, runner, course)

    @property
    def closing(self) -> bool:
        """Whether the engine closes everything, or has: nothing is protected then."""
        return any(hold.holder in _CLOSING for hold in self._holds.all)

    def _moved(self, course: Course, runner: Runner, position: Position) -> Course:
        meter = runner.evaluator.meter
        if meter is None:
            return course
        instrument = self._desk.instruments[position.symbol]
        return moved(course, position, runner.binding.spec, meter.distance, instrument)

    def _further(self, bar: Bar, runner: Runner, course: Course) -> Wish | None:
        """Enter further where the play says so; where its limit is reached, say so once a position."""
        spec, meter = runner.binding.spec, runner.evaluator.meter
        part = spec.scale_in
        if part is None or meter is None or course.refused or not runner.evaluator.is_warm:
            return None
        gained = (bar.close - course.entry_price) * runner.side
        due = part.when is None or meter.scale_in()
        if not due or not reaches(course, part, meter.distance, gained):
            return None
        signal = runner.evaluator.further(bar, Side.BUY if runner.side > 0 else Side.SELL)
        if signal is None or self._desk.is_entering(spec.name, bar.symbol):
            return None
        if course.entries < part.entries_max:
            return Wish(signal)
        self.courses[spec.name, bar.symbol] = msgspec.structs.replace(course, refused=True)
        values = {"entries": str(course.entries), "max": str(part.entries_max)}
        return Wish(signal, Refusal(Reason.SCALE_IN_MAX, values))
