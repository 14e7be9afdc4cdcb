"""Arming: the name is typed, and after a halt also a reason."""

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from engine.api import Mode, Phase, StatusSection
from tui.screens.dialog import Dialog, Field, say

WORTH = {
    Mode.LIVE: "This is LIVE: real orders with real money.",
    Mode.DEMO: "This is the venue's test network: real orders, no real money.",
}


class ArmAnswer(msgspec.Struct, frozen=True):
    """The typed name and the reason."""

    name: str
    reason: str


REAL_MONEY = frozenset({Mode.LIVE})


class ArmDialog(Dialog[ArmAnswer]):
    """Asks for the confirmation that the engine will check once more."""

    def __init__(self, status: StatusSection) -> None:
        danger = status.mode in REAL_MONEY
        super().__init__(f"Arm {status.mode.value}", "Enter arms · Esc goes back", danger=danger)
        self._status = status

    @property
    def _needs_reason(self) -> bool:
        return self._status.phase is Phase.HALTED

    def parts(self) -> ComposeResult:
        """Yield the explanation and the fields: empty ones, for what is shown in them would look typed."""
        status = self._status
        plays = ", ".join(status.plays) or "no play"
        worth = WORTH.get(status.mode, "No real money is involved in this mode.")
        yield say(f"{plays} may then open positions, as far as the gates let them. {worth}")
        if self._needs_reason:
            yield say(
                "The engine was halted by a flatten. Why is it right to go on (kept in the record)?",
                kind="label",
            )
            yield Field(id="reason", compact=True)
        yield say(f"Type {status.confirm_name} and press Enter:", kind="label")
        yield Field(id="name", compact=True)
        yield say("", kind="problem", widget_id="problem")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        reason = self.query_one("#reason", Input).value.strip() if self._needs_reason else ""
        if self._needs_reason and not reason:
            self.query_one("#reason", Input).focus()
            self.complain("A reason is needed after a halt.")
        elif name != self._status.confirm_name:
            self.query_one("#name", Input).focus()
            if name:
                self.query_one("#name", Input).clear()
                self.complain(f"That is not {self._status.confirm_name}. Nothing was armed.")
        else:
            self.dismiss(ArmAnswer(name, reason))
