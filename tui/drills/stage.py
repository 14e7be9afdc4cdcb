"""Where a drill takes place: a scratch folder, a local exchange in it, and an engine that trades there.

Exchange and engine are this program, started as a user would start them. Nothing of the user's is read or
written: configuration and state are folders of the scratch one, and settings in the environment are left out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from engine.api import Action, Phase, Snapshot, TraderError, fetch_status, load_settings, send_command
from tui.drills.promises import Kept

if TYPE_CHECKING:
    from engine.api import Settings

POLL_S = 0.02
START_S = 30.0
ARMING = "a drill"
SYMBOL = "BTCUSDT"
OURS = "TRADER_TUI_"

# It enters as soon as it may, and keeps what it has behind a stop and a target far away.
HOLDER = f"""\
name: drill
symbols: [{SYMBOL}]
timeframe: trade
size: {{notional: 500}}
long:
  enter: close > 0
stop_loss: {{percent: 20}}
take_profit: {{percent: 20}}
"""

Process = subprocess.Popen[str]


class DrillError(Exception):
    """The drill could not be carried through: that is neither kept nor broken."""


class Stage:
    """One exchange and one engine; `promises` gathers what was tried."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.promises: list[Kept] = []
        self.exchange: Process | None = None
        self.engine: Process | None = None
        self._rest = ""
        self._log = stack.enter_context((folder / "output.log").open("w"))
        (folder / "drill.yaml").write_text(HOLDER)
        self._env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
            self._env[name] = str(folder / name[4:8].lower())
        (folder / "runt").mkdir(mode=0o700)
        stack.enter_context(_environment(self._env))

    # the exchange

    def open_exchange(self) -> None:
        """Start the exchange, on the port it had before where there was one; it goes on with what it held."""
        port = self._rest.rpartition(":")[2] or "0"
        state = str(self._folder / "exchange.state")
        words = ("venue", "--port", port, "--json", "--state", state, "--symbols", SYMBOL)
        self.exchange = self._start(*words, stdout=subprocess.PIPE)
        assert self.exchange.stdout is not None, "it was asked for"
        line = self.exchange.stdout.readline()
        if not line:
            raise DrillError(f"the exchange did not start: {self._last_words()}")
        self._rest = json.loads(line)["rest"]

    def kill_exchange(self) -> None:
        """End the exchange without a word."""
        self._kill(self.exchange)

    def fault(self, **rule: object) -> None:
        """Put a fault in force."""
        self._ask("/_faults", "POST", rule)

    def heal(self) -> None:
        """Take all faults away."""
        self._ask("/_faults", "DELETE")

    def ledger(self) -> dict[str, Any]:
        """Return what the exchange really holds."""
        return self._ask("/_ledger", "GET")

    def _ask(self, path: str, method: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._rest}{path}", data, method=method)  # noqa: S310 - our own exchange
        with urllib.request.urlopen(request, timeout=START_S) as answer:  # noqa: S310 - likewise
            return dict(json.load(answer))

    # the engine

    def start_engine(self, **settings: str) -> None:
        """Start an engine on the exchange and wait until its books are compared."""
        self._env |= {f"{OURS}{name.upper()}": value for name, value in settings.items()}
        self._env[f"{OURS}LOCAL__PORT"] = self._rest.rpartition(":")[2]
        words = ("run", "--headless", "--mode", "demo", "--venue", "local", "--play", "drill.yaml")
        self.engine = self._start(*words, "--state-dir", str(self._folder / "state"))
        self._await(self.is_reconciled, "the engine did not become ready")

    def arm(self) -> None:
        """Let the engine trade."""
        self.command(Action.ARM, argument=self.snapshot().status.confirm_name, reason=ARMING)

    def hold_position(self) -> None:
        """Arm and wait for a position that is protected."""
        self.arm()
        self._await(self.is_protected, "the engine opened no protected position")

    def kill_engine(self) -> None:
        """End the engine by SIGKILL."""
        self._kill(self.engine)

    def command(self, action: Action, argument: str = "", reason: str = "") -> None:
        """Send the engine a command."""
        send_command(self._settings(), action, actor="drill", reason=reason, argument=argument)

    def snapshot(self) -> Snapshot:
        """Ask the engine how it is. Raises ControlError."""
        return fetch_status(self._settings())[1]

    def _settings(self) -> "Settings":
        return load_settings({"state_dir": str(self._folder / "state")})

    # looking

    def is_reconciled(self) -> bool:
        """Tell whether the engine answers and has compared its books with the exchange."""
        return not self.held_by("reconciling")

    def held_by(self, holder: str) -> bool:
        """Tell whether somebody holds the engine back."""
        return any(hold.holder.value == holder for hold in self.snapshot().status.holds)

    def is_protected(self) -> bool:
        """Tell whether the engine holds a position whose stop the exchange knows."""
        snapshot = self.snapshot()
        stops = [o for o in snapshot.orders if o.role.value == "stop" and o.state.is_open and o.venue_id]
        return any(position.qty for position in snapshot.positions) and bool(stops)

    def is_halted(self) -> bool:
        """Tell whether a flatten has come to its end."""
        return self.snapshot().status.phase is Phase.HALTED

    def books_agree(self) -> bool:
        """Tell whether position and open orders are the exchange's."""
        snapshot, ledger = self.snapshot(), self.ledger()
        ours = {p.symbol: p.qty for p in snapshot.positions if p.qty}
        signs = {"Buy": 1, "Sell": -1}
        theirs = {p["symbol"]: signs[p["side"]] * float(p["size"]) for p in ledger["positions"]}
        open_here = {o.client_id for o in snapshot.orders if o.state.is_open}
        return {s: float(q) for s, q in ours.items()} == theirs and open_here == set(self.open_there())

    def open_there(self) -> list[str]:
        """Return the ids of the orders that are open at the exchange."""
        alive = ("New", "PartiallyFilled", "Untriggered", "Triggered")
        return [o["orderLinkId"] for o in self.ledger()["orders"] if o["orderStatus"] in alive]

    def doubled(self) -> list[str]:
        """Return the ids that the exchange got more than once."""
        return [client_id for client_id, times in self.ledger()["submits"].items() if times > 1]

    # promises

    def promise(self, what: str, within_s: float, probe: Callable[[], object], since: float = 0.0) -> bool:
        """Try until it is so or the time is up; `since` (monotonic s) says what it counts from."""
        began = since or time.monotonic()
        found: object = False
        why = ""
        while not found:
            try:
                found, why = probe(), ""
            except (TraderError, OSError) as error:
                why = str(error)
            if time.monotonic() - began > within_s:
                break
            if not found:
                time.sleep(POLL_S)
        took_s = time.monotonic() - began
        ok = bool(found) and took_s <= within_s
        self.promises.append(Kept(what, ok, took_s, within_s, "" if ok else why or self._shown()))
        return ok

    def keep(self, what: str, for_s: float, probe: Callable[[], object]) -> bool:
        """Try that something stays so for a while."""
        began, broken = time.monotonic(), ""
        while not broken and (took_s := time.monotonic() - began) < for_s:
            try:
                broken = "" if probe() else self._shown()
            except (TraderError, OSError) as error:
                broken = str(error)
            time.sleep(POLL_S)
        self.promises.append(Kept(what, not broken, took_s, for_s, broken))
        return not broken

    def _await(self, probe: Callable[[], object], why: str) -> None:
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            with suppress(TraderError):
                if probe():
                    return
            if self.engine is not None and self.engine.poll() is not None:
                raise DrillError(f"the engine ended with {self.engine.returncode}: {self._last_words()}")
            time.sleep(POLL_S)
        raise DrillError(f"{why} within {START_S:g} s: {self._shown()}")

    def _shown(self) -> str:
        """Say in a line how the engine is."""
        try:
            snapshot = self.snapshot()
        except TraderError as error:
            return str(error)
        status = snapshot.status
        holds = ", ".join(f"{hold.holder.value} {hold.detail}".strip() for hold in status.holds)
        orders = ", ".join(f"{o.role.value} {o.state.value}" for o in snapshot.orders if o.state.is_open)
        positions = ", ".join(f"{p.symbol} {p.qty}" for p in snapshot.positions if p.qty)
        return f"phase {status.phase.value}; holds: {holds}; orders: {orders}; positions: {positions}"

    # processes

    def _start(self, *words: str, stdout: "int | IO[str] | None" = None) -> Process:
        process: Process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-m", "tui", *words],
            stdin=subprocess.DEVNULL,
            stdout=stdout or self._log,
            stderr=self._log,
            text=True,
            cwd=self._folder,
            env=self._env,
            start_new_session=True,  # Ctrl-C ends the drill, and the drill ends them
        )
        self._stack.callback(self._kill, process)
        return process

    def _kill(self, process: Process | None) -> None:
        if process is not None and process.poll() is None:
            process.kill()
        if process is not None:
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _last_words(self) -> str:
        lines = (self._folder / "output.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@contextmanager
def _environment(env: dict[str, str]) -> Iterator[None]:
    """Look for the engine where the stage has put it, and give this process its own environment back."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def a_stage() -> Iterator[Stage]:
    """Open a stage in a scratch folder; all processes end and the folder goes with it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tt-drill-")))
        stage = Stage(folder, stack)
        stage.open_exchange()
        yield stage
