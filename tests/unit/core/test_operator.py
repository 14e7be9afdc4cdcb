"""What an operator may do: every pair of phase and action, and the conditions beside the table."""

import msgspec
import pytest

from engine.core.operator import FREEDOM, PHASE_TABLE, OperatorState, Refused, decide
from engine.core.snapshot import Phase
from engine.domain.events import Action, Control, OnStop
from engine.domain.market import NS_PER_S
from engine.domain.modes import RiskMode
from engine.domain.reasons import Reason
from tests.builders import T0, control

NAME = "levels"
PHASES = [phase for phase in Phase if phase is not Phase.STOPPING]  # stopping is not a phase of its own
LATER = T0 + 60 * NS_PER_S


def ask(state: OperatorState, action: Action, argument: str = "", reason: str = "", ts: int = LATER):
    return decide(state, control(action, argument, reason, ts), confirm_name=NAME, dwell_s=60.0)


def at(phase: Phase = Phase.ARMED, **changes: object) -> OperatorState:
    return msgspec.structs.replace(OperatorState(phase=phase, risk_since=T0), **changes)


def refusal(outcome: OperatorState | Refused) -> Reason | None:
    return outcome.reason if isinstance(outcome, Refused) else None


# (phase, action): what comes of it with the right name typed and a reason given.
OUTCOMES: dict[tuple[Phase, Action], Phase | Reason] = {
    (Phase.DISARMED, Action.ARM): Phase.ARMED,
    (Phase.DISARMED, Action.DISARM): Reason.ALREADY_SO,
    (Phase.DISARMED, Action.FLATTEN): Phase.FLATTENING,
    (Phase.ARMED, Action.ARM): Reason.ALREADY_SO,
    (Phase.ARMED, Action.DISARM): Phase.DISARMED,
    (Phase.ARMED, Action.FLATTEN): Phase.FLATTENING,
    (Phase.FLATTENING, Action.ARM): Reason.FLATTEN_RUNNING,
    (Phase.FLATTENING, Action.DISARM): Reason.FLATTEN_RUNNING,
    (Phase.FLATTENING, Action.FLATTEN): Reason.FLATTEN_RUNNING,
    (Phase.HALTED, Action.ARM): Phase.ARMED,
    (Phase.HALTED, Action.DISARM): Reason.HALTED,
    (Phase.HALTED, Action.FLATTEN): Phase.FLATTENING,
}


def test_the_table_has_every_phase_and_every_action_that_moves_one():
    assert {(phase, action) for phase, row in PHASE_TABLE.items() for action in row} == set(OUTCOMES)
    assert set(PHASE_TABLE) == set(PHASES)


@pytest.mark.parametrize(("phase", "action"), OUTCOMES)
def test_every_pair_of_phase_and_action(phase, action):
    expected = OUTCOMES[phase, action]
    outcome = ask(at(phase), action, NAME, "a reason")
    if isinstance(expected, Reason):
        assert refusal(outcome) is expected
    else:
        assert outcome == at(expected), "nothing but the phase changes"


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("typed", ["", "Levels", "levels ", "other"])
def test_arming_needs_the_very_name(phase, typed):
    outcome = ask(at(phase), Action.ARM, typed, "a reason")
    if isinstance(OUTCOMES[phase, Action.ARM], Reason):
        assert refusal(outcome) is OUTCOMES[phase, Action.ARM]
    else:
        assert outcome == Refused(Reason.NOT_CONFIRMED, {"typed": typed, "expected": NAME})


@pytest.mark.parametrize("reason", ["", "  "])
def test_arming_after_a_halt_needs_a_reason(reason):
    assert refusal(ask(at(Phase.HALTED), Action.ARM, NAME, reason)) is Reason.REASON_REQUIRED
    assert ask(at(Phase.DISARMED), Action.ARM, NAME, reason) == at(Phase.ARMED)


@pytest.mark.parametrize("phase", PHASES)
def test_nothing_is_armed_or_freed_while_stopping(phase):
    stopping = at(phase, stopping=OnStop.KEEP, paused=True)
    assert refusal(ask(stopping, Action.ARM, NAME, "a reason")) is Reason.STOPPING
    resumed = refusal(ask(stopping, Action.RESUME))
    assert resumed is (Reason.FLATTEN_RUNNING if phase is Phase.FLATTENING else Reason.STOPPING)
    assert refusal(ask(stopping, Action.STOP)) is Reason.STOPPING


