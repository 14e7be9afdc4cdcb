"""Plays and files are put together: partners in time, names, equities, and why a pair does not fit."""

import gzip

import pytest

from engine.domain.errors import ConfigError
from engine.runtime.parity.bench import shipped_plays
from engine.runtime.parity.pairs import Case, facts_of, find_files, head, pair_up, why_silent
from tests.unit.runtime.rig import write_play, write_tape

LEGS = """\
name: {name}
legs: [a, b]
size: {{notional: 1000}}
long:
  enter: a.close > sma(b.close, 30)
"""


@pytest.fixture
def folder(tmp_path):
    """Two tapes of one time and one of another, a file of quotes, and something else."""
    data = tmp_path / "data"
    (data / "deeper").mkdir(parents=True)
    write_tape(data, 300, 1)
    write_tape(data / "deeper", 300, 2)
    lines = [f"{1_800_000_000_000 + 60_000 * n},100,101,99,100,5" for n in range(40)]
    (data / "later.csv").write_text("\n".join(["ts_ms,open,high,low,close,volume", *lines]))
    (data / "quotes.csv").write_text("ts_ms,bid,bid_qty,ask,ask_qty\n1,1,1,2,1\n")
    (data / "notes.txt").write_text("mine")
    return data


def facts(folder):
    return [each for path in find_files(folder) if (each := facts_of(path)) is not None]


def test_files_are_found_below_a_folder(folder):
    names = [path.name for path in find_files(folder)]
    assert names == ["btcusdt_1_300.csv", "btcusdt_2_300.csv", "later.csv", "quotes.csv"]
    assert [path.name for path in find_files(folder, ("later",))] == ["later.csv"]
    assert [each.name for each in facts(folder)] == ["btcusdt_1_300", "btcusdt_2_300", "later"]


@pytest.mark.parametrize(
    ("name", "parts", "told"),
    [
        ("nowhere", (), "is no folder"),
        ("", ("x",), "none of its 4 data files is called x"),
        ("empty", (), "is empty"),
    ],
)
def test_a_folder_without_data_is_said(folder, name, parts, told):
    (folder / "empty").mkdir()
    with pytest.raises(ConfigError, match=told):
        find_files(folder / name, parts)


def test_every_play_meets_every_file_and_legs_meet_files_of_one_time(folder, tmp_path):
    plays = [write_play(tmp_path), write_play(tmp_path, "pair", LEGS)]
    cases = pair_up(plays, facts(folder))
    assert [(case.play.stem, case.name, bool(case.unfit)) for case in cases] == [
        ("zigzag", "btcusdt_1_300", False),
        ("pair", "btcusdt_1_300 + btcusdt_2_300", False),
        ("zigzag", "btcusdt_2_300", False),
        ("pair", "btcusdt_2_300 + btcusdt_1_300", False),
        ("zigzag", "later", False),
        ("pair", "later", True),
    ]
    assert "needs 2 markets at one time" in cases[-1].unfit
    assert [source.split("=")[0] for source in cases[1].sources] == ["BTCUSDT1", "BTCUSDT2"]
    assert cases[0].sources == (str(cases[0].data[0].path),)


def test_the_equity_fits_the_least_order(folder, tmp_path):
    (each, *_) = facts(folder)
    play = write_play(tmp_path)
    assert each.order_min == pytest.approx(0.001 * 1_000, rel=0.2), (
        "a thousandth of a coin is worth more than 1"
    )
    assert Case(play=play, data=(each,)).equity == 1_000_000
    dear = type(each)(
        **{name: getattr(each, name) for name in each.__struct_fields__} | {"order_min": 60_000.0}
    )
    assert Case(play=play, data=(dear,)).equity == 60_000_000


def test_silence_has_a_reason(folder, tmp_path):
    each = facts(folder)[0]
    case = Case(play=write_play(tmp_path), data=(each,))
    assert why_silent(case, 2) == "its first signal takes 4 bars, and there are 2"
    assert why_silent(case, 300) == "its rules never fire in 300 bars"


def test_the_head_of_a_file_keeps_name_and_instrument(tmp_path):
    tape = write_tape(tmp_path, 300)
    packed = tmp_path / "ethbtc.csv.gz"
    with gzip.open(packed, "wt") as file:
        file.write(tape.read_text())
    for path, name in ((tape, tape.name), (packed, "ethbtc.csv.gz")):
        cut = head(path, tmp_path / "cut", 20)
        found = facts_of(cut)
        assert found is not None
        assert (cut.name, found.rows) == (name, 20)
    assert (tmp_path / "cut" / "btcusdt_1_300.instrument.yaml").exists()


def test_all_shipped_plays_are_tried():
    assert len(shipped_plays()) >= 11
