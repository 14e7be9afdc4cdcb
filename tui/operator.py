"""From keys to commands: asks what has to be asked, sends, and says what became of it."""

from typing import TYPE_CHECKING

from engine.api import REASONS, Action, CommandReply, Phase, Reason, RiskMode
from tui.messages import CommandDone

if TYPE_CHECKING:
    from tui.app import ConsoleApp
    from tui.screens.arm import ArmAnswer
    from tui.screens.choice import Leave, RiskAnswer

# Dialogs are imported when first opened: the first frame does not wait for inputs and lists.

NO_ENGINE = "There is no engine to ask yet."


class Operator:
    """The operator's hands: one method an action of the control group."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app
        self.leaving = False  # this console asked the engine to stop
        self._told_of_suspend = False

    # actions

    def arm(self) -> None:
        """Ask for the typed name, then arm."""
        from tui.screens.arm import ArmDialog  # noqa: PLC0415

        status = self._app.latest.status if self._app.latest else None
        if status is None:
            self._app.tell(NO_ENGINE, severity="warning")
        elif status.phase is Phase.ARMED:
            self._app.tell("The engine is armed already.")
        else:
            self._app.push_screen(ArmDialog(status), self._armed)

    def _armed(self, answer: "ArmAnswer | None") -> None:
        if answer is not None:
            self.send(Action.ARM, "Arm", reason=answer.reason, argument=answer.name)

    def disarm(self) -> None:
        """Disarm at once."""
        self.send(Action.DISARM, "Disarm")

    def pause(self) -> None:
        """Pause at once, or resume: by what is on screen, which a slow terminal shows late."""
        drawn = self._app.desk.drawn
        paused = drawn is not None and drawn.status.paused
        self.send(Action.RESUME if paused else Action.PAUSE, "Resume" if paused else "Pause")

    def risk_mode(self) -> None:
        """Ask for a risk mode and a reason."""
        from tui.screens.choice import RiskModeDialog  # noqa: PLC0415

        latest = self._app.latest
        if latest is None:
            self._app.tell(NO_ENGINE, severity="warning")
        else:
            self._app.push_screen(RiskModeDialog(latest.status.risk_mode), self._risk_chosen)

    def _risk_chosen(self, answer: "RiskAnswer | None") -> None:
        if answer is not None:
            title = f"Risk mode {RiskMode(answer.mode).value.upper()}"
            self.send(Action.RISK_MODE, title, reason=answer.reason, argument=answer.mode.value)

    def acknowledge(self) -> None:
        """Quiet every alarm on screen."""
        alarms = self._app.latest.alarms if self._app.latest else ()
        loud = [alarm for alarm in alarms if not alarm.acknowledged]
        if not loud:
            self._app.tell("There is no alarm to quiet.")
        for alarm in loud:
            self.send(Action.ACKNOWLEDGE, f"Quiet {alarm.id}", argument=alarm.id)

    def shutdown(self) -> None:
        """Ask what leaving means; without an engine there is nothing to ask."""
        from tui.screens.choice import LeaveDialog, can_leave  # noqa: PLC0415

        app = self._app
        app.welcoming.close(read=True)  # any key does, this one, too
        if app.link is None or app.latest is None or app.gone:
            app.leave(app.gone_code)
        elif not isinstance(app.screen, LeaveDialog):
            may = can_leave(can_detach=self.can_detach, read_only=app.steering.read_only)
            app.push_screen(LeaveDialog(app.latest, may), self.leave)

    def leave(self, answer: "Leave | None") -> None:
        """Detach, or stop the engine and leave once it has said goodbye."""
        if answer is None:
            return
        if answer.on_stop is None:
            hello = self._app.link.hello if self._app.link else None
            who = f" (pid {hello.pid}, instance {hello.instance})" if hello else ""
            text = f"Detached. The engine goes on{who}.\n`trader-tui attach` comes back to it."
            self._app.leave(0, "\n".join([text, *self._note()]))
            return
        self.leaving = True
        self.send(Action.STOP, "Shut down", argument=answer.on_stop.value)

    def _note(self) -> list[str]:
        """Return the hand-over note; there is none where nothing was ever shown."""
        from tui.handover import lines, note  # noqa: PLC0415

        latest = self._app.latest
        return [] if latest is None else list(lines(note(latest)))

    def refuse_to_suspend(self) -> None:
        """Say once that the console is not stopped, and what to do instead."""
        if not self._told_of_suspend:
            self._told_of_suspend = True
            leave = self._app.key_of("shutdown")
            self._app.tell(
                "The console does not suspend: stopped, it could not flatten and would look alive. "
                f"{leave} detaches and the engine goes on; `trader-tui attach` comes back to it."
            )

    def leave_by_default(self) -> None:
        """Do what Ctrl-C twice does."""
        from tui.screens.choice import default_leave  # noqa: PLC0415

        app = self._app
        if app.link is None or app.gone:
            app.leave(app.gone_code)
        else:
            self.leave(
                default_leave(app.latest, can_detach=self.can_detach, read_only=app.steering.read_only)
            )

    @property
    def default_words(self) -> str:
        """What Ctrl-C twice would do now, in words."""
        from tui.screens.choice import default_leave  # noqa: PLC0415

        app = self._app
        if app.link is None or app.gone:
            return "leaves"
        on_stop = default_leave(
            app.latest, can_detach=self.can_detach, read_only=app.steering.read_only
        ).on_stop
        return (
            "detaches; the engine goes on" if on_stop is None else "shuts the engine down, entries canceled"
        )

    @property
    def can_detach(self) -> bool:
        """Whether the engine would outlive this process."""
        from tui.screens.choice import can_detach  # noqa: PLC0415

        return self._app.link is not None and can_detach(self._app.link.hello.pid)

    # sending

    def send(self, action: Action, title: str, *, reason: str = "", argument: str = "") -> None:
        """Send a command from a worker; its answer comes back as a message."""
        if self._app.link is None or self._app.gone:
            self._app.tell(NO_ENGINE, severity="warning")
            return
        self._app.run_worker(
            self._send(action, title, reason, argument), group="commands", exit_on_error=False, name=title
        )

    async def _send(self, action: Action, title: str, reason: str, argument: str) -> None:
        link = self._app.link
        assert link is not None, "send checks that there is a link"
        try:
            reply = await link.command(action, reason=reason, argument=argument)
        except Exception as error:  # noqa: BLE001 - whatever broke, whoever commanded must be told
            self._app.post_message(CommandDone(title, None, str(error) or type(error).__name__))
        else:
            self._app.post_message(CommandDone(title, reply))

    def answered(self, done: CommandDone) -> None:
        """Say what became of a command; a refusal names its reason and the remedy."""
        reply = done.reply
        if reply is not None and reply.ok:
            bare = not reply.text or reply.text.endswith(" done")  # it says no more than the title does
            self._app.tell("Done." if bare else reply.text, title=done.title)
            return
        self.leaving = self.leaving and done.title != "Shut down"
        if reply is None:
            text = f"No answer: {done.error}. It may still take effect; watch the status row."
        else:
            text = refusal_words(reply)
        self._app.tell(text, title=f"{done.title} refused" if reply else done.title, severity="error")


def refusal_words(reply: CommandReply) -> str:
    """Return the meaning and the remedy of a refusal, and what the engine added."""
    try:
        facts = REASONS[Reason(reply.reason)]
    except ValueError:
        return reply.text or reply.reason or "The engine refused without a reason."
    values = reply.text.removesuffix(
        f": {facts.meaning} {facts.remedy}"
    )  # what the engine writes behind them
    added = f" ({values})" if values and values != facts.meaning else ""
    return f"{facts.meaning} {facts.remedy}{added}"
