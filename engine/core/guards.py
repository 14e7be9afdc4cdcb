"""What holds rungs by itself and lets go by itself: silence, faults, orders without an answer."""

from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.market import Market
from engine.core.policy import Policy
from engine.core.stops import StopWatch
from engine.domain.alarms import Severity
from engine.domain.commands import NoticeLevel
from engine.domain.events import Fault, FaultKind, VenueReport
from engine.domain.market import NS_PER_S
from engine.domain.modes import Holder
from engine.domain.money import ZERO, canonical
from engine.domain.orders import Order, OrderState
from engine.execution.book import OrderBook
from engine.execution.desk import describe
from engine.execution.ledger import Ledger


class Guards:
    """Watches over the engine; has no state of its own but what it holds and the alarms it raises."""

    def __init__(
        self,
        policy: Policy,
        *,
        market: Market,
        ledger: Ledger,
        book: OrderBook,
        stops: StopWatch,
        authority: Authority,
        board: Board,
    ) -> None:
        self._policy = policy
        self.stops = stops
        self._market, self._ledger, self._book = market, ledger, book
        self._authority, self._board = authority, board

    def look(self, now: int) -> None:
        """Look at what no event tells of: silent symbols, stops that do not protect, and equity over time."""
        self.check_silence(now)
        self.stops.check(now)
        self._ledger.curve.add(now, self._ledger.equity())

    def check_silence(self, now: int) -> None:
        """Hold the symbols that have been silent for too long, and let go of those that speak again."""
        stale_after_s = self._policy.limits.stale_after_s
        limit_ns = stale_after_s * NS_PER_S
        for symbol in self._market.symbols():
            age_ns = self._market.age_ns(symbol, now)
            stale = age_ns is not None and age_ns > limit_ns
            self._authority.hold(Holder.STALE, now, symbol=symbol, detail="no data", held=stale)
            if stale:
                text = f"{symbol}: no data for more than {stale_after_s:g} s"
                self._board.raise_alarm(f"stale:{symbol}", Severity.WARNING, text, now)
            else:
                self._board.clear_alarm(f"stale:{symbol}")

    def on_fault(self, event: Fault, now: int) -> None:
        """Hold while anything of the engine itself is broken."""
        alarm = f"fault:{event.kind}"
        if event.cleared:
            self._board.clear_alarm(alarm)
            self._board.notice(now, NoticeLevel.GOOD, "fault", f"{event.kind} works again: {event.text}")
        else:
            self._board.raise_alarm(alarm, Severity.CRITICAL, event.text, now)
        broken = {a.id.removeprefix("fault:") for a in self._board.alarms() if a.id.startswith("fault:")}
        storage = FaultKind.STORAGE.value
        self._authority.hold(Holder.STORAGE, now, symbol="", detail=storage, held=storage in broken)
        others = " ".join(sorted(broken - {storage}))
        self._authority.hold(Holder.FAULT, now, symbol="", detail=others, held=bool(others))

    def forget(self) -> None:
        """Clear the alarms of what ended with the run before: faults and silence are looked at afresh."""
        for alarm in self._board.alarms():
            if alarm.id.startswith(("fault:", "stale:")):
                self._board.clear_alarm(alarm.id)

    def on_unknown(self, order: Order, now: int) -> None:
        """Hold the symbol of an order that got no answer."""
        self._hold_unknown(order.request.symbol, now)

    def _hold_unknown(self, symbol: str, now: int) -> bool:
        """Hold a symbol for each of its unknown orders; tell whether there is one."""
        open_orders = self._book.open_orders()
        unknown = [o for o in open_orders if o.request.symbol == symbol and o.state is OrderState.UNKNOWN]
        if not unknown:
            return False
        ids = " ".join(order.client_id for order in unknown)
        self._authority.hold(Holder.UNKNOWN_ORDER, now, symbol=symbol, detail=ids)
        told = ", ".join(f"{describe(order.request)} ({order.client_id})" for order in unknown)
        text = f"no answer for {told}: {'they' if len(unknown) > 1 else 'it'} may be live"
        self._board.raise_alarm(f"unknown:{symbol}", Severity.CRITICAL, text, now)
        return True

    def follow_unknown(self, now: int) -> None:
        """Let go of the symbols whose unknown orders the venue has settled."""
        holds = self._authority.holds.all
        held = [hold.symbol for hold in holds if hold.holder is Holder.UNKNOWN_ORDER] if holds else ()
        for symbol in held:
            if not self._hold_unknown(symbol, now):
                self._authority.hold(Holder.UNKNOWN_ORDER, now, symbol=symbol, detail="", held=False)
                self._board.clear_alarm(f"unknown:{symbol}")

    def compare_positions(self, report: VenueReport, now: int) -> None:
        """Raise an alarm where a whole report shows another position than our books."""
        if not report.complete:
            return
        shown = {position.symbol: position.qty for position in report.positions}
        for symbol in self._market.symbols():
            ours, theirs = self._ledger.net_qty(symbol), shown.get(symbol, ZERO)
            if ours == theirs:
                self._board.clear_alarm(f"position:{symbol}")
            else:
                text = f"{symbol}: the venue shows {canonical(theirs)}, our books {canonical(ours)}"
                self._board.raise_alarm(f"position:{symbol}", Severity.CRITICAL, text, now)
