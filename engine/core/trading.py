"""From bar to order and from fill to protection: the plays, the gates and the desk in one line."""

from decimal import Decimal

import msgspec

from engine.core.board import Board
from engine.core.channels import Channels
from engine.core.entering import Entering, veto_of
from engine.core.following import Following
from engine.core.leaving import Leaving
from engine.core.market import Market
from engine.core.modelwatch import ModelWatch, WatchedState
from engine.core.risk import Risk
from engine.core.runner import Runner, RunnerState, evaluator_for
from engine.core.setup import CoreSetup, PlayBinding
from engine.core.snapshot import Phase
from engine.core.tally import Tally
from engine.domain.alarms import Severity
from engine.domain.commands import Command, NoticeLevel, SaveSignal
from engine.domain.errors import CheckpointError
from engine.domain.events import PlaySwapped
from engine.domain.ids import OrderRole
from engine.domain.market import PRINT_STEP_NS, Bar, Trade, bar_of
from engine.domain.money import ZERO
from engine.domain.orders import Order
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.domain.signals import Signal, SignalKind
from engine.domain.vetoes import Veto
from engine.domain.warming import Warmed
from engine.execution.course import Course
from engine.execution.desk import Desk, describe
from engine.execution.ledger import Ledger
from engine.execution.protect import Plan
from engine.risk.sizing import Refusal
from engine.strategy.evaluator import Evaluator
from engine.strategy.model import NO_MODELS, Models

# Bound once: a look into an enum costs more than the comparison, and every order passes here.
_ENTRY, _STOP = OrderRole.ENTRY, OrderRole.STOP
_EXIT_SIGNAL, _SCALE_IN = SignalKind.EXIT, SignalKind.SCALE_IN
_FLATTENING = Phase.FLATTENING
_CLOSING = frozenset({Phase.FLATTENING, Phase.HALTED})


class TradingState(msgspec.Struct, frozen=True):
    """The trading part as a checkpoint holds it."""

    runners: tuple[RunnerState, ...]
    plans: tuple[tuple[str, str, Plan], ...]
    courses: tuple[tuple[str, str, Course], ...] = ()
    models: tuple[WatchedState, ...] = ()


