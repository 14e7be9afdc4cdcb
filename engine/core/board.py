"""What a person should see of the past: notices, alarms, signals with their verdicts. Bounded."""

from collections import deque

import msgspec

from engine.core.snapshot import SignalRow
from engine.domain.alarms import Alarm, Severity
from engine.domain.commands import Command, Notice, NoticeLevel, SaveVeto
from engine.domain.events import Remark
from engine.domain.orders import Order
from engine.domain.signals import Signal
from engine.domain.vetoes import Veto
from engine.execution.desk import describe

ROWS_MAX = 200
_GRAVITY = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class BoardState(msgspec.Struct, frozen=True):
    """The board as a checkpoint holds it."""

    notices: tuple[Notice, ...]
    signals: tuple[SignalRow, ...]
    alarms: tuple[Alarm, ...]


class Board:
    """Keeps the newest notices and signals, and the alarms that stand."""

    def __init__(self, outbox: list[Command]) -> None:
        self.notices: deque[Notice] = deque(maxlen=ROWS_MAX)
        self._signals: deque[SignalRow] = deque(maxlen=ROWS_MAX)
        self._new: deque[tuple[Signal, Order | Veto]] = deque(maxlen=ROWS_MAX)  # not yet written as rows
        self._alarms: dict[str, Alarm] = {}
        self._outbox = outbox

    def notice(self, now: int, level: NoticeLevel, kind: str, text: str, symbol: str = "") -> None:
        """Say something to the event pane and the log."""
        self.say(Notice(now, level, kind, text, symbol))

    def say(self, notice: Notice) -> None:
        """Say it and remember it."""
        self._outbox.append(notice)
        self.notices.append(notice)

    def remark(self, event: Remark, now: int) -> None:
        """Say what the engine's surroundings have to say."""
        level = NoticeLevel.WARNING if event.is_warning else NoticeLevel.INFO
        self.notice(now, level, event.kind, event.text)

    def store(self, facts: Veto) -> None:
        """Store why something was done or left that no signal led to."""
        self._outbox.append(SaveVeto(facts))

    def signal(self, signal: Signal, outcome: Order | Veto) -> None:
        """Remember a signal and what it led to; the row is written when somebody looks."""
        self._new.append((signal, outcome))

    @property
    def signals(self) -> deque[SignalRow]:
        """The newest signals, oldest first."""
        while self._new:
            self._signals.append(_row(*self._new.popleft()))
        return self._signals

    def raise_alarm(
        self, alarm_id: str, severity: Severity, text: str, now: int, *, graver: bool = False
    ) -> None:
        """Raise an alarm; one that stands already keeps its beginning and only takes the new text.

        One that has become more severe, or says something `graver`, is loud again though it was acknowledged.
        """
        before = self._alarms.get(alarm_id)
        if before is None:
            self._alarms[alarm_id] = Alarm(alarm_id, severity, now, text)
            self.notice(now, NoticeLevel.ERROR, "alarm", text)
            return
        graver = graver or _GRAVITY[severity] > _GRAVITY[before.severity]
        if graver and before.acknowledged:
            self.notice(now, NoticeLevel.ERROR, "alarm", f"graver than when it was acknowledged: {text}")
        if graver or before.text != text:
            quiet = before.acknowledged and not graver
            self._alarms[alarm_id] = Alarm(alarm_id, severity, before.since, text, acknowledged=quiet)

    def clear_alarm(self, alarm_id: str) -> None:
        """End an alarm."""
        self._alarms.pop(alarm_id, None)

    def acknowledge(self, alarm_id: str) -> bool:
        """Mark an alarm (or all, for "") as seen by a person; return whether there was one."""
        ids = [key for key in self._alarms if alarm_id in ("", key)]
        for key in ids:
            self._alarms[key] = msgspec.structs.replace(self._alarms[key], acknowledged=True)
        return bool(ids)

    def alarms(self) -> tuple[Alarm, ...]:
        """Return the alarms that stand, oldest first."""
        return tuple(self._alarms.values())

    def state(self) -> BoardState:
        """Return all that a checkpoint needs."""
        return BoardState(tuple(self.notices), tuple(self.signals), self.alarms())

    def restore(self, state: BoardState) -> None:
        """Take up a checkpoint's state."""
        self.notices.extend(state.notices)
        self._signals.extend(state.signals)
        self._alarms = {alarm.id: alarm for alarm in state.alarms}


def _row(signal: Signal, outcome: Order | Veto) -> SignalRow:
    """Write what a signal led to: the order in a few words, or the reason why there is none."""
    refused = outcome if isinstance(outcome, Veto) else None
    return SignalRow(
        ts=signal.ts,
        play=signal.play,
        symbol=signal.symbol,
        side=signal.side,
        kind=signal.kind,
        price=signal.price,
        strength=signal.strength,
        cycle_id=signal.cycle_id,
        reason=refused.reason.value if refused else "",
        text=outcome.text if isinstance(outcome, Veto) else describe(outcome.request),
    )
