"""The dead-man's switch: while the engine lives it renews the venue's promise to cancel its entries."""

from engine.domain.commands import CancelAllAfter, ClearTimer, Command, SetTimer
from engine.domain.market import NS_PER_MS

DEAD_MAN_TIMER = "dead_man"
RENEWALS = 3  # within one time-out: two of them may be lost


class DeadMan:
    """Renews the switch, and turns it off at an orderly end. `timeout_ms` 0: there is none."""

    def __init__(self, timeout_ms: int, outbox: list[Command]) -> None:
        self._timeout_ms, self._outbox = timeout_ms, outbox
        self.renewed = 0  # ns UTC, 0 where it is off

    def renew(self, now: int) -> None:
        """Renew the switch and come back in time; turn off what another setting had turned on."""
        if not self._timeout_ms:
            self.end()
            return
        self.renewed = now
        every_ns = self._timeout_ms * NS_PER_MS // RENEWALS
        self._outbox += [CancelAllAfter(self._timeout_ms), SetTimer(DEAD_MAN_TIMER, now + every_ns)]

    def end(self) -> None:
        """Turn the switch off: whoever leaves in order has said what shall stay."""
        if self.renewed:
            self.renewed = 0
            self._outbox += [CancelAllAfter(0), ClearTimer(DEAD_MAN_TIMER)]
