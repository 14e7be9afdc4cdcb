"""One of several: the risk mode, and what leaving means."""

import os
from collections.abc import Sequence

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from engine.api import Mode, OnStop, OrderState, RiskMode, Snapshot
from tui.formats import several
from tui.screens.dialog import Dialog, Field, say

RISK_WORDS = {
    RiskMode.NORMAL: "everything the gates pass",
    RiskMode.REDUCE: "exits only; resting entry orders are canceled",
    RiskMode.OBSERVE: "protective upkeep only",
}
FREEDOM = (RiskMode.OBSERVE, RiskMode.REDUCE, RiskMode.NORMAL)


class RiskAnswer(msgspec.Struct, frozen=True):
    """The mode to set and why."""

    mode: RiskMode
    reason: str


class RiskModeDialog(Dialog[RiskAnswer]):
    """Chooses a risk mode; more freedom needs a reason."""

    def __init__(self, current: RiskMode) -> None:
        super().__init__("Risk mode", "↑↓ choose · Tab reason · Enter sets · Esc goes back")
        self._current = current

    def parts(self) -> ComposeResult:
        """Yield the three modes and the reason."""
        options = [
            Option(
                Content(
                    f"{mode.value.upper():<8} {RISK_WORDS[mode]}{' (now)' if mode is self._current else ''}"
                ),
                id=mode.value,
            )
            for mode in RiskMode
        ]
        choices = OptionList(*options, id="modes", compact=True)
        choices.highlighted = list(RiskMode).index(self._current)
        yield choices
        yield say("Reason (needed toward more freedom, kept in the record):", kind="label")
        yield Field(id="reason", compact=True)
        yield say("", kind="problem", widget_id="problem")

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def _set(self) -> None:
        marked = self.query_one("#modes", OptionList).highlighted
        chosen = self._current if marked is None else list(RiskMode)[marked]
        if chosen is self._current:
            self.dismiss(None)
            return
        field = self.query_one("#reason", Input)
        freer = FREEDOM.index(chosen) > FREEDOM.index(self._current)
        if freer and not field.value.strip():
            field.focus()
            self.complain(
                f"{chosen.value.upper()} is freer than {self._current.value.upper()}: give a reason."
            )
        else:
            self.dismiss(RiskAnswer(chosen, field.value.strip()))


class Leave(msgspec.Struct, frozen=True):
    """What leaving means: `on_stop` of None lets the engine go on."""

    on_stop: OnStop | None


DETACH = Leave(None)
REAL_VENUE = frozenset({Mode.DEMO, Mode.LIVE})  # where orders outlive this machine


def default_leave(snapshot: Snapshot | None, *, can_detach: bool, read_only: bool = False) -> Leave:
    """Return what Ctrl-C twice does: detach in demo and live, else shut down and leave nothing behind.

    A console that only watches ends nobody's engine.
    """
    if read_only:
        return DETACH
    serious = snapshot is not None and snapshot.status.mode in REAL_VENUE
    return DETACH if serious and can_detach else Leave(OnStop.CANCEL_ENTRIES)


def can_detach(engine_pid: int) -> bool:
    """Tell whether the engine would outlive this process."""
    return engine_pid != os.getpid()


LEAVE_CHOICES: dict[str, tuple[Leave | None, str, str]] = {
    "stay": (None, "Stay", "nothing happens"),
    "detach": (DETACH, "Detach", "the engine trades on; attach again later"),
    "cancel": (Leave(OnStop.CANCEL_ENTRIES), "Shut down", "cancel entries; positions keep their stops"),
    "keep": (Leave(OnStop.KEEP), "Shut down, keep all", "orders rest at the venue, unwatched"),
    "flatten": (Leave(OnStop.FLATTEN), "Flatten, then shut down", "cancel everything, close positions"),
}


def can_leave(*, can_detach: bool, read_only: bool) -> tuple[str, ...]:
    """Return the ways out there are: an engine of this process ends with it; a watcher ends none."""
    if read_only:
        return ("stay", "detach")
    return tuple(key for key in LEAVE_CHOICES if key != "detach" or can_detach)


class LeaveDialog(Dialog[Leave]):
    """Asks what is to become of the engine, its orders and its positions."""

    def __init__(self, snapshot: Snapshot, choices: Sequence[str]) -> None:
        super().__init__("Leave", "↑↓ choose · Enter does it · Esc stays")
        self._snapshot, self._choices = snapshot, list(choices)

    def parts(self) -> ComposeResult:
        """Yield what is open and the choices."""
        snapshot = self._snapshot
        orders = sum(order.state.is_open for order in snapshot.orders)
        unknown = sum(order.state is OrderState.UNKNOWN for order in snapshot.orders)
        positions = sum(row.qty != 0 for row in snapshot.positions)
        words = f"Open now: {several(positions, 'position')}, {several(orders, 'order')}"
        yield say(words + (f", {unknown} of them UNKNOWN." if unknown else "."))
        options = [Option(_two_columns(key), id=key) for key in self._choices]
        choices = OptionList(*options, id="choices", compact=True)
        choices.highlighted = 0  # stay: Enter by habit ends nothing
        yield choices

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(LEAVE_CHOICES[event.option_id or "stay"][0])


def _two_columns(key: str) -> Content:
    _, what, effect = LEAVE_CHOICES[key]
    return Content(f"{what:<24} {effect}")
