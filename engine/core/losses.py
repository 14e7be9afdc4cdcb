"""What losses lead to: the day's, the fall from the peak and the lost trades in a row latch a risk mode."""

from engine.core.authority import Authority
from engine.core.policy import Policy
from engine.execution.ledger import Ledger
from engine.risk.causes import RiskCause


class Losses:
    """Looks at equity after each mark and fill, where a limit asks for it.

    `peak` is that of equity since the limit was set, or since a person last set the risk mode back.
    """

    def __init__(self, policy: Policy, ledger: Ledger, authority: Authority) -> None:
        self._policy, self._ledger, self._authority = policy, ledger, authority
        self.peak = 0.0
        self.watches = False  # whether every mark counts
        self.follow()

    def follow(self) -> None:
        """Take over the limits in force."""
        limits = self._policy.limits
        self.watches = limits.daily_loss_max is not None or limits.drawdown_max_percent is not None
        if limits.drawdown_max_percent is None:
            self.peak = 0.0
        elif not self.peak:
            self.peak = self._ledger.equity()

    def forgive(self) -> None:
        """Measure anew: a person has set the risk mode back and said why."""
        if self.peak:
            self.peak = self._ledger.equity()
        self._ledger.capital.losses_in_a_row = 0

    def on_mark(self, now: int) -> None:
        """Look at equity, which has moved."""
        limits = self._policy.limits
        equity = self._ledger.equity()
        if self.peak and equity > self.peak:
            self.peak = equity
        if limits.daily_loss_max is not None:
            loss, most = -self._ledger.day_pnl(), float(limits.daily_loss_max)
            if loss >= most:
                text = f"loss={loss:.2f} limit={most:.2f}"
                self._authority.latch_risk(RiskCause.DAILY_LOSS, now, text)
        if limits.drawdown_max_percent is not None:
            fell = self.drawdown_percent(equity)
            if fell >= limits.drawdown_max_percent:
                text = f"drawdown={fell:.2f}% limit={limits.drawdown_max_percent:g}%"
                self._authority.latch_risk(RiskCause.DRAWDOWN, now, text)

    def on_fill(self, now: int) -> None:
        """Look at equity and at the trades that closed."""
        if self.watches:
            self.on_mark(now)
        most, lost = self._policy.limits.losses_in_a_row_max, self._ledger.capital.losses_in_a_row
        if most is not None and lost >= most:
            self._authority.latch_risk(RiskCause.LOSSES_IN_A_ROW, now, f"losses={lost} limit={most}")

    def drawdown_percent(self, equity: float) -> float:
        """Return the fall to an equity from the peak that counts for the limit, or from the highest ever."""
        peak = self.peak or self._ledger.peak
        return (1.0 - equity / peak) * 100.0 if equity < peak and peak > 0 else 0.0
