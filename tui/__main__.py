"""The program: `trader-tui`, and `python -m tui` where its script is not on the path."""

import gc
from typing import NoReturn


def run() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    gc.disable()  # loading makes much and drops nothing: collections would cost a tenth of its time
    from engine.api import leave  # noqa: PLC0415 - what is loaded is the point
    from tui.cli import main  # noqa: PLC0415 - as above

    gc.enable()
    try:
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    leave(code)


if __name__ == "__main__":
    run()
