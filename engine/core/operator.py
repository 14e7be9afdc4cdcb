"""What an operator may do, as tables: a command moves the state, or is refused with a Reason."""

from typing import assert_never

import msgspec

from engine.core.snapshot import Phase
from engine.domain.events import Action, Control, OnStop
from engine.domain.market import NS_PER_S
from engine.domain.modes import RiskMode
from engine.domain.reasons import Reason
from engine.risk.causes import Latched

# Where ARM, DISARM and FLATTEN lead from each phase. A flatten ends in HALTED, which only ARM leaves.
PHASE_TABLE: dict[Phase, dict[Action, Phase | Reason]] = {
    Phase.DISARMED: {
        Action.ARM: Phase.ARMED,
        Action.DISARM: Reason.ALREADY_SO,
        Action.FLATTEN: Phase.FLATTENING,
    },
    Phase.ARMED: {
        Action.ARM: Reason.ALREADY_SO,
        Action.DISARM: Phase.DISARMED,
        Action.FLATTEN: Phase.FLATTENING,
    },
    Phase.FLATTENING: {
        Action.ARM: Reason.FLATTEN_RUNNING,
        Action.DISARM: Reason.FLATTEN_RUNNING,
        Action.FLATTEN: Reason.FLATTEN_RUNNING,
    },
    Phase.HALTED: {
        Action.ARM: Phase.ARMED,
        Action.DISARM: Reason.HALTED,
        Action.FLATTEN: Phase.FLATTENING,
    },
}

FREEDOM: dict[RiskMode, int] = {RiskMode.OBSERVE: 0, RiskMode.REDUCE: 1, RiskMode.NORMAL: 2}


FREE = "free"  # take control only where nobody has it
# What a console may ask for that does not have control.
UNCONTROLLED = frozenset({Action.FLATTEN, Action.TAKE_CONTROL, Action.RELEASE_CONTROL})


class InControl(msgspec.Struct, frozen=True):
    """The console that commands: its id, who sits there, since when (ns UTC)."""

    console: str
    name: str
    since: int


