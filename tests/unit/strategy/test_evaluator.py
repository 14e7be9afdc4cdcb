"""Bars in, signals out: which rule acts when, with which distances, and across a restart."""

import math

import msgspec
import pytest

from engine.domain.errors import CheckpointError, ConfigError
from engine.domain.play import PlaySpec
from engine.domain.signals import Side, Signal, SignalKind
from engine.strategy.evaluator import Evaluator, EvaluatorState
from tests.unit.strategy.bar_builders import STEP_NS, SYMBOL, bar, distance, flat_bars, play, recorded_bars

FLAT, LONG, SHORT = 0, 1, -1
BUY, SELL = Side.BUY, Side.SELL
ENTRY, EXIT = SignalKind.ENTRY, SignalKind.EXIT


def after(spec: PlaySpec, side: int, close: float = 10.0) -> Signal | None:
    """The signal on the first bar."""
    return Evaluator(spec, SYMBOL).update(bar(close), side)


def wish(signal: Signal | None) -> tuple[Side, SignalKind] | None:
    return None if signal is None else (signal.side, signal.kind)


FOUR_RULES = {
    "long_entry": "close > 20",
    "long_exit": "close < 12",
    "short_entry": "close < 10",
    "short_exit": "close > 18",
}


@pytest.mark.parametrize(
    ("side", "close", "expected"),
    [
        (FLAT, 25, (BUY, ENTRY)),
        (FLAT, 15, None),
        (FLAT, 5, (SELL, ENTRY)),
        (LONG, 25, None),
        (LONG, 15, None),
        (LONG, 11, (SELL, EXIT)),
        (LONG, 5, (SELL, EXIT)),
        (SHORT, 25, (BUY, EXIT)),
        (SHORT, 19, (BUY, EXIT)),
        (SHORT, 15, None),
        (SHORT, 5, None),
    ],
)
def test_the_side_of_the_position_decides_which_rules_act(side, close, expected):
    assert wish(after(play(**FOUR_RULES), side, close)) == expected


@pytest.mark.parametrize(("side", "expected"), [(LONG, (SELL, EXIT)), (SHORT, None)])
def test_an_entry_rule_of_the_other_side_is_an_exit(side, expected):
    assert wish(after(play(long_entry="close > 20", short_entry="close < 20"), side)) == expected


@pytest.mark.parametrize("side", [FLAT, LONG, SHORT])
def test_absent_rules_never_fire(side):
    assert after(play(), side) is None


def test_entries_that_contradict_each_other_give_none():
    assert after(play(long_entry="close > 1", short_entry="close > 2"), FLAT) is None


def test_a_signal_names_its_bar_and_its_play():
    signal = Evaluator(play(long_entry="close > 1"), SYMBOL).update(bar(10.0, number=3), FLAT)
    assert signal == Signal(3 * STEP_NS, "probe", SYMBOL, BUY, ENTRY, price=10.0)
    assert signal.cycle_id == "probe@180000"


@pytest.mark.parametrize(
    ("field", "written", "expected"),
    [
        ("stop_loss", "percent 2", (0.2, None)),
        ("take_profit", "percent 4", (None, 0.4)),
        ("stop_loss", "atr 2 1", (6.0, None)),
        ("take_profit", "atr 3 1", (None, 9.0)),
    ],
)
def test_distances_are_in_price_units(field, written, expected):
    evaluator = Evaluator(play(long_entry="close > 1", **{field: distance(written)}), SYMBOL)
    evaluator.update(bar(10.0), FLAT)
    signal = evaluator.update(bar(10.0, high=12.0, low=9.0), FLAT)
    assert signal is not None
    assert (signal.stop, signal.target) == expected


@pytest.mark.parametrize("field", ["stop_loss", "take_profit"])
@pytest.mark.parametrize(("written", "close"), [("atr 2 1", 10.0), ("percent 2", 0.0), ("percent 2", -5.0)])
def test_no_entry_without_a_usable_distance(field, written, close):
    """A flat market has a true range of 0: there would be no room between entry and stop."""
    spec = play(long_entry="close > -9", **{field: distance(written)})
    evaluator = Evaluator(spec, SYMBOL)
    assert [evaluator.update(b, FLAT) for b in flat_bars([close, close])] == [None, None]


def test_an_infinite_distance_is_not_usable():
    evaluator = Evaluator(play(long_entry="close > 1", stop_loss=distance("percent 100")), SYMBOL)
    assert evaluator.update(bar(math.inf), FLAT) is None


def test_an_exit_needs_no_distance():
    spec = play(long_entry="close > 1", long_exit="close > 2", stop_loss=distance("percent 2"))
    assert wish(after(play(long_exit="close < 0", stop_loss=spec.stop_loss), LONG, -5.0)) == (SELL, EXIT)


def test_nothing_before_the_warm_up_is_over():
    evaluator = Evaluator(play(long_entry="close > 1 or sma(4) > 1"), SYMBOL)
    assert evaluator.warmup_bars == 4
    signals = [evaluator.update(b, FLAT) for b in flat_bars([5.0] * 5)]
    assert [signal is not None for signal in signals] == [False, False, False, True, True]


