import pytest
from pydantic import ValidationError

from engine.config.modelsettings import ModelSettings
from engine.risk.calibration import CalibrationPolicy


def test_the_settings_are_the_policy():
    assert ModelSettings().to_policy() == CalibrationPolicy()
    assert ModelSettings(gap_max=None).to_policy().gap_max is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 5},
        {"resolved_min": 0},
        {"brier_excess_max": 0},
        {"gap_max": 2},
        {"window": 20, "resolved_min": 30},
    ],
)
def test_what_can_never_be_judged_is_refused(wrong):
    with pytest.raises(ValidationError):
        ModelSettings(**wrong)
