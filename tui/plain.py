"""The console without a screen: lines for logs, pipes and screen readers."""

import time
from collections.abc import Callable
from typing import TextIO

from engine.api import Link, Notice, Snapshot
from tui.formats import clean, clock
from tui.panes.pane import Frame
from tui.status import attention_row, status_row

WIDE_ENOUGH = 10_000  # cells: nothing is shortened
EVERY_S = 1.0
LOST_CODE = 1
WAYS = (  # what a key does on a screen, a command does here
    ("arm", "`trader-tui arm`"),
    ("pause", "`trader-tui resume`"),
    ("risk-mode", "`trader-tui mode`"),
    ("acknowledge", "the console"),
    ("pane-5", "`trader-tui status`"),
)


async def run_plain(link: Link, out: TextIO, *, now: Callable[[], float] = time.monotonic) -> int:
    """Print the status once a second and whenever a state changes, and every notice; return the exit code.

    The code is the engine's own where it said goodbye, 1 where it vanished.
    """
    teller = Teller(out, now)
    async for snapshot in link.snapshots():
        teller.tell(snapshot)
    goodbye = link.goodbye
    _say(out, goodbye.text or "the engine has ended" if goodbye else "the engine vanished without a word")
    return goodbye.exit_code if goodbye is not None else LOST_CODE


class Teller:
    """Turns snapshots into lines, each thing said once."""

    def __init__(self, out: TextIO, now: Callable[[], float]) -> None:
        self._out = out
        self._now = now
        self._told_at = float("-inf")
        self._state: tuple[object, ...] = ()
        self._last: Notice | None = None

    def tell(self, snapshot: Snapshot) -> None:
        """Print what is new."""
        for notice in self._news(snapshot.notices):
            text = f"{notice.symbol} {notice.text}".strip()
            _say(self._out, f"{clock(notice.ts)}Z {notice.level.value.upper():<7} {clean(text)}")
        status = snapshot.status
        state = (status.phase, status.paused, status.risk_mode, status.rung, status.holds)
        if state != self._state or self._now() - self._told_at >= EVERY_S:
            changed = state != self._state
            self._state, self._told_at = state, self._now()
            frame = Frame(snapshot, keys=WAYS)
            _say(self._out, "".join(text for text, _ in status_row(frame, WIDE_ENOUGH)).strip())
            if changed:
                _say(self._out, f"  {attention_row(frame, 0)[0][0].strip()}")

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


def _say(out: TextIO, line: str) -> None:
    out.write(f"{line}\n")
    out.flush()
