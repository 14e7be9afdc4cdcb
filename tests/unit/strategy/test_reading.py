"""What rules read on a bar: numbers, truth, and what they lacked."""

import pytest

from engine.domain.readings import Miss, Reading
from engine.strategy.evaluator import Evaluator
from engine.strategy.reading import miss_of, read_rules
from tests.unit.strategy.bar_builders import SYMBOL, flat_bars, play


def read(rule: str, *closes: float) -> Reading:
    evaluator = Evaluator(play(long_entry=rule), SYMBOL)
    for bar in flat_bars(closes):
        evaluator.update(bar, 0)
    (told,) = read_rules(evaluator)
    return told.reading


def missed(rule: str, *closes: float) -> Miss | None:
    evaluator = Evaluator(play(long_entry=rule), SYMBOL)
    for bar in flat_bars(closes):
        evaluator.update(bar, 0)
    return miss_of(read_rules(evaluator)[0])


def test_a_comparison_tells_its_numbers_and_how_far_it_is_from_turning() -> None:
    reading = read("close > 110", 99.0)
    assert (reading.truth, reading.left, reading.right) == (False, 99.0, 110.0)
    assert reading.gap == pytest.approx(0.1)
    assert read("close == close", 0.0).gap == 0.0


def test_a_missing_number_makes_neither_true_nor_false() -> None:
    reading = read("sma(3) > 1", 5.0)
    assert (reading.truth, reading.left, reading.gap) == (None, None, None)
    assert read("not sma(3) > 1", 5.0).truth is None
    assert read("known(sma(3))", 5.0).truth is False
    assert read("close > sma(3)[1]", 5.0).truth is None


def test_a_cross_is_a_matter_of_distance_only_from_the_other_side() -> None:
    below = read("close crosses_above sma(2)", 10.0, 10.0, 9.0)
    assert below.truth is False
    assert below.gap == pytest.approx(0.5 / 9.5)
    assert read("close crosses_above sma(2)", 10.0, 9.0, 11.0).truth is True
    beyond = read("close crosses_above sma(2)", 10.0, 9.0, 11.0, 12.0)
    assert (beyond.truth, beyond.gap) == (False, None)
    assert read("close crosses_below sma(2)", 10.0, 9.0, 11.0, 10.0).truth is True
    first = read("close crosses_above sma(2)", 10.0, 11.0)
    assert (first.truth, first.left, first.right) == (None, 11.0, 10.5), "no bar before had an average"


def test_joined_conditions_are_told_apart() -> None:
    reading = read("(close > 1 and close > 2) and (close > 30 or not close > 3)", 5.0)
    assert (reading.joined_by, reading.truth, len(reading.parts)) == ("and", False, 3)
    last = reading.parts[-1]
    assert (last.joined_by, [part.truth for part in last.parts]) == ("or", [False, False])
    assert last.parts[1].joined_by == "not"


@pytest.mark.parametrize(
    ("rule", "truth"),
    [
        ("close > 1 and sma(3) > 1", None),
        ("close > 9 and sma(3) > 1", False),
        ("close > 1 or sma(3) > 1", True),
        ("close > 9 or sma(3) > 1", None),
        ("within_last(close > 9, 2)", None),
        ("rising(close, 1)", None),
    ],
)
def test_truth_has_three_values(rule: str, truth: bool | None) -> None:
    assert read(rule, 5.0).truth is truth


def test_what_is_remembered_is_only_true_or_not() -> None:
    reading = read("within_last(close > 9, 2) and rising(close, 1)", 10.0, 5.0)
    assert [part.truth for part in reading.parts] == [True, False]
    assert all(part.left is None for part in reading.parts)


def test_a_rule_that_was_true_lacked_nothing() -> None:
    assert missed("close > 1", 5.0) is None


def test_a_miss_names_all_that_had_to_turn_and_the_farthest_of_it() -> None:
    miss = missed("close > 10 and close > 1 and close < 2.5", 5.0)
    assert miss is not None
    assert [lack.text for lack in miss.lacking] == ["close > 10", "close < 2.5"]
    assert miss.gap == pytest.approx(0.5)
    assert miss.rank == (2, miss.gap)


def test_of_alternatives_the_nearest_counts() -> None:
    miss = missed("(close > 10 and close > 11) or close > 50 or rising(close, 1)", 5.0, 5.0)
    assert miss is not None
    assert [lack.text for lack in miss.lacking] == ["close > 50"]
    only = missed("rising(close, 1)", 5.0, 5.0)
    assert only is not None
    assert (only.gap, only.rank[1]) == (None, float("inf"))
