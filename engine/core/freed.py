"""What follows when a person gives the engine more freedom."""

from engine.core.operator import OperatorState
from engine.core.risk import Risk
from engine.core.snapshot import Phase
from engine.core.trading import Trading
from engine.domain.modes import RiskMode


def follow(before: OperatorState, after: OperatorState, *, risk: Risk, trading: Trading, now: int) -> None:
    """Begin to count anew where the risk mode is NORMAL again, and protect what a flatten left open."""
    if before.risk_mode is not RiskMode.NORMAL and after.risk_mode is RiskMode.NORMAL:
        risk.forgive()
        trading.watch.forgive(trading.runners)
    if before.phase is Phase.HALTED and after.phase is Phase.ARMED:
        trading.following.reprotect(now)  # it took away the stops, and whoever arms may not wait for the next
