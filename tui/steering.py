"""Which console commands: this one, another, or none. One that only watches still has the kill-switch."""

from typing import TYPE_CHECKING

from engine.api import Action, Reason, Snapshot, StatusSection, TraderError, __version__
from tui.actions import ACTIONS, BY_ID
from tui.keymap import textual_key
from tui.ringing import Ringing

if TYPE_CHECKING:
    from tui.app import ConsoleApp

FREE = "free"
TOAST_S = 12.0


class Steering:
    """Takes control where nobody has it, tells where another console takes it, and keeps hands off then."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self._expecting = False  # control was asked for, and no snapshot has shown it yet
        self._ringing = Ringing(app)

    @property
    def read_only(self) -> bool:
        """Whether this console only watches; one that was given no id needs no control."""
        link, latest = self._app.link, self._app.latest
        if link is None or latest is None or not link.console:
            return False
        holder = latest.status.in_control
        return not self._expecting if not holder else holder != link.console

    @property
    def keys(self) -> frozenset[str]:
        """The keys that command."""
        commanding = (spec.id for spec in ACTIONS if spec.engine is not None and spec.id != "flatten")
        return frozenset(textual_key(key) for action in commanding for key in self._app.keymap[action])

    def take_paste(self, text: str) -> None:
        """Take the driver's word that text was pasted as keys; any thread."""
        self._app.call_later(self.say_pasted, text)

    def say_pasted(self, text: str) -> None:
        """Say that pasted text commanded nothing, where somebody may have meant it to."""
        from textual.widgets import Input  # noqa: PLC0415 - it is loaded by then where it matters

        typed = isinstance(self._app.focused, Input)
        if typed and "\n" not in text.strip(" "):
            return
        left = "Enter in pasted text is left out: press it." if typed else "Press keys one by one to command."
        self._app.tell(f"{len(text)} keys came at once, as pasted text does. {left}", severity="warning")

    def begin(self) -> None:
        """Look whether engine and console are of one version."""
        link = self._app.link
        assert link is not None, "a link that is up"
        self._mind_version(link.hello.version)

    def _come(self, first: Snapshot) -> None:
        """Take control where nobody has it, unless this console was started to watch.

        One that came back may have it still, from a connection that broke: it says so over the new one, so
        that the end of the old one does not give its control away.
        """
        link = self._app.link
        if link is None or not link.console or self._app.settings.read_only:
            return
        if first.status.in_control not in ("", link.console):
            self._say_watching()
            return
        self._expecting = True
        self._app.run_worker(self._begin(), group="commands", exit_on_error=False, name="take control")

    async def _begin(self) -> None:
        link = self._app.link
        assert link is not None, "begin checks that there is a link"
        try:
            reply = await link.command(Action.TAKE_CONTROL, reason="attached", argument=FREE)
        except (TraderError, OSError):
            self._expecting = False
            return
        if not reply.ok and reply.reason != Reason.ALREADY_SO:
            self._expecting = False
            self._say_watching(unseen="Another console")

    def follow(self, before: Snapshot | None, after: Snapshot) -> None:
        """Take what a snapshot tells: who has control now, and which alarms are loud anew."""
        self._ringing.follow(before, after)
        if before is None:
            self._come(after)
        link = self._app.link
        own, now = (link.console if link else ""), after.status.in_control
        if now:
            self._expecting = False
        if own and before is not None and before.status.in_control != now != own:
            self._say_who(before.status, after.status)

    def _say_who(self, before: StatusSection, after: StatusSection) -> None:
        """Tell that another console has control, or that nobody has: a play may wait for a person then."""
        left = "" if after.in_control else f"{before.in_control_name} left. "
        self._app.tell(
            f"{left}{after.in_control_name or 'Nobody'} has control now. {self._words()}",
            title="This console only watches",
            severity="warning",
            timeout=TOAST_S,
        )

    def refuses(self, action_id: str) -> bool:
        """Tell whether an action would command while this console only watches; say so then."""
        spec = BY_ID[action_id]
        if not spec.needs_control or not self.read_only:
            return False
        self._say_watching(spec.title)
        return True

    def take(self) -> None:
        """Ask, then take control from whoever has it."""
        from tui.screens.confirm import ConfirmDialog  # noqa: PLC0415 - loaded when first opened

        link, latest = self._app.link, self._app.latest
        if link is None or latest is None or self._app.gone:
            self._app.tell("There is no engine to ask yet.", severity="warning")
        elif not self.read_only:
            self._app.tell("This console has control already.")
        else:
            holder = latest.status.in_control_name or "nobody"
            words = (
                f"In control now: {holder}. That console becomes read-only and is told so; "
                "who took control, from where and when is recorded."
            )
            self._app.push_screen(ConfirmDialog("Take control", (words,), "Take control"), self._taken)

    def _taken(self, answer: str | None) -> None:
        if answer is not None:
            self._app.operator.send(Action.TAKE_CONTROL, "Take control", reason=answer)

    def _say_watching(self, title: str = "", unseen: str = "Nobody") -> None:
        """Say who has control, `unseen` where the last snapshot shows nobody."""
        latest = self._app.latest
        holder = (latest.status.in_control_name if latest else "") or unseen
        self._app.tell(
            f"{holder} has control. {self._words()}",
            title=f"{title}: this console only watches" if title else "This console only watches",
            severity="warning",
            timeout=TOAST_S,
        )

    def _words(self) -> str:
        take, kill = self._app.key_of("take-control"), self._app.key_of("flatten")
        return f"{take} takes it and asks first; {kill} {kill} flattens from here all the same."

    def _mind_version(self, version: str) -> None:
        if version != __version__:
            self._app.tell(
                f"The engine runs trader-tui {version}, this console is {__version__}. What one of them does "
                "not know the other cannot show or do. Use one version for both: install the engine's here, "
                "or stop the engine and start it anew with this one.",
                title="Two versions",
                severity="warning",
                timeout=TOAST_S,
            )
