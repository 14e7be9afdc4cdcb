"""The ladder: who holds which rung, kept as one tuple that gates and screens read."""

from engine.core.operator import OperatorState
from engine.core.snapshot import Phase
from engine.domain.modes import Hold, Holder, RiskMode, Rung, lowest


class Holds:
    """The rungs held at present, by holder and symbol."""

    def __init__(self) -> None:
        self._held: dict[tuple[Holder, str], Hold] = {}
        self.all: tuple[Hold, ...] = ()

    def set(self, holder: Holder, now: int, *, symbol: str = "", detail: str = "", held: bool = True) -> bool:
        """Take or let go of a rung; return whether anything changed."""
        key = (holder, symbol)
        before = self._held.get(key)
        if held:
            if before is not None and before.detail == detail:
                return False
            self._held[key] = Hold(holder, symbol, before.since if before else now, detail)
        elif self._held.pop(key, None) is None:
            return False
        self.all = tuple(self._held.values())
        return True

    def rung(self, symbol: str = "") -> Rung:
        """Return the rung in force for a symbol, or for everything."""
        return lowest(self.all, symbol) if self.all else Rung.FULL

    def follow(self, operator: OperatorState, now: int) -> None:
        """Hold what the operator's settings ask for, and nothing else of theirs."""
        phase, risk = operator.phase, operator.risk_mode
        wanted = {
            Holder.DISARMED: phase is Phase.DISARMED,
            Holder.FLATTENING: phase is Phase.FLATTENING,
            Holder.HALTED: phase is Phase.HALTED,
            Holder.PAUSED: operator.paused,
            Holder.RISK_REDUCE: risk is RiskMode.REDUCE,
            Holder.RISK_OBSERVE: risk is RiskMode.OBSERVE,
            Holder.STOPPING: operator.stopping is not None,
        }
        for holder, held in wanted.items():
            self.set(holder, now, held=held)

    def restore(self, holds: tuple[Hold, ...]) -> None:
        """Take up a checkpoint's holds."""
        self._held = {(hold.holder, hold.symbol): hold for hold in holds}
        self.all = holds
