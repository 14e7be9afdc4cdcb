"""The circuit breaker of one channel of a venue: a table, and the bookkeeping around it."""

from enum import StrEnum

import msgspec

from engine.domain.events import Channel
from engine.domain.market import NS_PER_S


class BreakerState(StrEnum):
    """Whether a channel is trusted."""

    CLOSED = "closed"  # it works
    OPEN = "open"  # it failed too often; nothing new depends on it
    HALF_OPEN = "half_open"  # it rested; the next call tells


BREAKER_WORDS: dict[BreakerState, str] = {  # for people: a closed breaker sounds like a closed line
    BreakerState.CLOSED: "working",
    BreakerState.OPEN: "not working",
    BreakerState.HALF_OPEN: "trying again",
}


class Cue(StrEnum):
    """What moves a breaker."""

    SUCCESS = "success"
    FAILURE = "failure"  # one that may pass by itself
    TRIP = "trip"  # the same, and the window is full
    COOLED = "cooled"  # the rest is over


_CLOSED, _OPEN, _HALF = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
# A success while open is remembered and closes the breaker at the end of its rest: no flapping.
BREAKER_TABLE: dict[BreakerState, dict[Cue, BreakerState]] = {
    _CLOSED: {Cue.SUCCESS: _CLOSED, Cue.FAILURE: _CLOSED, Cue.TRIP: _OPEN, Cue.COOLED: _CLOSED},
    _OPEN: {Cue.SUCCESS: _OPEN, Cue.FAILURE: _OPEN, Cue.TRIP: _OPEN, Cue.COOLED: _HALF},
    _HALF: {Cue.SUCCESS: _CLOSED, Cue.FAILURE: _OPEN, Cue.TRIP: _OPEN, Cue.COOLED: _HALF},
}


class BreakerPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens, how long it rests, and when a failing channel calls for a person."""

    failures_max: int = 5  # so many within the window open it
    window_s: float = 30.0
    cooldown_s: float = 15.0
    alarm_after_s: float = 60.0  # a channel or feed that is gone for longer is an alarm
    outage_latch_s: float = 600.0  # one that is gone for longer latches risk mode REDUCE


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """One channel's breaker. Times are ns UTC; `failures` holds those within the window, oldest first."""

    venue: str
    channel: Channel
    state: BreakerState = BreakerState.CLOSED
    since: int = 0  # when it took this state
    failures: tuple[int, ...] = ()
    broken_since: int = 0  # the first failure after the last success, 0 where there is none
    text: str = ""  # what failed last

    def after_failure(self, now: int, text: str, policy: BreakerPolicy) -> "Breaker":
        """Return the breaker after a failure that may pass by itself."""
        window_ns = round(policy.window_s * NS_PER_S)
        failures = (*(at for at in self.failures if now - at < window_ns), now)[-policy.failures_max :]
        cue = Cue.TRIP if len(failures) == policy.failures_max else Cue.FAILURE
        return msgspec.structs.replace(
            self._moved(cue, now), failures=failures, broken_since=self.broken_since or now, text=text
        )

    def after_success(self, now: int) -> "Breaker":
        """Return the breaker after a call that went well."""
        return msgspec.structs.replace(self._moved(Cue.SUCCESS, now), broken_since=0)

    def after_rest(self, now: int) -> "Breaker":
        """Return the breaker after its cool-down: closed where calls went well meanwhile."""
        rested = self._moved(Cue.COOLED, now)
        return rested if self.broken_since else rested.after_success(now)

    def _moved(self, cue: Cue, now: int) -> "Breaker":
        after = BREAKER_TABLE[self.state][cue]
        if after is self.state:
            return self
        failures = () if after is BreakerState.CLOSED else self.failures
        return msgspec.structs.replace(self, state=after, since=now, failures=failures)
