"""Watches over stops: a position without one, and a stop that was triggered and does not fill."""

import msgspec

from engine.core.board import Board
from engine.core.following import Following, Key
from engine.domain.alarms import Severity
from engine.domain.commands import NoticeLevel
from engine.domain.events import VenueReport
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.money import ZERO, canonical
from engine.domain.orders import Order, OrderState
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.domain.signals import Side, cycle_id
from engine.domain.vetoes import veto
from engine.execution.desk import Desk, describe
from engine.execution.ledger import Ledger
from engine.execution.protect import wanted_orders
from engine.risk.stops import OnMissing, OnStuck, StopPolicy

_AT_REST = frozenset({OrderState.ACKNOWLEDGED, OrderState.PARTIALLY_FILLED})
_PROTECTIVE = (OrderRole.STOP, OrderRole.TARGET)


class Overdue(msgspec.Struct, frozen=True):
    """A stop that should have filled: since when (ns UTC), and how much of it was open then."""

    since: int
    left: str


class StopsState(msgspec.Struct, frozen=True):
    """The watch as a checkpoint holds it. Keys are `PLAY SYMBOL`, or client ids of stops; times ns UTC."""

    bare: dict[str, int] = {}  # since when a position has no stop at rest, or something was done about it
    overdue: dict[str, Overdue] = {}
    triggered: tuple[str, ...] = ()  # stops of which the venue said so
    closing: dict[str, str] = {}  # positions that are closed for want of a stop, and the reason's code
    tried: dict[str, int] = {}  # when each of them was last asked to close


