"""Run as a script: becomes another program, with no signal blocked as an engine has some."""

import os
import signal
import sys

NOT_FOUND = 127  # as a shell says it

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the user's own program, without a shell
    except OSError:
        sys.exit(NOT_FOUND)
