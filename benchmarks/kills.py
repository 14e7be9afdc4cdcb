"""`python -m benchmarks.kills --cycles N`: kills an engine on the local exchange N times; what was lost?

Exchange and engine are processes of their own. Each life ends by SIGKILL, some during the start. In the end
the exchange's own ledger is held against the engine's database; a difference ends the command with 4.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.process.harness import House
from tests.process.kill_cycles import KillCycles, Verdict, described

SESSION = 50  # lives on one exchange, then all is held against each other


def main() -> int:
    """Run the cycles that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=300, help="how often the engine is killed")
    parser.add_argument("--seed", type=int, default=1, help="decides when")
    wish = parser.parse_args()
    started = time.monotonic()
    verdicts: list[Verdict] = []
    while (left := wish.cycles - sum(each.kills for each in verdicts)) > 0:
        verdicts.append(session(min(left, SESSION), wish.seed + len(verdicts)))
        print(f"{described(verdicts)}, {time.monotonic() - started:.0f} s", flush=True)
        for name, what in verdicts[-1].faults.items():
            print(f"{name}: {', '.join(what)}")
    return 4 if any(each.faults for each in verdicts) else 0


def session(lives: int, seed: int) -> Verdict:
    """Let so many lives pass on one exchange; return what is found in the end."""
    with tempfile.TemporaryDirectory(prefix="tt-kills-") as folder:
        root = Path(folder)
        own = {
            "XDG_RUNTIME_DIR": root / "run",
            "XDG_CONFIG_HOME": root / "config",
            "XDG_STATE_HOME": root / "home",
        }
        (root / "run").mkdir()
        os.environ.update({name: str(path) for name, path in own.items()})
        house = House(root, dict(os.environ))
        cycles = KillCycles(house, seed)
        try:
            for _ in range(lives):
                cycles.cycle()
            return cycles.settle()
        finally:
            cycles.close()
            house.clear()


if __name__ == "__main__":
    sys.exit(main())
