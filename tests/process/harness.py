"""Starts the real program for a test, looks at it from outside, and ends whatever is left of it."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine.api import (
    Phase,
    Snapshot,
    TraderError,
    fetch_status,
    load_settings,
    running_engine,
    state_directory,
)
from engine.config.settings import Settings

PROGRAM = str(Path(sys.executable).with_name("trader-tui"))
LIMIT_S = 30.0  # how long anything may take on a busy machine
POLL_S = 0.05

# A market that has something to say every second, so that no test waits for it.
BRISK = {"TRADER_TUI_SYNTHETIC__BASE_STEP_S": "1", "TRADER_TUI_SYNTHETIC__EVENTS_PER_S": "200"}

# Opens a position as soon as it may and keeps it: a flatten or a restart has something to deal with.
HOLDER = """\
name: holder
timeframe: base
size: {notional: 500}
long:
  enter: close > 0
stop_loss: {percent: 20}
take_profit: {percent: 20}
"""

Found = TypeVar("Found")


def eventually(
    probe: Callable[[], Found], why: str, *, timeout_s: float = LIMIT_S, show: Callable[[], str] | None = None
) -> Found:
    """Ask until the answer is true and return it; fail with `why` and what `show` says when time is up.

    An engine that cannot be asked yet counts as a no.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        found: Found | None = None
        problem = ""
        try:
            found = probe()
        except TraderError as error:
            problem = str(error)
        if found:
            return found
        if time.monotonic() > deadline_s:
            shown = show() if show is not None else problem
            raise AssertionError(f"not within {timeout_s:g} s: {why}\n{shown}")
        time.sleep(POLL_S)


@dataclass(frozen=True)
class Done:
    """How a command ended. `cpu_s` is the processor time it took, whatever else the machine did."""

    code: int
    out: str
    err: str
    cpu_s: float = 0.0


class House:
    """One test's own machine: state, runtime and configuration folders that nobody else has."""

    def __init__(self, root: Path, env: dict[str, str]) -> None:
        self.root = root
        self.env = env
        self.state_dir = root / "state"
        self._started: list[subprocess.Popen[str]] = []
        self.play = root / "holder.yaml"
        self.play.write_text(HOLDER)

    def unmeasured(self) -> None:
        """Measure no coverage from now on: it makes long tapes longer."""
        self.env = {name: value for name, value in self.env.items() if not name.startswith("COVERAGE")}

    # running

    def words(self, *words: object) -> list[str]:
        """Return a whole command line of the program on this house's state."""
        state = () if {"backtest", "data", "venue"} & set(words) else ("--state-dir", str(self.state_dir))
        return [PROGRAM, *map(str, words), *state]

    def run(
        self,
        *words: object,
        env: dict[str, str] | None = None,
        before: Sequence[str] = (),
        timeout_s: float = LIMIT_S,
    ) -> Done:
        """Run a command to its end, without a terminal."""
        before_s = _children_s()
        done = subprocess.run(
            [*before, *self.words(*words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.root,
            env=self.env | (env or {}),
            timeout=timeout_s,
        )
        return Done(done.returncode, done.stdout, done.stderr, _children_s() - before_s)

    def start(self, *words: object, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start a command without a terminal; its output is read by `finish`."""
        process = subprocess.Popen(
            self.words(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.root,
            env=self.env | (env or {}),
        )
        self._started.append(process)
        return process

    def engine(
        self, *words: object, instance: str = "default", env: dict[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start an engine alone and wait until it answers."""
        process = self.start("run", "--headless", "--instance", instance, *words, env=BRISK | (env or {}))
        eventually(
            lambda: process.poll() is not None or self.snapshot(instance),
            "the engine answers",
            show=lambda: finish(process).err if process.poll() is not None else "it runs, mute",
        )
        assert process.poll() is None, finish(process).err
        return process

    def holding(self, *words: object, instance: str = "default") -> "subprocess.Popen[str]":
        """Start an armed engine and wait until it holds a position."""
        process = self.engine("--play", self.play, "--arm", *words, instance=instance)
        eventually(lambda: self.position(instance) and self.protected(instance), "a protected position")
        return process

    # looking

    def settings(self, instance: str = "default") -> Settings:
        """Return settings that name an instance of this house."""
        return load_settings({"state_dir": str(self.state_dir), "instance": instance})

    def snapshot(self, instance: str = "default") -> Snapshot:
        """Ask the engine how it is. Raises ControlError."""
        return fetch_status(self.settings(instance))[1]

    def phase(self, instance: str = "default") -> Phase:
        """Return the engine's phase."""
        return self.snapshot(instance).status.phase

    def position(self, instance: str = "default") -> str:
        """Return the open positions as text, empty where the engine is flat."""
        return " ".join(f"{p.symbol}:{p.qty}" for p in self.snapshot(instance).positions if p.qty != 0)

    def protected(self, instance: str = "default") -> bool:
        """Tell whether a stop and a target rest at the venue."""
        orders = self.snapshot(instance).orders
        return sum(order.state.is_open and bool(order.venue_id) for order in orders) == 2

    def pid(self, instance: str = "default") -> int:
        """Return the pid of whoever holds the instance's lock, 0 where nobody does."""
        owner = running_engine(self.settings(instance))
        return owner.pid if owner is not None else 0

    def folder(self, instance: str = "default") -> Path:
        """Return the instance's state folder."""
        return state_directory(self.settings(instance))

    def gone(self, instance: str = "default") -> bool:
        """Tell whether nobody holds the instance's lock."""
        return self.pid(instance) == 0

    # the end

    def clear(self) -> None:
        """End all that was started here, and engines that consoles left behind."""
        for process in self._started:
            end(process)
        for folder in self.state_dir.iterdir() if self.state_dir.is_dir() else ():
            if folder.is_dir() and (pid := self.pid(folder.name)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                eventually(partial(self.gone, folder.name), "a killed engine's lock is free")


def finish(process: "subprocess.Popen[str]", timeout_s: float = LIMIT_S) -> Done:
    """Wait for a started command to end and return how it did."""
    out, err = process.communicate(timeout=timeout_s)
    return Done(process.returncode, out, err)


def _children_s() -> float:
    """Return the processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def end(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """End a process of ours, whatever it is doing."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait(LIMIT_S)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def one_message(done: Done) -> str:
    """Check that a failure was told in one message without a traceback; return it."""
    assert "Traceback" not in done.err, done.err
    assert done.out == "", done.out
    message = done.err.strip()
    assert message, "a failure says why"
    return message
