"""Every (state, trigger) pair of the order table, and what an order says of itself."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import OrderRole
from engine.domain.orders import (
    OPEN_STATES,
    ORDER_TABLE,
    Order,
    OrderKind,
    OrderRequest,
    OrderState,
    OrderTrigger,
    next_state,
)
from engine.domain.signals import Side

S, T = OrderState, OrderTrigger
ENDED = frozenset(OrderState) - OPEN_STATES

# The whole table, once more and by hand: a row per state, a column per trigger, "." where nothing changes.
COLUMNS = (T.SEND, T.ACK, T.PARTIAL_FILL, T.FULL_FILL, T.CANCEL, T.REJECT, T.EXPIRE, T.TIMEOUT)
EXPECTED = {
    S.PENDING: "submitted acknowledged partially_filled filled canceled rejected expired unknown",
    S.SUBMITTED: ". acknowledged partially_filled filled canceled rejected expired unknown",
    S.ACKNOWLEDGED: ". . partially_filled filled canceled rejected expired .",
    S.PARTIALLY_FILLED: ". . . filled canceled . expired .",
    S.FILLED: ". . . . . . . .",
    S.CANCELED: ". . . filled . . . .",
    S.REJECTED: ". . partially_filled filled . . . .",
    S.EXPIRED: ". . . filled . . . .",
    S.UNKNOWN: ". acknowledged partially_filled filled canceled rejected expired .",
}
PAIRS = list(product(OrderState, OrderTrigger))


@pytest.mark.parametrize(("state", "trigger"), PAIRS, ids=[f"{s}-{t}" for s, t in PAIRS])
def test_each_pair_leads_where_the_table_says(state, trigger):
    cell = EXPECTED[state].split()[COLUMNS.index(trigger)]
    assert next_state(state, trigger) is (state if cell == "." else OrderState(cell))


def test_the_table_has_a_row_for_every_state_and_no_empty_changes():
    assert set(ORDER_TABLE) == set(OrderState)
    for state, row in ORDER_TABLE.items():
        assert state not in row.values(), f"{state} lists a change to itself"


@given(st.sampled_from(OrderState), st.lists(st.sampled_from(OrderTrigger), max_size=12))
def test_a_filled_order_stays_filled_whatever_comes(state, triggers):
    for trigger in triggers:
        before, state = state, next_state(state, trigger)
        assert before is not S.FILLED or state is S.FILLED


@given(st.lists(st.sampled_from(OrderTrigger), max_size=12))
def test_repeating_the_last_update_changes_nothing_more(triggers):
    state = S.PENDING
    for trigger in triggers:
        state = next_state(state, trigger)
        assert next_state(state, trigger) is state


@pytest.mark.parametrize("state", sorted(ENDED))
@pytest.mark.parametrize("trigger", [T.SEND, T.ACK, T.CANCEL, T.REJECT, T.EXPIRE, T.TIMEOUT])
def test_only_a_fill_moves_an_ended_order(state, trigger):
    assert next_state(state, trigger) is state


def test_a_silent_venue_never_ends_an_order():
    assert T.TIMEOUT not in ORDER_TABLE[S.UNKNOWN]
    assert not {row[T.TIMEOUT] for row in ORDER_TABLE.values() if T.TIMEOUT in row} - {S.UNKNOWN}


@pytest.mark.parametrize("state", OrderState)
def test_open_states_may_still_trade(state):
    assert state.is_open == (state in {S.PENDING, S.SUBMITTED, S.ACKNOWLEDGED, S.PARTIALLY_FILLED, S.UNKNOWN})


def _order(qty: str, filled: str) -> Order:
    request = OrderRequest(
        client_id="tt1",
        cycle_id="p@1",
        play="p",
        symbol="BTCUSDT",
        side=Side.BUY,
        role=OrderRole.ENTRY,
        kind=OrderKind.MARKET,
        qty=Decimal(qty),
        ts=1,
    )
    return Order(request=request, filled_qty=Decimal(filled))


@pytest.mark.parametrize(("filled", "left"), [("0", "2"), ("0.5", "1.5"), ("2", "0"), ("3", "0")])
def test_what_remains_is_never_negative_even_after_an_overfill(filled, left):
    order = _order("2", filled)
    assert order.remaining_qty == Decimal(left)
    assert order.client_id == "tt1"
