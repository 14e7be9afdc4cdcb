"""From bar to order and from fill to protection: the plays, the gates and the desk in one line."""

from decimal import Decimal
from itertools import chain
from operator import attrgetter

import msgspec

from engine.core.board import Board
from engine.core.holds import Holds
from engine.core.market import Market
from engine.core.setup import CoreSetup, PlayBinding
from engine.core.snapshot import Phase, SignalRow
from engine.core.tally import Tally
from engine.domain.alarms import Severity
from engine.domain.commands import Command, NoticeLevel, SaveSignal
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S, Bar
from engine.domain.modes import Rung
from engine.domain.money import ZERO
from engine.domain.orders import Order, OrderState
from engine.domain.play import PlaySpec
from engine.domain.positions import Position
from engine.domain.reasons import Reason, Veto, veto
from engine.domain.signals import Signal, SignalKind
from engine.execution.desk import Desk, describe
from engine.execution.ledger import Ledger
from engine.execution.protect import Plan, protect
from engine.risk.gates import EntryFacts, GateResult, ask
from engine.risk.sizing import Refusal, size_entry
from engine.strategy.evaluator import Evaluator
from engine.strategy.legs import evaluator_of


class Runner(msgspec.Struct):
    """A play at work: its evaluator, and the sign of its own position."""

    binding: PlayBinding
    evaluator: Evaluator
    generation: int = 1
    side: int = 0


class RunnerState(msgspec.Struct, frozen=True):
    """A runner as a checkpoint holds it."""

    spec: PlaySpec
    generation: int
    side: int
    evaluator: bytes


class TradingState(msgspec.Struct, frozen=True):
    """The trading part as a checkpoint holds it."""

    runners: tuple[RunnerState, ...]
    plans: tuple[tuple[str, str, Plan], ...]


