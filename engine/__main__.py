"""`python -P -m engine FD`: the engine process that a console starts."""

import sys

from engine.runtime.sigmask import block_signals

if __name__ == "__main__":
    block_signals()
    from engine.runtime.process import process_main  # after the mask: it brings threads with it

    sys.exit(process_main())
