"""Measures the console: what it costs at 200x50 in tmux, and how soon it does what a key says.

`python -m benchmarks console` prints the table. Ten minutes of it watch the memory.
"""

import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.consolelog import BUSY_ACTION, Log
from benchmarks.figures import BUSY, PYTHON, Row, latency_rows, scratch, status, stop
from benchmarks.terminal import ROOT, Terminal
from benchmarks.tmux import Pane

COLUMNS, ROWS = 200, 50
KEYS = 300
PANICS = 10
CALM_S = 4.0
UNREAD_S = 3.0  # how long nobody has read a terminal that is not read: what it holds is full by then
RATES = (1_000, 10_000)
F12 = "\x1b[24~"
PANIC_WINDOW_S = 4.0
ANSWER_S = 20.0
LEAVE_WITHIN_S = 2.0
# What the console is in when it is told to end: the keys that lead there, and the words that show it.
STATES = (
    ("at rest", "", ""),
    ("a dialog", "m", "Risk mode"),
    ("the palette", "\x10", "ction or theme"),  # the cursor stands somewhere before it
    ("help", "?", "search · Esc closes"),
    ("the screen busy", "G", ""),
)
MEMORY_S = 600.0


def console(seconds: float = 60.0) -> list[Row]:
    """Measure all of it."""
    return [
        *_starts(),
        *_costs(seconds),
        *_latency(seconds),
        *_keys(),
        *_panic(),
        *_ends(),
        *_memory(),
    ]


def _rate(events_per_s: int) -> dict[str, str]:
    return {"TRADER_TUI_SYNTHETIC__EVENTS_PER_S": str(events_per_s)}


@contextmanager
def _engine(environment: dict[str, str]) -> Iterator[str]:
    """Run a headless engine; give its state folder."""
    with scratch() as state:
        command = [PYTHON, "-m", "tui", "run", "--headless", "--arm", "--state-dir", state]
        with tempfile.TemporaryFile() as sink:
            engine = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdout=sink, stderr=sink
            )
            try:
                _until_up(state)
                yield state
            finally:
                stop(state)
                engine.wait(30)


def _until_up(state: str) -> None:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            status(state)
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline_s:
                raise
        else:
            return


def _attach(state: str) -> list[str]:
    return [PYTHON, "-m", "tui", "attach", "--state-dir", state]


def _probed(state: str, log: Path) -> list[str]:
    return [PYTHON, "-m", "benchmarks.consoleprobe", str(log), "attach", "--state-dir", state]


def _starts(runs: int = 5) -> list[Row]:
    """Time the first frame of a console on an engine that runs, and its first data."""
    first, live = [], []
    with _engine({}) as state:
        for _ in range(runs):
            with Terminal(_attach(state), columns=COLUMNS, rows=ROWS, environment={}) as terminal:
                first.append(terminal.until("Market", 10))
                live.append(terminal.until("eng ok", 10))
    return [
        Row("attach: first frame", f"{statistics.median(first):.2f} s", "under 0.5 s"),
        Row("attach: the engine's state on screen", f"{statistics.median(live):.2f} s", "under 0.5 s"),
    ]


def _costs(seconds: float) -> list[Row]:
    """Measure processor time and bytes in tmux at both rates."""
    cpu: dict[int, float] = {}
    sent: dict[int, float] = {}
    for rate in RATES:
        with _engine(_rate(rate)) as state, _pane(_attach(state)) as pane:
            time.sleep(CALM_S)
            used_s, written, begun_s = pane.used_s(), pane.written(), time.monotonic()
            time.sleep(seconds)
            passed_s = time.monotonic() - begun_s
            cpu[rate] = (pane.used_s() - used_s) / passed_s
            sent[rate] = (pane.written() - written) / passed_s
    slow, fast = RATES
    return [
        Row(
            f"console in tmux, {COLUMNS}x{ROWS}, {slow:,} events/s: processor",
            f"{cpu[slow]:.1%} of a core",
            "at most 20 %",
        ),
        Row("the same: to the terminal", f"{sent[slow] / 1000:.0f} kB/s", "at most 60 kB/s"),
        Row(
            f"at {fast:,} events/s: processor; to the terminal",
            f"{cpu[fast]:.1%} ({cpu[fast] / cpu[slow]:.2f}x); "
            f"{sent[fast] / 1000:.0f} kB/s ({sent[fast] / sent[slow]:.2f}x)",
            "at most 1.3x",
        ),
    ]


@contextmanager
def _pane(command: list[str]) -> Iterator[Pane]:
    with Pane(command, columns=COLUMNS, rows=ROWS, environment={}) as pane:
        pane.until("eng ok")
        yield pane


def _latency(seconds: float) -> list[Row]:
    """Measure the engine with nobody looking, and while a console's palette opens and closes."""
    rows = []
    with _engine(BUSY) as state:
        time.sleep(seconds)
        rows += latency_rows(status(state), "headless", "beside the next")
    with _engine(BUSY) as state, _pane(_attach(state)) as pane:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            pane.keys("C-p")
            time.sleep(0.5)
            pane.keys("Escape")
            time.sleep(0.5)
        what = "console attached, its palette opened each second"
        rows += latency_rows(status(state), what, "p99 under 6 ms, p99.9 under 25 ms")
    return rows


