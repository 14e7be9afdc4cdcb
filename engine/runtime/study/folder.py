"""A backtest on disk: a folder of four files that is whole or not there, and its summary read back."""

import csv
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from decimal import Context
from pathlib import Path
from typing import Any

import msgspec

from engine.config.settings import Settings
from engine.domain.errors import ConfigError, StorageError
from engine.domain.market import NS_PER_MS
from engine.domain.money import canonical
from engine.domain.signals import Side
from engine.runtime.study.figures import Month
from engine.runtime.study.origin import Origin
from engine.runtime.study.page import page
from engine.runtime.study.recorder import Recorder
from engine.runtime.study.study import Study, study
from engine.storage.atomic import sync_directory, write_whole

SUMMARY, TRADES, EQUITY, PAGE = "summary.json", "trades.csv", "equity.csv", "report.html"
FILES = frozenset({SUMMARY, TRADES, EQUITY, PAGE})
TRADE_COLUMNS = (
    *("number", "play", "symbol", "side", "opened_ms", "closed_ms", "hold_s", "qty", "entry_price"),
    *("exit_price", "entry_notional", "gross", "fees", "net", "net_ratio", "slippage", "fills", "ended_by"),
)
EQUITY_COLUMNS = ("ts_ms", "equity", "low", "high", "drawdown", "notional")
_AVERAGE = Context(prec=12)  # a quotient has more digits than a price means


class SavedRun(msgspec.Struct, frozen=True):
    """A summary as it was read back: all of its facts, and the parts that a comparison looks into."""

    folder: str
    facts: dict[str, Any]
    origin: Origin
    months: list[Month]


class _Parts(msgspec.Struct, frozen=True):
    """What every summary holds, whatever else it does."""

    trade_hash: str
    signal_hash: str
    origin: Origin
    months: list[Month]


def check_target(folder: Path) -> None:
    """Refuse to write where anything else than an earlier run lies. Raises ConfigError."""
    if not folder.exists():
        above = next(parent for parent in folder.absolute().parents if parent.exists())
        if not above.is_dir():
            raise ConfigError(f"cannot be made: {above} is no folder", file=str(folder), field="--out")
        return
    if not folder.is_dir():
        raise ConfigError("is a file; --out takes a folder", file=str(folder), field="--out")
    try:
        found = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(folder), field="--out") from None
    others = [name for name in found if name not in FILES]
    if others or (found and SUMMARY not in found):
        shown = ", ".join((others or found)[:3])
        raise ConfigError(
            f"holds {shown}, which no backtest wrote; choose another --out or move that away",
            file=str(folder),
        )


def study_into(
    folder: Path | None,
    settings: Settings,
    *,
    since: int | None = None,
    until: int | None = None,
    begun: Callable[[Recorder], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Study:
    """Run a backtest and keep it in a folder, where one is given. Raises ConfigError or StorageError."""
    if folder is not None:
        check_target(folder)  # before the work, not after it
    done = study(settings, since=since, until=until, begun=begun, tell=tell)
    if folder is not None:
        save(done, folder)
    return done


def save(done: Study, folder: Path) -> None:
    """Write a run's folder, in the place of an earlier run. Raises StorageError, and as `check_target`."""
    check_target(folder)
    target = folder.resolve()
    written: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        written = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
        written.chmod(0o755 & ~_umask())
        for name, text in _texts(done).items():
            write_whole(written / name, text.encode())
        _put(written, target)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror or error}; nothing was") from error
    finally:
        if written is not None:
            shutil.rmtree(written, ignore_errors=True)


def load(folder: Path) -> SavedRun:
    """Read a saved run, given by its folder or its summary.json. Raises ConfigError."""
    path = folder / SUMMARY if folder.is_dir() else folder
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"no saved backtest: {error.strerror}; `trader-tui backtest ... --out DIR` writes one",
            file=str(path),
        ) from None
    try:
        facts = msgspec.json.decode(data, type=dict[str, Any])
        parts = msgspec.json.decode(data, type=_Parts)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"is no summary of a backtest: {error}", file=str(path)) from None
    return SavedRun(str(folder), facts, parts.origin, parts.months)


def _texts(done: Study) -> dict[str, str]:
    summary = msgspec.json.format(msgspec.json.encode(done.summary()), indent=2)
    return {
        SUMMARY: summary.decode() + "\n",
        TRADES: trades_csv(done),
        EQUITY: equity_csv(done),
        PAGE: page(done),
    }


def trades_csv(done: Study) -> str:
    """Write the trades, a line each; what is open at the end has neither end nor exit price."""
    rows = []
    for number, trade in enumerate(done.trades, start=1):
        closed = bool(trade.closed)
        exit_price = trade.exit_price
        rows.append(
            (
                number,
                trade.play,
                trade.symbol,
                "long" if trade.side is Side.BUY else "short",
                trade.opened // NS_PER_MS,
                trade.closed // NS_PER_MS if closed else "",
                (trade.closed - trade.opened) // NS_PER_MS / 1000 if closed else "",
                canonical(trade.qty),
                canonical(_AVERAGE.plus(trade.entry_price)),
                "" if exit_price is None else canonical(_AVERAGE.plus(exit_price)),
                canonical(trade.entry_notional),
                canonical(trade.gross),
                canonical(trade.fees),
                canonical(trade.net),
                f"{trade.ratio:.8f}",
                canonical(trade.slippage),
                trade.fills,
                trade.ended_by,
            )
        )
    return _csv(TRADE_COLUMNS, rows)


def equity_csv(done: Study) -> str:
    """Write the equity by intervals; the last line is the end's, the largest drawdown is the run's."""
    of = done.curve
    columns = (of.ts // NS_PER_MS, of.equity, of.low, of.high, of.drawdown, of.notional)
    return _csv(EQUITY_COLUMNS, zip(*(column.tolist() for column in columns), strict=True))


def _csv(names: tuple[str, ...], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def _put(written: Path, target: Path) -> None:
    """Give a finished folder its name; what had it before is gone only after that."""
    before = written.with_name(written.name + ".before")
    had = target.exists()
    if had:
        target.rename(before)
    try:
        written.rename(target)
    except OSError:
        if had:
            before.rename(target)
        raise
    sync_directory(target.parent)
    shutil.rmtree(before, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
