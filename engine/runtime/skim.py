"""Plays recorded bars through a loop, and those on which nothing can happen many at a time.

On most bars of a tape no order can trade, nothing is due, and a play's rules stay false. Such bars are taken
in one go, to the same bits; each bar on which anything else may happen goes the way that every event goes.
"""

from bisect import bisect_left
from collections.abc import Callable

from engine.domain.market import NS_PER_DAY, Stretch
from engine.runtime.loop import Loop, Steps
from engine.venues.simulated import SimulatedVenue


class Skimmer:
    """Drives a loop over a stretch of bars; `finish` runs the steps that follow from one."""

    def __init__(self, loop: Loop, venue: SimulatedVenue, finish: Callable[[Steps], None]) -> None:
        self._loop, self._venue, self._finish = loop, venue, finish

    def play(self, stretch: Stretch) -> int:
        """Play all bars; return the time of the last one, 0 where there is none."""
        at = day = 0
        ts, size = stretch.ts, len(stretch)
        while at < size:
            if at == day:
                day = bisect_left(ts, (ts[at] // NS_PER_DAY + 1) * NS_PER_DAY, at, size)
            at = self._skim(stretch, at, day) or self._take(stretch, at)
        return ts[size - 1] if size else 0

    def _skim(self, stretch: Stretch, at: int, day: int) -> int:
        """Take as many bars of a day as can be skimmed; return the end of them, 0 where that is none."""
        ts, due = stretch.ts, self._loop.next_due
        if due <= ts[at]:
            return 0
        until = day if due > ts[day - 1] else bisect_left(ts, due, at, day)
        until = self._venue.quiet_until(stretch, at, until)
        if until == at:
            return 0
        end, commands = self._loop.machine.skim(stretch, at, until)
        if end == at:
            return 0
        self._venue.on_market(stretch.bar(end - 1))
        if commands:
            self._finish(self._loop.carry_on(commands, ts[end - 1]))
        return end

    def _take(self, stretch: Stretch, at: int) -> int:
        """Take one bar as any other event; return its end."""
        loop, bar = self._loop, stretch.bar(at)
        if loop.next_due <= bar.ts:
            self._finish(loop.due(bar.ts))
        steps = loop.market(bar, bar.ts)
        if steps is not None:
            self._finish(steps)
        return at + 1
