"""The shadow twins of an engine: each sees the market that the running plays see, and none of them acts."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from engine.core.market import Market
from engine.core.policy import Policy
from engine.core.runner import Runner
from engine.core.setup import CoreSetup, PlayBinding
from engine.core.trading import Trading
from engine.core.twin import Simulate, Twin, TwinFacts, TwinState
from engine.core.versionrows import TwinRow
from engine.domain.commands import Command, SaveSignal
from engine.domain.market import MarketEvent
from engine.domain.money import ZERO, divide
from engine.domain.shadow import SaveShadow, SaveStage, Whose
from engine.domain.versions import TwinChanged
from engine.execution.ledger import Ledger
from engine.strategy.model import Models

TWINS_MAX = 8  # each is a whole machine; what asks for more is refused at the start
ROWS_MAX = 12


class TwinsState(msgspec.Struct, frozen=True):
    """The twins as a checkpoint holds them."""

    twins: tuple[TwinState, ...] = ()


class Twins:
    """Keeps the twins by label."""

    def __init__(
        self,
        setup: CoreSetup,
        simulate: Simulate,
        models: Models,
        *,
        market: Market,
        ledger: Ledger,
        policy: Policy,
    ) -> None:
        self._setup, self._simulate, self._models = setup, simulate, models
        self._market, self._ledger, self._policy = market, ledger, policy
        self.by_label: dict[str, Twin] = {}

    def begin(self, event: TwinChanged, runner: Runner | None, now: int) -> Twin:
        """Let a version run as a twin, warmed up on the bars that are kept."""
        assert event.spec is not None, "a twin has a play"
        binding = PlayBinding(event.spec, event.symbol, event.step_ns, event.others)
        if not event.symbol:
            assert runner is not None, "a twin without a symbol is one of a running play"
            binding = msgspec.structs.replace(runner.binding, spec=event.spec)
        facts = TwinFacts(
            label=event.label,
            of=event.of if runner is not None else "",
            binding=binding,
            generation=event.generation,
            since=now,
            equity=self._equity(),
            running_pnl=0.0 if runner is None else self._pnl(runner),
        )
        twin = self.by_label[event.label] = Twin(facts, self._setup, self._simulate, self._models)
        twin.begin(self._market.windows(binding.symbols, binding.step_ns), now)
        twin.follow_limits(self._policy.limits, self._policy.calendar, now)
        return twin

    def follow_limits(self, now: int) -> None:
        """Let every twin take the limits that are in force now."""
        for twin in self.by_label.values():
            twin.follow_limits(self._policy.limits, self._policy.calendar, now)

    def _equity(self) -> Decimal:
        equity = self._ledger.exact_equity()
        return equity if equity > ZERO else self._setup.start_equity

    def note(self, commands: Iterable[Command]) -> None:
        """Take note of what running plays signal."""
        for command in commands:
            if type(command) is SaveSignal:
                for twin in self.by_label.values():
                    if twin.facts.of == command.signal.play:
                        twin.divergence.running(command.signal)

    def on_market(self, event: MarketEvent, now: int) -> list[Command]:
        """Take a market event; return what is to be stored of it."""
        return [
            SaveShadow(signal) for twin in self.by_label.values() for signal in twin.on_market(event, now)
        ]

    def stages(self) -> list[Command]:
        """Return for how long each twin has run."""
        return [SaveStage(twin.stage()) for twin in self.by_label.values()]

    def rows(self, trading: Trading, waiting: Iterable[str], now: int) -> tuple[TwinRow, ...]:
        """Return what a screen shows of each twin."""
        by_name = {runner.binding.spec.name: runner for runner in trading.runners}
        waits, free = set(waiting), not self._setup.needs_approval
        return tuple(
            self._row(
                twin,
                by_name.get(twin.facts.of),
                now,
                waits=twin.facts.label in waits,
                approved=free or twin.hash in trading.entering.approved,
            )
            for twin in self.by_label.values()
        )

    def _row(self, twin: Twin, runner: Runner | None, now: int, *, waits: bool, approved: bool) -> TwinRow:
        facts, ledger = twin.facts, twin.machine.ledger
        spec, symbol = facts.binding.spec, facts.binding.symbol
        position = ledger.position(spec.name, symbol)
        if not self._setup.takes_orders:
            runner = None  # it never holds anything: there is nothing to compare with
        given = twin.divergence.rows(now) if runner is not None else ()
        evaluator = twin.machine.trading.runners[0].evaluator
        return TwinRow(
            label=facts.label,
            of=facts.of if runner is not None else "",
            play=spec.name,
            symbol=symbol,
            hash=twin.hash,
            running_hash="" if runner is None else runner.binding.spec.hash,
            generation=facts.generation,
            since=facts.since,
            bars=twin.bars,
            bars_missing=max(0, evaluator.warmup_bars - evaluator.bars),
            qty=position.qty,
            entry_price=divide(position.entry_notional, position.qty) if position.qty else ZERO,
            pnl=round(ledger.equity() - float(ledger.start_equity), 8),
            running_pnl=0.0 if runner is None else round(self._pnl(runner) - facts.running_pnl, 8),
            trades=ledger.trades,
            signals=twin.machine.tally.signals,
            both=sum(row.whose is Whose.BOTH for row in given),
            only_running=sum(row.whose is Whose.RUNNING for row in given),
            only_twin=sum(row.whose is Whose.TWIN for row in given),
            differing=tuple(row for row in given if row.whose is not Whose.BOTH)[-ROWS_MAX:],
            waits=waits,
            running_generation=0 if runner is None else runner.generation,
            approved=approved,
        )

    def _pnl(self, runner: Runner) -> float:
        """Return a running play's profit after fees, with what is open at the mark."""
        ledger = self._ledger
        position = ledger.position(runner.binding.spec.name, runner.binding.symbol)
        opened = float(position.qty) * ledger.mark_of(position.symbol) - float(position.entry_notional)
        return float(position.realized - position.fees) + (opened if position.qty else 0.0)

    def state(self) -> TwinsState:
        """Return all that a checkpoint needs."""
        return TwinsState(tuple(twin.state() for twin in self.by_label.values()))

    def restore(self, state: TwinsState) -> None:
        """Take up a checkpoint's state. Raises CheckpointError."""
        self.by_label = {}
        for kept in state.twins:
            twin = self.by_label[kept.facts.label] = Twin(
                kept.facts, self._setup, self._simulate, self._models
            )
            twin.restore(kept)
