"""Who may do what: the operator's state, the ladder, the flatten and the stop that follow from it."""

from decimal import Decimal

import msgspec

from engine.core.board import Board
from engine.core.deadman import DeadMan
from engine.core.holds import Holds
from engine.core.operator import FREEDOM, OperatorState, Refused, decide, refuse_unless_in_control
from engine.core.policy import Policy
from engine.core.setup import CoreSetup
from engine.core.snapshot import Phase
from engine.domain.alarms import Severity
from engine.domain.commands import (
    ClearTimer,
    Command,
    FlattenEnded,
    Latch,
    NoticeLevel,
    SaveTransition,
    SaveVeto,
    SetTimer,
    Stopped,
    TransitionKind,
)
from engine.domain.events import Action, Control, OnStop, Resolution, VenueReport
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.domain.modes import HOLDERS, Hold, Holder, RiskMode, Rung
from engine.domain.orders import Order
from engine.domain.reasons import Reason
from engine.domain.vetoes import veto
from engine.execution.desk import Desk, describe
from engine.execution.flatten import RETRY_TIMER, Flatten, FlattenState, Step
from engine.risk.causes import CAUSES, Latched, RiskCause

DEADLINE_TIMER = "flatten.deadline"


class AuthorityState(msgspec.Struct, frozen=True):
    """The authority as a checkpoint holds it."""

    operator: OperatorState
    holds: tuple[Hold, ...]
    flatten: FlattenState
    cycle_id: str
    stopped: bool = False
    renewed: int = 0  # when the dead-man's switch was renewed last


