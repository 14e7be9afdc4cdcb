"""One case three ways, in processes of their own: backtest, replay, and a replay killed on its way."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.runtime.parity.difference import find_difference
from engine.runtime.parity.pairs import Case, why_silent
from engine.runtime.parity.report import FirstDifference, Outcome, Verdict

KILL_TIMEOUT_S = 600.0
KILL_TRIES = 3  # a short tape may be over before it can be killed
POLL_S = 0.01
SEGMENT_BYTES = 2_000  # a segment this long holds more than its header
COMPARED = (
    *("signal_hash", "trade_hash", "signals", "vetoed", "orders", "fills", "risk_mode"),
    *("final_equity", "max_drawdown"),
)
# No cap of a default may end a run early: what is compared should be long.
ENVIRONMENT = {
    "TRADER_TUI_LIMITS__ORDER_NOTIONAL_MAX": "null",
    "TRADER_TUI_LIMITS__POSITION_NOTIONAL_MAX": "null",
    "TRADER_TUI_LIMITS__LEVERAGE_MAX": "null",
    "TRADER_TUI_LIMITS__PRICE_COLLAR_PERCENT": "null",
    "TRADER_TUI_RUNTIME__CHECKPOINT_S": "0.25",
}


class ProgramError(Exception):
    """A run ended with an error; its message is the program's own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Ways:
    """Runs cases. `program` is the command that starts trader-tui."""

    def __init__(self, program: Sequence[str]) -> None:
        self._program = tuple(program)
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End replays that wait to be killed: nobody wants to know any more."""
        self._stopping.set()

    def compare(self, case: Case, work: Path) -> Outcome:
        """Run a case three ways in a scratch folder of its own."""
        if case.unfit:
            return _outcome(case, Verdict.UNFIT, case.unfit)
        try:
            backtest = self.backtest(case)
        except ProgramError as error:
            return _outcome(case, Verdict.UNFIT if error.code == 2 else Verdict.UNPROVEN, str(error))
        if not backtest["signals"]:
            return _outcome(case, Verdict.UNFIT, why_silent(case, backtest["bars"]))
        if not backtest["trades"]:
            counts = f"signals: {backtest['signals']:,}, of them vetoed: {backtest['vetoed']:,}"
            return _outcome(case, Verdict.UNFIT, f"{counts}, but no trade closed")
        try:
            return self._replays(case, backtest, work)
        except ProgramError as error:
            return _outcome(case, Verdict.UNPROVEN, str(error), {"backtest": backtest})

    def _replays(self, case: Case, backtest: dict[str, Any], work: Path) -> Outcome:
        runs = {"backtest": backtest, "replay": self.replay(case, work / "replay")}
        folder, killed = work / "killed", False
        for attempt in range(KILL_TRIES):
            folder = work / f"killed{attempt}"
            killed = self.kill_on_the_way(case, folder)
            if killed:
                break
        runs["resumed"] = self.replay(case, folder)
        for name, state in (("replay", work / "replay"), ("resumed", folder)):
            if not agree(backtest, runs[name]):
                text = f"{name} is not backtest"
                flags = {"plays": (str(case.play),), "data": case.sources}
                found = find_difference(flags, self.settings(case), state)
                return _outcome(case, Verdict.DIFFERENT, text, runs, found)
        if not killed:
            return _outcome(case, Verdict.UNPROVEN, "the replay was over before it could be killed", runs)
        return _outcome(case, Verdict.IDENTICAL, "", runs)

    def backtest(self, case: Case) -> dict[str, Any]:
        """Run the backtest. Raises ProgramError."""
        return self._json(case, ("backtest", str(case.play), *_data(case), "--json"))

    def replay(self, case: Case, state: Path) -> dict[str, Any]:
        """Run the replay to its end, from where one was that broke off there. Raises ProgramError."""
        return self._json(case, _replay(case, state))

    def kill_on_the_way(self, case: Case, state: Path) -> bool:
        """Start a replay and kill it once it has recorded something after its first checkpoint."""
        process = self._start(case, _replay(case, state))
        waited_s = 0.0
        while process.poll() is None and waited_s < KILL_TIMEOUT_S:
            if _recorded(state) or self._stopping.is_set():
                process.send_signal(signal.SIGKILL)
                break
            self._stopping.wait(POLL_S)
            waited_s += POLL_S
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def settings(self, case: Case) -> dict[str, str]:
        """Return what a case's runs are told by their environment."""
        return {**ENVIRONMENT, "TRADER_TUI_ACCOUNT__EQUITY": str(case.equity)}

    def _start(self, case: Case, words: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - the program is this one, the words are ours
            [*self._program, *words],
            env={**os.environ, **self.settings(case)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _json(self, case: Case, words: Sequence[str]) -> dict[str, Any]:
        process = self._start(case, words)
        try:
            out, err = process.communicate()
        finally:
            if process.poll() is None:
                process.kill()
        if process.returncode != 0:
            raise ProgramError(process.returncode, err.strip() or f"ended with {process.returncode}")
        result: dict[str, Any] = json.loads(out)
        return result


def agree(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Tell whether two runs decided the same."""
    return all(a[name] == b[name] for name in COMPARED)


def _data(case: Case) -> tuple[str, ...]:
    return tuple(word for source in case.sources for word in ("--data", source))


def _replay(case: Case, state: Path) -> tuple[str, ...]:
    how = ("run", "--mode", "replay", "--speed", "max", "--headless", "--arm", "--json")
    return (*how, "--play", str(case.play), *_data(case), "--state-dir", str(state))


def _recorded(state: Path) -> bool:
    """Whether an engine saved a checkpoint with the tape under way, or recorded more than its header."""
    checkpoints = list(state.rglob("*.checkpoint"))
    segments = list(state.rglob("000001.segment"))
    return len(checkpoints) > 1 or any(path.stat().st_size > SEGMENT_BYTES for path in segments)


def _outcome(
    case: Case,
    verdict: Verdict,
    text: str,
    runs: dict[str, dict[str, Any]] | None = None,
    difference: FirstDifference | None = None,
) -> Outcome:
    run = (runs or {}).get("backtest", {})
    return Outcome(
        play=case.play.stem,
        data=case.name,
        verdict=verdict,
        text=text,
        runs=runs or {},
        difference=difference,
        **{name: run[name] for name in ("bars", "signals", "trades", "signal_hash", "trade_hash") if run},
    )
