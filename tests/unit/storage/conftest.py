"""Disks that refuse: made with the system's own means, not by replacing functions."""

import contextlib
import os
import resource
import shutil
import tempfile
from pathlib import Path

import pytest

NOBODY = 65_534


class ReadOnly:
    """Directories outside of pytest's own, which another user could not even enter."""

    def __init__(self):
        self.made: list[Path] = []

    def make(self) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="trader-tui-read-only-"))
        directory.chmod(0o755)
        self.made.append(directory)
        return directory

    @contextlib.contextmanager
    def __call__(self, directory: Path):
        directory.chmod(0o555)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
            directory.chmod(0o755)


@pytest.fixture
def read_only():
    """Give a context in which a directory of ours may be read and not be written, for root too."""
    refusing = ReadOnly()
    yield refusing
    for directory in refusing.made:
        shutil.rmtree(directory)


@pytest.fixture
def file_size_limit():
    """Give a context in which no file may grow past some bytes: writes then fail as on a full disk."""

    @contextlib.contextmanager
    def limit(size: int):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit
