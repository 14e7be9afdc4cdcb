from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.core.machine import Machine
from engine.core.machine_state import MachineState
from engine.core.setup import PlayBinding
from engine.core.view import view
from engine.domain.commands import Command, Notice, SaveSignal, SaveVeto, SubmitOrder
from engine.domain.events import Action, Backfill, Control, OrderRejected, PlaySwapped
from engine.domain.modes import RiskMode
from engine.domain.play import ModelRef, PlaySpec, Rule
from engine.domain.reasons import Reason
from engine.risk.calibration import CalibrationPolicy
from engine.strategy.model import Forecaster
from tests.builders import BTC, ETH, STEP, T0, bar, setup, spec

POLICY = CalibrationPolicy(window=20, resolved_min=6, brier_excess_max=0.1, gap_max=None)


class Stubborn:
    """A model that always says the same, whatever its features are."""

    def __init__(self, said: float = 0.95) -> None:
        self.said = said

    def model(self, sha256: str) -> "Stubborn":
        return self

    def forecaster(self) -> Forecaster:
        return lambda _features: self.said


def play(sha256: str = "m1", **changes: Any) -> PlaySpec:
    rules = {"long_entry": Rule("model > 0.6"), "long_exit": Rule("close < 0"), "short_entry": None}
    more = {"short_exit": None, "stop_loss": None, "take_profit": None}
    return spec(model=ModelRef(("close",), 1, sha256=sha256), **(rules | more | changes))


class Desk:
    """A machine with one model, fed bar by bar."""

    def __init__(self, machine: Machine | None = None, **changes: Any) -> None:
        self.setup = setup(play(**changes), calibration=POLICY, symbols=(BTC,))
        self.machine = machine or Machine(self.setup, Stubborn())
        self.now = T0
        self.said: list[Command] = []

    def bars(self, closes: Sequence[float]) -> list[Command]:
        found: list[Command] = []
        for close in closes:
            self.now += STEP
            told = self.machine.handle(bar(close, self.now), self.now)
            found += told
            for command in told:
                if isinstance(command, SubmitOrder):  # the venue takes none: each bar asks anew
                    refused = OrderRejected(self.now, command.request.client_id, Reason.VENUE_REFUSED)
                    found += self.machine.handle(refused, self.now)
        self.said += found
        return found

    def control(self, action: Action, argument: str, reason: str = "") -> None:
        self.said += self.machine.handle(Control(self.now, 1, action, "person", reason, argument), self.now)


def falling(count: int) -> list[float]:
    return [100.0 - number for number in range(count)]


def vetoes(commands: Sequence[Command]) -> list[Reason]:
    signals = [c.veto.reason for c in commands if isinstance(c, SaveSignal) and c.veto is not None]
    return [*signals, *(c.veto.reason for c in commands if isinstance(c, SaveVeto))]


def test_a_model_that_is_wrong_again_and_again_is_demoted_on_the_bar_that_tells():
    desk = Desk()
    before = desk.bars(falling(6))
    assert Reason.MODEL_DEMOTED not in vetoes(before)
    told = desk.bars([50.0])
    assert vetoes(told).count(Reason.MODEL_DEMOTED) == 2  # the demotion itself, and the signal of this bar
    assert not any(isinstance(command, SubmitOrder) for command in told)
    assert desk.machine.authority.operator.risk_mode is RiskMode.REDUCE
    assert any(
        "the model of levels does not know what it says" in c.text for c in told if isinstance(c, Notice)
    )
    (row,) = view(desk.machine, desk.now).models
    assert row.demoted == desk.now
    assert row.resolved == 6
    assert "brier 0.9025" in row.text
    assert [alarm.id for alarm in desk.machine.board.alarms()] == ["model:levels", "risk:reduce"]


def test_a_model_that_is_right_is_left_alone():
    desk = Desk()
    desk.bars([100.0 + number for number in range(40)])
    (row,) = view(desk.machine, desk.now).models
    assert (row.demoted, row.resolved, round(row.brier, 9)) == (0, 20, 0.0025)
    assert row.bins == (msgspec.structs.replace(row.bins[0], count=20, forecast=0.95, came_true=1.0),)


def test_only_a_person_with_a_reason_lets_it_trade_again_and_it_is_judged_anew():
    desk = Desk()
    desk.bars(falling(8))
    desk.control(Action.RISK_MODE, RiskMode.NORMAL.value)
    assert view(desk.machine, desk.now).models[0].demoted
    desk.now += 120 * 10**9
    desk.control(Action.RISK_MODE, RiskMode.NORMAL.value, "trained anew")
    (row,) = view(desk.machine, desk.now).models
    assert (row.demoted, row.resolved, row.text) == (0, 0, "")
    assert not desk.machine.board.alarms()
    told = desk.bars(falling(3))
    assert Reason.MODEL_DEMOTED not in vetoes(told)
    desk.bars(falling(5))
    assert view(desk.machine, desk.now).models[0].demoted


