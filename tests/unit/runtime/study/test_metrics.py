"""The figures against values worked out by hand, and what they are where there is nothing to work out."""

from math import sqrt

import pytest

from engine.runtime.study import metrics as m

# mean 0.01, squared distances 0.0004 + 0.0004 + 0 = 0.0008, / 2 = 0.0004: deviation 0.02
RETURNS = [0.03, -0.01, 0.01]
YEAR = sqrt(365)
NETS = [10.0, -5.0, 20.0, 30.0, -15.0, -10.0, 0.0]


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        (m.mean(RETURNS), 0.01),
        (m.deviation(RETURNS), 0.02),
        (m.volatility(RETURNS), 0.02 * YEAR),
        (m.sharpe(RETURNS), 0.5 * YEAR),
        (m.sortino(RETURNS), 0.01 / sqrt(0.0001 / 3) * YEAR),  # one day of three lost 1 %
        (m.annual_return(1.1, 365), 0.1),
        (m.annual_return(1.1, 730), sqrt(1.1) - 1),
        (m.annual_return(0.5, 182.5), -0.75),
        (m.annual_return(1.0, 10), 0.0),
        (m.calmar(0.3, 0.1), 3.0),
        (m.calmar(-0.3, 0.6), -0.5),
        (m.profit_factor(NETS), 2.0),
        (m.mean(NETS), 30 / 7),
        (m.win_rate(NETS), 3 / 7),
        (m.payoff(NETS), 2.0),
        (m.longest_run(NETS, of_wins=True), 2),
        (m.longest_run(NETS, of_wins=False), 3),
        (max(m.drawdowns([100, 110, 99, 120, 90])), 0.25),
    ],
)
def test_a_figure_is_what_a_hand_comes_to(figure, by_hand):
    assert figure == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(
    "figure",
    [
        m.mean([]),
        m.deviation([]),
        m.deviation([1.0]),
        m.volatility([0.1]),
        m.sharpe([]),
        m.sharpe([0.1]),
        m.sharpe([0.0, 0.0]),
        m.sharpe([0.01] * 9),
        m.sortino([]),
        m.sortino([-0.1]),
        m.sortino([0.1, 0.2]),
        m.annual_return(1.5, 0.9),
        m.annual_return(0.0, 10),
        m.annual_return(-0.2, 10),
        m.annual_return(1e9, 1),
        m.calmar(None, 0.1),
        m.calmar(0.1, 0.0),
        m.profit_factor([]),
        m.profit_factor([5.0]),
        m.win_rate([]),
        m.payoff([1.0]),
        m.payoff([-1.0]),
    ],
)
def test_a_figure_that_does_not_exist_is_none_and_not_nought(figure):
    assert figure is None


def test_runs_and_drawdowns_of_nothing():
    assert m.longest_run([], of_wins=True) == 0
    assert m.drawdowns([]) == []
    assert m.drawdowns([0.0, -5.0]) == [0.0, 0.0], "without a peak there is no fall to measure"