class OperatorState(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator has set; all of it survives a restart except `stopping` and `control`."""

    phase: Phase = Phase.DISARMED
    paused: bool = False
    risk_mode: RiskMode = RiskMode.NORMAL
    risk_since: int = 0
    stopping: OnStop | None = None
    causes: tuple[Latched, ...] = ()  # what latched the risk mode since it was NORMAL, oldest first
    control: InControl | None = None  # the console that commands

    @property
    def shown_phase(self) -> Phase:
        """The phase as the screen names it: stopping covers all but a running flatten."""
        if self.stopping is not None and self.phase is not Phase.FLATTENING:
            return Phase.STOPPING
        return self.phase


class Refused(msgspec.Struct, frozen=True):
    """Why a command was not carried out."""

    reason: Reason
    values: dict[str, str] = {}


def decide(
    state: OperatorState, control: Control, *, confirm_name: str, dwell_s: float
) -> OperatorState | Refused:
    """Return the state after a command, or why it is refused."""
    match control.action:
        case Action.ARM:
            return _arm(state, control, confirm_name)
        case Action.DISARM | Action.FLATTEN:
            return _to_phase(state, control.action)
        case Action.PAUSE:
            if state.paused:
                return Refused(Reason.ALREADY_SO)
            return msgspec.structs.replace(state, paused=True)
        case Action.RESUME:
            return _resume(state)
        case Action.RISK_MODE:
            return _risk_mode(state, control, dwell_s)
        case Action.STOP:
            return _stop(state, control)
        case Action.ACKNOWLEDGE | Action.RESOLVE | Action.PROMOTE | Action.ROLL_BACK:
            return state  # none of them is about the operator's state
        case Action.ACCEPT_LIMITS | Action.ENABLE | Action.CLOSE_POSITION | Action.CANCEL_ORDER:
            return state  # nor is any of these
        case Action.TAKE_CONTROL | Action.RELEASE_CONTROL:
            return _control(state, control)
        case Action.DECLINE:
            return state
        case _:
            assert_never(control.action)


def refuse_unless_in_control(state: OperatorState, control: Control) -> Refused | None:
    """Return why a command of a console is refused that only watches; the command line is no console."""
    if not control.console or control.action in UNCONTROLLED:
        return None
    holder = state.control
    if holder is not None and holder.console == control.console:
        return None
    return Refused(Reason.READ_ONLY, {"in_control": holder.name if holder else "nobody"})


def _control(state: OperatorState, control: Control) -> OperatorState | Refused:
    """Hand control over: to whoever asks, or to nobody."""
    holder, console = state.control, control.console
    if not console:
        return Refused(Reason.UNKNOWN_COMMAND, {"console": "none: only a console has control"})
    has = holder is not None and holder.console == console
    if control.action is Action.RELEASE_CONTROL:
        return msgspec.structs.replace(state, control=None) if has else Refused(Reason.ALREADY_SO)
    if has:
        return Refused(Reason.ALREADY_SO, {"in_control": control.actor})
    if holder is not None and control.argument == FREE:
        return Refused(Reason.READ_ONLY, {"in_control": holder.name})
    taken = InControl(console, control.actor, control.ts)
    return msgspec.structs.replace(state, control=taken)


def _to_phase(state: OperatorState, action: Action) -> OperatorState | Refused:
    target = PHASE_TABLE[state.phase][action]
    return Refused(target) if isinstance(target, Reason) else msgspec.structs.replace(state, phase=target)


def _arm(state: OperatorState, control: Control, confirm_name: str) -> OperatorState | Refused:
    if state.stopping is not None:
        return Refused(Reason.STOPPING)
    armed = _to_phase(state, Action.ARM)
    if isinstance(armed, Refused):
        return armed
    if control.argument != confirm_name:
        return Refused(Reason.NOT_CONFIRMED, {"typed": control.argument, "expected": confirm_name})
    if state.phase is Phase.HALTED and not control.reason.strip():
        return Refused(Reason.REASON_REQUIRED, {"phase": state.phase})
    return armed


def _resume(state: OperatorState) -> OperatorState | Refused:
    if state.phase is Phase.FLATTENING:
        return Refused(Reason.FLATTEN_RUNNING)
    if state.stopping is not None:
        return Refused(Reason.STOPPING)
    if not state.paused:
        return Refused(Reason.ALREADY_SO)
    return msgspec.structs.replace(state, paused=False)


def _risk_mode(state: OperatorState, control: Control, dwell_s: float) -> OperatorState | Refused:
    """Lowering is instant; raising needs a reason and that the lowered mode stood for a while."""
    try:
        wanted = RiskMode(control.argument)
    except ValueError:
        known = " ".join(mode.value for mode in RiskMode)
        return Refused(Reason.UNKNOWN_COMMAND, {"risk_mode": control.argument, "known": known})
    if wanted is state.risk_mode:
        return Refused(Reason.ALREADY_SO, {"risk_mode": wanted.value})
    if FREEDOM[wanted] > FREEDOM[state.risk_mode]:
        if not control.reason.strip():
            return Refused(Reason.REASON_REQUIRED, {"risk_mode": wanted.value})
        left_s = dwell_s - (control.ts - state.risk_since) / NS_PER_S
        if left_s > 0:
            return Refused(Reason.COOLING_DOWN, {"left_s": f"{left_s:.0f}"})
    causes = () if wanted is RiskMode.NORMAL else state.causes
    return msgspec.structs.replace(state, risk_mode=wanted, risk_since=control.ts, causes=causes)


def _stop(state: OperatorState, control: Control) -> OperatorState | Refused:
    if state.stopping is not None:
        return Refused(Reason.STOPPING)
    try:
        how = OnStop(control.argument or OnStop.CANCEL_ENTRIES)
    except ValueError:
        known = " ".join(choice.value for choice in OnStop)
        return Refused(Reason.UNKNOWN_COMMAND, {"on_stop": control.argument, "known": known})
    stopping = msgspec.structs.replace(state, stopping=how)
    if how is not OnStop.FLATTEN or state.phase is Phase.FLATTENING:
        return stopping
    return msgspec.structs.replace(stopping, phase=Phase.FLATTENING)
