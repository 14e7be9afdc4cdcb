"""A broken connection: says what is known, and takes the engine up again as soon as it answers.

It only looks for an engine and never starts one: whether it is to run again is for a person to say.
"""

import asyncio
from contextlib import suppress
from itertools import chain, repeat
from typing import TYPE_CHECKING

from engine.api import Link, TraderError
from tui.bridge import Connect, follow
from tui.messages import LinkDown, LinkMissed, LinkUp
from tui.supervisor import NoEngineError

if TYPE_CHECKING:
    from tui.app import ConsoleApp
    from tui.screens.gone import GoneDialog

PAUSES_S = (1.0, 2.0, 4.0, 8.0)  # between tries; the last one again and again
LOST_CODE = 1
TRIES = "\n\nThis console tries again by itself and takes it up as soon as it answers."


class Reunion:
    """Parts from an engine, and meets it again."""

    def __init__(self, app: "ConsoleApp", again: Connect | None) -> None:
        """`again` reaches an engine that runs; None where console and engine are one process."""
        self._app = app
        self._again = again
        self._now = asyncio.Event()  # somebody does not want to wait for the next try
        self._pid = 0  # of the engine that was lost
        self._title = self._words = ""  # what was said last of it
        self.lost = False  # whether only the connection is known to be gone

    def part(self, message: LinkDown) -> None:
        """Take the end of the stream: the engine's goodbye, or a connection that broke."""
        app, goodbye = self._app, message.goodbye
        app.gone = True
        app.gone_code = goodbye.exit_code if goodbye is not None else LOST_CODE
        if goodbye is not None and app.operator.leaving:
            app.leave(app.gone_code, goodbye.text or "The engine has ended")
        elif goodbye is not None or self._again is None:
            self._say(message)
        else:
            self.lost, self._title = True, ""
            self._pid = app.link.hello.pid if app.link is not None else 0
            app.run_worker(self._rejoin(self._again), name="engine", exit_on_error=True)

    def _say(self, message: LinkDown) -> None:
        from tui.screens.gone import GoneDialog, farewell  # noqa: PLC0415 - needed once, at the end

        title, text = farewell(message.goodbye, message.error, self._app.latest)
        self._words = f"{title}. {text}"
        self._show(GoneDialog(title, text, danger=self._app.gone_code != 0))

    async def _rejoin(self, again: Connect) -> None:
        """Try until an engine answers, then follow it."""
        for pause_s in chain(PAUSES_S, repeat(PAUSES_S[-1])):
            self._now.clear()
            try:
                link = await again()
            except (TraderError, OSError) as error:
                self._app.post_message(LinkMissed(error))
            else:
                self._app.post_message(LinkUp(link))
                await follow(link, self._app.post_message)
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), pause_s)

    def miss(self, message: LinkMissed) -> None:
        """Take a try that failed: say what is known, once, and again where it has become another thing."""
        from tui.screens.gone import GoneDialog, apart, farewell  # noqa: PLC0415 - as above

        app, absent = self._app, isinstance(message.error, NoEngineError)
        title, text = farewell(None, "", app.latest) if absent else apart(str(message.error), app.latest)
        before, self._title, self.lost = self._title, title, not absent
        self._words = f"{title}. {text}"
        if not app.screen_stack:
            return  # the console is closing
        if isinstance(app.screen, GoneDialog):
            app.screen.tell(title, text + TRIES)
        elif title != before:
            self._show(GoneDialog(title, text + TRIES, danger=True, again=self._now.set))

    def meet(self, link: Link) -> None:
        """Take up an engine that answers; what was shown of the one before goes from the screen."""
        from tui.screens.gone import GoneDialog  # noqa: PLC0415 - as above

        app = self._app
        if not app.gone:
            return
        app.gone, app.gone_code, app.latest = False, 0, None
        self.lost, self._title = False, ""
        if app.screen_stack and isinstance(app.screen, GoneDialog):
            app.screen.dismiss(None)
        hello = link.hello
        who = "the same engine" if hello.pid == self._pid else "an engine that was started since"
        app.tell(f"Connected again: {who} (pid {hello.pid}, instance {hello.instance}).")

    def _show(self, dialog: "GoneDialog") -> None:
        self._app.push_screen(dialog, self._answered)

    def _answered(self, leave: bool | None) -> None:  # noqa: FBT001 - Textual's callback
        if leave:  # the words stay in the shell: the Enter may have been meant for what was there before
            self._app.leave(self._app.gone_code, self._words)
