"""From an entry signal to its order: protections, price, size, gates, in this order; the first no ends it."""

from decimal import Decimal

from engine.core.channels import Channels
from engine.core.following import Following
from engine.core.holds import Holds
from engine.core.runner import Runner
from engine.core.setup import CoreSetup
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.orders import Order, OrderState
from engine.domain.reasons import Reason
from engine.domain.signals import Signal, SignalKind
from engine.domain.vetoes import Veto, veto
from engine.execution.course import further_qty
from engine.execution.desk import Desk
from engine.execution.ledger import Ledger
from engine.execution.terms import Terms, terms_of
from engine.risk.breaker import BreakerState
from engine.risk.gates import EntryFacts, GateResult, ask
from engine.risk.sizing import Refusal, check_minimum, size_entry

# Bound once: a look into an enum costs more than the comparison, and every entry passes here.
_ENTRY = OrderRole.ENTRY
_HALF_OPEN = BreakerState.HALF_OPEN
_UNANSWERED = frozenset({OrderState.PENDING, OrderState.SUBMITTED})
_FIRST, _FURTHER = SignalKind.ENTRY, SignalKind.SCALE_IN


class Entering:
    """Asks for entries."""

    def __init__(
        self,
        setup: CoreSetup,
        *,
        ledger: Ledger,
        desk: Desk,
        holds: Holds,
        channels: Channels,
        following: Following,
    ) -> None:
        self._setup, self._ledger, self._desk, self._holds = setup, ledger, desk, holds
        self._channels, self._following = channels, following

    def enter(self, signal: Signal, runner: Runner, now: int) -> Order | Veto:
        """Ask for the order of an entry, or say why there is none."""
        play, symbol = signal.play, signal.symbol
        if self._desk.is_entering(play, symbol):
            return veto_of(signal, Refusal(Reason.ENTRY_WORKING, {}), now)
        refused = runner.refusal(signal)
        if refused is not None:
            return veto_of(signal, refused, now)
        terms = terms_of(signal, runner.binding.spec, self._desk.instruments[symbol])
        if type(terms) is Refusal:  # isinstance costs more where it is none
            return veto_of(signal, terms, now)
        sized = self._size(signal, runner, terms)
        if type(sized) is Refusal:
            return veto_of(signal, sized, now)
        after = abs(self._ledger.net_qty(symbol) + sized * signal.side.sign) * terms.price
        facts = self.facts(symbol, (now - signal.ts) / NS_PER_S, sized * terms.price, after)
        stopped = ask(facts, self._setup.limits)
        if stopped is not None:
            return veto_of(signal, _refusal(stopped), now)
        if signal.kind is _FIRST:
            self._following.plans[play, symbol] = terms.plan
        runner.expires = terms.order.valid_bars
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

    def _size(self, signal: Signal, runner: Runner, terms: Terms) -> Decimal | Refusal:
        """Return the quantity of an entry: as the play sizes the first one, by its factor a further one."""
        spec, instrument = runner.binding.spec, self._desk.instruments[signal.symbol]
        course = self._following.courses.get((signal.play, signal.symbol))
        if signal.kind is _FURTHER and course is not None and spec.scale_in is not None:
            qty = further_qty(course, spec.scale_in, instrument)
            return check_minimum(qty, terms.price, instrument) or qty
        return size_entry(
            spec.sizing,
            equity=self._ledger.exact_equity(),
            price=terms.price,
            instrument=instrument,
            stop_distance=terms.stop_distance,
            volatility=signal.plan.volatility if signal.plan else None,
        )

    def facts(self, symbol: str, data_age_s: float, order_notional: Decimal, after: Decimal) -> EntryFacts:
        """Gather what the gates look at."""
        breaker = self._channels.orders
        return EntryFacts(
            symbol=symbol,
            takes_orders=self._setup.takes_orders,
            venue_checked=self._setup.venue_checked,
            lock_held=True,  # an engine that loses its lock does not run on: the lock is the kernel's
            holds=self._holds.all,
            data_age_s=data_age_s,
            order_notional=order_notional,
            position_notional_after=after,
            open_orders=len(self._desk.book.open),
            day_pnl=self._ledger.day_pnl(),
            breaker=breaker,
            trying=breaker is _HALF_OPEN
            and any(o.state in _UNANSWERED for o in self._desk.book.open.values()),
        )


def veto_of(signal: Signal, refusal: Refusal, now: int) -> Veto:
    """Return the veto of a signal."""
    facts = {"play": signal.play, "symbol": signal.symbol}
    return veto(refusal.reason, ts=now, cycle_id=signal.cycle_id, **facts, **refusal.values)


def _refusal(stopped: GateResult) -> Refusal:
    assert stopped.reason is not None, "a gate that vetoes names its reason"
    return Refusal(stopped.reason, {"gate": stopped.name, "value": stopped.value, "limit": stopped.limit})
