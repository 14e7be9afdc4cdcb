"""Runs that were made to differ: the first bar on which they part is found and shown with both states."""

import asyncio
import shutil
from typing import Any

import pytest

from engine.runtime.parity.difference import Decision, find_difference, first_difference
from tests.unit.runtime.rig import PLAY, START_MS, run_engine, tape_settings, write_play

OTHER = PLAY.replace("sma(3)", "sma(4)")
EASED = PLAY.replace("{{percent: 0.6}}", "{{percent: 0.61}}")


async def differing(tmp_path, text):
    """Replay one play, and compare with the backtest of another under its name."""
    settings = tape_settings(tmp_path)
    await run_engine(settings)
    write_play(tmp_path, "zigzag", text)
    assert settings.state_dir is not None
    flags: dict[str, Any] = {"plays": settings.plays, "data": (f"BTCUSDT={settings.data[0].path}",)}
    flags |= {"state_dir": settings.state_dir}
    environment = {"TRADER_TUI_LIMITS__STALE_AFTER_S": "3600"}
    return await asyncio.to_thread(find_difference, flags, environment, settings.state_dir)


async def test_the_same_play_has_no_difference(tmp_path):
    assert await differing(tmp_path, PLAY) is None


async def test_another_average_differs_at_the_first_bar_that_only_one_crosses(tmp_path):
    found = await differing(tmp_path, OTHER)
    assert found is not None
    rows = {row.name: row for row in found.rows}
    assert not rows["decided"].same
    assert {"zigzag position", "zigzag orders", "equity", "sma(3)", "sma(4)"} <= rows.keys()
    assert (rows["sma(3)"].backtest, rows["sma(4)"].replay) == ("-", "-")
    assert found.ts >= START_MS * 1_000_000
    assert found.bar.startswith("BTCUSDT open ")
    assert rows["zigzag bars seen"].same, "both were brought to the same bar"
    assert found.text == ""


async def test_a_stop_that_lies_elsewhere_differs_at_a_fill(tmp_path):
    found = await differing(tmp_path, EASED)
    assert found is not None
    assert "filled" in f"{found.rows[0].backtest} {found.rows[0].replay}"


async def test_a_state_that_cannot_be_found_again_is_said(tmp_path):
    settings = tape_settings(tmp_path)
    await run_engine(settings)
    write_play(tmp_path, "zigzag", OTHER)
    assert settings.state_dir is not None
    for records in settings.state_dir.rglob("records"):
        shutil.rmtree(records)
    flags: dict[str, Any] = {"plays": settings.plays, "data": (f"BTCUSDT={settings.data[0].path}",)}
    found = await asyncio.to_thread(find_difference, flags, {}, settings.state_dir)
    assert found is not None
    assert [row.name for row in found.rows] == ["decided"]
    assert "could not be found again" in found.text


@pytest.mark.parametrize(
    ("a", "b", "ts"),
    [
        ([], [], None),
        ([(1, "x")], [(1, "x")], None),
        ([(1, "x"), (2, "y")], [(1, "x"), (2, "z")], 2),
        ([(1, "x"), (2, "y")], [(1, "x"), (5, "y")], 2),
        ([(1, "x")], [(1, "x"), (3, "y")], 3),
        ([(4, "x")], [], 4),
    ],
)
def test_runs_part_where_the_first_decision_stands_alone(a, b, ts):
    assert first_difference([Decision(*each) for each in a], [Decision(*each) for each in b]) == ts
