"""The operator's hand on one order or one position: close it, cancel it, or say what became of it."""

from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.guards import Guards
from engine.core.operator import Refused
from engine.core.reconciling import Reconciler
from engine.core.resolving import Resolver
from engine.core.runner import SitOut
from engine.core.snapshot import Phase
from engine.core.trading import Trading
from engine.domain.commands import NoticeLevel, SaveTransition, TransitionKind
from engine.domain.events import Action, Control
from engine.domain.ids import OrderRole
from engine.domain.money import ZERO, canonical
from engine.domain.orders import Order
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.domain.signals import Side
from engine.execution.desk import describe
from engine.execution.flatten import PLAY as FLATTEN_PLAY
from engine.risk.sizing import Refusal

NOTICE = "operator"  # the kind of notice that says what was done
_PROTECTIVE = frozenset({OrderRole.STOP, OrderRole.TARGET})


class Interventions:
    """Reductions of a person's own: no rung and no limit refuses them, only what they would do twice."""

    def __init__(
        self, trading: Trading, authority: Authority, reconciler: Reconciler, guards: Guards, board: Board
    ) -> None:
        self._trading, self._authority, self._board = trading, authority, board
        self._desk, self._ledger = trading.desk, trading.ledger
        self._resolver = Resolver(trading.desk, authority, reconciler, trading, guards)

    def on_control(self, control: Control, now: int) -> None:
        """Carry out a command, or refuse it with a Reason."""
        if control.action is Action.RESOLVE:
            self._resolver.on_control(control, now)
            return
        closes = control.action is Action.CLOSE_POSITION
        refused = self._close(control, now) if closes else self._cancel(control, now)
        if refused is not None:
            self._authority.refuse(control, refused, now)

    def _close(self, control: Control, now: int) -> Refused | None:
        """Close `PLAY SYMBOL OPENED` at market; the play then sits out until its next signal.

        The symbol may be left out. `OPENED` (ns UTC) is when the position that was confirmed began: another
        one that took its place meanwhile is not closed. What is left of its entry is canceled first.
        """
        if self._authority.operator.phase is Phase.FLATTENING:
            return Refused(Reason.FLATTEN_RUNNING)
        position = self._position(control.argument)
        if isinstance(position, Refused):
            return position
        order = self._trading.leaving.close(position, control.cycle_id, now)
        if isinstance(order, Refusal):
            return Refused(order.reason, order.values)
        play, symbol = position.play, position.symbol
        self._sit_out(play, symbol, Side.BUY if position.qty > ZERO else Side.SELL, until_flat=True)
        was, became = f"{play} {symbol} {canonical(position.qty)}", f"closing by {order.client_id}"
        change = SaveTransition(now, TransitionKind.POSITION, was, became, *_by(control))
        self._authority.record(change)
        text = f"{canonical(abs(position.qty))} {symbol} of {play} closes at market by"
        self._say(control, f"{text} {control.actor}; the play sits out until its next signal", symbol, now)
        return None

    def _cancel(self, control: Control, now: int) -> Refused | None:
        """Cancel one order; after an entry's, its play sits out until its next signal."""
        order = self._desk.book.get(control.argument)
        if order is None:
            return Refused(Reason.NO_SUCH_ORDER, {"order": control.argument})
        request, values = order.request, {"order": order.client_id}
        if not order.state.is_open:
            return Refused(Reason.ORDER_ENDED, {**values, "state": order.state.value})
        if self._authority.operator.phase is Phase.FLATTENING:
            return Refused(Reason.FLATTEN_RUNNING, values)
        if self._protects(order):
            return Refused(Reason.ORDER_PROTECTS, {**values, "play": request.play, "symbol": request.symbol})
        if order.cancel_requested:
            return Refused(Reason.ALREADY_SO, {**values, "cancel": "asked for, not answered yet"})
        self._desk.cancel(order, now)
        if request.role is OrderRole.ENTRY:
            self._sit_out(request.play, request.symbol, request.side, until_flat=False)
        before, after = f"{order.client_id} {order.state}", f"{order.client_id} cancel asked for"
        change = SaveTransition(now, TransitionKind.ORDER, before, after, *_by(control))
        self._authority.record(change)
        self._say(control, f"{describe(request)} is canceled by {control.actor}", request.symbol, now)
        return None

    def _position(self, argument: str) -> Position | Refused:
        """Return the open position that a command names."""
        play, symbol, opened = (*argument.split(" ", 2), "", "")[:3]
        own = [p for p in self._ledger.open_positions() if p.play == play != FLATTEN_PLAY]
        named = [p for p in own if symbol == p.symbol or not (symbol or opened)]
        if len(named) == 1:
            return named[0] if opened in ("", str(named[0].opened)) else _other(named[0])
        found = " ".join(f"{p.play}/{p.symbol}" for p in named or self._ledger.open_positions())
        reason = Reason.WHICH_POSITION if named else Reason.NOTHING_TO_CLOSE
        return Refused(reason, {"asked": argument, "open": found or "none"})

    def _protects(self, order: Order) -> bool:
        request = order.request
        return request.role in _PROTECTIVE and not self._ledger.position(request.play, request.symbol).is_flat

    def _sit_out(self, play: str, symbol: str, side: Side, *, until_flat: bool) -> None:
        runner = self._trading.runner_of(play, symbol)
        if runner is not None:
            runner.sits_out = SitOut(side, runner.evaluator.bars, until_flat)

    def _say(self, control: Control, text: str, symbol: str, now: int) -> None:
        why = f" ({control.reason.strip()})" if control.reason.strip() else ""
        self._board.notice(now, NoticeLevel.WARNING, NOTICE, text + why, symbol)


def _other(position: Position) -> Refused:
    """Refuse to close what nobody was asked about."""
    values = {"play": position.play, "symbol": position.symbol, "qty": canonical(position.qty)}
    return Refused(Reason.CHANGED_SINCE_SHOWN, values)


def _by(control: Control) -> tuple[str, str]:
    """Return who asked, and why."""
    return control.actor, control.reason.strip()
