"""The peers, and a virtual environment for each of them outside of the repository."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

INSTALL_TIMEOUT_S = 900.0


class Peer(NamedTuple):
    """A system to compare with: its distribution and the version that is asked for first."""

    name: str
    version: str
    note: str = ""
    on: str = "bars"  # or trades

    @property
    def script(self) -> Path:
        """Our play in its language."""
        work = "" if self.on == "bars" else f"_{self.on}"
        return Path(__file__).with_name(f"run_{self.name.partition('_')[0]}{work}.py")


PEERS = (
    Peer("backtesting", "0.6.6", "averages computed before the run, by pandas"),
    Peer("basana", "1.11"),
    Peer("nautilus_trader", "1.231.0", "its analysis of trades is off, which grows with their square"),
    Peer("backtrader", "1.9.78.123"),
    Peer("nautilus_trader", "1.231.0", "its analysis of trades is off", on="trades"),
)


class InstallError(Exception):
    """A peer cannot be installed here; `str()` says why in a line."""


def python_of(peer: Peer, folder: Path) -> Path:
    """Return the interpreter of a peer's environment; make and fill it if need be. Raises InstallError."""
    home = folder / peer.name
    python = home / "bin" / "python"
    if python.exists() and _installed(python, peer):
        return python
    problem = "no interpreter was found"
    for interpreter in _interpreters():
        shutil.rmtree(home, ignore_errors=True)
        for wanted in (f"{peer.name}=={peer.version}", peer.name):  # else the newest that installs
            problem = _install(interpreter, home, wanted)
            if not problem:
                return python
            if "different python version" not in problem:
                break
    raise InstallError(problem)


def python_version(python: Path) -> str:
    """Return which Python a peer runs on."""
    return _asked(python, "import platform; print(platform.python_version())")


def _installed(python: Path, peer: Peer) -> str:
    return _asked(python, f"import importlib.metadata as m; print(m.version({peer.name!r}))")


def _asked(python: Path, question: str) -> str:
    done = subprocess.run([python, "-c", question], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _interpreters() -> Iterator[str]:
    """Yield this interpreter, then newer ones: some peers need them."""
    yield sys.executable
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in ("3.12", "3.13", "3.14"):
        found = [*root.glob(f"{version}.*/bin/python"), shutil.which(f"python{version}")]
        yield from (str(path) for path in found if path and _runs(str(path)))


def _runs(interpreter: str) -> bool:
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def _install(interpreter: str, home: Path, wanted: str) -> str:
    """Make an environment and install into it; return the reason of a failure in a line, else nothing."""
    python = str(home / "bin" / "python")
    for command in ([interpreter, "-m", "venv", str(home)], [python, "-m", "pip", "install", "-q", wanted]):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{wanted} with {interpreter}: {error}"
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            refused = "needs a different python version" if re.search("different python", done.stderr) else ""
            reason = (errors or done.stderr.splitlines() or ["no reason given"])[-1]
            return refused or reason.removeprefix("ERROR: ")[:200]
    return ""