@pytest.mark.parametrize("phase", PHASES)
def test_pausing_works_in_every_phase_and_while_stopping(phase):
    assert ask(at(phase), Action.PAUSE) == at(phase, paused=True)
    assert refusal(ask(at(phase, paused=True), Action.PAUSE)) is Reason.ALREADY_SO
    assert ask(at(phase, stopping=OnStop.KEEP), Action.PAUSE) == at(phase, stopping=OnStop.KEEP, paused=True)


@pytest.mark.parametrize("phase", PHASES)
def test_resuming_works_in_every_phase_but_a_running_flatten(phase):
    outcome = ask(at(phase, paused=True), Action.RESUME)
    if phase is Phase.FLATTENING:
        assert refusal(outcome) is Reason.FLATTEN_RUNNING
    else:
        assert outcome == at(phase)
        assert refusal(ask(at(phase), Action.RESUME)) is Reason.ALREADY_SO


def test_flattening_works_while_stopping():
    stopping = at(Phase.ARMED, stopping=OnStop.CANCEL_ENTRIES)
    assert ask(stopping, Action.FLATTEN) == msgspec.structs.replace(stopping, phase=Phase.FLATTENING)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("how", OnStop)
def test_stopping_says_how(phase, how):
    after = Phase.FLATTENING if how is OnStop.FLATTEN else phase
    assert ask(at(phase), Action.STOP, how.value) == at(after, stopping=how)


def test_a_stop_cancels_entries_unless_told_otherwise():
    assert ask(at(), Action.STOP) == at(stopping=OnStop.CANCEL_ENTRIES)


def test_an_unknown_stop_names_the_known_ones():
    outcome = ask(at(), Action.STOP, "gently")
    values = {"on_stop": "gently", "known": "cancel_entries keep flatten"}
    assert outcome == Refused(Reason.UNKNOWN_COMMAND, values)


@pytest.mark.parametrize("before", RiskMode)
@pytest.mark.parametrize("wanted", RiskMode)
@pytest.mark.parametrize("reason", ["", "checked the books"])
@pytest.mark.parametrize("waited_s", [0, 59.4, 60])
def test_every_move_of_the_risk_mode(before, wanted, reason, waited_s):
    """Lowering is instant; raising needs a reason and the cool-down."""
    now = T0 + int(waited_s * NS_PER_S)
    outcome = ask(at(risk_mode=before), Action.RISK_MODE, wanted.value, reason, now)
    if wanted is before:
        assert outcome == Refused(Reason.ALREADY_SO, {"risk_mode": wanted.value})
    elif FREEDOM[wanted] < FREEDOM[before]:
        assert outcome == at(risk_mode=wanted, risk_since=now)
    elif not reason:
        assert outcome == Refused(Reason.REASON_REQUIRED, {"risk_mode": wanted.value})
    elif waited_s < 60:
        assert outcome == Refused(Reason.COOLING_DOWN, {"left_s": f"{60 - waited_s:.0f}"})
    else:
        assert outcome == at(risk_mode=wanted, risk_since=now)


def test_freedom_orders_every_risk_mode():
    assert sorted(RiskMode, key=lambda mode: FREEDOM[mode]) == [
        RiskMode.OBSERVE,
        RiskMode.REDUCE,
        RiskMode.NORMAL,
    ]


def test_an_unknown_risk_mode_names_the_known_ones():
    outcome = ask(at(), Action.RISK_MODE, "yolo")
    values = {"risk_mode": "yolo", "known": "normal reduce observe"}
    assert outcome == Refused(Reason.UNKNOWN_COMMAND, values)


@pytest.mark.parametrize("phase", PHASES)
def test_acknowledging_an_alarm_changes_nothing(phase):
    assert ask(at(phase), Action.ACKNOWLEDGE, "stale:BTCUSDT") == at(phase)


@pytest.mark.parametrize("action", Action)
def test_every_action_is_decided(action):
    assert isinstance(ask(at(), action, NAME), OperatorState | Refused)


def test_the_screen_says_stopping_but_never_hides_a_flatten():
    assert at(Phase.ARMED).shown_phase is Phase.ARMED
    assert at(Phase.ARMED, stopping=OnStop.KEEP).shown_phase is Phase.STOPPING
    assert at(Phase.HALTED, stopping=OnStop.KEEP).shown_phase is Phase.STOPPING
    assert at(Phase.FLATTENING, stopping=OnStop.FLATTEN).shown_phase is Phase.FLATTENING


def test_a_command_is_an_evaluation_of_its_own():
    assert Control(T0, 7, Action.ARM, "me").cycle_id == "op@7"