def test_the_average_of_a_stop_is_part_of_the_warm_up():
    assert Evaluator(play(long_entry="close > 1", stop_loss=distance("atr 2 14")), SYMBOL).warmup_bars == 15


def test_crosses_fire_on_the_bar_of_the_cross_alone():
    rules = play(long_entry="close crosses_above 10", short_entry="close crosses_below 10")
    evaluator = Evaluator(rules, SYMBOL)
    signals = [wish(evaluator.update(b, FLAT)) for b in flat_bars([9, 11, 12, 10, 9, 10, 11])]
    assert signals == [None, (BUY, ENTRY), None, None, (SELL, ENTRY), None, (BUY, ENTRY)]


def test_a_breakout_looks_at_the_bars_before():
    evaluator = Evaluator(play(long_entry="close > highest(2)[1]"), SYMBOL)
    signals = [evaluator.update(b, FLAT) for b in flat_bars([5, 6, 7, 7, 8])]
    assert [signal is not None for signal in signals] == [False, False, True, False, True]


def test_indicators_see_every_bar_whatever_the_rules_look_at():
    """The second condition is never asked while the first is false, and in a position neither is."""
    short_cut = Evaluator(play(long_entry="close > 100 and ema(3) > 0 and sma(close[2], 2) > 0"), SYMBOL)
    watched = Evaluator(play(long_entry="ema(3) > 0 and sma(close[2], 2) > 0 and close > 0"), SYMBOL)
    for number, b in enumerate(flat_bars([5, 9, 2, 4, 7, 1])):
        short_cut.update(b, number % 3 - 1)
        watched.update(b, FLAT)
    assert short_cut.values() == watched.values()


def test_values_name_each_indicator():
    evaluator = Evaluator(play(long_entry="ema(close, 2) > sma(high, 3)"), SYMBOL)
    for b in flat_bars([1.0, 3.0]):
        evaluator.update(b, FLAT)
    (ema, value), (sma, missing) = evaluator.values()
    assert (ema, value, sma) == ("ema(2)", 2.0, "sma(high, 3)")
    assert math.isnan(missing)


def test_a_bad_rule_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'ema'"):
        Evaluator(play(long_entry="emma(3) > close"), SYMBOL)


ALL_KINDS = play(
    long_entry="ema(5) crosses_above sma(9) and rsi(7) < 60 and close > lowest(8)[3]",
    short_entry="close < highest(hl2, 6)[1] and sma(volume, 4) > 0",
    long_exit="rsi(7) > 70",
    short_exit="atr(5) > atr(5)[1]",
    stop_loss=distance("atr 2 14"),
)


def signals_of(evaluator: Evaluator, bars: list) -> list[Signal | None]:
    return [evaluator.update(b, number % 3 - 1) for number, b in enumerate(bars)]


@pytest.mark.shared
@pytest.mark.parametrize("cut", [0, 1, 7, 14, 15, 300])
def test_a_restart_changes_no_bit(cut):
    bars = recorded_bars(600)
    whole, before, resumed = (Evaluator(ALL_KINDS, SYMBOL) for _ in range(3))
    signals_of(whole, bars[:cut])
    signals_of(before, bars[:cut])
    resumed.restore(before.state())
    rest = signals_of(whole, bars[cut:])
    assert any(rest)
    assert signals_of(resumed, bars[cut:]) == rest
    assert resumed.state() == whole.state()
    assert resumed.bars == len(bars)


def test_a_state_fits_a_play_with_the_same_indicators_only():
    state = Evaluator(play(long_entry="ema(3) > close"), SYMBOL).state()
    Evaluator(play(long_entry="ema(3) > close", stop_loss=distance("percent 3")), SYMBOL).restore(state)
    for spec, symbol in (
        (play(long_entry="ema(4) > close"), SYMBOL),
        (play(long_entry="ema(3) > close"), "X"),
    ):
        with pytest.raises(CheckpointError, match="as it is now"):
            Evaluator(spec, symbol).restore(state)


def damaged(**changes: object) -> bytes:
    evaluator = Evaluator(play(long_entry="highest(3) > close"), SYMBOL)
    state = msgspec.msgpack.decode(evaluator.state(), type=EvaluatorState)
    main = msgspec.structs.replace(state.main, **changes)
    return msgspec.msgpack.encode(msgspec.structs.replace(state, main=main))


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xc1", id="not msgpack"),
        pytest.param(damaged(row=[1.0]), id="a short row"),
        pytest.param(damaged(memories=[]), id="no memories"),
        pytest.param(damaged(memories=[[]]), id="an empty memory"),
        pytest.param(damaged(memories=[[1.0, 2.0]]), id="half a memory"),
    ],
)
def test_a_damaged_state_is_refused(state):
    with pytest.raises(CheckpointError):
        Evaluator(play(long_entry="highest(3) > close"), SYMBOL).restore(state)
