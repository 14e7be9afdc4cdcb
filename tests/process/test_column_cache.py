"""The cache of columns as a user meets it: faster, never different, and never in the way."""

import json
from pathlib import Path

import pytest

from tests.process.harness import Done, House, finish
from tests.process.test_bad_input import as_anybody

pytestmark = pytest.mark.process

ROWS = 12_000
HASHES = ("signal_hash", "trade_hash", "final_equity", "bars", "orders")


@pytest.fixture
def cache(house: House, tmp_path: Path) -> Path:
    """The folder of this house's cache, beside a file of bars that is worth keeping."""
    house.unmeasured()
    house.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    rows = "".join(f"{row * 60_000},{10 + row % 7},20,5,{10 + (row + 1) % 7},3\n" for row in range(ROWS))
    (tmp_path / "btcusdt.csv").write_text(f"ts_ms,open,high,low,close,volume\n{rows}")
    return tmp_path / "cache" / "trader-tui" / "columns"


def result(done: Done) -> dict[str, object]:
    """Return what a run came to."""
    assert done.code == 0, done.err
    run = json.loads(done.out)
    return {name: run[name] for name in HASHES}


def backtest(house: House, **more: object) -> Done:
    """Run the shipped play over the file."""
    return house.run("backtest", "canary", "--data", "btcusdt.csv", "--json", **more)  # type: ignore[arg-type]  # the harness' own keywords


def test_kept_columns_give_the_same_run_and_a_damaged_entry_one_line(house: House, cache: Path):
    first = backtest(house)
    (entry,) = cache.iterdir()
    second = backtest(house)
    assert result(first) == result(second)
    assert (first.err, second.err) == ("", "")
    whole = entry.read_bytes()
    entry.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    third = backtest(house)
    assert result(third) == result(first)
    assert third.err.count("\n") == 1
    assert "column cache" in third.err
    assert entry.read_bytes() == whole, "it was written again"
    entry.write_bytes(b"")
    replay = ("run", "--mode", "replay", "--speed", "max", "--headless", "--arm", "--json")
    done = house.run(*replay, "--play", "canary", "--data", "btcusdt.csv")
    assert result(done) == result(first)
    lines = [json.loads(line) for line in (house.folder() / "logs" / "engine.log").read_text().splitlines()]
    assert sum("column cache" in line["event"] for line in lines) == 1


def test_data_shows_and_clears_what_is_kept(house: House, cache: Path):
    plain = house.run("data", "show", "btcusdt.csv", env={"TRADER_TUI_CACHE__COLUMNS_MAX_GB": "0"})
    assert plain.code == 0, plain.err
    assert not cache.exists(), "0 keeps none"
    assert house.run("data", "cache").out == f"{cache}: 0 files, 0.0 MB of at most 2,000 MB\n"
    for _ in range(2):
        assert house.run("data", "show", "btcusdt.csv").out == plain.out
    held = json.loads(house.run("data", "cache", "--json").out)
    assert (held["directory"], held["entries"]) == (str(cache), 1)
    assert house.run("data", "cache", "--clear").out.startswith(f"{cache}: removed 1 file, 0.7 MB")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("made", [False, True])
def test_where_the_cache_cannot_be_written_everything_works_without(house: House, cache: Path, made: bool):
    expected = result(backtest(house, env={"TRADER_TUI_CACHE__COLUMNS_MAX_GB": "0"}))
    closed = cache if made else cache.parents[1]
    closed.mkdir(parents=True)
    closed.chmod(0o500)
    done = backtest(house, before=as_anybody())
    closed.chmod(0o700)
    assert result(done) == expected
    assert done.err.count("\n") == 1
    assert "cannot be written: Permission denied" in done.err
    assert list(closed.iterdir()) == []


def test_two_programs_at_once_write_one_whole_entry(house: House, cache: Path):
    words = ("backtest", "canary", "--data", "btcusdt.csv", "--json")
    both = [finish(process) for process in [house.start(*words), house.start(*words)]]
    assert result(both[0]) == result(both[1])
    assert [done.err for done in both] == ["", ""]
    assert len(list(cache.iterdir())) == 1
    assert result(backtest(house)) == result(both[0])
