"""A run's folder: whole or not there, in the place of an earlier run only, and read back as it was."""

import csv
import json
import math
import stat
from pathlib import Path

import msgspec
import pytest

from engine.domain.errors import ConfigError, StorageError
from engine.runtime.study import folder as folders
from engine.runtime.study.folder import check_target, load, save, study_into
from engine.runtime.study.study import study
from tests.unit.runtime.study.runs import bars_settings, pair_settings


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return study(bars_settings(tmp_path_factory.mktemp("run")))


def rows(path: Path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_is_kept_in_four_files(done, tmp_path):
    out = tmp_path / "new" / "out"
    save(done, out)
    assert {path.name for path in out.iterdir()} == folders.FILES
    assert [path.name for path in out.parent.iterdir()] == ["out"], "nothing else is left"
    assert stat.S_IMODE(out.stat().st_mode) & 0o700 == 0o700
    summary = json.loads((out / "summary.json").read_text())
    assert summary["trade_hash"] == done.run.trade_hash
    assert summary["origin"]["data"][0]["sha256"] == done.origin.data[0].sha256
    assert summary["origin"]["versions"].keys() >= {"trader-tui", "python", "numpy"}
    assert summary["origin"]["seed"] is None


def test_the_trades_add_up_to_the_profit(done, tmp_path):
    save(done, tmp_path / "out")
    trades = rows(tmp_path / "out" / "trades.csv")
    closed = [trade for trade in trades if trade["closed_ms"]]
    assert len(closed) == done.run.trades
    assert len(trades) - len(closed) == done.figures.open_trades
    net = math.fsum(float(trade["net"]) for trade in trades)
    assert net == pytest.approx(float(done.figures.net_profit), abs=1e-9)
    assert {trade["ended_by"] for trade in closed} <= {"exit", "stop", "target"}


def test_the_equity_ends_and_falls_as_the_run_did(done, tmp_path):
    save(done, tmp_path / "out")
    equity = rows(tmp_path / "out" / "equity.csv")
    assert float(equity[-1]["equity"]) == pytest.approx(float(done.run.final_equity), abs=1e-9)
    assert max(float(row["drawdown"]) for row in equity) == pytest.approx(done.run.max_drawdown, abs=1e-10)


def test_an_earlier_run_is_replaced_and_nothing_else_is(done, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    save(done, out)
    (out / "summary.json").write_text("{}")
    save(done, out)
    assert load(out).facts["trade_hash"] == done.run.trade_hash
    (out / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds notes\.txt, which no backtest wrote"):
        save(done, out)
    assert (out / "notes.txt").read_text() == "mine"
    (out / "notes.txt").unlink()
    (out / "summary.json").unlink()
    with pytest.raises(ConfigError, match="which no backtest wrote"):
        check_target(out)


def test_what_is_no_folder_is_refused_before_anything_runs(done, tmp_path):
    (tmp_path / "file").write_text("")
    settings = bars_settings(tmp_path).model_copy(update={"data": ()})
    with pytest.raises(ConfigError, match="is a file; --out takes a folder"):
        study_into(tmp_path / "file", settings)
    with pytest.raises(ConfigError, match="cannot be made"):
        study_into(tmp_path / "file" / "out", settings)


def test_a_disk_that_fails_leaves_the_earlier_run(done, tmp_path, monkeypatch):
    out = tmp_path / "out"
    save(done, out)

    def fail(path, _data):
        if path.name == "equity.csv":
            raise OSError(28, "No space left on device")
        path.write_bytes(b"half")

    monkeypatch.setattr(folders, "write_whole", fail)
    with pytest.raises(StorageError, match="No space left on device; nothing was"):
        save(done, out)
    assert load(out).facts["trade_hash"] == done.run.trade_hash
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_rename_that_fails_puts_the_earlier_run_back(done, tmp_path, monkeypatch):
    out = tmp_path / "out"
    save(done, out)
    rename = Path.rename

    def fail(self, target):
        if self.name.endswith(".tmp"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(StorageError, match="Input/output error"):
        save(done, out)
    assert load(out).facts["trade_hash"] == done.run.trade_hash
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_study_can_be_kept_or_not(tmp_path):
    settings = pair_settings(tmp_path)
    assert study_into(None, settings).run.play == "one,two"
    kept = study_into(tmp_path / "out", settings)
    assert load(tmp_path / "out" / "summary.json").origin == kept.origin
    page = (tmp_path / "out" / "report.html").read_text()
    assert "one,two on BTCUSDT, ETHUSDT" in page


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no saved backtest"),
        (b"{", "is no summary"),
        (b'{"play": 1}', "is no summary"),
        (b"\xff", "no summary"),
    ],
)
def test_what_is_no_saved_run_is_said(tmp_path, content, told):
    if content is not None:
        (tmp_path / "summary.json").write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        load(tmp_path)


def test_the_summary_holds_what_scripts_rely_on(done):
    summary = msgspec.json.decode(msgspec.json.encode(done.summary()))
    promised = "play data bars signals orders trades signal_hash trade_hash start_equity final_equity"
    assert set(promised.split()) | {"max_drawdown", "load_s", "wall_s", "events_per_s"} <= summary.keys()
    assert summary["months"][0].keys() == {"month", "net", "change", "max_drawdown", "trades"}
