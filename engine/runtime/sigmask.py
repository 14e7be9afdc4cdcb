"""Blocking signals before any thread exists. Imports next to nothing, for an import may start threads."""

import os
import signal

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def block_signals() -> None:
    """Block what an engine takes in a thread of its own, first thing in its process.

    A thread that was started before would not inherit the mask, and a signal that reaches it would end the
    process with nothing said or stored. Numbers are computed on one thread, the same on every machine.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
