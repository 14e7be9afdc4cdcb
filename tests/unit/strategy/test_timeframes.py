"""Timeframes as text have lengths; that of `base` is the data's own."""

import pytest

from engine.domain.market import NS_PER_S
from engine.strategy.timeframes import step_of

MINUTE = 60 * NS_PER_S


@pytest.mark.parametrize(
    ("timeframe", "step_s"), [("base", 60), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86_400)]
)
def test_a_timeframe_has_a_step(timeframe, step_s):
    assert step_of(timeframe, MINUTE) == step_s * NS_PER_S


def test_the_step_of_base_is_unknown_where_no_data_is():
    assert step_of("base") == 0
    assert step_of("5m") == 5 * MINUTE
