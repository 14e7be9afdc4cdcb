"""The program: `trader-tui`, and `python -m tui` where its script is not on the path."""

from typing import NoReturn

from engine.api import leave
from tui.cli import main


def run() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    try:
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    leave(code)


if __name__ == "__main__":
    run()
