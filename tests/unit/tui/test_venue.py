"""`trader-tui venue`: what it asks of the engine, and what it says."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from engine.runtime.venueserver import Listening
from tests.architecture.test_imports import loaded_by
from tui import venue
from tui.cli import main

LISTENING = Listening(
    port=7475,
    rest="http://127.0.0.1:7475",
    public="ws://127.0.0.1:7475/v5/public/linear",
    private="ws://127.0.0.1:7475/v5/private",
    trade="ws://127.0.0.1:7475/v5/trade",
    key="local-key",
    secret="local-secret",
    symbols=("BTCUSDT", "XRPUSDT"),
    pid=1,
)


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the engine is asked for."""
    heard: list[dict[str, Any]] = []

    def run(tell: Callable[[Listening], None], **wish: Any) -> None:
        heard.append(wish)
        tell(LISTENING)

    monkeypatch.setattr(venue, "run_venue", run)
    return heard


def called(*words: str) -> int:
    try:
        return main(["venue", *words])
    except SystemExit as ended:
        return int(ended.code or 0)


def test_it_says_where_it_is_and_that_nothing_is_real(wishes: Any, capsys: pytest.CaptureFixture[str]):
    assert called() == 0
    said = capsys.readouterr().out
    for part in ("BTCUSDT, XRPUSDT", LISTENING.rest, LISTENING.private, "local-secret", "_ledger", "made up"):
        assert part in said
    assert wishes == [{"port": 7475, "data": (), "seed": 1, "speed": 1.0, "lead_s": 0.0, "limits": True}]


@pytest.mark.parametrize(
    ("port", "command"),
    [(7475, "try it   trader-tui run"), (7600, "try it   TRADER_TUI_LOCAL__PORT=7600 trader-tui run")],
)
def test_it_says_how_an_engine_trades_on_it(
    port: int, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    listening = msgspec.structs.replace(LISTENING, port=port)
    monkeypatch.setattr(venue, "run_venue", lambda tell, **_: tell(listening))
    assert called() == 0
    assert f"\n{command} --mode demo --venue local --play canary\n" in capsys.readouterr().out


def test_json_is_one_line(wishes: Any, capsys: pytest.CaptureFixture[str]):
    assert called("--json", "--port", "0", "--symbols", "btcusdt, xrpusdt", "--no-limits") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["port"] == 7475
    assert (wishes[0]["symbols"], wishes[0]["limits"], wishes[0]["port"]) == (
        ("BTCUSDT", "XRPUSDT"),
        False,
        0,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--lead", "5"), "--lead needs --data"),
        (("--data", "x.csv", "--symbols", "A"), "--symbols is of the made-up market"),
        (("--port", "70000"), "70000"),
    ],
)
def test_what_would_do_nothing_is_refused(
    wishes: Any, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
):
    assert called(*words) == 2
    assert said in capsys.readouterr().err
    assert wishes == []


def test_the_command_loads_no_server_before_it_runs():
    assert loaded_by("tui.venue", "aiohttp", "ccxt", "numpy") == []
