"""Plays a recorded tape through a loop, and the rows on which nothing can happen many at a time.

On most rows of a tape no order can trade, nothing is due, and a play's rules stay false. Such rows are taken
in one go, to the same bits; each one on which anything else may happen goes the way that every event goes.
"""

from bisect import bisect_left
from collections.abc import Callable

from engine.domain.market import NS_PER_DAY, MarketEvent, Stretch
from engine.runtime.loop import Loop, Steps
from engine.venues.replay import FileFeed
from engine.venues.simulated import SimulatedVenue


class Skimmer:
    """Drives a loop over a tape; `finish` runs the steps that follow from one."""

    def __init__(self, loop: Loop, venue: SimulatedVenue, finish: Callable[[Steps], None]) -> None:
        self._loop, self._venue, self._finish = loop, venue, finish

    def play(self, feed: FileFeed) -> int:
        """Play one tape; return the time of its last event, 0 where there is none."""
        stretch = feed.stretch()
        at = last = 0
        for end, bar in feed.built():
            self._rows(stretch, at, end)
            self._take(bar)
            at, last = end, bar.ts
        self._rows(stretch, at, len(stretch))
        return stretch.told[-1] if at < len(stretch) else last

    def _rows(self, stretch: Stretch, first: int, last: int) -> None:
        """Take the rows of [first, last)."""
        at = day = first
        told = stretch.told
        while at < last:
            if at == day:
                day = bisect_left(told, (told[at] // NS_PER_DAY + 1) * NS_PER_DAY, at, last)
            end = self._skim(stretch, at, day)
            if end == at:
                self._take(stretch.event(at))
                end = at + 1
            at = end

    def _take(self, event: MarketEvent) -> None:
        """Take one event as any other."""
        loop, now = self._loop, event.ts
        if loop.next_due <= now:
            self._finish(loop.due(now))
        steps = loop.market(event, now)
        if steps is not None:
            self._finish(steps)

    def _skim(self, stretch: Stretch, at: int, day: int) -> int:
        """Take as many rows of a day as can be skimmed; return the end of them, `at` where that is none."""
        told, due = stretch.told, self._loop.next_due
        if due <= told[at]:
            return at
        until = day if due > told[day - 1] else bisect_left(told, due, at, day)
        until = self._venue.quiet_until(stretch, at, until)
        if until == at:
            return at
        end, commands = self._loop.machine.skim(stretch, at, until)
        if end == at:
            return at
        self._venue.on_market(stretch.event(end - 1))
        if commands:
            self._finish(self._loop.carry_on(commands, told[end - 1]))
        return end
