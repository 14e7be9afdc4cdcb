"""The garbage collector, kept from pausing the engine: its rounds are taken in quiet moments."""

import gc


class Collector:
    """Holds the collector still while an engine runs; the process has only one."""

    def __init__(self) -> None:
        self._was_on = gc.isenabled()

    def calm(self) -> None:
        """Leave what is alive now alone, and begin no round by itself: the heartbeat does."""
        gc.collect()
        gc.freeze()  # what is alive now stays: later collections need not look at it
        gc.disable()

    def let_go(self) -> None:
        """Let the collector be as it was."""
        gc.unfreeze()
        if self._was_on:
            gc.enable()
