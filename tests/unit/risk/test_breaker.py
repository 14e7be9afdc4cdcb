"""The breaker as a table: every state meets every cue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.events import Channel
from engine.domain.market import NS_PER_S
from engine.risk.breaker import BREAKER_TABLE, Breaker, BreakerPolicy, BreakerState, Cue
from tests.builders import T0

POLICY = BreakerPolicy(failures_max=3, window_s=10.0)
CLOSED, OPEN, HALF_OPEN = BreakerState
NEW = Breaker(venue="v", channel=Channel.ORDERS, since=T0)

# From, by what, to: all of it.
DESIGN = [
    (CLOSED, Cue.SUCCESS, CLOSED),
    (CLOSED, Cue.FAILURE, CLOSED),
    (CLOSED, Cue.TRIP, OPEN),
    (CLOSED, Cue.COOLED, CLOSED),
    (OPEN, Cue.SUCCESS, OPEN),
    (OPEN, Cue.FAILURE, OPEN),
    (OPEN, Cue.TRIP, OPEN),
    (OPEN, Cue.COOLED, HALF_OPEN),
    (HALF_OPEN, Cue.SUCCESS, CLOSED),
    (HALF_OPEN, Cue.FAILURE, OPEN),
    (HALF_OPEN, Cue.TRIP, OPEN),
    (HALF_OPEN, Cue.COOLED, HALF_OPEN),
]


def test_every_state_meets_every_cue():
    assert {(state, cue): to for state, row in BREAKER_TABLE.items() for cue, to in row.items()} == {
        (state, cue): to for state, cue, to in DESIGN
    }
    assert len(DESIGN) == len(BreakerState) * len(Cue)


def failed(*seconds: float) -> Breaker:
    breaker = NEW
    for at in seconds:
        breaker = breaker.after_failure(T0 + round(at * NS_PER_S), "timed out", POLICY)
    return breaker


@pytest.mark.parametrize(
    ("seconds", "state"),
    [((0,), CLOSED), ((0, 1), CLOSED), ((0, 1, 9.9), OPEN), ((0, 1, 10), CLOSED), ((0, 5, 11, 12), OPEN)],
)
def test_only_failures_within_the_window_count(seconds, state):
    assert failed(*seconds).state is state


def test_a_breaker_that_closes_begins_to_count_anew():
    opened = failed(0, 1, 2)
    rested = opened.after_rest(T0 + 20 * NS_PER_S)
    closed = rested.after_success(T0 + 21 * NS_PER_S)
    assert (rested.state, closed.state, closed.failures) == (HALF_OPEN, CLOSED, ())
    assert (opened.since, closed.since) == (T0 + 2 * NS_PER_S, T0 + 21 * NS_PER_S)
    again = closed.after_failure(T0 + 22 * NS_PER_S, "x", POLICY)
    assert (again.state, again.broken_since, again.text) == (CLOSED, T0 + 22 * NS_PER_S, "x")


def test_an_outage_began_with_the_first_failure_since_the_last_success():
    assert failed(0, 20, 40).broken_since == T0
    assert failed(0).after_success(T0 + 1).broken_since == 0


@given(st.lists(st.tuples(st.sampled_from(["ok", "fail", "rest"]), st.integers(0, 20)), max_size=60))
def test_whatever_happens_what_it_remembers_is_bounded_and_true(steps):
    breaker, now = NEW, T0
    for what, seconds in steps:
        now += seconds * NS_PER_S
        before = breaker
        match what:
            case "ok":
                breaker = breaker.after_success(now)
                assert breaker.broken_since == 0
            case "fail":
                breaker = breaker.after_failure(now, "x", POLICY)
                assert 0 < breaker.broken_since <= now
            case _:
                breaker = breaker.after_rest(now)
        assert len(breaker.failures) <= POLICY.failures_max
        assert breaker.since == (before.since if breaker.state is before.state else now)
        if breaker.state is OPEN and before.state is CLOSED:
            assert len(breaker.failures) == POLICY.failures_max
            assert breaker.failures[-1] - breaker.failures[0] < POLICY.window_s * NS_PER_S
