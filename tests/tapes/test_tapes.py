"""Failure drills on recorded data: modes, reasons and fingerprint of each are written down in golden/.

After a wanted change: `TAPES=write .venv/bin/python -m pytest tests/tapes`, and read what changed.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from engine.core.setup import CoreSetup
from engine.domain.events import Action
from engine.domain.market import NS_PER_S
from engine.domain.play import ModelRef, Rule
from engine.risk.breaker import BreakerPolicy
from engine.risk.calibration import CalibrationPolicy
from engine.strategy.model import Forecaster
from tests.builders import BTC, percent, setup, spec
from tests.tapes.tape import Tape, Telling

GOLDEN = Path(__file__).parent / "golden"


def trend(**changes: object) -> CoreSetup:
    """A play that follows short trends on the recorded symbol, often wrong."""
    rules = {
        "long_entry": Rule("close > highest(5)[1]"),
        "long_exit": Rule("close < lowest(5)[1]"),
        "short_entry": Rule("close < lowest(5)[1]"),
        "short_exit": Rule("close > highest(5)[1]"),
        "stop_loss": percent(0.4),
        "take_profit": percent(0.8),
    }
    facts: dict[str, object] = {"symbols": (BTC,), "stale_check_ns": NS_PER_S, "mode_dwell_s": 0.0}
    return setup(spec(**rules), **(facts | changes))  # type: ignore[arg-type]  # facts of several types


def staleness() -> Tape:
    """Data stops for six minutes: held at once, latched at four, not freed by the data alone."""
    tape = Tape(trend(stale_after_s=90.0, data_silence_max_s=240.0), bars=300)
    tape.play(60)
    tape.silence(6)
    tape.play(40)
    tape.ask(Action.RISK_MODE, "normal", "the feed is back")
    tape.play(40)
    return tape


def retry_storm() -> Tape:
    """The channel of orders fails, its breaker opens; orders get no answer; both are over in the end."""
    policy = BreakerPolicy(failures_max=5, window_s=30.0, cooldown_s=20.0)
    tape = Tape(
        trend(stale_after_s=120.0, breaker=policy, retries_max=8, reconcile_ns=10 * NS_PER_S), bars=400
    )
    tape.play(60)
    tape.line.cut = True
    tape.play(20)
    tape.give_up()
    tape.fail(10)
    tape.play(10)
    tape.line.cut = False
    tape.play(30)
    tape.resolve()
    tape.ask(Action.RISK_MODE, "normal", "the venue is well again")
    tape.play(30)
    return tape


def reconcile_lag() -> Tape:
    """Nobody answers what the venue holds: after five minutes without a comparison nothing may enter."""
    tape = Tape(trend(stale_after_s=120.0, reconcile_ns=30 * NS_PER_S, reconcile_lag_max_s=300.0), bars=300)
    tape.play(60)
    tape.line.cut = True
    tape.play(10)
    tape.give_up()
    tape.line.cut = False
    tape.play(20)
    tape.resolve()
    tape.ask(Action.RISK_MODE, "normal", "queries are answered again")
    tape.play(30)
    return tape


def loss_streak() -> Tape:
    """Trades that lose one after another, until the limit says enough; a person alone goes on."""
    tape = Tape(trend(stale_after_s=120.0, losses_in_a_row_max=4), bars=900)
    tape.play(600)
    tape.ask(Action.RISK_MODE, "normal", "looked at it")
    tape.play(200)
    return tape


class Sure:
    """A model that is sure of a rise, whatever it is shown."""

    def model(self, sha256: str) -> "Sure":
        """Return itself for any hash."""
        del sha256
        return self

    def forecaster(self) -> Forecaster:
        """Return what always says the same."""
        return lambda _features: 0.97


def bad_model() -> Tape:
    """A model that says what does not happen: its play is demoted, and no further order comes of it."""
    play = spec(
        model=ModelRef(("close",), 3, sha256="sure"),
        long_entry=Rule("model > 0.6"),
        long_exit=Rule("close < lowest(3)[1]"),
        short_entry=None,
        short_exit=None,
        stop_loss=percent(0.4),
        take_profit=percent(0.8),
    )
    policy = CalibrationPolicy(window=60, resolved_min=30, brier_excess_max=0.1, gap_max=None)
    facts = setup(play, symbols=(BTC,), calibration=policy, stale_after_s=120.0)
    tape = Tape(facts, bars=300, models=Sure())
    tape.play(200)
    return tape


TAPES = (staleness, retry_storm, reconcile_lag, loss_streak, bad_model)


@pytest.mark.shared
@pytest.mark.parametrize("tape", TAPES, ids=lambda make: make.__name__)
def test_a_tape_comes_to_the_modes_and_reasons_that_were_written_down(tape: Callable[[], Tape]) -> None:
    told = tape().told()
    path = GOLDEN / f"{tape.__name__}.json"
    if os.environ.get("TAPES") == "write":
        path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
    expected = msgspec.json.decode(path.read_bytes(), type=Telling)
    assert told.lines == expected.lines
    assert told.fingerprint == expected.fingerprint
    assert tape().told() == told, "a second run is the same run"
