"""`trader-tui why`: a bar in lines, many bars in a table, JSON, and what is told without an engine."""

import json
from pathlib import Path

import msgspec
import pytest

from engine.api import ControlError, Why, WhyReply
from engine.core.inquiry import explain_bars, inquire
from engine.domain.play import Rule
from tests.builders import ENTER_LONG, QUIET, World, setup, spec
from tui import record_commands
from tui.cli import main
from tui.whytext import nearest, summary_lines, why_lines


def bars(world: World, last: int = 1) -> tuple[Why, ...]:
    inquiry = inquire(world.machine, "", world.now)
    assert inquiry is not None
    return explain_bars(inquiry, last=last)


def test_a_bar_without_a_signal_names_its_numbers_its_gates_and_the_nearest_miss() -> None:
    world = World(setup(spec(long_entry=Rule("close > 110 and (close > 1 or not close > 2)"))))
    world.bars(108.0, 109.0)
    text = "\n".join(why_lines(bars(world)[0]))
    assert "no signal" in text
    assert "109 : 110  0.909% away" in text
    assert "what a buy entry would meet now" in text
    assert "order cap         pass" in text
    assert "nearest miss: long_entry lacked close > 110 [109 : 110  0.909% away]" in text


def test_what_is_missing_or_has_happened_is_said_in_words() -> None:
    world = World(
        setup(spec(long_entry=Rule("close > sma(9)"), short_entry=Rule("close crosses_above sma(2)")))
    )
    world.bars(100.0, 99.0, 103.0, 105.0)
    text = "\n".join(why_lines(bars(world)[0]))
    assert "missing" in text
    assert "did so before" in text
    assert "no signal yet: 4 of the 9 bars" in text


def test_an_older_bar_says_that_it_was_evaluated_anew_and_asked_no_gate() -> None:
    world = World()
    world.bars(QUIET, 101.0)
    older, _ = bars(world, 2)
    text = "\n".join(why_lines(older, 60))
    assert "evaluated anew on the 1 bars" in text
    assert "gates: none was asked" in text


def test_an_entry_shows_what_it_met_and_no_line_is_too_long() -> None:
    world = World(setup(order_notional_max=1))
    world.bar(ENTER_LONG)
    lines = why_lines(bars(world)[0], 50)
    assert any("ORDER_NOTIONAL_MAX" in line for line in lines)
    assert any("what the buy entry met" in line for line in lines)
    assert max(len(line) for line in lines if line.startswith("    ")) <= 54


def test_many_bars_are_a_line_each_with_the_nearest_miss() -> None:
    world = World()
    world.bars(QUIET, 109.5, ENTER_LONG, 112.0)
    lines = summary_lines(bars(world, 4))
    assert "long_entry lacked 1, 0.455% away" in lines[1]
    assert "entry buy" in lines[2]
    assert lines[-1].startswith("nearest miss: ")
    assert summary_lines(()) == []
    assert nearest(()) is None


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, own_place: object) -> list[dict[str, object]]:
    """An engine that remembers what it was asked, and explains two bars."""
    world = World()
    world.bars(QUIET, 109.5)
    asked: list[dict[str, object]] = []

    def answer(_settings: object, **wish: object) -> WhyReply:
        asked.append(wish)
        if wish["play"] == "gone":
            raise ControlError("no engine runs")
        return WhyReply(1, text="no play") if wish["play"] else WhyReply(1, bars(world, 2))

    monkeypatch.setattr("engine.api.ask_why", answer)
    return asked


def test_the_command_asks_the_engine(
    engine: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("why", "--last", "2") == 0
    assert "nearest miss" in capsys.readouterr().out
    assert _run("why", "--at", "2020-01-31T12:00") == 0
    assert "what a buy entry would meet now" in capsys.readouterr().out
    assert _run("why", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["bars"]) == 2
    assert [(wish["last"], wish["at"]) for wish in engine] == [(2, 0), (1, 1_580_472_000 * 10**9), (1, 0)]


def test_what_cannot_be_answered_is_one_message(
    engine: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("why", "--play", "other") == 1
    assert capsys.readouterr().err == "trader-tui: no play\n"
    assert _run("why", "--play", "gone") == 1
    assert "no engine runs" in capsys.readouterr().err
    assert _run("why", "--at", "soon") == 2
    assert "is no time" in capsys.readouterr().err
    assert _run("why", "--session", "nix") == 2
    assert "no session 'nix'" in capsys.readouterr().err


def test_a_recorded_session_is_asked_by_its_folder(
    engine: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    seen: list[object] = []

    def recorded(folder: object, **wish: object) -> WhyReply:
        seen.append((folder, wish["at"]))
        return WhyReply(1, text="nothing")

    monkeypatch.setattr("engine.api.why_recorded", recorded)
    assert _run("why", "--session", str(tmp_path)) == 1
    assert seen == [(tmp_path, 0)]
    assert not engine


def test_all_that_is_shown_travels(engine: list[dict[str, object]]) -> None:
    world = World()
    world.bars(QUIET, ENTER_LONG)
    reply = WhyReply(3, bars(world, 2))
    assert msgspec.json.decode(msgspec.json.encode(reply), type=WhyReply) == reply
    assert record_commands.BARS_MAX == 600


def _run(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


def test_a_limit_that_makes_no_sense_keeps_nobody_from_asking_or_attaching(
    engine: list[dict[str, object]], own_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = own_place / "config" / "trader-tui" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("limits:\n  order_notional_max: -5\n")
    attached: list[object] = []

    def attach(settings: object, _shown: object) -> int:
        attached.append(settings)
        return 0

    monkeypatch.setattr("tui.launch.attach", attach)
    assert _run("why") == 0
    assert _run("attach") == 0
    assert len(attached) == 1
    assert _run("run", "--headless") == 2
