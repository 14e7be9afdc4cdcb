"""The machine: the one place that changes the engine's state. Events in, commands out, nothing else."""

from collections.abc import Callable
from typing import Any

from engine.core import freed
from engine.core.answers import Answers
from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.channels import REST_TIMER, Channels
from engine.core.guards import Guards
from engine.core.intervening import Interventions
from engine.core.limitsdesk import LimitsDesk
from engine.core.machine_state import STATE_VERSION, MachineState, check_version
from engine.core.market import Market
from engine.core.modelwatch import ModelWatch
from engine.core.policy import Policy
from engine.core.reconciling import Reconciler
from engine.core.risk import Risk
from engine.core.setup import CoreSetup
from engine.core.skimming import Skimming
from engine.core.stops import StopWatch
from engine.core.tally import Tally
from engine.core.trading import Trading
from engine.domain.commands import NOTHING, Command, NoticeLevel, SetTimer
from engine.domain.events import (
    Action,
    Backfill,
    CancelRejected,
    Channel,
    ChannelReport,
    ClockChecked,
    Control,
    Event,
    Fault,
    FeedChanged,
    FeedState,
    OrderAcked,
    OrderCanceled,
    OrderRejected,
    OrderReport,
    OrderSent,
    OrderTimedOut,
    PlaySwapped,
    Recalled,
    Remark,
    TimerFired,
    VenueReport,
    Woken,
)
from engine.domain.ids import IdSpace
from engine.domain.limits import LimitsChanged
from engine.domain.market import Bar, Quote, Stretch, Trade
from engine.domain.positions import Fill
from engine.domain.versions import PlaysApproved, TwinChanged
from engine.execution.desk import Desk
from engine.execution.flatten import Flatten
from engine.execution.ledger import Ledger
from engine.strategy.model import NO_MODELS, Models

STALENESS_TIMER = "staleness"
_MARKET = frozenset({Bar, Trade, Quote})  # what is under way waits for no market data


