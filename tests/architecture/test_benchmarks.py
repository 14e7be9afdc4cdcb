"""The benchmarks' runner: what it starts inherits what it blocks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = "import signal, benchmarks.__main__; print(len(signal.pthread_sigmask(signal.SIG_BLOCK, ())))"


def test_it_blocks_no_signal() -> None:
    """A terminal that inherited that could not be ended, and would cost what is measured after it."""
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
