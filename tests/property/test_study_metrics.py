"""What holds of the figures of a backtest, whatever its returns and trades are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.study import metrics as m

returns = st.lists(
    st.floats(min_value=-0.5, max_value=0.5).map(lambda r: round(r, 6)), min_size=2, max_size=60
)
nets = st.lists(st.integers(min_value=-1_000, max_value=1_000).map(float), max_size=60)
equities = st.lists(st.floats(min_value=0.01, max_value=1e9), min_size=1, max_size=60)


@given(daily=returns, scale=st.floats(min_value=0.01, max_value=100))
def test_ratios_do_not_depend_on_the_size_of_returns(daily, scale):
    for ratio in (m.sharpe, m.sortino):
        plain, scaled = ratio(daily), ratio([r * scale for r in daily])
        assert (plain is None) == (scaled is None)
        if plain is not None and scaled is not None:
            assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-9)


@given(daily=returns)
def test_the_sharpe_of_the_mirror_image_is_the_opposite(daily):
    sharpe, mirrored = m.sharpe(daily), m.sharpe([-r for r in daily])
    if sharpe is None:
        assert mirrored is None
        return
    assert mirrored == pytest.approx(-sharpe)
    assert (sharpe > 0) == (math.fsum(daily) > 0)


@given(nets=nets)
def test_trades_add_up(nets):
    factor, expectancy, rate = m.profit_factor(nets), m.mean(nets), m.win_rate(nets)
    if factor is not None:
        assert (factor > 1) == (sum(nets) > 0)
    if expectancy is not None and rate is not None:
        assert expectancy * len(nets) == pytest.approx(sum(nets), abs=1e-6)
        assert 0 <= rate <= 1
    assert m.longest_run(nets, of_wins=True) + m.longest_run(nets, of_wins=False) <= len(nets)


@given(equity=equities, scale=st.sampled_from([0.5, 2.0, 1024.0]))
def test_drawdowns_lie_between_nothing_and_all(equity, scale):
    falls = m.drawdowns(equity)
    assert all(0 <= fall < 1 for fall in falls)
    assert falls[0] == 0
    assert m.drawdowns([value * scale for value in equity]) == falls
    assert max(falls) == pytest.approx(
        max(1 - low / high for i, high in enumerate(equity) for low in equity[i:]), abs=1e-12
    )


@given(ratio=st.floats(min_value=0.5, max_value=100), days=st.floats(min_value=60, max_value=3650))
def test_a_yearly_rate_compounds_back(ratio, days):
    yearly = m.annual_return(ratio, days)
    assert yearly is not None
    assert (1 + yearly) ** (days / 365) == pytest.approx(ratio, rel=1e-6)
