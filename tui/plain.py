"""The console without a screen: lines for logs, pipes and screen readers."""

import asyncio
import time
from collections.abc import Callable
from typing import TextIO

from engine.api import Link, Notice, Snapshot
from tui.folding import folded
from tui.formats import clean, clean_lines, clock
from tui.panes.pane import Frame
from tui.plainwords import Said, Wish, obey, understood
from tui.status import attention_row, status_row

WIDE_ENOUGH = 10_000  # cells: nothing is shortened
EVERY_S = 10.0  # often enough for a log, seldom enough for whoever has it read aloud
LOST_CODE = 1
WAYS = (  # what a key does on a screen, a command does here
    ("arm", "`trader-tui arm`"),
    ("pause", "`trader-tui resume`"),
    ("risk-mode", "`trader-tui mode`"),
    ("acknowledge", "`quiet`"),
    ("pane-5", "`trader-tui status`"),
    ("pane-8", "`trader-tui status`"),
    ("shutdown", "`quit`"),
    ("why", "`trader-tui why`"),
)
Typed = asyncio.Queue[str]  # lines, in the order in which they were typed


async def run_plain(
    link: Link, out: TextIO, *, now: Callable[[], float] = time.monotonic, typed: Typed | None = None
) -> int:
    """Print the status every ten seconds and whenever a state changes, every notice, and every answer.

    The exit code is the engine's own where it said goodbye, 1 where it vanished, 0 where `quit` was typed.
    """
    teller = Teller(out, now)
    telling = asyncio.ensure_future(_tell_all(link, teller))
    typing = asyncio.ensure_future(_obey_all(link, teller, typed)) if typed is not None else None
    try:
        tasks = {telling} if typing is None else {telling, typing}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if typing is not None and typing.done():
            typing.result()
        if not telling.done():
            return 0
        telling.result()
    finally:
        for task in filter(None, (telling, typing)):
            task.cancel()
    goodbye = link.goodbye
    teller.say(goodbye.text or "the engine has ended" if goodbye else "the engine vanished without a word")
    return goodbye.exit_code if goodbye is not None else LOST_CODE


async def _tell_all(link: Link, teller: "Teller") -> None:
    async for snapshot in link.snapshots():
        teller.tell(snapshot)


async def _obey_all(link: Link, teller: "Teller", typed: Typed) -> None:
    """Do what is typed, line by line, until somebody types `quit`."""
    while True:
        match understood(await typed.get()):
            case Said(text=text, leaves=leaves):
                teller.say(text)
                if leaves:
                    return
            case Wish() as wish:
                for answer in await obey(link, wish, teller.latest):
                    teller.say(answer)


class Teller:
    """Turns snapshots into lines, each thing said once."""

    def __init__(self, out: TextIO, now: Callable[[], float]) -> None:
        self._out = out
        self._now = now
        self._told_at = float("-inf")
        self._state: tuple[object, ...] = ()
        self._last: Notice | None = None
        self.latest: Snapshot | None = None

    def tell(self, snapshot: Snapshot) -> None:
        """Print what is new."""
        self.latest = snapshot
        for notice in self._news(snapshot.notices):
            text = f"{notice.symbol} {notice.text}".strip()
            self.say(f"{clock(notice.ts)}Z {notice.level.value.upper():<7} {clean(text)}")
        status = snapshot.status
        state = (status.phase, status.paused, status.risk_mode, status.rung, status.holds)
        if state != self._state or self._now() - self._told_at >= EVERY_S:
            changed = state != self._state
            self._state, self._told_at = state, self._now()
            frame = Frame(snapshot, keys=WAYS)
            self.say("".join(text for text, _ in status_row(frame, WIDE_ENOUGH)).strip())
            if changed:
                self.say(f"  {attention_row(frame, WIDE_ENOUGH)[0][0].strip()}")

    def _news(self, notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
        """Return the notices after the last one told; all of them where it has scrolled away."""
        start = 0
        for index in range(len(notices) - 1, -1, -1):
            if notices[index] == self._last:
                start = index + 1
                break
        if notices:
            self._last = notices[-1]
        return notices[start:]

    def say(self, text: str) -> None:
        """Print lines."""
        self._out.write(f"{folded(clean_lines(text), self._out)}\n")
        self._out.flush()
