"""The parity of backtest, replay and interrupted replay: `python -m benchmarks.parity [--rows N] [NAME ...]`.

For every file of bars and trades under ../shared/data with a play that fits it: the backtest, the replay
through the live path, and a replay whose process is killed (SIGKILL) on the way and started again must give
one signal_hash and one trade_hash, with signals and trades above 0. Exit code 4 on a difference.
"""

import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
OWN_PLAYS = {
    "contracts": ROOT / "benchmarks/plays/contracts.yaml",
    "thin": ROOT / "benchmarks/plays/thin.yaml",
}
KILL_TIMEOUT_S = 120.0
# No cap of a default may end a run early: what is compared should be long.
ENVIRONMENT = {
    "TRADER_TUI_LIMITS__ORDER_NOTIONAL_MAX": "null",
    "TRADER_TUI_LIMITS__POSITION_NOTIONAL_MAX": "null",
    "TRADER_TUI_ACCOUNT__EQUITY": "1000000",
    "TRADER_TUI_RUNTIME__CHECKPOINT_S": "0.25",
}


class Case(NamedTuple):
    """A file and the play that fits it."""

    file: str
    play: str


CASES = (
    Case("bars/bitmex_xbtusd_1m_2020.csv.gz", "ema_cross"),
    Case("bars/bitfinex_btcusd_1m_2016.csv.gz", "ema_cross"),
    Case("bars/btcperp_1m_20211231_20220201.csv.gz", "rsi_pullback"),
    Case("bars/fxcm_gbpusd_1m_bid_2012.csv.gz", "ema_cross"),
    Case("bars/fxcm_gbpusd_1m_ask_2012.csv.gz", "canary"),
    Case("bars/freqtrade_unittestbtc_1m_2017.csv.gz", "canary"),
    Case("bars/binance_ethbtc_5m_201801.csv.gz", "rsi_pullback"),
    Case("trades/binance_usdm_btcusdt_20240808_trades.csv.gz", "canary"),
    Case("trades/binance_usdm_ethusdt_20240808_trades.csv.gz", "canary"),
    Case("trades/binance_spot_btcusdt_20240809_trades.csv.gz", "canary"),
    Case("trades/binance_coinm_btcusdperp_20240808_trades.csv.gz", "contracts"),
    Case("trades/binance_xrpeth_trades_20191011.csv.gz", "thin"),
)


class Outcome(NamedTuple):
    """What the three runs of a case gave."""

    case: Case
    backtest: dict[str, Any]
    replay: dict[str, Any]
    resumed: dict[str, Any]
    killed: bool  # the third run really was interrupted

    @property
    def same(self) -> bool:
        """Whether all hashes agree and there was something to compare."""
        keys = ("signal_hash", "trade_hash", "signals", "fills")
        runs = (self.backtest, self.replay, self.resumed)
        equal = len({tuple(run[key] for key in keys) for run in runs}) == 1
        return equal and self.backtest["signals"] > 0 and self.backtest["trades"] > 0


def compare(case: Case, work: Path, rows: int | None = None) -> Outcome:
    """Run a case three ways in a scratch folder, over its first `rows` rows or all of them."""
    data = DATA / case.file
    if rows is not None:
        data = head(data, work, rows)
    play = str(OWN_PLAYS.get(case.play, case.play))
    backtest = _json(_command("backtest", play, "--data", str(data), "--json"))
    replay = _json(_replay(play, data, work / "replay"))
    killed = _kill_on_the_way(_replay(play, data, work / "killed"), work / "killed")
    return Outcome(case, backtest, replay, _json(_replay(play, data, work / "killed")), killed)


def head(path: Path, folder: Path, rows: int) -> Path:
    """Write the first rows of a file under its own name (the symbol is read from it)."""
    folder.mkdir(parents=True, exist_ok=True)
    cut = folder / path.name
    with gzip.open(path, "rt", encoding="utf-8") as source, gzip.open(cut, "wt", encoding="utf-8") as target:
        for _, line in zip(range(rows + 1), source, strict=False):
            target.write(line)
    return cut


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tui", *arguments]


def _replay(play: str, data: Path, state: Path) -> list[str]:
    tape = ("--mode", "replay", "--speed", "max", "--play", play, "--data", str(data))
    return _command("run", *tape, "--headless", "--arm", "--json", "--state-dir", str(state))


def _environment() -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT}


def _json(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, env=_environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _kill_on_the_way(command: list[str], state: Path) -> bool:
    """Start a run and kill it once it has recorded something after its first checkpoint."""
    process = subprocess.Popen(
        command, env=_environment(), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline_s = time.monotonic() + KILL_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        if _recorded(state):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    return process.wait() == -signal.SIGKILL


def _recorded(state: Path) -> bool:
    """Whether an engine saved a checkpoint with the tape under way and recorded more than its header."""
    checkpoints = list(state.glob("*/checkpoints/*.checkpoint"))
    segments = list(state.glob("*/records/*/000001.seg"))
    return len(checkpoints) > 1 or any(path.stat().st_size > 2_000 for path in segments)


def line(outcome: Outcome) -> str:
    """Describe an outcome in one line."""
    run = outcome.backtest
    counts = "  ".join(f"{name} {run[name]}" for name in ("events", "signals", "trades"))
    hashes = "  ".join(f"{name} {run[name][:12]}" for name in ("signal_hash", "trade_hash"))
    word = "identical" if outcome.same else "DIFFERENT"
    return f"{word}  {outcome.case.file}  {outcome.case.play}  {counts}  killed {outcome.killed}  {hashes}"


def main() -> int:
    """Run the cases that were named, or all; print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of file names; all files where none is given")
    parser.add_argument("--rows", type=int, help="only so many rows of each file")
    options = parser.parse_args()
    chosen = [c for c in CASES if not options.names or any(name in c.file for name in options.names)]
    different = 0
    for case in chosen:
        if not (DATA / case.file).exists():
            print(f"{case.file}: not on this machine, skipped")
            continue
        with tempfile.TemporaryDirectory(prefix="parity-") as folder:
            outcome = compare(case, Path(folder), options.rows)
        different += not outcome.same
        print(line(outcome), flush=True)
        if not outcome.same:
            for name in ("backtest", "replay", "resumed"):
                print(f"  {name}: {json.dumps(getattr(outcome, name))}")
    return 4 if different else 0


if __name__ == "__main__":
    sys.exit(main())
