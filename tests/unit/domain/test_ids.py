"""Client order ids are unique, short, derived, and known as ours."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import (
    SEQUENCE_MAX,
    IdSpace,
    OrderRole,
    base36,
    birth_of,
    play_code_of,
    role_of,
    sequence_of,
    short_code,
)

BIRTH = 1_763_000_000
names = st.text(min_size=1, max_size=40)
orders = st.tuples(names, st.sampled_from(OrderRole), st.integers(0, SEQUENCE_MAX))


@given(st.integers(0, 36**7 - 1))
def test_base36_can_be_read_back(value):
    assert int(base36(value, 7), 36) == value
    assert len(base36(value, 7)) == 7


@pytest.mark.parametrize("value", [-1, 36**2])
def test_what_does_not_fit_is_a_bug(value):
    with pytest.raises(AssertionError, match="does not fit"):
        base36(value, 2)


@given(st.integers(0, 36**7 - 1), names, orders)
def test_an_id_suits_every_venue(birth, instance, order):
    text = IdSpace(birth, instance).client_id(*order)
    assert len(text) <= 32
    assert set(text) <= set(string.ascii_letters + string.digits)


@given(names, orders)
def test_the_same_order_has_the_same_id_in_another_process(instance, order):
    assert IdSpace(BIRTH, instance).client_id(*order) == IdSpace(BIRTH, instance).client_id(*order)


@given(
    st.lists(st.tuples(st.sampled_from(OrderRole), st.integers(0, SEQUENCE_MAX)), unique=True, max_size=20)
)
def test_two_orders_never_share_an_id(pairs):
    space = IdSpace(BIRTH, "default")
    assert len({space.client_id("canary", *pair) for pair in pairs}) == len(pairs)


@given(orders)
def test_only_our_own_births_orders_are_ours(order):
    text = IdSpace(BIRTH, "default").client_id(*order)
    assert IdSpace(BIRTH, "default").owns(text)
    assert not IdSpace(BIRTH + 1, "default").owns(text)
    assert not IdSpace(BIRTH, "other").owns(text)
    assert not IdSpace(BIRTH, "default").owns("web_" + text)


@given(orders)
def test_the_sequence_can_be_read_out_of_an_id(order):
    assert sequence_of(IdSpace(BIRTH, "default").client_id(*order)) == order[2]


@given(st.integers(0, 36**7 - 1), orders)
def test_the_birth_can_be_read_out_of_an_id(birth_s, order):
    assert birth_of(IdSpace(birth_s, "default").client_id(*order)) == birth_s


@given(orders)
def test_play_and_role_can_be_read_out_of_an_id(order):
    client_id = IdSpace(BIRTH, "default").client_id(*order)
    assert (play_code_of(client_id), role_of(client_id)) == (short_code(order[0]), order[1])


@pytest.mark.parametrize("text", ["", "tt1", "x" * 26, "tt" + "0" * 15 + "?" + "0" * 7])
def test_a_foreign_id_has_no_role(text):
    assert role_of(text) is None


def test_a_foreign_id_has_no_play():
    assert play_code_of("web_1") == ""


@pytest.mark.parametrize("text", ["", "tt1", "x" * 25, "tt!" + "0" * 21 + "!", "TT" + "0" * 23])
def test_a_foreign_id_has_neither_sequence_nor_birth(text):
    assert (sequence_of(text), birth_of(text)) == (0, 0)


def test_a_name_has_one_code_forever():
    # Written down: a change would make the orders of yesterday foreign.
    assert short_code("default") == SHORT_CODE_OF_DEFAULT


SHORT_CODE_OF_DEFAULT = "ccki"