class StopWatch:
    """Looks at every open position now and then, and does what the settings say."""

    def __init__(
        self, policy: StopPolicy, desk: Desk, ledger: Ledger, following: Following, board: Board
    ) -> None:
        self._policy = policy
        self._desk, self._ledger, self._following = desk, ledger, following
        self._board = board
        self.state = StopsState()

    def check(self, now: int) -> None:
        """Look at every position; a flatten closes all of them and needs nobody's help."""
        positions = () if self._following.closing else self._ledger.open_positions()
        self._forget({_name(_key(position)) for position in positions})
        for position in positions:
            if _name(_key(position)) in self.state.closing:
                self._close(position, now)
            elif self._check_missing(position, now):
                self._check_stuck(position, now)

    def on_report(self, report: VenueReport) -> None:
        """Remember which stops the venue shows as triggered."""
        told = {listed.client_id for listed in report.orders if listed.triggered}
        known = tuple(order.client_id for order in self._desk.book.select(OrderRole.STOP))
        triggered = tuple(i for i in known if i in told or i in self.state.triggered)
        if triggered != self.state.triggered:
            self._set(triggered=triggered)

    def restore(self, state: StopsState) -> None:
        """Take up a checkpoint's state."""
        self.state = state
        self._leave()

    # missing

    def _check_missing(self, position: Position, now: int) -> bool:
        """Tell whether a position has all of its stop at rest; where it has none for too long, act."""
        name = _name(_key(position))
        if self._is_covered(position):
            if name in self.state.bare:
                self._set(bare=_without(self.state.bare, name))
                self._board.clear_alarm(_unprotected(position))
            return True
        since = self.state.bare.get(name)
        if since is None:
            self._set(bare=self.state.bare | {name: now})
        elif now - since >= self._policy.missing_after_s * NS_PER_S:
            self._set(bare=self.state.bare | {name: now})
            self._on_missing(position, now)
        return False

    def _is_covered(self, position: Position) -> bool:
        """Tell whether stops at rest cover a position, or none is wanted for it."""
        key = _key(position)
        plan = self._following.plans.get(key)
        if plan is None:  # its plan is lost where an alarm says so; else it is no play's
            return not self._stands(_unprotected(position))
        instrument = self._desk.instruments[position.symbol]
        wanted = wanted_orders(position, plan, instrument, self._following.courses.get(key))
        if not any(wish.role is OrderRole.STOP for wish in wanted):
            return True
        resting = (order.remaining_qty for order in self._stops(position) if order.state in _AT_REST)
        return sum(resting, ZERO) >= abs(position.qty)

    def _on_missing(self, position: Position, now: int) -> None:
        play, symbol = _key(position)
        if not self._stands(_unprotected(position)):
            text = f"{symbol} of {play}: no stop at rest covers {canonical(abs(position.qty))}"
            self._board.raise_alarm(_unprotected(position), Severity.CRITICAL, text, now)
        match self._policy.missing:
            case OnMissing.PROTECT:
                mark = self._ledger.mark_of(symbol)
                self._following.protect(position, now, cycle_id(play, now), mark or None)
            case OnMissing.CLOSE:
                self._begin_close(position, Reason.STOP_MISSING, now)
            case OnMissing.ALARM:
                pass

    # stuck

    def _check_stuck(self, position: Position, now: int) -> None:
        alarm = _stuck(position)
        for order in self._stops(position):
            if order.state not in _AT_REST or not self._is_due(order):
                continue
            left = canonical(order.remaining_qty)
            before = self.state.overdue.get(order.client_id)
            if before is None or before.left != left:
                self._set(overdue=self.state.overdue | {order.client_id: Overdue(now, left)})
            elif now - before.since >= self._policy.stuck_after_s * NS_PER_S:
                text = f"{describe(order.request)} ({order.client_id}) is triggered and does not fill"
                self._board.raise_alarm(alarm, Severity.CRITICAL, text, now)
                if self._policy.stuck is OnStuck.CLOSE:
                    self._begin_close(position, Reason.STOP_STUCK, now)
                return
        due = {order.client_id for order in self._stops(position) if self._is_due(order)}
        if not due and self._stands(alarm):
            self._board.clear_alarm(alarm)

    def _is_due(self, order: Order) -> bool:
        """Tell whether a stop should be filling: the venue says so, or the market is where it triggers."""
        trigger, mark = order.request.trigger, self._ledger.mark_of(order.request.symbol)
        if trigger is None or order.client_id in self.state.triggered:
            return True  # one without a trigger closes at market
        level = float(trigger)
        return 0 < mark <= level if order.request.side is Side.SELL else mark >= level

    # closing

    def _begin_close(self, position: Position, reason: Reason, now: int) -> None:
        name = _name(_key(position))
        self._set(closing=self.state.closing | {name: reason.value})
        self._leave()
        self._close(position, now)

    def _close(self, position: Position, now: int) -> None:
        """Close at market, once nothing else that is known to rest can close it as well.

        What rests is canceled first: two orders that close one position could turn it around. A stop
        or target without an answer is not waited for, since it may not exist; all of them reduce only.
        """
        play, symbol = _key(position)
        name = _name(_key(position))
        self._desk.cancel_all(now, OrderRole.ENTRY, *_PROTECTIVE, play=play, symbol=symbol)
        ways = self._desk.book.select(*_PROTECTIVE, OrderRole.EXIT, play=play, symbol=symbol)
        retry_ns = self._policy.missing_after_s * NS_PER_S
        if any(o.state is not OrderState.UNKNOWN or o.request.role is OrderRole.EXIT for o in ways):
            return
        if now - self.state.tried.get(name, -NS_PER_S * 86_400) < retry_ns:
            return
        self._set(tried=self.state.tried | {name: now})
        cycle, reason = cycle_id(play, now), Reason(self.state.closing[name])
        qty = canonical(abs(position.qty))
        facts = veto(reason, ts=now, cycle_id=cycle, play=play, symbol=symbol, qty=qty)
        self._board.store(facts)
        text = f"{symbol} of {play} closes at market: {facts.text}"
        self._board.notice(now, NoticeLevel.ERROR, "stop", text, symbol)
        self._desk.submit(
            role=OrderRole.EXIT,
            side=Side.SELL if position.qty > ZERO else Side.BUY,
            qty=abs(position.qty),
            now=now,
            cycle_id=cycle,
            play=play,
            symbol=symbol,
        )

    # what is remembered

    def _forget(self, open_now: set[str]) -> None:
        """Let go of positions that are closed, and of stops that ended."""
        state, book = self.state, self._desk.book.open
        self.state = StopsState(
            bare={name: since for name, since in state.bare.items() if name in open_now},
            overdue={i: was for i, was in state.overdue.items() if i in book and self._is_due(book[i])},
            triggered=tuple(i for i in state.triggered if i in book),
            closing={name: reason for name, reason in state.closing.items() if name in open_now},
            tried={name: at for name, at in state.tried.items() if name in open_now},
        )
        for alarm in self._board.alarms():
            kind, _, rest = alarm.id.partition(":")
            if kind == "stuck" and rest.replace(":", " ") not in open_now:
                self._board.clear_alarm(alarm.id)
        self._leave()

    def _leave(self) -> None:
        """Let nothing protect anew what is being closed."""
        self._following.leaving = frozenset(self.state.closing)

    def _stops(self, position: Position) -> list[Order]:
        play, symbol = _key(position)
        found = self._desk.book.select(OrderRole.STOP, play=play, symbol=symbol)
        return [order for order in found if not order.cancel_requested]

    def _stands(self, alarm_id: str) -> bool:
        return any(alarm.id == alarm_id for alarm in self._board.alarms())

    def _set(self, **changes: object) -> None:
        self.state = msgspec.structs.replace(self.state, **changes)


def _key(position: Position) -> Key:
    return position.play, position.symbol


def _name(key: Key) -> str:
    return " ".join(key)


def _unprotected(position: Position) -> str:
    return f"unprotected:{position.play}:{position.symbol}"


def _stuck(position: Position) -> str:
    return f"stuck:{position.play}:{position.symbol}"


def _without(kept: dict[str, int], name: str) -> dict[str, int]:
    return {key: value for key, value in kept.items() if key != name}
