"""How a process ends: with what it printed written out, and its own exit code whatever goes on beside it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

LEAVES = """
import sys, threading
from engine.runtime.leaving import leave
threading.Thread(target=threading.Event().wait).start()  # an interpreter that is taken down waits for it
sys.stdout.write("last words")
leave(int(sys.argv[1]))
"""


@pytest.mark.parametrize("code", [0, 3, 143])
def test_a_process_leaves_with_its_words_and_its_code(code):
    done = subprocess.run(
        [sys.executable, "-E", "-c", LEAVES, str(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "last words", "")


@pytest.mark.parametrize(("code", "ends"), [(0, 1), (4, 4)])
def test_words_that_cannot_be_written_are_no_success(code, ends):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-E", "-c", LEAVES, str(code)],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (ends, "")
