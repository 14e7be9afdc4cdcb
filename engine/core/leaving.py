"""From a wish to close to its order: what reduces passes every limit, and never twice at once."""

from engine.core.entering import veto_of
from engine.core.holds import Holds
from engine.core.policy import Policy
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.modes import Rung
from engine.domain.money import ZERO
from engine.domain.orders import Order, OrderState
from engine.domain.positions import Position
from engine.domain.reasons import Reason
from engine.domain.signals import Side, Signal
from engine.domain.vetoes import Veto
from engine.execution.desk import Desk
from engine.execution.ledger import Ledger
from engine.risk.sizing import Refusal

# Bound once: a look into an enum costs more than the comparison, and every exit passes here.
_ENTRY, _EXIT = OrderRole.ENTRY, OrderRole.EXIT
_REDUCE = Rung.REDUCE


class Leaving:
    """Asks for the orders that close a position; its stop and target rest on until it is gone."""

    def __init__(self, policy: Policy, holds: Holds, ledger: Ledger, desk: Desk) -> None:
        self._policy, self._holds = policy, holds
        self._ledger, self._desk = ledger, desk

    def leave(self, signal: Signal, now: int) -> Order | Veto:
        """Carry out a play's exit, or say why not: it needs the rung and fresh data."""
        symbol = signal.symbol
        rung = self._holds.rung(symbol)
        if rung < _REDUCE:
            return veto_of(signal, Refusal(Reason.LADDER, {"rung": rung.name}), now)
        age_s = (now - signal.ts) / NS_PER_S
        if age_s > self._policy.limits.stale_after_s:
            return veto_of(signal, Refusal(Reason.DATA_STALE, {"age_s": f"{age_s:.1f}"}), now)
        position = self._ledger.position(signal.play, symbol)
        # An exit without an answer stops no other: both reduce only, and one of them may not exist.
        if self._desk.book.open and self.is_leaving(signal.play, symbol):
            return veto_of(signal, Refusal(Reason.EXIT_WORKING, {}), now)
        if position.qty * signal.side.sign >= ZERO:
            return veto_of(signal, Refusal(Reason.NOTHING_TO_CLOSE, {}), now)
        return self._close(position, signal.side, signal.cycle_id, now)

    def close(self, position: Position, cycle_id: str, now: int) -> Order | Refusal:
        """Close a position on an operator's word: neither rung nor age of the data is asked."""
        assert not position.is_flat, "only what is open is closed"
        if self.is_leaving(position.play, position.symbol):
            return Refusal(Reason.EXIT_WORKING, {"play": position.play, "symbol": position.symbol})
        return self._close(position, Side.SELL if position.qty > ZERO else Side.BUY, cycle_id, now)

    def is_leaving(self, play: str, symbol: str) -> bool:
        """Tell whether an exit works for a position; one without an answer does not count."""
        exits = self._desk.book.select(_EXIT, play=play, symbol=symbol)
        return any(order.state is not OrderState.UNKNOWN for order in exits)

    def _close(self, position: Position, side: Side, cycle_id: str, now: int) -> Order:
        play, symbol = position.play, position.symbol
        # What is left of the entry would open again what the exit closes.
        if self._desk.book.open:
            self._desk.cancel_all(now, _ENTRY, play=play, symbol=symbol)
        return self._desk.submit(
            role=_EXIT,
            play=play,
            symbol=symbol,
            side=side,
            qty=abs(position.qty),
            now=now,
            cycle_id=cycle_id,
        )
