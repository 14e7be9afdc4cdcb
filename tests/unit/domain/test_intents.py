"""Every (state, trigger) pair of the intent table."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.intents import INTENT_TABLE, IntentState, IntentTrigger, next_intent_state

S, T = IntentState, IntentTrigger
EXPECTED = {
    (S.PENDING, T.ACCEPTED): S.COMMITTED,
    (S.PENDING, T.REFUSED): S.FAILED,
    (S.PENDING, T.NO_ANSWER): S.UNKNOWN,
    (S.UNKNOWN, T.ACCEPTED): S.COMMITTED,
    (S.UNKNOWN, T.REFUSED): S.FAILED,
    (S.UNKNOWN, T.NO_ANSWER): S.UNKNOWN,
    (S.COMMITTED, T.ACCEPTED): S.COMMITTED,
    (S.COMMITTED, T.REFUSED): S.COMMITTED,
    (S.COMMITTED, T.NO_ANSWER): S.COMMITTED,
    (S.FAILED, T.ACCEPTED): S.COMMITTED,
    (S.FAILED, T.REFUSED): S.FAILED,
    (S.FAILED, T.NO_ANSWER): S.FAILED,
}


@pytest.mark.parametrize(("state", "trigger"), list(product(IntentState, IntentTrigger)))
def test_each_pair_leads_where_the_table_says(state, trigger):
    assert next_intent_state(state, trigger) is EXPECTED[state, trigger]


def test_the_table_has_a_row_for_every_state():
    assert set(INTENT_TABLE) == set(IntentState)


@given(st.lists(st.sampled_from(IntentTrigger)))
def test_what_the_venue_accepted_stays_committed(triggers):
    state, accepted = S.PENDING, False
    for trigger in triggers:
        state = next_intent_state(state, trigger)
        accepted = accepted or trigger is T.ACCEPTED
        assert not accepted or state is S.COMMITTED
