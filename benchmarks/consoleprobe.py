"""Runs the console with a probe in it: `python -m benchmarks.consoleprobe LOG [trader-tui's words]`.

Each action writes the time at which it was handled (ns of the machine's monotonic clock) and its id to LOG,
each press of a panic key the time and `panic`. The action `bottom` then keeps the screen's thread busy for
three seconds, so a console looks that hangs, and writes `free` when they are over.
"""

import os
import sys
import time

from benchmarks.consolelog import BUSY_ACTION
from tui.__main__ import run
from tui.app import ConsoleApp

BUSY_S = 3.0


def watch(log: int) -> None:
    """Look over the shoulder of whoever handles actions, from here on."""
    act, panic_key = ConsoleApp.action_act, ConsoleApp.panic_key

    def note(what: str) -> None:
        os.write(log, f"{time.monotonic_ns()} {what}\n".encode())

    def watched(app: ConsoleApp, action_id: str) -> None:
        note(action_id)
        act(app, action_id)
        if action_id == BUSY_ACTION:
            until_s = time.monotonic() + BUSY_S
            while time.monotonic() < until_s:
                pass
            note("free")

    def pressed(app: ConsoleApp, key: str) -> None:
        panic_key(app, key)
        note("panic")

    ConsoleApp.action_act = watched  # type: ignore[assignment,method-assign]
    ConsoleApp.panic_key = pressed  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    watch(os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    run()
