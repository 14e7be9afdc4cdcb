"""The local exchange as a program of its own, and the truth that it tells of itself."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.process.harness import House, end

OPEN = ("New", "PartiallyFilled", "Untriggered", "Triggered")


@dataclass(frozen=True)
class LocalVenue:
    """A local exchange that runs."""

    port: int
    process: "subprocess.Popen[str]"

    @property
    def env(self) -> dict[str, str]:
        """Where an engine finds it, and bars of a second on its market."""
        return {
            "TRADER_TUI_LOCAL__PORT": str(self.port),
            "TRADER_TUI_STREAM__BASE_STEP_S": "1",
            "TRADER_TUI_STREAM__SYMBOLS": "BTCUSDT",
        }

    def truth(self) -> dict[str, Any]:
        """Return the exchange's ledger."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_ledger", timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def working(self) -> set[str]:
        """Return the client ids of open orders."""
        return {row["orderLinkId"] for row in self.truth()["orders"] if row["orderStatus"] in OPEN}

    def position(self) -> str:
        """Return the net positions as an engine's status writes them."""
        return " ".join(
            f"{row['symbol']}:{'-' if row['side'] == 'Sell' else ''}{row['size']}"
            for row in self.truth()["positions"]
        )

    def put_fault(self, **rule: Any) -> None:
        """Put a fault in force."""
        data = json.dumps(rule).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_faults", data=data, method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass


@contextmanager
def local_venue(house: House) -> Iterator[LocalVenue]:
    """Run the local exchange on a free port."""
    process = house.start("venue", "--port", "0", "--events-per-s", "100", "--no-limits", "--json")
    try:
        assert process.stdout is not None
        yield LocalVenue(json.loads(process.stdout.readline())["port"], process)
    finally:
        end(process)
