"""What changes limits while the engine runs: a changed file, and a person who accepts it."""

from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.operator import Refused
from engine.core.policy import Proposal
from engine.core.risk import Risk
from engine.core.trading import Trading
from engine.domain.alarms import Severity
from engine.domain.calendar import Calendar
from engine.domain.commands import Command, NoticeLevel, SaveTransition, TransitionKind
from engine.domain.events import Action, Control
from engine.domain.limits import Limits, LimitsChanged
from engine.domain.reasons import Reason
from engine.risk.loosening import Change, calendar_changes, changes, stricter, stricter_calendar

PENDING_ALARM = "limits"
FILE_ACTOR = "config file"


class LimitsDesk:
    """Tightens at once; `confirms`: what loosens waits for a person and a reason."""

    def __init__(
        self,
        risk: Risk,
        trading: Trading,
        authority: Authority,
        board: Board,
        outbox: list[Command],
        *,
        confirms: bool,
    ) -> None:
        self._risk, self._trading, self._authority = risk, trading, authority
        self._board, self._outbox, self._confirms = board, outbox, confirms

    def on_changed(self, event: LimitsChanged, now: int) -> None:
        """Take what a valid file asks for, or the part of it that tightens."""
        policy = self._risk.policy
        limits, calendar = event.limits, event.calendar
        if self._confirms:
            limits, calendar = stricter(policy.limits, limits), stricter_calendar(policy.calendar, calendar)
        self._apply(limits, calendar, now, FILE_ACTOR, "")
        left = self.pending_after(event.limits, event.calendar)
        policy.proposal = Proposal(event.id, event.limits, event.calendar) if left else None
        if not left:
            self._board.clear_alarm(PENDING_ALARM)
            return
        told = ", ".join(f"{change.setting} {change.now} -> {change.wanted}" for change in left)
        text = f"a changed file would loosen {told}: `trader-tui limits accept --reason WHY` lets it"
        self._board.raise_alarm(PENDING_ALARM, Severity.WARNING, text, now)

    def pending_after(self, limits: Limits, calendar: Calendar) -> tuple[Change, ...]:
        """Return what of a proposal is not in force."""
        policy = self._risk.policy
        return (*changes(policy.limits, limits), *calendar_changes(policy.calendar, calendar))

    def on_control(self, control: Control, now: int) -> None:
        """Accept what waits, or let a play go on that entered too often; or refuse with a Reason."""
        match control.action:
            case Action.ACCEPT_LIMITS:
                refused = self._accept(control, now)
            case Action.DECLINE:
                refused = self._decline(control)
            case _:
                refused = self._enable(control)
        if refused is not None:
            self._authority.refuse(control, refused, now)

    def _accept(self, control: Control, now: int) -> Refused | None:
        proposal = self._risk.policy.proposal
        if proposal is None:
            return Refused(Reason.ALREADY_SO, {"limits": "nothing waits to be accepted"})
        if control.argument != proposal.id:
            return Refused(Reason.NOT_CONFIRMED, {"typed": control.argument, "expected": proposal.id})
        if not control.reason.strip():
            return Refused(Reason.REASON_REQUIRED, {"limits": proposal.id})
        self._risk.policy.proposal = None
        self._board.clear_alarm(PENDING_ALARM)
        self._apply(proposal.limits, proposal.calendar, now, control.actor, control.reason.strip())
        return None

    def _decline(self, control: Control) -> Refused | None:
        """Drop what waits; the file is asked again when it changes again."""
        proposal = self._risk.policy.proposal
        if proposal is None:
            return Refused(Reason.ALREADY_SO, {"limits": "nothing waits to be accepted"})
        if control.argument != proposal.id:
            return Refused(Reason.NOT_CONFIRMED, {"typed": control.argument, "expected": proposal.id})
        self._risk.policy.proposal = None
        self._board.clear_alarm(PENDING_ALARM)
        self._store(control.ts, f"{proposal.id} waits", "declined", control.actor, control.reason.strip())
        return None

    def _enable(self, control: Control) -> Refused | None:
        if not any(key[0] == control.argument for key in self._risk.pace.stopped):
            return Refused(Reason.ALREADY_SO, {"play": control.argument, "stopped": "no"})
        if not control.reason.strip():
            return Refused(Reason.REASON_REQUIRED, {"play": control.argument})
        self._trading.entering.enable(control.argument)
        actor, why = control.actor, control.reason.strip()
        self._store(control.ts, f"{control.argument} stopped", f"{control.argument} enters again", actor, why)
        return None

    def _apply(self, limits: Limits, calendar: Calendar, now: int, actor: str, reason: str) -> None:
        """Put limits in force between two events."""
        policy = self._risk.policy
        found = self.pending_after(limits, calendar)
        if not found:
            return
        policy.limits, policy.calendar = limits, calendar
        self._risk.follow()
        self._risk.blackout.follow(now)
        for change in found:
            was, became = (f"{change.setting}={value}" for value in (change.now, change.wanted))
            self._store(now, was, became, actor, reason)

    def _store(self, now: int, was: str, became: str, actor: str, reason: str) -> None:
        self._outbox.append(SaveTransition(now, TransitionKind.LIMITS, was, became, actor, reason))
        text = f"limits: {was} -> {became} by {actor}" + (f" ({reason})" if reason else "")
        self._board.notice(now, NoticeLevel.INFO, "limits", text)
