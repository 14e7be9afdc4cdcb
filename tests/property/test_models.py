"""A play with a real model says the same bits in one go, bar by bar, and over a restart at any bar."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.machine import Machine
from engine.core.machine_state import MachineState
from engine.domain.commands import Command, SaveSignal
from engine.domain.market import Bar
from engine.domain.play import Rule
from engine.risk.calibration import CalibrationPolicy
from engine.strategy.legs import evaluator_of
from engine.strategy.lookahead import answers_of, find_leak
from tests.builders import BTC, STEP, T0, bar, setup, spec
from tests.modelfiles import arrays, checkpoint, manifest, ref, store

TOLD = manifest(("rsi(3)", "roc(2)", "close / sma(4)"), (5, 3))
MODEL = checkpoint(TOLD, arrays(TOLD, 8))
PLAY = spec(
    model=ref(MODEL),
    long_entry=Rule("model > 0.025 and model[1] <= 0.025"),
    long_exit=Rule("sma(model, 2) < 0.02"),
    short_entry=Rule("model crosses_below 0.015"),
    short_exit=Rule("model > 0.025"),
)
POLICY = CalibrationPolicy(window=12, resolved_min=6, brier_excess_max=0.02, gap_max=0.3)
CLOSES = st.lists(st.floats(50.0, 150.0), min_size=2, max_size=50)


def bars(closes: list[float]) -> list[Bar]:
    return [bar(close, T0 + number * STEP) for number, close in enumerate(closes)]


def machine() -> Machine:
    return Machine(setup(PLAY, symbols=(BTC,), calibration=POLICY), store(MODEL))


def run(of: Machine, tape: list[Bar]) -> list[Command]:
    return [command for each in tape for command in of.handle(each, each.ts)]


@given(CLOSES, st.integers(1, 49))
@settings(max_examples=60)
def test_a_restart_at_any_bar_gives_the_same_commands_and_bytes(closes, cut):
    tape = bars(closes)
    whole, first, second = machine(), machine(), machine()
    said = run(whole, tape)
    before = run(first, tape[:cut])
    second.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(first.state()), type=MachineState))
    assert [*before, *run(second, tape[cut:])] == said
    assert msgspec.msgpack.encode(second.state()) == msgspec.msgpack.encode(whole.state())


@given(CLOSES)
@settings(max_examples=60)
def test_two_models_of_one_file_say_the_same_bits(closes):
    again = store(checkpoint(TOLD, arrays(TOLD, 8)))
    one, other = (evaluator_of(PLAY, BTC, models=models) for models in (store(MODEL), again))
    for each in bars(closes):
        one.update(each, 0)
        other.update(each, 0)
        assert one.forecast.hex() == other.forecast.hex()


@given(CLOSES, st.integers(1, 49))
@settings(max_examples=30)
def test_no_forecast_depends_on_later_bars(closes, cut):
    tape = bars(closes)
    assert find_leak(answers_of(PLAY, BTC, models=store(MODEL)), tape, [min(cut, len(tape))]) is None


def test_signals_come_at_all():
    closes = [100.0 + (number * 7919) % 23 - 11 for number in range(60)]
    assert any(isinstance(command, SaveSignal) for command in run(machine(), bars(closes)))
