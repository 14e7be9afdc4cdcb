"""What keeps the engine inside its limits: those in force, losses, and the pace of entries."""

import msgspec

from engine.core.authority import Authority
from engine.core.losses import Losses
from engine.core.pacing import Pace, PaceState
from engine.core.policy import Policy
from engine.execution.ledger import Ledger


class RiskState(msgspec.Struct, frozen=True, kw_only=True):
    """The limits' memory as a checkpoint holds it; `peak` is 0 where none is kept."""

    peak: float = 0.0
    pace: PaceState = PaceState()


class Risk:
    """The limits in force and those who watch over them."""

    def __init__(self, policy: Policy, *, ledger: Ledger, authority: Authority) -> None:
        self.policy, self.holds = policy, authority.holds
        self._ledger = ledger
        self.losses = Losses(policy, ledger, authority)
        self.pace = Pace()
        self.follow()

    def follow(self) -> None:
        """Let what keeps a part of the limits to itself take over those in force."""
        self._ledger.capital.reserve_percent = self.policy.limits.profit_reserve_percent
        self.losses.follow()

    # checkpoint

    def state(self) -> RiskState:
        """Return all that a checkpoint needs."""
        return RiskState(peak=self.losses.peak, pace=self.pace.state())

    def restore(self, state: RiskState) -> None:
        """Take up a checkpoint's state."""
        self.losses.peak = state.peak
        self.pace.restore(state.pace)
        self.follow()
