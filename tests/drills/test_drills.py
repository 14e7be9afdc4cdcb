"""Each drill keeps its promises; and a promise that is broken is told."""

import json
import os
import time

import pytest
from click.testing import CliRunner

from tests.process.harness import Done
from tui.cli import cli
from tui.drills import catalog
from tui.drills.catalog import DRILLS, Drill, carry_out
from tui.drills.stage import DrillError, Stage

pytestmark = pytest.mark.process


@pytest.mark.parametrize("name", DRILLS)
def test_every_promise_of_a_drill_is_kept(name, monkeypatch):
    report = carry_out(DRILLS[name])
    assert report.error == ""
    assert [promise.line for promise in report.promises if not promise.ok] == []
    assert len(report.promises) >= 4


def broken(stage: Stage) -> None:
    """Promise what is not so, with an exchange and no engine."""
    stage.promise("the exchange has taken an order", 0.1, lambda: stage.ledger()["orders"])
    stage.keep("it stays without one", 0.1, lambda: not stage.ledger()["orders"])
    stage.promise("the engine answers", 0.1, stage.is_reconciled, time.monotonic())


def impossible(stage: Stage) -> None:
    """End before anything was promised."""
    raise DrillError("there is no stage")


@pytest.fixture
def drills(monkeypatch):
    """Offer drills that are not kept."""
    for drill in (Drill("broken", "a broken promise", broken), Drill("impossible", "nothing", impossible)):
        monkeypatch.setitem(catalog.DRILLS, drill.name, drill)


def run(*words: str) -> Done:
    """Run a command in this process."""
    result = CliRunner().invoke(cli, ["drill", *words])
    return Done(result.exit_code, result.stdout, result.stderr)


def test_a_broken_promise_is_told_with_what_was_found_and_ends_with_4(drills):
    done = run("broken")
    assert done.code == 4
    assert "BROKEN" in done.out.split("\n")[1]
    assert "kept     0.1" in done.out.split("\n")[3]
    assert "no engine" in done.out, "what was found instead is said"
    assert "1 of 3 promises kept" in done.out


def test_scripts_read_what_was_promised_and_what_was_found(drills):
    (facts,) = json.loads(run("broken", "--json").out)
    assert (facts["drill"], facts["ok"], facts["error"]) == ("broken", False, "")
    assert [promise["ok"] for promise in facts["promises"]] == [False, True, False]
    assert facts["promises"][0]["within_s"] == 0.1


def test_a_drill_that_cannot_be_carried_through_is_no_success(drills):
    done = run("impossible")
    assert done.code == 4
    assert "it could not be carried through: there is no stage" in done.out


def test_drills_are_listed_and_an_unknown_one_is_a_usage_error():
    listed = run()
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()] == list(DRILLS)
    assert [each["drill"] for each in json.loads(run("--json").out)] == list(DRILLS)
    unknown = run("flaten")
    assert unknown.code == 2
    assert "there is no drill 'flaten'; there are feed-drop" in unknown.err


def test_nothing_is_left_of_a_drill(drills, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TRADER_TUI_MODE", "nonsense")
    before = dict(os.environ)
    run("broken")
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == before
