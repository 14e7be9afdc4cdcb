"""The wheel holds what the program needs and starts in an environment that has nothing else."""

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engine import __version__

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("wheel")]


def run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None, timeout_s: float = 300) -> str:
    """Run a command away from the checkout; its output, or a failure that shows it."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=env,
        timeout=timeout_s,
    )
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel as a release would."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel, tmp_path_factory):
    """Install the wheel with the tested versions into an environment of its own."""
    if importlib.util.find_spec("tui") is None or importlib.util.find_spec("tui.cli") is None:
        pytest.skip("the command line is not there yet")
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    install = ("install", "-q", "--no-input", "-c", ROOT / "constraints.txt", wheel)
    run(sys.executable, "-m", "pip", "--python", python, *install, cwd=folder)
    return python.with_name("trader-tui")


@pytest.fixture
def clean(tmp_path):
    """An environment without the checkout, coverage or the user's own files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return kept | {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_RUNTIME_DIR": "",
    }


def test_themes_and_configs_ship_inside_the_wheel(wheel):
    shipped = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"engine/_data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("themes", "configs")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert wanted
    assert wanted <= shipped


def test_the_wheel_holds_two_packages_and_no_tests(wheel):
    names = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert names == {"engine", "tui", f"trader_tui-{__version__}.dist-info"}


def test_the_program_says_its_version(program, clean, tmp_path):
    assert __version__ in run(program, "--version", cwd=tmp_path, env=clean)


def test_the_program_trades_on_the_embedded_market(program, clean, tmp_path):
    words = ("run", "--headless", "--duration", "2", "--state-dir", tmp_path / "state", "--json")
    said = run(program, *words, cwd=tmp_path, env=clean, timeout_s=60)
    assert isinstance(json.loads(said.strip().splitlines()[-1]), dict)
