"""A house for each process test, taken down whatever happened in it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.process.harness import House
from tests.process.terminals import Terminal, Tmux


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An own state, configuration and runtime folder; nothing of the user's."""
    runtime = Path(tempfile.mkdtemp(prefix="tt-", dir="/tmp"))  # short: a socket's address holds 107 bytes
    for name in [name for name in os.environ if name.startswith("TRADER_TUI_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state-home"),
        "TMUX_TMPDIR": str(runtime),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "TRADER_TUI_CONSOLE__WELCOME": "false",  # its tests turn it on; elsewhere it would take the first key
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    home = House(tmp_path, dict(os.environ))
    try:
        yield home
    finally:
        home.clear()
        shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def terminal(house: House) -> Iterator[Callable[..., Terminal]]:
    """Starts the program in pseudo-terminals."""
    with ExitStack() as stack:

        def start(*words: object, **options: int) -> Terminal:
            opened = Terminal(house, *words, **options)
            stack.callback(opened.close)
            return opened

        yield start


@pytest.fixture
def tmux(house: House) -> Iterator[Callable[..., Tmux]]:
    """Starts the program in tmux; the test is skipped where there is none."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: the console was NOT tested in it")
    with ExitStack() as stack:

        def start(name: str, *words: object, **options: int) -> Tmux:
            opened = Tmux(house, name, *words, **options)
            stack.callback(opened.close)
            return opened

        yield start
