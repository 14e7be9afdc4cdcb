"""What starts fast stays fast: heavy libraries load where they are used, proven in a fresh process."""

import importlib.util
import subprocess
import sys

import pytest

HEAVY = ("numpy", "ccxt", "aiosqlite", "talib")
SCREEN = ("textual", "rich", "tui")

PROBE = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[2:])))
"""


def loaded_by(module: str, *watched: str) -> list[str]:
    """Return which of the watched packages a fresh interpreter has loaded after importing a module."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, module, *watched], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("module", ["engine", "engine.api", "engine.config.layers"])
def test_the_engines_door_loads_nothing_heavy_and_no_screen(module):
    assert loaded_by(module, *HEAVY, *SCREEN) == []


@pytest.mark.parametrize("module", ["tui.cli", "tui.app"])
def test_the_console_loads_nothing_heavy(module):
    if importlib.util.find_spec("tui") is None or importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not there")
    assert loaded_by(module, *HEAVY) == []


def test_the_command_line_starts_without_the_screen():
    if importlib.util.find_spec("tui") is None or importlib.util.find_spec("tui.cli") is None:
        pytest.skip("tui.cli is not there")
    assert loaded_by("tui.cli", "textual", "rich") == []
