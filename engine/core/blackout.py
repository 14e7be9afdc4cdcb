"""The blackout calendar at work: holds REDUCE while a window runs, and lets go by itself."""

from engine.core.authority import Authority
from engine.core.policy import Policy
from engine.core.risksection import BlackoutRow
from engine.domain.commands import Command, SetTimer
from engine.domain.modes import Holder
from engine.risk.calendar import Span, coming, running, symbols_of

BLACKOUT_TIMER = "blackout"
NEVER = 1 << 62


class Blackout:
    """Follows the calendar from one beginning or end to the next; `next_at` is when that is, 0 at first."""

    def __init__(self, policy: Policy, authority: Authority, outbox: list[Command]) -> None:
        self._policy, self._authority, self._outbox = policy, authority, outbox
        self.next_at = 0

    def look(self, now: int) -> None:
        """Follow where something has begun or ended unnoticed: a timer stands still while nobody runs."""
        if now >= self.next_at and self._policy.calendar:
            self.follow(now)

    def follow(self, now: int) -> None:
        """Hold what the calendar asks for now, and come back when that changes."""
        calendar = self._policy.calendar
        spans = [span for window in calendar if (span := running(window, now)) is not None]
        held = {hold.symbol for hold in self._authority.holds.all if hold.holder is Holder.BLACKOUT}
        for symbol in sorted(held.union(symbols_of(calendar))):
            names = [s.window.name for s in spans if _holds(s, symbol)]
            self._authority.hold(
                Holder.BLACKOUT, now, symbol=symbol, detail=", ".join(names), held=bool(names)
            )
        ahead = [span.begins for window in calendar if (span := coming(window, now)) is not None]
        self.next_at = min((*ahead, *(span.ends for span in spans)), default=NEVER)
        if self.next_at < NEVER:
            self._outbox.append(SetTimer(BLACKOUT_TIMER, self.next_at))

    def rows(self, now: int) -> tuple[BlackoutRow, ...]:
        """Return what runs, and what of each window comes next, the soonest first."""
        found = [running(window, now) or coming(window, now) for window in self._policy.calendar]
        rows = [
            BlackoutRow(span.window.name, span.window.symbols, span.begins, span.ends)
            for span in found
            if span is not None
        ]
        return tuple(sorted(rows, key=lambda row: (row.begins, row.name)))


def _holds(span: Span, symbol: str) -> bool:
    """Tell whether a window takes the hold of a symbol; one about all symbols takes that of all, ""."""
    return symbol in span.window.symbols if symbol else not span.window.symbols
