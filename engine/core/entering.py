"""From an entry signal to its order: protections, price, size, gates, in this order; the first no ends it."""

from collections import deque
from decimal import Decimal
from math import inf
from typing import NamedTuple

import msgspec

from engine.core.board import Board
from engine.core.channels import Channels
from engine.core.following import Following
from engine.core.pacing import Key
from engine.core.risk import Risk
from engine.core.runner import Runner
from engine.core.setup import CoreSetup
from engine.domain.alarms import Severity
from engine.domain.commands import NoticeLevel
from engine.domain.ids import OrderRole
from engine.domain.limits import Limits
from engine.domain.market import NS_PER_S, Bar
from engine.domain.money import canonical
from engine.domain.orders import Order, OrderState
from engine.domain.play import PlaySpec
from engine.domain.reasons import Reason
from engine.domain.signals import Signal, SignalKind
from engine.domain.vetoes import Veto, veto
from engine.execution.course import further_qty
from engine.execution.desk import Desk, describe
from engine.execution.exposure import exposure
from engine.execution.ledger import Ledger
from engine.execution.terms import Terms, terms_of
from engine.risk.breaker import BreakerState
from engine.risk.gates import EntryFacts, GateResult, ask
from engine.risk.sizing import Refusal, check_minimum, size_entry

# Bound once: a look into an enum costs more than the comparison, and every entry passes here.
_ENTRY = OrderRole.ENTRY
_HALF_OPEN = BreakerState.HALF_OPEN
_UNANSWERED = frozenset({OrderState.PENDING, OrderState.SUBMITTED})
ASKED_MAX = 200  # entries whose way through the gates is remembered
_FIRST, _FURTHER = SignalKind.ENTRY, SignalKind.SCALE_IN


class Weighed(NamedTuple):
    """An entry that was priced and sized, and what the gates look at, with the limits of that moment."""

    terms: Terms
    qty: Decimal
    facts: EntryFacts
    limits: Limits