def test_a_demotion_stands_over_a_new_version_and_another_model():
    desk = Desk()
    desk.bars(falling(8))
    desk.machine.handle(PlaySwapped(desk.now, play("m2"), 2), desk.now)
    told = desk.bars(falling(2))
    assert Reason.MODEL_DEMOTED in vetoes(told)
    (row,) = view(desk.machine, desk.now).models
    assert (row.sha256, row.resolved, bool(row.demoted)) == ("m2", 1, True)


def test_another_version_with_the_same_model_keeps_its_scores():
    desk = Desk()
    desk.bars([100.0, 101.0, 102.0, 103.0])
    desk.machine.handle(PlaySwapped(desk.now, play(long_entry=Rule("model > 0.7")), 2), desk.now)
    desk.bars([104.0])
    assert view(desk.machine, desk.now).models[0].resolved == 3  # what waited was given up
    desk.bars([105.0])
    assert view(desk.machine, desk.now).models[0].resolved == 4


def test_bars_of_the_past_are_no_forecasts():
    desk = Desk()
    past = tuple(bar(close, T0 - (9 - n) * STEP) for n, close in enumerate(falling(9)))
    desk.machine.handle(Backfill(T0, past), T0)
    desk.bars(falling(3))
    assert view(desk.machine, desk.now).models[0].resolved == 2


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_restart_at_any_bar_goes_on_with_the_same_bytes(cut):
    closes = [*falling(5), 99.0, *falling(6)]
    whole = Desk()
    whole.bars(closes)
    first = Desk()
    first.bars(closes[:cut])
    packed = msgspec.msgpack.encode(first.machine.state())
    again = Machine(first.setup, Stubborn())
    again.restore(msgspec.msgpack.decode(packed, type=MachineState))
    second = Desk(again)
    second.now = first.now
    second.bars(closes[cut:])
    assert msgspec.msgpack.encode(again.state()) == msgspec.msgpack.encode(whole.machine.state())
    assert [*first.said, *second.said] == whole.said


def test_what_a_checkpoint_knows_of_another_model_is_not_taken_for_this_one():
    desk = Desk()
    desk.bars(falling(8))
    state = desk.machine.state()
    (watched,) = state.trading.models
    other = msgspec.structs.replace(watched, sha256="m0")
    trading = msgspec.structs.replace(state.trading, models=(other,))
    again = Machine(desk.setup, Stubborn())
    again.restore(msgspec.structs.replace(state, trading=trading))
    (row,) = view(again, desk.now).models
    assert (row.resolved, bool(row.demoted)) == (0, True)


def test_a_checkpoint_of_a_play_without_a_model_knows_none():
    plain = Machine(setup(spec(), symbols=(BTC,)))
    assert plain.state().trading.models == ()
    assert view(plain, T0).models == ()
    desk = Desk()
    again = Machine(desk.setup, Stubborn())
    again.restore(desk.machine.state())
    assert again.state() == desk.machine.state()


def test_a_play_of_two_legs_is_judged_once_a_close():
    two = play(legs=("a", "b"), long_entry=Rule("model > 2 and b.close > 0"))
    binding = PlayBinding(two, BTC, STEP, (ETH,))
    machine = Machine(setup(two, calibration=POLICY, plays=(binding,)), Stubborn())
    for number in range(5):
        now = T0 + number * STEP
        machine.handle(bar(100.0 - number, now), now)
        machine.handle(bar(50.0, now, ETH), now)
    (row,) = view(machine, T0).models
    assert row.resolved == 4


def test_what_a_person_says_leaves_a_model_alone_that_was_not_demoted():
    desk = Desk()
    desk.bars([100.0, 101.0, 102.0])
    desk.control(Action.RISK_MODE, RiskMode.REDUCE.value)
    desk.now += 120 * 10**9
    desk.control(Action.RISK_MODE, RiskMode.NORMAL.value, "looked at it")
    assert view(desk.machine, desk.now).models[0].resolved == 2


def test_a_version_without_a_model_is_watched_no_more():
    desk = Desk()
    desk.bars([100.0, 101.0, 102.0])
    desk.machine.handle(PlaySwapped(desk.now, spec(), 2), desk.now)
    assert view(desk.machine, desk.now).models == ()
