"""The detector finds what looks ahead, and nothing in the plays that ship."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from engine.config.packaged import data_root
from engine.config.plays import load_play, read_play
from engine.domain.market import Bar
from engine.strategy.lookahead import Answers, Leak, answers_of, find_leak
from engine.strategy.model import NO_MODELS
from tests.modelfiles import store
from tests.unit.strategy.bar_builders import SYMBOL, flat_bars, play, recorded_bars

SHIPPED = sorted((data_root() / "configs" / "plays").glob("*.yaml"))
BARS = flat_bars([5.0, 6.0, 4.0, 7.0, 3.0, 8.0])
CUTS = range(len(BARS) + 1)


def tomorrow(bars: Sequence[Bar]) -> Answers:
    """What looks at the next bar."""
    closes = [bar.close for bar in bars]
    return [later > now for now, later in zip(closes, [*closes[1:], 0.0], strict=False)]


def scaled(bars: Sequence[Bar]) -> Answers:
    """What is measured by the extreme of the whole tape."""
    top = max((bar.close for bar in bars), default=0.0)
    return [bar.close / top > 0.9 for bar in bars]


def swing(bars: Sequence[Bar]) -> Answers:
    """A high that is known before the bar after it has closed."""
    closes = [0.0, *(bar.close for bar in bars), 0.0]
    return [closes[n] > closes[n - 1] and closes[n] > closes[n + 1] for n in range(1, len(closes) - 1)]


def honest(bars: Sequence[Bar]) -> Answers:
    return [bar.close > 5.0 for bar in bars]


@pytest.mark.parametrize("run", [tomorrow, scaled, swing])
def test_what_looks_ahead_is_found(run):
    leak = find_leak(run, BARS, CUTS)
    assert isinstance(leak, Leak)
    assert leak.told != leak.told_before
    assert leak.bar < leak.cut


def test_what_does_not_is_let_pass():
    assert find_leak(honest, BARS, CUTS) is None


def test_a_leak_that_needs_other_bars_and_not_fewer_is_found():
    """Silent at the end of a tape, wrong in the middle of one."""

    def run(bars: Sequence[Bar]) -> Answers:
        later = [bar.close for bar in bars[1:]]
        return [
            bar.close > 5.0 and (number < len(later) and later[number] < 5.0)
            for number, bar in enumerate(bars)
        ]

    leak = find_leak(run, BARS, [2])
    assert leak is not None
    assert (leak.bar, leak.cut) == (1, 2)


def test_indicators_count_as_answers():
    (first, *_) = answers_of(play(long_entry="ema(2) > 1e9"), SYMBOL)(BARS)
    assert first == (None, None, None, ("nan",))


def legs_of(path: Path) -> list[str]:
    return list(load_play(path).legs) or [SYMBOL]


@pytest.mark.shared
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_no_shipped_play_looks_ahead(path: Path):
    symbols = legs_of(path)
    tape = recorded_bars(700)
    bars = [
        msgspec.structs.replace(b, symbol=symbol, close=b.close + shift, volume=b.volume + number % 7)
        for number, b in enumerate(tape)
        for shift, symbol in enumerate(symbols)
    ]
    loaded = read_play(path)
    models = store(loaded.model) if loaded.model else NO_MODELS
    run = answers_of(loaded.spec, *symbols, step_ns=tape[0].step_ns, models=models)
    assert find_leak(run, bars, [len(bars) // 3, len(bars) - 40]) is None
