"""Runs the console with a probe in it: `python -m benchmarks.consoleprobe LOG [trader-tui's words]`.

Each action writes its id and the time at which it was handled (ns of the machine's monotonic clock) to LOG.
The action `bottom` then keeps the screen's thread busy for three seconds: so a console looks that hangs.
"""

import os
import sys
import time

from tui.__main__ import run
from tui.app import ConsoleApp

BUSY_S = 3.0
BUSY_ACTION = "bottom"


def watch(log: int) -> None:
    """Look over the shoulder of whoever handles actions, from here on."""
    act = ConsoleApp.action_act

    def watched(app: ConsoleApp, action_id: str) -> None:
        os.write(log, f"{time.monotonic_ns()} {action_id}\n".encode())
        act(app, action_id)
        if action_id == BUSY_ACTION:
            until_s = time.monotonic() + BUSY_S
            while time.monotonic() < until_s:
                pass

    ConsoleApp.action_act = watched  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    watch(os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    run()