def _keys() -> list[Row]:
    """Measure from a key's write to the terminal until its action is handled, at 1,000 events/s."""
    chance = random.Random(7)
    with _engine(BUSY) as state, scratch() as folder:
        log = Log(Path(folder) / "actions")
        with Terminal(_probed(state, log.path), columns=COLUMNS, rows=ROWS, environment={}) as terminal:
            terminal.until("eng ok", 15)
            terminal.watch(CALM_S)
            sent = []
            for number in range(KEYS):
                sent.append(time.monotonic_ns())
                terminal.type("jk"[number % 2])
                terminal.watch(chance.uniform(0.02, 0.1))
            while len(log.entries()) < KEYS:
                terminal.watch(0.1)
        handled = [at for at, _ in log.entries()]
    times_ms = sorted((at - pressed) / 1e6 for pressed, at in zip(sent, handled, strict=True))
    p50, p99 = times_ms[len(times_ms) // 2], times_ms[int(0.99 * len(times_ms))]
    value = f"{p50:.1f} / {p99:.1f} ms"
    return [Row(f"key to its handler p50 / p99 ({KEYS} keys)", value, "p50 under 10 ms, p99 under 60 ms")]


def _panic() -> list[Row]:
    """Measure from the second press of the panic key until the core flattens, the screen stuck or unread."""
    rows = []
    for name, stuck in (("the screen busy for 3 s", "G"), ("the terminal not read", "")):
        with _engine(BUSY) as state, scratch() as folder:
            log = Log(Path(folder) / "actions")
            command = _probed(state, log.path)
            with Terminal(command, columns=COLUMNS, rows=ROWS, environment={}) as terminal:
                terminal.until("eng ok", 15)
                terminal.watch(CALM_S)
                times_ms = [_press_twice(terminal, state, log, stuck) for _ in range(PANICS)]
        value = f"{statistics.median(times_ms):.1f} ms (worst of {PANICS} {max(times_ms):.1f})"
        rows.append(Row(f"panic key to the core, {name}", value, "under 20 ms"))
    return rows


def _press_twice(terminal: Terminal, state: str, log: Log, stuck: str) -> float:
    """Return ms from the second press to the core; `stuck` is the key that makes the screen hang."""
    presses, busy = log.count("panic"), log.count("free")
    if stuck:
        terminal.type(stuck)
        log.until(BUSY_ACTION, busy + 1)
    else:
        time.sleep(UNREAD_S)
    terminal.type(F12)
    log.until("panic", presses + 1)
    pressed = time.time_ns()
    terminal.type(F12)
    since = _flattened(state, pressed)
    terminal.watch(PANIC_WINDOW_S)  # what was unread is read, what was stuck goes on, the window is over
    if stuck:
        log.until("free", busy + 1)
    return (since - pressed) / 1e6


def _flattened(state: str, after: int) -> int:
    """Wait until the engine has flattened since a moment; return when it began (ns UTC)."""
    deadline_s = time.monotonic() + ANSWER_S
    while True:
        flatten = status(state)["flatten"]
        since = int(flatten["since"])
        if since >= after and flatten["step"] == "flat":
            return since
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no flatten within {ANSWER_S:.0f} s: {flatten}")


def _ends() -> list[Row]:
    """Measure how long SIGTERM takes in each state that a console may be in."""
    times_s: dict[str, float] = {}
    with _engine(BUSY) as state, scratch() as folder:
        log = Log(Path(folder) / "actions")
        command = _probed(state, log.path)
        for name, keys, sign in STATES:
            with Terminal(command, columns=COLUMNS, rows=ROWS, environment={}) as terminal:
                terminal.until("eng ok", 15)
                terminal.forget()
                terminal.type(keys)
                if sign:
                    terminal.until(sign, 15)
                elif keys:
                    log.until(BUSY_ACTION, 1)
                times_s[name] = _end(terminal, read=True)
        with Terminal(command, columns=COLUMNS, rows=ROWS, environment={}) as terminal:
            terminal.until("eng ok", 15)
            time.sleep(UNREAD_S)
            times_s["the terminal not read"] = _end(terminal, read=False)
    value = ", ".join(f"{name} {seconds:.1f}" for name, seconds in times_s.items())
    return [Row("SIGTERM to the end of the console, s", value, f"within {LEAVE_WITHIN_S:.0f} s each")]


def _end(terminal: Terminal, *, read: bool) -> float:
    """Tell the console to end; return the seconds that it took, ten at most."""
    begun_s = time.monotonic()
    terminal.process.send_signal(signal.SIGTERM)
    while terminal.process.poll() is None and time.monotonic() - begun_s < 10:
        if read:
            terminal.watch(0.02)
    return time.monotonic() - begun_s


def _memory() -> list[Row]:
    """Measure how the console's memory grows in ten minutes."""
    with _engine(BUSY) as state, _pane(_attach(state)) as pane:
        time.sleep(30)  # what is loaded late is loaded
        before = pane.resident_mb()
        time.sleep(MEMORY_S)
        after = pane.resident_mb()
    value = f"{after - before:+.1f} MB (to {after:.0f} MB)"
    return [Row(f"console's memory over {MEMORY_S / 60:.0f} minutes", value, "growth under 3 MB")]
