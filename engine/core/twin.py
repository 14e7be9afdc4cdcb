"""A shadow twin: a version of a play on the same market, with books of its own and orders that never leave.

It is a whole machine with one play, armed, whose orders meet a simulated venue: the same rules, gates, sizes
and protection as where it ran for real, and the same matching as in paper and backtest (its rules stand in
engine.venues.matching). What cannot be the same is told in docs/reloading.md: it begins flat, and a loss
never lowers its risk mode, for nobody could set that back.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from engine.core.divergence import Divergence, DivergenceState
from engine.core.machine import Machine
from engine.core.machine_state import MachineState
from engine.core.predictions import Predictions, PredictionsState
from engine.core.setup import CoreSetup, PlayBinding
from engine.domain.calendar import Calendar
from engine.domain.commands import CancelOrder, Command, SaveFill, SaveSignal, SubmitOrder
from engine.domain.events import Event, OrderSent
from engine.domain.limits import Limits, LimitsChanged
from engine.domain.market import PRINT_STEP_NS, Bar, Instrument, MarketEvent, Trade, bar_of
from engine.domain.orders import OrderRequest
from engine.domain.shadow import Role, ShadowSignal, Stage
from engine.domain.signals import Signal
from engine.strategy.model import Models


class Exchange(Protocol):
    """What a twin's orders meet: the simulated venue, which is a pure machine."""

    def submit(self, request: OrderRequest, now: int) -> Sequence[Event]:
        """Hand over an order."""
        ...

    def cancel(self, client_id: str, symbol: str, now: int) -> Sequence[Event]:
        """Ask to cancel an order."""
        ...

    def on_market(self, event: MarketEvent) -> Sequence[Event]:
        """Match against a market event."""
        ...

    def on_time(self, now: int) -> Sequence[Event]:
        """Let what is due by `now` reach the book."""
        ...

    def next_at(self) -> int | None:
        """Return when the next answer falls due."""
        ...

    def state(self) -> bytes:
        """Return everything as bytes."""
        ...

    def restore(self, state: bytes) -> None:
        """Take up a state."""
        ...


Simulate = Callable[[Sequence[Instrument]], Exchange]


class TwinFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a twin is. `since` is ns UTC, money in settle units at that moment."""

    label: str
    of: str
    binding: PlayBinding
    generation: int
    since: int
    equity: Decimal
    running_pnl: float  # of the play it is compared with, all told


class TwinState(msgspec.Struct, frozen=True, kw_only=True):
    """A twin as a checkpoint holds it."""

    facts: TwinFacts
    machine: bytes
    exchange: bytes
    predictions: PredictionsState
    divergence: DivergenceState
    bars: int
    last: int


class Twin:
    """One twin at work."""

    def __init__(self, facts: TwinFacts, setup: CoreSetup, simulate: Simulate, models: Models) -> None:
        binding = facts.binding
        self.facts = facts
        self.hash = binding.spec.hash
        symbols = frozenset(binding.symbols)
        instruments = tuple(i for i in setup.instruments if i.symbol in symbols)
        self._symbols = symbols
        self._mode = setup.mode.value
        self.machine = Machine(_alone(setup, facts, instruments), models)
        self._exchange = simulate(instruments)
        self._predictions = Predictions(setup.shadow_horizon_bars)
        self.divergence = Divergence(binding.step_ns)
        self.bars = 0
        self.last = facts.since
        self._news: list[ShadowSignal] = []

    def begin(self, bars: tuple[Bar, ...], now: int) -> None:
        """Warm up on bars of the past."""
        self.machine.start(now)
        self.warm(bars)

    def warm(self, bars: tuple[Bar, ...]) -> None:
        """Let the play's rules see bars of the past; nobody looks at the rest of what a past is good for."""
        self.machine.trading.warm(bars)

    def on_market(self, event: MarketEvent, now: int) -> list[ShadowSignal]:
        """Take a market event; return signals that are new, and those whose end is known now."""
        if event.symbol not in self._symbols:
            return []
        exchange = self._exchange
        while (due := exchange.next_at()) is not None and due <= now:
            self._settle(exchange.on_time(due), due)
        self._settle((*exchange.on_market(event), event), now)
        self._follow(event)
        news, self._news = self._news, []
        return news

    def follow_limits(self, limits: Limits, calendar: Calendar, now: int) -> None:
        """Take the limits of the running plays, but for those that only a person ends."""
        policy, wanted = self.machine.policy, _unlatched(limits)
        if (policy.limits, policy.calendar) != (wanted, calendar):
            self._settle((LimitsChanged(now, "", wanted, calendar),), now)

    def _follow(self, event: MarketEvent) -> None:
        """Let open predictions follow a bar that the play is evaluated on."""
        binding = self.facts.binding
        if event.symbol != binding.symbol:
            return
        if type(event) is Trade and binding.step_ns == PRINT_STEP_NS:
            event = bar_of(event)
        if type(event) is Bar and event.step_ns == binding.step_ns:
            self.bars, self.last = self.bars + 1, event.ts
            self._news += self._predictions.on_bar(event)

    def _settle(self, events: Sequence[Event], now: int) -> None:
        """Handle events and all that follows from them, in the order in which the loop does."""
        queue = list(events)
        for event in queue:  # grows meanwhile
            for command in self.machine.handle(event, now):
                queue += self._carry_out(command, now)

    def _carry_out(self, command: Command, now: int) -> Sequence[Event]:
        kind = type(command)
        if kind is SubmitOrder:
            assert isinstance(command, SubmitOrder), "by its type"
            request = command.request
            return (OrderSent(now, request.client_id), *self._exchange.submit(request, now))
        if kind is CancelOrder:
            assert isinstance(command, CancelOrder), "by its type"
            return self._exchange.cancel(command.client_id, command.symbol, now)
        if kind is SaveSignal:
            assert isinstance(command, SaveSignal), "by its type"
            self._on_signal(command)
        elif kind is SaveFill:
            assert isinstance(command, SaveFill), "by its type"
            self._news += self._predictions.on_fill(command.fill, command.position)
        return ()  # whatever else a machine asks for, a twin does not get

    def _on_signal(self, saved: SaveSignal) -> None:
        signal = saved.signal
        self.divergence.twin(signal)
        self._news.append(self._predictions.on_signal(self._shadowed(signal, saved)))

    def _shadowed(self, signal: Signal, saved: SaveSignal) -> ShadowSignal:
        return ShadowSignal(
            ts=signal.ts,
            label=self.facts.label,
            play=signal.play,
            hash=self.hash,
            symbol=signal.symbol,
            side=signal.side,
            kind=signal.kind,
            price=signal.price,
            strength=signal.strength,
            reason=saved.veto.reason.value if saved.veto is not None else "",
        )

    def end(self, now: int) -> list[ShadowSignal]:
        """Return the signals whose end nobody will see any more, as of the last price."""
        price = self.machine.ledger.mark_of(self.facts.binding.symbol)
        return self._predictions.end(now, price) if price else []

    def stage(self) -> Stage:
        """Return for how long it has run, and what it would have made."""
        ledger = self.machine.ledger
        return Stage(
            hash=self.hash,
            play=self.facts.binding.spec.name,
            role=Role.TWIN,
            mode=self._mode,
            began=self.facts.since,
            until=self.last,
            bars=self.bars,
            signals=self.machine.tally.signals,
            trades=ledger.trades,
            pnl=ledger.realized - ledger.fees,
        )

    # checkpoint

    def state(self) -> TwinState:
        """Return all that a checkpoint needs."""
        return TwinState(
            facts=self.facts,
            machine=msgspec.msgpack.encode(self.machine.state()),
            exchange=self._exchange.state(),
            predictions=self._predictions.state(),
            divergence=self.divergence.state(),
            bars=self.bars,
            last=self.last,
        )

    def restore(self, state: TwinState) -> None:
        """Take up a checkpoint's state. Raises CheckpointError."""
        self.machine.restore(msgspec.msgpack.decode(state.machine, type=MachineState))
        self._exchange.restore(state.exchange)
        self._predictions.restore(state.predictions)
        self.divergence.restore(state.divergence)
        self.bars, self.last = state.bars, state.last


def _alone(setup: CoreSetup, facts: TwinFacts, instruments: tuple[Instrument, ...]) -> CoreSetup:
    """Return the facts of a machine that runs one play for itself: on no clock, under no person's hand."""
    return msgspec.structs.replace(
        setup,
        instruments=instruments,
        plays=(facts.binding,),
        start_equity=facts.equity,
        confirm_name=facts.binding.spec.name,
        limits=_unlatched(setup.limits),
        takes_orders=True,
        venue_checked=True,
        needs_approval=False,
        confirms_loosening=False,
        armed=True,
        stale_check_ns=0,
        reconcile_ns=0,
        reconcile_positions_ns=0,
        dead_man_ms=0,
        window_bars=1,
    )


def _unlatched(limits: Limits) -> Limits:
    """Return the limits without those that only a person ends: nobody acts for a twin."""
    return msgspec.structs.replace(
        limits,
        daily_loss_max=None,
        drawdown_max_percent=None,
        losses_in_a_row_max=None,
        repeat_entries_max=None,
    )
