"""Two saved runs: what they were made of first, then what they came to."""

import json

import pytest

from engine.runtime.study.compare import compare_runs
from engine.runtime.study.folder import study_into
from tests.unit.runtime.study.runs import MINUTE_MS, START_MS, bars_settings, pair_settings


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    study_into(folder / "a", bars_settings(folder))
    return folder


def differing(found):
    return [(each.kind, each.name) for each in found.differences]


def test_a_run_is_the_same_as_itself_run_again(place):
    study_into(place / "again", bars_settings(place))
    found = compare_runs(place / "a", place / "again")
    assert (found.differences, found.reproduced) == ((), True)
    assert (found.same_signals, found.same_trades) == (True, True)
    assert all(not pair.change for pair in found.figures)


def test_other_settings_are_named_by_their_path(place):
    changed = bars_settings(place, account={"equity": 10_000}, simulated={"latency_ms": 9.0})
    study_into(place / "b", changed)
    found = compare_runs(place / "a", place / "b")
    assert differing(found) == [("settings", "account.equity"), ("settings", "simulated.latency_ms")]
    assert (found.differences[0].a, found.differences[0].b) == ("50000", "10000")
    assert found.reproduced is None
    start = next(pair for pair in found.figures if pair.name == "start_equity")
    assert start.change == -40_000


def test_other_data_and_another_stretch_of_it_are_told_apart(place):
    study_into(place / "c", bars_settings(place, seed=2))
    assert differing(compare_runs(place / "a", place / "c")) == [("data", "BTCUSDT sha256")]
    until = (START_MS + 100 * MINUTE_MS) * 1_000_000
    study_into(place / "d", bars_settings(place), until=until)
    found = compare_runs(place / "a", place / "d")
    assert differing(found) == [("data", "BTCUSDT rows played"), ("settings", "to")]
    assert found.differences[0].b.startswith("100, 2023-11-14T22:15:00Z to ")


def test_another_play_in_its_place_is_another_play(place):
    other = pair_settings(place)
    study_into(place / "e", other)
    kinds = [kind for kind, _ in differing(compare_runs(place / "a", place / "e"))]
    assert kinds == ["play", "play", "data", "data", "settings", *["settings"] * 5, "settings"]


def altered(place, name, **changes):
    path = place / name
    path.mkdir(exist_ok=True)
    facts = json.loads((place / "a" / "summary.json").read_text())
    facts.update(changes)
    (path / "summary.json").write_text(json.dumps(facts))
    return path


def test_the_same_inputs_with_other_trades_are_a_broken_promise(place):
    found = compare_runs(place / "a", altered(place, "f", trade_hash="0"))
    assert (found.reproduced, found.same_signals, found.same_trades) == (False, True, False)


def test_versions_and_seeds_are_told(place):
    origin = json.loads((place / "a" / "summary.json").read_text())["origin"]
    origin["versions"]["numpy"] = "0"
    found = compare_runs(place / "a", altered(place, "g", origin=origin))
    assert (differing(found), found.reproduced) == ([("version", "numpy")], True)
    origin["seed"] = 7
    found = compare_runs(place / "a", altered(place, "h", origin=origin))
    assert differing(found)[0] == ("settings", "seed")


def test_months_and_figures_that_one_side_lacks_have_no_change(place):
    month = {"month": "2031-01", "net": 0, "change": 0.5, "max_drawdown": 0, "trades": 0}
    found = compare_runs(place / "a", altered(place, "i", sharpe=None, months=[month]))
    assert [(pair.month, pair.a is None, pair.b) for pair in found.months][-1] == ("2031-01", True, 0.5)
    assert found.months[0].b is None
    assert next(pair for pair in found.figures if pair.name == "sharpe").change is None