class Authority:
    """Carries out operator commands and whatever lowers the ladder."""

    def __init__(
        self,
        setup: CoreSetup,
        policy: Policy,
        *,
        desk: Desk,
        flatten: Flatten,
        board: Board,
        outbox: list[Command],
    ) -> None:
        self._setup, self._policy = setup, policy
        self._desk, self._board, self._outbox = desk, board, outbox
        self.flatten = flatten
        self.dead_man = DeadMan(setup.dead_man_ms, outbox)
        self.holds = Holds()
        self.operator = OperatorState(phase=Phase.ARMED if setup.armed else Phase.DISARMED)
        self.holds.follow(self.operator, 0)
        self._cycle_id = "op@0"
        self._stopped = False

    def begin(self, now: int) -> None:
        """Date what is held from the start."""
        self.holds.restore(())
        self.holds.follow(self.operator, now)

    def on_control(self, control: Control, now: int) -> None:
        """Carry out a command, or refuse it with a Reason."""
        if control.action is Action.ACKNOWLEDGE:
            self._board.acknowledge(control.argument)
            return
        limits = self._policy.limits
        decided = decide(
            self.operator, control, confirm_name=self._setup.confirm_name, dwell_s=limits.mode_dwell_s
        )
        if isinstance(decided, Refused):
            self.refuse(control, decided, now)
            return
        if decided.phase is Phase.FLATTENING and self.operator.phase is not Phase.FLATTENING:
            self._cycle_id = control.cycle_id
            self.start_flatten(now, control.actor, control.reason, then=decided)
            return
        if self.operator.phase is Phase.HALTED and decided.phase is Phase.ARMED:
            self._outbox.append(Latch(engaged=False))
            self._board.clear_alarm("flatten")
        if decided.risk_mode is RiskMode.NORMAL:
            for mode in RiskMode:
                self._board.clear_alarm(f"risk:{mode}")
        self.set_operator(decided, now, control.actor, control.reason)

    def admits(self, control: Control, now: int) -> bool:
        """Tell whether a command may be looked at; one of a console that only watches is refused."""
        refused = refuse_unless_in_control(self.operator, control)
        if refused is not None:
            self.refuse(control, refused, now)
        return refused is None

    def refuse(self, control: Control, refused: Refused, now: int) -> None:
        """Store and say why a command is not carried out."""
        values = {"action": control.action.value, "actor": control.actor, **refused.values}
        refusal = veto(refused.reason, ts=now, cycle_id=control.cycle_id, **values)
        self._outbox.append(SaveVeto(refusal))
        self._board.notice(now, NoticeLevel.WARNING, "refused", refusal.text)

    def record_resolved(self, control: Control, before: Order, after: Order, now: int) -> None:
        """Store and say that an order ended on an operator's word, whose it was and why."""
        client_id, actor, why = after.client_id, control.actor, control.reason.strip()
        was, became = f"{client_id} {before.state}", f"{client_id} {after.state}"
        self.record(SaveTransition(now, TransitionKind.ORDER, was, became, actor, why))
        text = f"{describe(after.request)} ({client_id}) was {before.state}, is {after.state}: "
        text += f"resolved as {Resolution.DEAD} by {actor} ({why})"
        self._board.notice(now, NoticeLevel.WARNING, "resolved", text, after.request.symbol)

    def record(self, change: SaveTransition) -> None:
        """Store what a person changed."""
        self._outbox.append(change)

    def set_operator(self, after: OperatorState, now: int, actor: str, reason: str) -> None:
        """Take a new operator state, store what changed, and let the ladder follow."""
        before, self.operator = self.operator, after
        changes = (
            (TransitionKind.PHASE, before.shown_phase.value, after.shown_phase.value),
            (TransitionKind.PAUSE, _pause_word(before), _pause_word(after)),
            (TransitionKind.RISK_MODE, before.risk_mode.value, after.risk_mode.value),
            (TransitionKind.CONTROL, _control_word(before), _control_word(after)),
        )
        for kind, was, became in changes:
            if was != became:
                self.record(SaveTransition(now, kind, was, became, actor, reason))
                text = f"{kind}: {was} -> {became} by {actor}" + (f" ({reason})" if reason else "")
                self._board.notice(now, NoticeLevel.INFO, "mode", text)
        self.holds.follow(after, now)
        self._lower(now)

    def hold(self, holder: Holder, now: int, *, symbol: str, detail: str, held: bool = True) -> None:
        """Take or let go of a rung for a cause outside the operator."""
        if self.holds.set(holder, now, symbol=symbol, detail=detail, held=held) and held:
            self._lower(now, symbol or None)

    def uphold(self, order: Order, now: int) -> None:
        """Cancel an entry that proves alive where the rung no longer allows it."""
        if self.holds.all and order.request.role is OrderRole.ENTRY:
            self._lower(now, order.request.symbol)

    def _lower(self, now: int, symbol: str | None = None) -> None:
        """Cancel resting entries where the rung no longer allows them and a stop does not keep them."""
        if self.holds.rung(symbol or "") < Rung.FULL and self.operator.stopping is not OnStop.KEEP:
            self._desk.cancel_all(now, OrderRole.ENTRY, symbol=symbol)

    def start_flatten(self, now: int, actor: str, reason: str, then: OperatorState | None = None) -> None:
        """Latch, then begin to close everything."""
        target = then or msgspec.structs.replace(self.operator, phase=Phase.FLATTENING)
        self._outbox.append(Latch(engaged=True, text=f"flatten by {actor}: {reason}".rstrip(": ")))
        deadline_ns = int(self._policy.limits.flatten_deadline_s * NS_PER_S)
        self._outbox.append(SetTimer(DEADLINE_TIMER, now + deadline_ns))
        self.set_operator(target, now, actor, reason)
        self.flatten.start(now)

    def go_on(self, now: int) -> None:
        """Move on what is under way after an event: a flatten, then a stop that waits for it."""
        if self.operator.phase is Phase.FLATTENING:
            self.flatten.advance(now, self._cycle_id)
            if not self.flatten.running:
                self._end_flatten(now)
        how = self.operator.stopping
        if how is not None and not self._stopped and self._stop_is_done(how):
            self._stopped = True
            self.dead_man.end()
            self._outbox.append(Stopped(now))

    def _end_flatten(self, now: int) -> None:
        state = self.flatten.state
        flat = state.step is Step.FLAT
        elapsed_ms = Decimal(now - state.since) / NS_PER_MS
        self._outbox.append(ClearTimer(DEADLINE_TIMER))
        self._outbox.append(ClearTimer(RETRY_TIMER))
        self._outbox.append(FlattenEnded(now, flat, state.residual, elapsed_ms))
        if flat:
            self._board.clear_alarm("flatten")
            self._board.notice(now, NoticeLevel.GOOD, "flatten", f"FLAT in {elapsed_ms:.0f} ms")
        else:
            left = "; ".join(state.residual) or "the venue could not be verified"
            text = f"{Reason.FLATTEN_DEADLINE.value}: not flat, left: {left}"
            self._board.raise_alarm("flatten", Severity.CRITICAL, text, now)
        halted = msgspec.structs.replace(self.operator, phase=Phase.HALTED)
        self.set_operator(halted, now, "engine", "flat" if flat else "residual")

    def _stop_is_done(self, how: OnStop) -> bool:
        if self.operator.phase is Phase.FLATTENING:
            return False
        if how is not OnStop.CANCEL_ENTRIES:
            return True  # kept as it is, or as flat as a flatten could get
        return next(self._desk.book.select(OrderRole.ENTRY), None) is None

    def on_report(self, report: VenueReport, now: int) -> None:
        """Let a flatten hold the venue's report against what it needs."""
        self.flatten.on_report(report, now, self._cycle_id)

    def on_retry(self, now: int) -> None:
        """Let a flatten try again."""
        self.flatten.on_retry(now, self._cycle_id)

    def renew(self, now: int) -> None:
        """Renew the dead-man's switch for as long as the engine has not said its last word."""
        if not self._stopped:
            self.dead_man.renew(now)

    def latch_risk(self, cause: RiskCause, now: int, text: str) -> None:
        """Lower the risk mode for a cause that needs a person to undo, never raise it; each cause once."""
        before = self.operator
        if any(latched.cause is cause for latched in before.causes):
            return
        mode = min(CAUSES[cause].mode, before.risk_mode, key=FREEDOM.__getitem__)
        causes = (*before.causes, Latched(cause, now, text))
        lowered = msgspec.structs.replace(before, risk_mode=mode, risk_since=now, causes=causes)
        self.set_operator(lowered, now, "risk", f"{cause}: {text}")
        told = "; ".join(f"{latched.cause}: {latched.text}" for latched in causes)
        text = f"risk mode {mode.upper()}: {told}"
        self._board.raise_alarm(f"risk:{mode}", Severity.CRITICAL, text, now, graver=True)

    # checkpoint

    def state(self) -> AuthorityState:
        """Return all that a checkpoint needs."""
        return AuthorityState(
            self.operator,
            self.holds.all,
            self.flatten.state,
            self._cycle_id,
            self._stopped,
            self.dead_man.renewed,
        )

    def restore(self, state: AuthorityState) -> None:
        """Take up a checkpoint's state."""
        self.operator, self._stopped = state.operator, state.stopped
        self.holds.restore(state.holds)
        self.flatten.state = state.flatten
        self._cycle_id = state.cycle_id
        self.dead_man.renewed = state.renewed

    def begin_anew(self) -> None:
        """Let go of what ended with the run before: its stop, its consoles, what was held while it lasted."""
        self.operator = msgspec.structs.replace(self.operator, stopping=None, control=None)
        self._stopped = False
        self.holds.restore(tuple(hold for hold in self.holds.all if HOLDERS[hold.holder].survives_restart))


def _pause_word(operator: OperatorState) -> str:
    return "paused" if operator.paused else "running"


def _control_word(operator: OperatorState) -> str:
    holder = operator.control
    return f"{holder.name} [{holder.console}]" if holder is not None else "nobody"
