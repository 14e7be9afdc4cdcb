"""The bell: alarms that became loud since the last snapshot are rung and told once; muted ones are not."""

from typing import TYPE_CHECKING

from engine.api import Severity, Snapshot
from tui.formats import clean

if TYPE_CHECKING:
    from tui.app import ConsoleApp

TOLD_MAX = 3  # of one snapshot; the rest stands in the status row
TOAST_S = 20.0


class Ringing:
    """Rings for what is loud anew: a new alarm, or one that became graver than when it was muted."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app

    def follow(self, before: Snapshot | None, after: Snapshot) -> None:
        """Ring where there is something new; whatever stood when the console came is on screen already."""
        if before is None or before.alarms is after.alarms:
            return
        known = loud(before)
        new = [text for alarm_id, text in loud(after).items() if alarm_id not in known]
        if not new:
            return
        self._app.bell()
        mute = self._app.key_of("acknowledge")
        for text in new[:TOLD_MAX]:
            self._app.tell(f"{clean(text)} ({mute} mutes)", title="ALARM", severity="error", timeout=TOAST_S)


def loud(snapshot: Snapshot) -> dict[str, str]:
    """Return the alarms that nobody has muted, by id."""
    calling = (a for a in snapshot.alarms if not a.acknowledged and a.severity is not Severity.INFO)
    return {alarm.id: alarm.text for alarm in calling}
