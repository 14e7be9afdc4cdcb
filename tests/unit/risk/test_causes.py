"""The table of causes: each has its mode, and the limit it names exists."""

import pytest

from engine.config.settings import BreakerSettings
from engine.domain.limits import Limits
from engine.domain.modes import RiskMode
from engine.risk.causes import CAUSES, RiskCause


def test_every_cause_has_a_rule():
    assert list(CAUSES) == list(RiskCause)


@pytest.mark.parametrize("cause", RiskCause)
def test_no_cause_leads_to_more_freedom_and_its_limit_can_be_set(cause):
    rule = CAUSES[cause]
    assert rule.mode is not RiskMode.NORMAL
    section, _, name = rule.setting.rpartition(".")
    known = BreakerSettings.model_fields if section == "breaker" else Limits.__struct_fields__
    assert not rule.setting or name in known
