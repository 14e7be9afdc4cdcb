"""Plays on several symbols: one evaluation a close, nothing stale, and a grace that no clock ends."""

import msgspec
import pytest

from engine.domain.errors import CheckpointError
from engine.domain.market import Bar
from engine.strategy.evaluator import Evaluator
from engine.strategy.legs import LegsEvaluator, evaluator_of
from tests.unit.strategy.bar_builders import STEP_NS, SYMBOL, bar, play

BTC, ETH, SOL = "BTCUSDT", "ETHUSDT", "SOLUSDT"
LEGS = ("btc", "eth")


def tick(symbol: str, number: int, close: float = 10.0) -> Bar:
    return msgspec.structs.replace(bar(close, number=number), symbol=symbol)


def run(evaluator: Evaluator, bars: list[Bar]) -> list[tuple[int, int]]:
    """The close of each entry and the close of the bar that brought it, in bars."""
    found = []
    for b in bars:
        signal = evaluator.update(b, 0)
        if signal is not None:
            assert signal.symbol == BTC
            found.append((signal.ts // STEP_NS, b.ts // STEP_NS))
    return found


def pair(rule: str, legs: tuple[str, ...] = LEGS) -> Evaluator:
    return evaluator_of(play(long_entry=rule, legs=legs), *(BTC, ETH, SOL)[: len(legs)])


ALWAYS = "close > 0"


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ([tick(BTC, 1), tick(ETH, 1)], [(1, 1)]),
        ([tick(ETH, 1), tick(BTC, 1)], [(1, 1)]),
        ([tick(BTC, 1)], []),
        ([tick(ETH, 1)], []),
        ([tick(ETH, 1), tick(BTC, 1), tick(BTC, 2), tick(BTC, 3)], [(1, 1), (2, 3)]),
        ([tick(ETH, 1), tick(BTC, 1), tick(BTC, 2), tick(ETH, 3)], [(1, 1), (2, 3)]),
        ([tick(ETH, 1), tick(BTC, 1), tick(BTC, 2), tick(ETH, 3), tick(BTC, 3)], [(1, 1), (2, 3), (3, 3)]),
        ([tick(ETH, 1), tick(BTC, 1), tick(ETH, 2), tick(ETH, 3), tick(BTC, 3)], [(1, 1), (3, 3)]),
        ([tick(ETH, 1), tick(ETH, 2), tick(BTC, 1)], [(1, 1)]),  # late, and no longer waited for
    ],
)
def test_a_close_is_evaluated_once_all_legs_have_it_or_the_next_bar_comes(bars, expected):
    assert run(pair(ALWAYS), bars) == expected


def test_three_legs_wait_for_each_other():
    bars = [tick(SOL, 1), tick(BTC, 1), tick(ETH, 1), tick(BTC, 2), tick(SOL, 2), tick(BTC, 3)]
    assert run(pair(ALWAYS, (*LEGS, "sol")), bars) == [(1, 1), (2, 3)]


def test_nothing_is_said_before_each_leg_was_seen():
    assert run(pair(ALWAYS), [tick(BTC, n) for n in range(1, 9)]) == []


def test_what_is_read_of_a_leg_without_a_bar_of_the_close_is_missing():
    bars = [tick(BTC, 1), tick(ETH, 1), tick(BTC, 2), tick(BTC, 3), tick(ETH, 3), tick(BTC, 4)]
    assert run(pair("eth.close > 0"), bars) == [(1, 1), (3, 3)]
    assert run(pair("close > 0 or eth.close > 0"), bars) == [(1, 1), (2, 3), (3, 3)]
    assert run(pair("rising(eth.close, 1) or not rising(eth.close, 1)"), bars) == [(3, 3)]
    assert run(pair("eth.close@1m > 0"), bars) == [(1, 1), (3, 3)]


def test_a_number_of_one_leg_alone_is_made_of_that_legs_bars():
    """The average over two bars of eth needs no second bar of btc; one over a mixed number does."""
    bars = [tick(ETH, 1, 1.0), tick(ETH, 2, 3.0), tick(BTC, 2), tick(ETH, 3, 5.0), tick(BTC, 3)]
    assert run(pair("sma(eth.close, 2) == 2"), bars) == [(2, 2)]
    assert run(pair("eth.close[1] == 1"), bars) == [(2, 2)]
    assert run(pair("sma(close + eth.close, 2) == 14"), bars) == [(3, 3)]
    assert run(pair("(close + eth.close)[1] == 13"), bars) == [(3, 3)]


def test_the_present_side_decides_when_the_close_is_evaluated():
    spec = play(long_entry="close > 0", long_exit="close > 0", legs=LEGS)
    evaluator = evaluator_of(spec, BTC, ETH)
    evaluator.update(tick(ETH, 1), 0)
    evaluator.update(tick(BTC, 1), 0)
    assert evaluator.update(tick(BTC, 2), 1) is None
    exit_ = evaluator.update(tick(ETH, 2), 1)
    assert exit_ is not None
    assert (exit_.kind, exit_.ts) == ("exit", 2 * STEP_NS)


def test_values_name_the_leg():
    evaluator = pair("eth.ema(2) > ema(2) and eth.atr(1)@1m > 0")
    for number in (1, 2):
        evaluator.update(tick(ETH, number, 3.0), 0)
        evaluator.update(tick(BTC, number, 5.0), 0)
    assert evaluator.values() == (("ema(eth.close, 2)", 3.0), ("ema(2)", 5.0), ("eth.atr(1)@1m", 0.0))
    assert evaluator.warmups() == {("", ""): 2, ("eth", ""): 2, ("eth", "1m"): 2}


def test_a_waiting_bar_survives_a_restart():
    bars = [tick(ETH, 1), tick(BTC, 1), tick(BTC, 2), tick(ETH, 2)]
    before, after = pair("close > eth.close - 1"), pair("close > eth.close - 1")
    run(before, bars[:3])
    after.restore(before.state())
    assert run(after, bars[3:]) == run(before, bars[3:]) == [(2, 2)]


def test_a_state_belongs_to_its_symbols_in_their_order():
    state = pair(ALWAYS).state()
    for symbols in ((ETH, BTC), (BTC, SOL)):
        with pytest.raises(CheckpointError, match="it is one on BTCUSDT, ETHUSDT"):
            evaluator_of(play(long_entry=ALWAYS, legs=LEGS), *symbols).restore(state)


def test_a_play_on_one_symbol_pays_for_no_legs():
    assert type(evaluator_of(play(long_entry=ALWAYS), SYMBOL)) is Evaluator
    assert type(pair(ALWAYS)) is LegsEvaluator