class Machine:
    """The engine's core. `handle` is synchronous and deterministic: the same calls give the same commands."""

    def __init__(self, setup: CoreSetup, models: Models = NO_MODELS) -> None:
        self.setup, self.feed_ended = setup, False
        self._outbox: list[Command] = []
        self.policy, self.tally = Policy(setup.limits, setup.calendar), Tally()
        ids = IdSpace(setup.birth_s, setup.instance)
        self.market = Market(setup.instruments, setup.window_bars)
        self.ledger, self.board = Ledger(setup.start_equity), Board(self._outbox)
        instruments = {i.symbol: i for i in setup.instruments}
        self.desk = Desk(ids, instruments, self.ledger, self._outbox, self.board.say)
        self.authority = Authority(
            setup,
            self.policy,
            desk=self.desk,
            flatten=Flatten(self.desk, self.ledger, ids, self._outbox),
            board=self.board,
            outbox=self._outbox,
        )
        self.channels = Channels(setup.breaker, self.authority, self.board, self._outbox)
        self.risk = self._guarding()
        self.trading = Trading(
            setup,
            self.risk,
            market=self.market,
            ledger=self.ledger,
            desk=self.desk,
            channels=self.channels,
            tally=self.tally,
            board=self.board,
            outbox=self._outbox,
            watch=ModelWatch(setup.calibration, self.authority, self.board),
            models=models,
        )
        self._stops = StopWatch(setup.stops, self.desk, self.ledger, self.trading.following, self.board)
        self._guards = Guards(
            self.policy,
            market=self.market,
            ledger=self.ledger,
            book=self.desk.book,
            stops=self._stops,
            authority=self.authority,
            board=self.board,
        )
        self._holds, self._losses = self.authority.holds, self.risk.losses
        self._skimming = Skimming(self.market, self.ledger, self.trading, self._losses)
        self.reconciler = Reconciler(
            setup.reconcile_ns,
            setup.reconcile_positions_ns,
            ids=ids,
            desk=self.desk,
            ledger=self.ledger,
            trading=self.trading,
            authority=self.authority,
            channels=self.channels,
            board=self.board,
            outbox=self._outbox,
            take=lambda event, now: self._handlers[type(event)](event, now),
        )
        self._hands = Interventions(self.trading, self.authority, self.reconciler, self._guards, self.board)
        self._answers, self.limits_desk = self._answering(), self._limiting()
        self._handlers = self._table()

    def _guarding(self) -> Risk:
        """Say what the limits look at."""
        return Risk(
            self.policy,
            market=self.market,
            ledger=self.ledger,
            book=self.desk.book,
            authority=self.authority,
            outbox=self._outbox,
            compares=self.setup.reconcile_ns > 0,
        )

    def _limiting(self) -> LimitsDesk:
        """Say what follows changed limits."""
        return LimitsDesk(
            self.risk,
            self.trading,
            self.authority,
            self.board,
            self._outbox,
            confirms=self.setup.confirms_loosening,
        )

    def _answering(self) -> Answers:
        """Say who follows the venue's answers."""
        return Answers(
            self.desk,
            self.tally,
            reconciler=self.reconciler,
            authority=self.authority,
            trading=self.trading,
            risk=self.risk,
            guards=self._guards,
            stops=self._stops,
            board=self.board,
        )

    def start(self, now: int) -> tuple[Command, ...]:
        """Return what must run from the beginning."""
        self.authority.begin(now)
        if self.setup.stale_check_ns:
            self._outbox.append(SetTimer(STALENESS_TIMER, now + self.setup.stale_check_ns))
        self.risk.blackout.look(now)
        self.reconciler.begin(now)
        self.authority.renew(now)
        return self._take()

    def handle(self, event: Event, now: int) -> tuple[Command, ...]:
        """Take one event at the time the loop stamped on it; return what is to be done about it, in order."""
        # By a table and not by `match`: a class pattern that misses costs 250 ns with these metaclasses.
        self._handlers[type(event)](event, now)
        if self._holds.all and type(event) not in _MARKET:  # what is under way holds a rung
            self.authority.go_on(now)
        return self._take() if self._outbox else NOTHING

    def skim(self, stretch: Stretch, first: int, last: int) -> tuple[int, tuple[Command, ...]]:
        """Take events of [first, last) until one leads to commands: the same as `handle` with each.

        They are all of one UTC day. Return the end of what was taken, `first` where none can be, and the
        commands.
        """
        end = self._skimming.take(stretch, first, last)
        return end, self._take() if self._outbox else NOTHING

    def _take(self) -> tuple[Command, ...]:
        commands = tuple(self._outbox)
        self._outbox.clear()
        return commands

    def _table(self) -> dict[type[Event], Callable[[Any, int], None]]:
        """Say what takes each kind of event. A test holds it against the union."""
        answers = self._answers
        return {
            Bar: self._on_bar,
            Trade: self._on_trade,
            Quote: self._on_quote,
            Fill: answers.on_fill,
            OrderSent: answers.on_sent,
            OrderAcked: answers.on_ack,
            OrderRejected: answers.on_reject,
            OrderCanceled: answers.on_cancel,
            CancelRejected: answers.on_cancel_rejected,
            OrderTimedOut: answers.on_timeout,
            VenueReport: answers.on_report,
            OrderReport: self.reconciler.on_order_report,
            TimerFired: self._on_timer,
            # what was due was taken before it; a machine that watches twins is a TwinnedMachine
            **dict.fromkeys((Woken, TwinChanged), lambda _event, _now: None),
            PlaysApproved: lambda event, _now: self.trading.entering.approve(event.hashes),
            Control: self._on_control,
            PlaySwapped: self.trading.swap,
            LimitsChanged: self.limits_desk.on_changed,
            Backfill: self._on_backfill,
            Remark: self.board.remark,
            Recalled: self.reconciler.on_recalled,
            FeedChanged: self._on_feed,
            ChannelReport: self._on_channel,
            ClockChecked: self.risk.watch.on_clock,
            Fault: self._guards.on_fault,
        }

    # the market

    def _on_bar(self, bar: Bar, now: int) -> None:
        self.market.on_bar(bar, now)
        self._mark(bar.symbol, bar.close, now)
        self.trading.on_bar(bar, now)

    def _on_trade(self, trade: Trade, now: int) -> None:
        self.market.on_trade(trade, now)
        self._mark(trade.symbol, trade.price, now)
        self.trading.on_trade(trade, now)

    def _on_quote(self, quote: Quote, now: int) -> None:
        self.market.on_quote(quote, now)
        self._mark(quote.symbol, quote.mark, now)

    def _mark(self, symbol: str, price: float, now: int) -> None:
        self.ledger.mark(symbol, price, now)
        if self._losses.watches and self.ledger.has_open:
            self._losses.on_mark(now)

    def _on_backfill(self, event: Backfill, _now: int) -> None:
        self.market.backfill(event.bars)
        self.trading.warm(event.bars)

    # the operator and the engine's surroundings

    def _on_control(self, control: Control, now: int) -> None:
        before = self.authority.operator
        if not self.authority.admits(control, now):
            return
        match control.action:
            case Action.RESOLVE | Action.CLOSE_POSITION | Action.CANCEL_ORDER:
                self._hands.on_control(control, now)
            case Action.ACCEPT_LIMITS | Action.ENABLE | Action.DECLINE:
                self.limits_desk.on_control(control, now)
            case _:
                self.authority.on_control(control, now)
        freed.follow(before, self.authority.operator, risk=self.risk, trading=self.trading, now=now)

    def _on_timer(self, event: TimerFired, now: int) -> None:
        match event.timer_id:
            case "staleness":
                self._outbox.append(SetTimer(STALENESS_TIMER, now + self.setup.stale_check_ns))
                self._guards.look(now)
                self.channels.look(now)
                self.risk.look(now)
            case "blackout":
                self.risk.blackout.follow(now)
            case "reconcile":
                self.reconciler.on_timer(now)
            case "probe":
                self.reconciler.on_probe(now)
            case "dead_man":
                self.authority.renew(now)
            case "flatten.retry":
                self.authority.on_retry(now)
            case "flatten.deadline":
                self.authority.flatten.on_deadline(now)
            case rest if rest.startswith(REST_TIMER):
                self.channels.on_rested(rest, now)
            case name:
                self.board.notice(now, NoticeLevel.ERROR, "fault", f"a timer nobody set came due: {name}")

    def _on_channel(self, report: ChannelReport, now: int) -> None:
        self.channels.on_report(report, now)
        self.risk.watch.on_channel(report, now)

    def _on_feed(self, event: FeedChanged, now: int) -> None:
        self.channels.on_feed(event, now)
        self.feed_ended = event.state is FeedState.ENDED
        if event.state is FeedState.CONNECTED or event.channel is Channel.PRIVATE:
            self.reconciler.begin(now)
            self.authority.renew(now)

    # checkpoint

    def state(self) -> MachineState:
        """Return all that a checkpoint needs."""
        return MachineState(
            version=STATE_VERSION,
            market=self.market.state(),
            ledger=self.ledger.state(),
            desk=self.desk.state(),
            trading=self.trading.state(),
            authority=self.authority.state(),
            board=self.board.state(),
            tally=self.tally.state(),
            feed_ended=self.feed_ended,
            reconciling=self.reconciler.state,
            stops=self._stops.state,
            channels=self.channels.state(),
            risk=self.risk.state(),
        )

    def begin_anew(self) -> None:
        """Begin a new run where another ended. To go on with the same run, `restore` is all there is."""
        self.authority.begin_anew()
        self._guards.forget()
        self.channels.begin_anew()
        self.risk.begin_anew()
        self.ledger.blotter.begin_anew()

    def restore(self, state: MachineState) -> None:
        """Take up a checkpoint's state into a machine made from the same setup."""
        check_version(state)
        self.market.restore(state.market)
        self.ledger.restore(state.ledger)
        self.desk.restore(state.desk)
        self.trading.restore(state.trading)
        self.authority.restore(state.authority)
        self.board.restore(state.board)
        self.tally.restore(state.tally)
        self.feed_ended = state.feed_ended
        self.reconciler.state = state.reconciling
        self._stops.restore(state.stops)
        self.channels.restore(state.channels)
        self.risk.restore(state.risk)
