"""What the tests of backtest reports share: runs over small tapes, and a ledger that is asked every time."""

from pathlib import Path
from typing import Any

from engine.config.settings import Settings
from engine.runtime.backtest import run_backtest
from engine.runtime.study.recorder import Recorder
from tests.unit.runtime.rig import MINUTE_MS, START_MS, tape_settings, write_play, write_tape


class Asked(Recorder):
    """A recorder that also writes down what the ledger says after each fill."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, float]] = []

    def takes(self, batch: Any) -> None:
        before = len(self.fills)
        super().takes(batch)
        self.settle()
        if len(self.fills) > before:
            self.told.append((self.fills.ts[-1], self.loop.machine.ledger.equity()))


def watched(settings: Settings) -> tuple[Any, Asked]:
    """Run a backtest and return its report with what was seen."""
    seen = Asked()
    return run_backtest(settings, watch=seen), seen


def bars_settings(folder: Path, **changes: Any) -> Settings:
    return tape_settings(folder, mode="backtest", **changes)


def pair_settings(folder: Path) -> Settings:
    """Two plays, each on a tape of its own, over the same minutes."""
    plays = (write_play(folder, "one"), write_play(folder, "two"))
    tapes = (write_tape(folder, 300, 1), write_tape(folder, 280, 2, "ETHUSDT"))
    data = tuple(f"{symbol}={tape}" for symbol, tape in zip(("BTCUSDT", "ETHUSDT"), tapes, strict=True))
    return tape_settings(folder, mode="backtest").model_validate(
        {**tape_settings(folder, mode="backtest").model_dump(), "plays": plays, "data": data}
    )


def trades_settings(folder: Path) -> Settings:
    """A tape of trades, several in a millisecond."""
    lines = ["ts_ms,price,qty,side"]
    price = 1000.0
    for number in range(4_000):
        price = round(price + ((number * 7_919) % 13 - 6) * 0.1, 1)
        lines.append(f"{START_MS + number // 3 * 900},{price},{number % 5 + 1},buy")
    path = folder / "btcusdt_trades.csv"
    path.write_text("\n".join(lines) + "\n")
    settings = tape_settings(folder, mode="backtest")
    return settings.model_validate({**settings.model_dump(), "data": (f"BTCUSDT={path}",)})


__all__ = ["MINUTE_MS", "START_MS", "Asked", "bars_settings", "pair_settings", "trades_settings", "watched"]
