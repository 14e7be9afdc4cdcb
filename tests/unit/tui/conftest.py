"""What the console's unit tests share: an own place on the machine."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api import load_settings
from engine.config.settings import Settings


@pytest.fixture
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of nobody else's, and the signal mask put back: commands block what their engine takes."""
    runtime = tempfile.mkdtemp(prefix="tt-", dir="/tmp")  # short: a socket's address holds 107 bytes
    for name in [name for name in os.environ if name.startswith("TRADER_TUI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield tmp_path
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def short_tape(own_place: Path) -> Settings:
    """Settings of a backtest of the canary over a hundred minutes of 2020-01-31, from midnight on."""
    start_ms = 1_580_428_800_000
    rows = [f"{start_ms + i * 60_000},{100 + i % 7},110,90,{100 + i % 5},5" for i in range(100)]
    data = own_place / "bars.csv"
    data.write_text("\n".join(["ts_ms,open,high,low,close,volume", *rows]))
    return load_settings({"mode": "backtest", "plays": ("canary",), "data": (str(data),)})


@pytest.fixture
def settings(own_place: Path) -> Settings:
    """Settings of an instance called night."""
    return load_settings({"state_dir": str(own_place / "state"), "instance": "night"})
