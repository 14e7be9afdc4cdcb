"""The last step of a process: what it printed goes out, and it ends with the code it promised."""

import os
import sys
from typing import NoReturn

UNWRITTEN = 1


def leave(code: int) -> NoReturn:
    """End the process with an exit code, without taking the interpreter down piece by piece.

    Everything that must last is on the disk by now. Threads that wait for signals are still there, and an
    interpreter that is taken apart around them can crash on the way: one engine in some thousands ended with
    SIGSEGV instead of its code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or UNWRITTEN
    os._exit(code)
