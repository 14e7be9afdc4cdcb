"""Pauses before a connection is tried again."""

from engine.domain.errors import RateLimitedError, TransientError
from engine.venues.ws_backoff import Backoff

BROKEN = TransientError("gone")


def test_the_first_attempt_is_made_at_once_and_later_ones_after_longer_and_longer():
    backoff = Backoff(lambda: 0.5)
    assert [backoff.pause_s(BROKEN) for _ in range(8)] == [0, 1, 2, 4, 8, 16, 16, 16]


def test_pauses_are_spread_to_either_side():
    assert [Backoff(lambda: 0.0), Backoff(lambda: 0.999)]
    low, high = Backoff(lambda: 0.0), Backoff(lambda: 1.0)
    for backoff in (low, high):
        backoff.pause_s(BROKEN)
    assert (low.pause_s(BROKEN), high.pause_s(BROKEN)) == (0.75, 1.25)


def test_what_worked_begins_anew():
    backoff = Backoff(lambda: 0.5)
    backoff.pause_s(BROKEN)
    backoff.pause_s(BROKEN)
    backoff.worked()
    assert backoff.pause_s(BROKEN) == 0


def test_the_venue_s_own_wish_is_kept_within_reason():
    backoff = Backoff(lambda: 0.5)
    assert backoff.pause_s(RateLimitedError("busy", 7.0)) == 7.0
    assert backoff.pause_s(RateLimitedError("busy", 9_999.0)) == 120.0
