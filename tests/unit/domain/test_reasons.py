"""Reason codes are complete, documented and carried by vetoes whole."""

import pytest

from engine.domain.layers import Layer
from engine.domain.reasons import Reason
from engine.domain.reasontable import REASONS
from engine.domain.vetoes import veto


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_layer_a_meaning_and_a_remedy(reason):
    facts = REASONS[reason]
    assert isinstance(facts.layer, Layer)
    for text in (facts.meaning, facts.remedy):
        assert text.endswith("."), f"{reason}: not a sentence: {text!r}"


@pytest.mark.parametrize("reason", Reason)
def test_a_code_is_its_own_name(reason):
    assert reason.value == reason.name


def test_the_table_knows_no_other_codes():
    assert set(REASONS) == set(Reason)


def test_two_codes_never_mean_the_same():
    assert len({facts.meaning for facts in REASONS.values()}) == len(REASONS)


@pytest.mark.parametrize("reason", Reason)
def test_a_veto_takes_its_layer_from_the_reason(reason):
    assert veto(reason, ts=1, cycle_id="p@1").layer is REASONS[reason].layer


def test_a_veto_says_code_and_values_in_one_line():
    refused = veto(Reason.DAILY_LOSS, ts=5, cycle_id="p@5", play="p", symbol="A", loss=12.5, limit="10")
    assert refused.text == "DAILY_LOSS loss=12.5 limit=10"
    assert refused.values == {"loss": "12.5", "limit": "10"}
    assert (refused.ts, refused.cycle_id, refused.play, refused.symbol) == (5, "p@5", "p", "A")