class Entering:
    """Asks for entries."""

    def __init__(
        self,
        setup: CoreSetup,
        risk: Risk,
        *,
        ledger: Ledger,
        desk: Desk,
        channels: Channels,
        following: Following,
        board: Board,
    ) -> None:
        self._setup, self._risk, self._board = setup, risk, board
        self._ledger, self._desk = ledger, desk
        self._channels, self._following = channels, following
        # For whoever asks why, and for nobody else: not a part of the state.
        self.asked: deque[tuple[Signal, Weighed | Refusal]] = deque(maxlen=ASKED_MAX)
        self.approved: tuple[str, ...] = ()  # hashes of plays whose entries may be real

    def approve(self, hashes: tuple[str, ...]) -> None:
        """Let entries of these plays pass where they need approval."""
        self.approved = hashes

    def approval(self, facts: EntryFacts, spec: PlaySpec) -> EntryFacts:
        """Add to what the gates look at which version of a play it is, and which ones were approved."""
        return msgspec.structs.replace(facts, play_hash=spec.hash, approved=self.approved)

    def enter(self, signal: Signal, runner: Runner, now: int) -> Order | Veto:
        """Ask for the order of an entry, or say why there is none."""
        play, symbol = signal.play, signal.symbol
        weighed = self.weigh(signal, runner, now)
        self.asked.append((signal, weighed))
        if type(weighed) is Refusal:  # isinstance costs more where it is none
            return veto_of(signal, weighed, now)
        terms, sized, facts, limits = weighed
        stopped = ask(facts, limits)
        if stopped is not None:
            return veto_of(signal, _refusal(stopped), now)
        if signal.kind is _FIRST:
            self._following.plans[play, symbol] = terms.plan
        runner.expires = terms.order.valid_bars
        too_often = self._risk.pace.sent(signal, facts.order_notional, now, limits)
        if too_often is not None:
            self._stop(too_often, limits, now)
        return self._desk.submit(
            role=_ENTRY,
            play=play,
            symbol=symbol,
            side=signal.side,
            qty=sized,
            now=now,
            cycle_id=signal.cycle_id,
            kind=terms.order.kind,
            price=terms.limit,
            trigger=terms.trigger,
            post_only=terms.order.post_only,
            tif=terms.order.tif,
        )

    def weigh(self, signal: Signal, runner: Runner, now: int) -> Weighed | Refusal:
        """Return what an entry is asked for with and what the gates look at, or what stops it before."""
        symbol = signal.symbol
        if self._desk.is_entering(signal.play, symbol):
            return Refusal(Reason.ENTRY_WORKING, {})
        refused = runner.refusal(signal)
        if refused is not None:
            return refused
        terms = terms_of(signal, runner.binding.spec, self._desk.instruments[symbol])
        if type(terms) is Refusal:
            return terms
        sized = self._size(signal, runner, terms)
        if type(sized) is Refusal:
            return sized
        facts = self.facts(signal, terms.price, sized, (now - signal.ts) / NS_PER_S, now)
        if self._setup.needs_approval:
            facts = self.approval(facts, runner.binding.spec)
        return Weighed(terms, sized, facts, self._risk.policy.limits)

    def _size(self, signal: Signal, runner: Runner, terms: Terms) -> Decimal | Refusal:
        """Return the quantity of an entry: as the play sizes the first one, by its factor a further one."""
        spec, instrument = runner.binding.spec, self._desk.instruments[signal.symbol]
        course = self._following.courses.get((signal.play, signal.symbol))
        if signal.kind is _FURTHER and course is not None and spec.scale_in is not None:
            qty = further_qty(course, spec.scale_in, instrument)
            return check_minimum(qty, terms.price, instrument) or qty
        return size_entry(
            spec.sizing,
            equity=self._ledger.trading_capital(),
            price=terms.price,
            instrument=instrument,
            stop_distance=terms.stop_distance,
            volatility=signal.plan.volatility if signal.plan else None,
        )

    def age(self, bar: Bar, runner: Runner, now: int) -> None:
        """Cancel an entry that did not fill within its bars."""
        if bar.symbol != runner.binding.symbol:
            return
        runner.expires -= 1
        if runner.expires:
            return
        name = runner.binding.spec.name
        for order in list(self._desk.book.select(OrderRole.ENTRY, play=name, symbol=bar.symbol)):
            request = order.request
            self._desk.cancel(order, now)
            facts = veto(
                Reason.ENTRY_EXPIRED,
                ts=now,
                cycle_id=request.cycle_id,
                play=request.play,
                symbol=request.symbol,
                client_id=order.client_id,
                filled=canonical(order.filled_qty),
            )
            self._board.store(facts)
            text = f"{describe(request)} did not fill within its bars"
            self._board.notice(now, NoticeLevel.INFO, "expired", text, bar.symbol)

    def _stop(self, key: Key, limits: Limits, now: int) -> None:
        """Say that a play enters too often; it stays stopped until a person goes on."""
        play, symbol, side = key
        text = (
            f"{play} sent {limits.repeat_entries_max} entries {side} {symbol} within "
            f"{limits.repeat_entries_window_s:g} s and is stopped there: find out why, then "
            f"`trader-tui limits enable {play} --reason WHY`"
        )
        self._board.raise_alarm(_stopped(key), Severity.CRITICAL, text, now)

    def enable(self, play: str) -> bool:
        """Let a play go on that entered too often; tell whether it was stopped."""
        freed = self._risk.pace.enable(play)
        for key in freed:
            self._board.clear_alarm(_stopped(key))
        return bool(freed)

    def facts(self, signal: Signal, price: Decimal, qty: Decimal, data_age_s: float, now: int) -> EntryFacts:
        """Gather what the gates look at: the entry of a quantity at a price."""
        ledger, book, limits, pace = self._ledger, self._desk.book, self._risk.policy.limits, self._risk.pace
        symbol, notional = signal.symbol, qty * price
        at_stake = exposure(ledger, book, symbol, signal.side)
        worth, equity, reserve = float(notional), ledger.equity(), ledger.capital.reserve
        capital = equity - float(reserve) if reserve else equity
        gross, mark = at_stake.total + worth, ledger.mark_of(symbol)
        key = (signal.play, symbol, signal.side)
        breaker = self._channels.orders
        return EntryFacts(
            symbol=symbol,
            takes_orders=self._setup.takes_orders,
            venue_checked=self._setup.venue_checked,
            lock_held=True,  # an engine that loses its lock does not run on: the lock is the kernel's
            holds=self._risk.holds.all,
            data_age_s=data_age_s,
            order_notional=notional,
            position_notional_after=abs(at_stake.net + qty * signal.side.sign) * price,
            open_orders=len(book.open),
            day_pnl=equity - ledger.day_start_equity,
            breaker=breaker,
            trying=breaker is _HALF_OPEN and any(o.state in _UNANSWERED for o in book.open.values()),
            cycle_notional_after=pace.of_cycle(signal.ts) + notional,
            symbol_notional_after=at_stake.symbol + worth,
            gross_notional_after=gross,
            leverage_after=gross / capital if capital > 0 else inf,
            capital_left=capital - gross / (limits.leverage_max or 1.0),
            price_off_percent=abs(float(price) / mark - 1.0) * 100.0 if mark > 0 else 0.0,
            recent_entries=pace.recent(now, limits),
            repeats=pace.repeats(key, now, limits),
            repeats_stopped=key in pace.stopped,
            drawdown_percent=self._risk.losses.drawdown_percent(equity),
            losses_in_a_row=ledger.capital.losses_in_a_row,
        )


def veto_of(signal: Signal, refusal: Refusal, now: int) -> Veto:
    """Return the veto of a signal."""
    facts = {"play": signal.play, "symbol": signal.symbol}
    return veto(refusal.reason, ts=now, cycle_id=signal.cycle_id, **facts, **refusal.values)


def _refusal(stopped: GateResult) -> Refusal:
    assert stopped.reason is not None, "a gate that vetoes names its reason"
    return Refusal(stopped.reason, {"gate": stopped.name, "value": stopped.value, "limit": stopped.limit})


def _stopped(key: Key) -> str:
    return "repeats:" + ":".join(key)
