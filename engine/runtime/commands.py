"""Operator commands on their way in: each becomes a Control event, and its outcome becomes the reply."""

import asyncio
from collections.abc import Callable

from engine.core.intervening import NOTICE
from engine.core.operator import InControl
from engine.domain.commands import Notice, SaveVeto
from engine.domain.events import Action, Control, Event
from engine.domain.reasontable import REASONS
from engine.domain.vetoes import Veto
from engine.runtime.loop import Batch
from engine.runtime.protocol import CommandReply, CommandRequest

Offer = Callable[[Event], bool]


class CommandDesk:
    """Numbers commands, puts them in line and answers when the core has taken or refused them."""

    def __init__(self, offer: Offer, now: Callable[[], int], first_sequence: int) -> None:
        self._offer = offer
        self._now = now
        self._sequence = first_sequence
        self._said = ""  # what was done, where the core says more of it than its name
        self._waiting: dict[str, tuple[CommandRequest, asyncio.Future[CommandReply]]] = {}

    async def ask(self, request: CommandRequest) -> CommandReply:
        """Carry out a command and return what became of it."""
        future: asyncio.Future[CommandReply] = asyncio.get_running_loop().create_future()
        control = self.post(
            request.action, request.actor, request.reason, request.argument, console=request.console
        )
        self._waiting[control.cycle_id] = (request, future)
        try:
            return await future
        finally:
            self._waiting.pop(control.cycle_id, None)

    def post(
        self, action: Action, actor: str, reason: str = "", argument: str = "", *, console: str = ""
    ) -> Control:
        """Put a command in line without waiting for its outcome."""
        self._sequence += 1
        control = Control(self._now(), self._sequence, action, actor, reason, argument, console)
        self._offer(control)
        return control

    def left(self, console: str, holder: InControl | None) -> None:
        """Give back the control that a console had which is gone."""
        if holder is not None and holder.console == console:
            self.post(Action.RELEASE_CONTROL, holder.name, "the console left", console=console)

    def on_batch(self, batch: Batch) -> None:
        """Look for the refusal of a command, or for what was done, among what the core decided."""
        for command in batch:
            if type(command) is SaveVeto and command.veto.cycle_id in self._waiting:
                self._answer(command.veto.cycle_id, refused=command.veto)
            elif type(command) is Notice and command.kind == NOTICE:
                self._said = command.text

    def on_event(self, event: Event) -> None:
        """A command that was taken and not refused is done."""
        said, self._said = self._said, ""  # what another event led to is no answer to the next command
        if type(event) is Control and event.cycle_id in self._waiting:
            self._answer(event.cycle_id, said=said)

    def _answer(self, cycle_id: str, refused: Veto | None = None, said: str = "") -> None:
        request, future = self._waiting.pop(cycle_id)
        if future.done():
            return
        if refused is None:
            future.set_result(CommandReply(request.id, ok=True, text=said or f"{request.action} done"))
        else:
            facts = REASONS[refused.reason]
            text = f"{refused.text}: {facts.meaning} {facts.remedy}"
            future.set_result(CommandReply(request.id, ok=False, reason=refused.reason.value, text=text))