class Trading:
    """Runs the plays and carries out what they may do."""

    def __init__(
        self,
        setup: CoreSetup,
        risk: Risk,
        *,
        market: Market,
        ledger: Ledger,
        desk: Desk,
        channels: Channels,
        tally: Tally,
        board: Board,
        outbox: list[Command],
        watch: ModelWatch,
        models: Models = NO_MODELS,
    ) -> None:
        self._policy, self.models, self.watch = risk.policy, models, watch
        self._market, self.ledger, self.desk = market, ledger, desk
        self._holds, self._tally, self._board, self._outbox = risk.holds, tally, board, outbox
        self.following = Following(desk, ledger, risk.holds, board, outbox)
        self.leaving = Leaving(risk.policy, risk.holds, ledger, desk)
        self.entering = Entering(
            setup, risk, ledger=ledger, desk=desk, channels=channels, following=self.following, board=board
        )
        self.runners = [Runner.of(binding, models) for binding in setup.plays]
        self._prints = {b.symbol for b in setup.plays if b.step_ns == PRINT_STEP_NS}
        self._by_symbol: dict[str, list[Runner]] = {}
        for runner in self.runners:
            for symbol in runner.binding.symbols:
                self._by_symbol.setdefault(symbol, []).append(runner)

    # bars and signals

    def on_bar(self, bar: Bar, now: int) -> None:
        """Evaluate the plays that this bar closes a cycle for."""
        for runner in self._by_symbol.get(bar.symbol, ()):
            if runner.binding.step_ns == bar.step_ns:
                if runner.expires:
                    self.entering.age(bar, runner, now)
                signal = runner.evaluator.update(bar, runner.side)
                if runner.asks_model:
                    self.watch.follow(runner, now)
                if signal is not None:
                    self.on_signal(signal, runner, now)
                if runner.follows and runner.side:
                    self._follow(bar, runner, now, leaving=signal is not None)
                if runner.sits_out is not None:
                    runner.may_return()

    def on_trade(self, trade: Trade, now: int) -> None:
        """Evaluate the plays for which each print is a bar."""
        if trade.symbol in self._prints:
            bar = bar_of(trade)
            self._market.keep(bar)
            self.on_bar(bar, now)

    def _follow(self, bar: Bar, runner: Runner, now: int, *, leaving: bool) -> None:
        """Let an open position follow a closed bar, and do what it then wishes."""
        wish = self.following.on_bar(bar, runner, now, leaving=leaving)
        if wish is None:
            return
        if wish.refused is None:
            self.on_signal(wish.signal, runner, now)
            return
        self._tally.signal(wish.signal)
        self._answer(wish.signal, veto_of(wish.signal, wish.refused, now))

    def evaluated_on(self, symbol: str, step_ns: int) -> list[Runner]:
        """Return the plays whose rules look at bars of a symbol and length."""
        return [r for r in self._by_symbol.get(symbol, ()) if r.binding.step_ns == step_ns]

    def warm(self, bars: tuple[Bar, ...]) -> None:
        """Let indicators see bars of the past; what they would have signalled is not asked."""
        for bar in bars:
            for runner in self._by_symbol.get(bar.symbol, ()):
                if runner.binding.step_ns == bar.step_ns:
                    runner.evaluator.update(bar, 0)

    def on_signal(self, signal: Signal, runner: Runner, now: int) -> None:
        """Carry out what a play wants, or say why not."""
        self._tally.signal(signal)
        if signal.kind is _EXIT_SIGNAL:
            self._answer(signal, self.leaving.leave(signal, now))
        elif runner.sits_out is not None and runner.sit_out(signal):
            self._answer(signal, veto_of(signal, Refusal(Reason.SITS_OUT, {}), now))
        elif signal.kind is _SCALE_IN or not self._waits(signal, runner, now):
            self._answer(signal, self.entering.enter(signal, runner, now))

    def _answer(self, signal: Signal, outcome: Order | Veto) -> None:
        """Store and show what a signal led to."""
        # `type(x) is`: to find that it is none, isinstance costs more than the rest
        if type(outcome) is Order:
            self._outbox.append(SaveSignal(signal, outcome.request.client_id))
        else:
            assert type(outcome) is Veto, "a signal leads to an order or to a veto"
            self._tally.veto()
            self._outbox.append(SaveSignal(signal, veto=outcome))
        self._board.signal(signal, outcome)

    def _waits(self, signal: Signal, runner: Runner, now: int) -> bool:
        """Let a signal wait for the end of the resting entry in whose place it comes; tell whether it does.

        Two entries never work at once: the new one is asked for when the cancel of the old one is confirmed,
        and not at all where that one fills instead.
        """
        order = runner.binding.spec.entry
        if order is None:
            return False
        own = {"play": signal.play, "symbol": signal.symbol}
        if order.replace:
            self.desk.cancel_all(now, OrderRole.ENTRY, **own)
        working = list(self.desk.book.select(OrderRole.ENTRY, **own))
        if not working or not all(entry.cancel_requested for entry in working):
            return False
        self._stop_waiting(runner, now)
        runner.waiting = signal
        return True

    def _stop_waiting(self, runner: Runner, now: int) -> None:
        """Refuse the signal that waited: another one took its place, or the entry before it filled."""
        waiting, runner.waiting = runner.waiting, None
        if waiting is not None:
            self._answer(waiting, veto_of(waiting, Refusal(Reason.ENTRY_WORKING, {}), now))

    # fills and endings

    def on_position(self, position: Position, order: Order, now: int, phase: Phase) -> None:
        """Follow a position after a fill: protect what is open, tidy up after what is closed.

        A flatten does both itself, protection last; a halted engine protects nothing, for it closes it.
        """
        play, symbol = position.play, position.symbol
        runner = self.runner_of(play, symbol)
        if runner is not None:
            runner.side = _sign(position.qty)
            self._note_fill(runner, position, order, now)
        if position.is_flat:
            self._board.clear_alarm(f"unprotected:{play}:{symbol}")
            if phase is not _FLATTENING:
                self._tidy_up(play, symbol, order.request.role, now)
        elif phase not in _CLOSING:
            self.following.protect(position, now, order.request.cycle_id)

    def _note_fill(self, runner: Runner, position: Position, order: Order, now: int) -> None:
        """Let what a play remembers of its position and its trades follow a fill."""
        if runner.waiting is not None and order.request.role is _ENTRY:
            self._stop_waiting(runner, now)
        if runner.guard is not None:
            runner.guard_after(position, order, now, self.ledger.equity())
        self.following.on_fill(runner, position, order)

    def _tidy_up(self, play: str, symbol: str, ended_by: OrderRole, now: int) -> None:
        """Cancel what worked for a position that is closed, and the rest of an entry unless it may go on."""
        if not self.desk.book.open:
            return
        roles = [OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT]
        if ended_by is not OrderRole.ENTRY:
            roles.append(OrderRole.ENTRY)
        self.desk.cancel_all(now, *roles, play=play, symbol=symbol)

    def on_unfilled(self, order: Order, now: int) -> None:
        """Follow an order that ended without all of its fills.

        A stop that ended with none in its place leaves its position bare: that is an alarm. An entry that
        ended makes room for the signal that waits for it.
        """
        request = order.request
        play, symbol = request.play, request.symbol
        if request.role is OrderRole.ENTRY:
            self._go_on(play, symbol, now)
        if request.role is not OrderRole.STOP or self.ledger.position(play, symbol).is_flat:
            return
        others = self.desk.book.select(OrderRole.STOP, play=play, symbol=symbol)
        if all(other.cancel_requested for other in others):
            text = f"{symbol} of {play} has no stop: {describe(request)} was {order.state}"
            self._board.raise_alarm(f"unprotected:{play}:{symbol}", Severity.CRITICAL, text, now)

    def _go_on(self, play: str, symbol: str, now: int) -> None:
        runner = self.runner_of(play, symbol)
        if runner is None or runner.waiting is None or self.desk.is_entering(play, symbol):
            return
        waiting, runner.waiting = runner.waiting, None
        self._answer(waiting, self.entering.enter(waiting, runner, now))

    def on_acked(self, order: Order) -> None:
        """A stop that rests at the venue ends the alarm of its position."""
        request = order.request
        if request.role is _STOP and order.state.is_open and not order.cancel_requested:
            self._board.clear_alarm(f"unprotected:{request.play}:{request.symbol}")

    def follow_books(self) -> None:
        """Take the plays' positions as the ledger has them after it was corrected."""
        for runner in self.runners:
            play, symbol = runner.binding.spec.name, runner.binding.symbol
            position = self.ledger.position(play, symbol)
            runner.side = _sign(position.qty)
            if position.is_flat:
                self.following.courses.pop((play, symbol), None)
                runner.write_off(position)
                self._board.clear_alarm(f"unprotected:{play}:{symbol}")

    def runner_of(self, play: str, symbol: str) -> Runner | None:
        """Return the play that trades a symbol, None for a name that no play has."""
        for runner in self._by_symbol.get(symbol, ()):
            if runner.binding.spec.name == play and runner.binding.symbol == symbol:
                return runner
        return None

    # reload and checkpoint

    def swap(self, event: PlaySwapped, now: int) -> None:
        """Put a new version in the place of the running one, warmed on the bars that are kept."""
        spec, generation = event.spec, event.generation
        for runner in self.runners:
            if runner.binding.spec.name == spec.name:
                binding = msgspec.structs.replace(runner.binding, spec=spec)
                evaluator = self._warm(binding, self.window(runner), event.warmed)
                runner.generation = generation
                runner.run(binding, evaluator, self.ledger.position(spec.name, binding.symbol))
                self.watch.swapped(runner)
                text = f"{spec.name} runs generation {generation} ({spec.hash[:12]})"
                self._board.notice(now, NoticeLevel.GOOD, "reload", text)

    def _warm(self, binding: PlayBinding, bars: tuple[Bar, ...], warmed: Warmed | None) -> Evaluator:
        """Return an evaluator that has seen the bars; what it was warmed on ahead is not run again."""
        evaluator = evaluator_for(binding, self.models)
        if warmed is not None:
            try:
                evaluator.restore(warmed.state)
            except CheckpointError:  # tried out on other symbols than it runs on
                evaluator = evaluator_for(binding, self.models)
            else:
                bars = tuple(bar for bar in bars if bar.ts > warmed.upto.get(bar.symbol, 0))
        for bar in bars:
            evaluator.update(bar, 0)
        return evaluator

    def window(self, runner: Runner) -> tuple[Bar, ...]:
        """Return the last closed bars of all symbols of a play, oldest first, in the order of its legs."""
        return self._market.windows(runner.binding.symbols, runner.binding.step_ns)

    def state(self) -> TradingState:
        """Return all that a checkpoint needs."""
        return TradingState(
            tuple(runner.state() for runner in self.runners),
            tuple((play, symbol, plan) for (play, symbol), plan in self.following.plans.items()),
            tuple((play, symbol, course) for (play, symbol), course in self.following.courses.items()),
            self.watch.state(),
        )

    def restore(self, state: TradingState) -> None:
        """Take up a checkpoint's state; the version that ran then runs on, reload brings the newer one."""
        kept = {r.spec.name: r for r in state.runners}
        for runner in self.runners:
            before = kept.get(runner.binding.spec.name)
            if before is not None:
                runner.restore(before, self.models)
        self.watch.restore(state.models, self.runners)
        self.following.plans = {(play, symbol): plan for play, symbol, plan in state.plans}
        self.following.courses = {(play, symbol): course for play, symbol, course in state.courses}


def _sign(qty: Decimal) -> int:
    return (qty > ZERO) - (qty < ZERO)
