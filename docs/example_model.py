"""Train the model of the packaged play `model_drift` on the embedded market, which is the same for all.

python docs/example_model.py     writes configs/models/model_drift.npz and .json
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLAY = ROOT / "configs" / "plays" / "model_drift.yaml"
SEED, SYMBOL = 7, "BTCUSDT"
SINCE = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 30
INSTRUMENT = """\
symbol: BTCUSDT
tick: 0.1
lot: 0.001
qty_min: 0.001
notional_min: 5
base: BTC
quote: USDT
settle: USDT
bar_ts: close
"""


def write_market(folder: Path) -> Path:
    """Write one-minute bars of the embedded market as a file of market data."""
    from engine.domain.market import NS_PER_MS, NS_PER_S
    from engine.venues.synthetic import SyntheticFeed

    since = int(SINCE.timestamp()) * NS_PER_S
    until = int((SINCE + timedelta(days=DAYS)).timestamp()) * NS_PER_S
    feed = SyntheticFeed(SEED, since, symbols=(SYMBOL,))
    lines = ["ts_ms,open,high,low,close,volume"]
    for bar in feed.bars(SYMBOL, 60 * NS_PER_S, since, until):
        numbers = (bar.ts // NS_PER_MS, bar.open, bar.high, bar.low, bar.close, bar.volume)
        lines.append(",".join(str(number) for number in numbers))
    path = folder / "embedded_btcusdt_1m_202401.csv"
    path.write_text("\n".join(lines) + "\n")
    path.with_name(f"{path.stem}.instrument.yaml").write_text(INSTRUMENT)
    return path


def main() -> int:
    """Write the data, then train as anybody would."""
    from tui.cli import main as command

    with tempfile.TemporaryDirectory() as folder:
        data = write_market(Path(folder))
        words = ["model", "train", str(PLAY), "--data", str(data), "--architecture", "mlp", "--hidden", "8"]
        return command([*words, "--force", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