class Trading:
    """Runs the plays and carries out what they may do."""

    def __init__(
        self,
        setup: CoreSetup,
        *,
        market: Market,
        ledger: Ledger,
        desk: Desk,
        holds: Holds,
        tally: Tally,
        board: Board,
        outbox: list[Command],
    ) -> None:
        self._setup = setup
        self._market, self._ledger, self._desk = market, ledger, desk
        self._holds, self._tally, self._board, self._outbox = holds, tally, board, outbox
        self._plans: dict[tuple[str, str], Plan] = {}
        self.runners = [Runner(b, _evaluator(b)) for b in setup.plays]
        self._by_symbol: dict[str, list[Runner]] = {}
        for runner in self.runners:
            for symbol in runner.binding.symbols:
                self._by_symbol.setdefault(symbol, []).append(runner)

    # bars and signals

    def on_bar(self, bar: Bar, now: int) -> None:
        """Evaluate the plays that this bar closes a cycle for."""
        for runner in self._by_symbol.get(bar.symbol, ()):
            if runner.binding.step_ns == bar.step_ns:
                signal = runner.evaluator.update(bar, runner.side)
                if signal is not None:
                    self._on_signal(signal, runner, now)

    def warm(self, bars: tuple[Bar, ...]) -> None:
        """Let indicators see bars of the past; what they would have signalled is not asked."""
        for bar in bars:
            for runner in self._by_symbol.get(bar.symbol, ()):
                if runner.binding.step_ns == bar.step_ns:
                    runner.evaluator.update(bar, 0)

    def _on_signal(self, signal: Signal, runner: Runner, now: int) -> None:
        self._tally.signal(signal)
        entry = signal.kind is SignalKind.ENTRY
        outcome = self._enter(signal, runner, now) if entry else self._exit(signal, now)
        refused = outcome if isinstance(outcome, Veto) else None
        client_id = "" if isinstance(outcome, Veto) else outcome.client_id
        if refused is not None:
            self._tally.veto()
        self._outbox.append(SaveSignal(signal, client_id, refused))
        self._board.signals.append(
            SignalRow(
                ts=signal.ts,
                play=signal.play,
                symbol=signal.symbol,
                side=signal.side,
                kind=signal.kind,
                price=signal.price,
                strength=signal.strength,
                cycle_id=signal.cycle_id,
                reason=refused.reason.value if refused else "",
                text=refused.text if refused else describe_order(outcome),
            )
        )

    def _enter(self, signal: Signal, runner: Runner, now: int) -> Order | Veto:
        play, symbol = signal.play, signal.symbol
        if next(self._desk.book.select(OrderRole.ENTRY, play=play, symbol=symbol), None):
            return _veto(signal, Reason.ENTRY_WORKING, now)
        instrument = self._desk.instruments[symbol]
        price = instrument.price(signal.price)
        equity = self._ledger.exact_equity()
        sized = size_entry(runner.binding.spec.sizing, equity=equity, price=price, instrument=instrument)
        if isinstance(sized, Refusal):
            return _veto(signal, sized.reason, now, **sized.values)
        signed = sized * signal.side.sign
        after = abs(self._ledger.net_qty(symbol) + signed) * price
        facts = self.facts(symbol, (now - signal.ts) / NS_PER_S, sized * price, after)
        stopped = ask(facts, self._setup.limits)
        if stopped is not None:
            return _gate_veto(signal, stopped, now)
        self._plans[play, symbol] = Plan(signal.stop, signal.target)
        return self._desk.submit(
            role=OrderRole.ENTRY,
            play=play,
            symbol=symbol,
            side=signal.side,
            qty=sized,
            now=now,
            cycle_id=signal.cycle_id,
        )

    def _exit(self, signal: Signal, now: int) -> Order | Veto:
        play, symbol = signal.play, signal.symbol
        rung = self._holds.rung(symbol)
        if rung < Rung.REDUCE:
            return _veto(signal, Reason.LADDER, now, rung=rung.name)
        age_s = (now - signal.ts) / NS_PER_S
        if age_s > self._setup.limits.stale_after_s:
            return _veto(signal, Reason.DATA_STALE, now, age_s=f"{age_s:.1f}")
        # An exit without an answer stops no other: both reduce only, and one of them may not exist.
        exits = self._desk.book.select(OrderRole.EXIT, play=play, symbol=symbol)
        if any(order.state is not OrderState.UNKNOWN for order in exits):
            return _veto(signal, Reason.EXIT_WORKING, now)
        position = self._ledger.position(play, symbol)
        if position.qty * signal.side.sign >= 0:
            return _veto(signal, Reason.NOTHING_TO_CLOSE, now)
        # What is left of the entry would open again what the exit closes.
        self._desk.cancel_all(now, OrderRole.ENTRY, play=play, symbol=symbol)
        return self._desk.submit(
            role=OrderRole.EXIT,
            play=play,
            symbol=symbol,
            side=signal.side,
            qty=abs(position.qty),
            now=now,
            cycle_id=signal.cycle_id,
        )

    def facts(self, symbol: str, data_age_s: float, order_notional: Decimal, after: Decimal) -> EntryFacts:
        """Gather what the gates look at."""
        return EntryFacts(
            symbol=symbol,
            takes_orders=self._setup.takes_orders,
            lock_held=True,  # an engine that loses its lock does not run on: the lock is the kernel's
            holds=self._holds.all,
            data_age_s=data_age_s,
            order_notional=order_notional,
            position_notional_after=after,
            open_orders=len(self._desk.book),
            loss_today=Decimal(repr(round(-self._ledger.day_pnl(), 8))),
        )

    # fills and endings

    def on_position(self, position: Position, order: Order, now: int, phase: Phase) -> None:
        """Follow a position after a fill: protect what is open, tidy up after what is closed.

        A flatten does both itself, protection last; a halted engine protects nothing, for it closes it.
        """
        play, symbol = position.play, position.symbol
        self._set_side(play, symbol, position.qty)
        if position.is_flat:
            self._board.clear_alarm(f"unprotected:{play}:{symbol}")
            if phase is not Phase.FLATTENING:
                self._tidy_up(play, symbol, order.request.role, now)
            return
        plan = self._plans.get((play, symbol))
        if plan is not None and phase not in (Phase.FLATTENING, Phase.HALTED):
            protect(self._desk, position, plan, now, order.request.cycle_id)

    def _tidy_up(self, play: str, symbol: str, ended_by: OrderRole, now: int) -> None:
        """Cancel what worked for a position that is closed, and the rest of an entry unless it may go on."""
        roles = [OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT]
        if ended_by is not OrderRole.ENTRY:
            roles.append(OrderRole.ENTRY)
        self._desk.cancel_all(now, *roles, play=play, symbol=symbol)

    def on_unfilled(self, order: Order, now: int) -> None:
        """A stop that ended with none in its place leaves its position bare: that is an alarm."""
        request = order.request
        play, symbol = request.play, request.symbol
        if request.role is not OrderRole.STOP or self._ledger.position(play, symbol).is_flat:
            return
        others = self._desk.book.select(OrderRole.STOP, play=play, symbol=symbol)
        if all(other.cancel_requested for other in others):
            text = f"{symbol} of {play} has no stop: {describe(request)} was {order.state}"
            self._board.raise_alarm(f"unprotected:{play}:{symbol}", Severity.CRITICAL, text, now)

    def on_acked(self, order: Order) -> None:
        """A stop that rests at the venue ends the alarm of its position."""
        request = order.request
        if request.role is OrderRole.STOP and not order.cancel_requested:
            self._board.clear_alarm(f"unprotected:{request.play}:{request.symbol}")

    def follow_books(self) -> None:
        """Take the plays' positions as the ledger has them after it was corrected."""
        for runner in self.runners:
            play, symbol = runner.binding.spec.name, runner.binding.symbol
            position = self._ledger.position(play, symbol)
            self._set_side(play, symbol, position.qty)
            if position.is_flat:
                self._board.clear_alarm(f"unprotected:{play}:{symbol}")

    def _set_side(self, play: str, symbol: str, qty: Decimal) -> None:
        side = (qty > ZERO) - (qty < ZERO)
        for runner in self._by_symbol.get(symbol, ()):
            if runner.binding.spec.name == play and runner.binding.symbol == symbol:
                runner.side = side

    # reload and checkpoint

    def swap(self, spec: PlaySpec, generation: int, now: int) -> None:
        """Put a new version in the place of the running one, warmed on the bars that are kept."""
        for runner in self.runners:
            if runner.binding.spec.name == spec.name:
                binding = msgspec.structs.replace(runner.binding, spec=spec)
                evaluator = _evaluator(binding)
                for bar in self.window(runner):
                    evaluator.update(bar, 0)
                runner.binding, runner.evaluator, runner.generation = binding, evaluator, generation
                text = f"{spec.name} runs generation {generation} ({spec.hash[:12]})"
                self._board.notice(now, NoticeLevel.GOOD, "reload", text)

    def window(self, runner: Runner) -> tuple[Bar, ...]:
        """Return the last closed bars of all symbols of a play, oldest first, in the order of its legs."""
        binding = runner.binding
        bars = chain.from_iterable(self._market.window(symbol, binding.step_ns) for symbol in binding.symbols)
        return tuple(sorted(bars, key=attrgetter("ts")))

    def state(self) -> TradingState:
        """Return all that a checkpoint needs."""
        return TradingState(
            tuple(
                RunnerState(r.binding.spec, r.generation, r.side, r.evaluator.state()) for r in self.runners
            ),
            tuple((play, symbol, plan) for (play, symbol), plan in self._plans.items()),
        )

    def restore(self, state: TradingState) -> None:
        """Take up a checkpoint's state; the version that ran then runs on, reload brings the newer one."""
        kept = {r.spec.name: r for r in state.runners}
        for runner in self.runners:
            before = kept.get(runner.binding.spec.name)
            if before is not None:
                runner.binding = msgspec.structs.replace(runner.binding, spec=before.spec)
                runner.evaluator = _evaluator(runner.binding)
                runner.evaluator.restore(before.evaluator)
                runner.generation, runner.side = before.generation, before.side
        self._plans = {(play, symbol): plan for play, symbol, plan in state.plans}


def _evaluator(binding: PlayBinding) -> Evaluator:
    return evaluator_of(binding.spec, *binding.symbols, step_ns=binding.step_ns)


def describe_order(outcome: Order | Veto) -> str:
    """Write what a signal led to."""
    return describe(outcome.request) if isinstance(outcome, Order) else outcome.text


def _veto(signal: Signal, reason: Reason, now: int, **values: object) -> Veto:
    return veto(reason, ts=now, cycle_id=signal.cycle_id, play=signal.play, symbol=signal.symbol, **values)


def _gate_veto(signal: Signal, stopped: GateResult, now: int) -> Veto:
    assert stopped.reason is not None, "a gate that vetoes names its reason"
    return _veto(signal, stopped.reason, now, gate=stopped.name, value=stopped.value, limit=stopped.limit)
