"""`python -P -m engine FD`: the engine process that a console starts."""

import sys

from engine.runtime.process import process_main

if __name__ == "__main__":
    sys.exit(process_main())
