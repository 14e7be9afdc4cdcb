"""Client ids reach a venue in its own form and come back as ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import IdSpace, OrderRole
from engine.venues.ccxt_ids import IdForm, from_venue, to_venue

roles = st.sampled_from(list(OrderRole))


@given(st.integers(0, 36**7 - 1), st.text(max_size=9), st.text(max_size=9), roles, st.integers(0, 36**7 - 1))
def test_every_id_of_ours_survives_the_way_there_and_back(
    birth_s: int, instance: str, play: str, role: OrderRole, sequence: int
):
    client_id = IdSpace(birth_s, instance).client_id(play, role, sequence)
    for form in IdForm:
        sent = to_venue(client_id, form)
        assert from_venue(sent, form) == client_id
    assert len(to_venue(client_id, IdForm.HEX_128)) == 34


@pytest.mark.parametrize("foreign", ["", "abc", "0x" + "0" * 32, "0x" + "f" * 32, "web_123"])
def test_an_id_of_others_stays_as_it_is(foreign: str):
    for form in IdForm:
        assert from_venue(foreign, form) == foreign
    assert from_venue(None, IdForm.PLAIN) == ""


def test_a_number_past_our_alphabet_is_not_ours():
    beyond = f"0x{(0x1A5 << 119) | (2**119 - 1):032x}"
    assert from_venue(beyond, IdForm.HEX_128) == beyond
