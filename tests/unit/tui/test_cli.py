"""The command line as a user types it: what is refused, with which words and which exit code."""

import json

import pytest

from engine.api import Action, __version__
from tests.unit.tui.night import Night
from tui import backtest, cli, launch

GOOD_BARS = "ts_ms,open,high,low,close,volume\n1577836800000,10,11,9,10,5\n1577836860000,10,11,9,10,5\n"
PLAY = "name: mine\ntimeframe: base\nsize: {{notional: 500}}\nlong:\n  enter: {rule}\n"
HEADLESS = ("run", "--headless")
REPLAY = (*HEADLESS, "--mode", "replay", "--speed", "max")


@pytest.fixture
def place(own_place, monkeypatch):
    """A working directory with files to get wrong."""
    sound = PLAY.format(rule="close > 0")
    texts = {
        "good.csv": GOOD_BARS,
        "bad.csv": GOOD_BARS + "1577836920000,10,ten,9,10,5\n",
        "text.csv": "hello\nworld\n",
        "empty.csv": "",
        "play.yaml": sound,
        "other.yaml": sound.replace("mine", "other") + "symbols: [BTCUSDT]\n",
        "indicator.yaml": PLAY.format(rule="emma(20) > close"),
        "key.yaml": sound + "stoploss: {percent: 1}\n",
        "malformed.yaml": "name: [unclosed\nsize: 3\n",
        "list.yaml": "- a\n- b\n",
        "symbol.yaml": sound + "symbols: [DOGEUSDT]\n",
    }
    for name, text in texts.items():
        (own_place / name).write_text(text)
    (own_place / "bytes.csv.gz").write_bytes(b"\x1f\x8b\x08\x00 not really")
    monkeypatch.chdir(own_place)
    return own_place


def call(*words):
    """Run a command line as the shell would; return the exit code."""
    state = () if words[0] in ("backtest", "bench") else ("--state-dir", "state")
    try:
        return cli.main([*words, *state])
    except SystemExit as end:
        return end.code


WRONG = {
    "resolve as something": (("resolve", "tt01xyz", "filled", "--confirm", "1xyz"), 2, "'dead'"),
    "resolve nothing": (("resolve",), 2, "CLIENT_ID"),
    "unknown option": ((*HEADLESS, "--modus", "paper"), 2, "--modus"),
    "unknown command": (("runn",), 2, "runn"),
    "unknown mode": ((*HEADLESS, "--mode", "papre"), 2, "papre"),
    "live mode": ((*HEADLESS, "--mode", "live"), 2, "live does not start"),
    "demo mode": ((*HEADLESS, "--mode", "demo"), 2, "demo does not start"),
    "symbol without a venue": ((*HEADLESS, "--symbol", "BTCUSDT"), 2, "add --venue NAME"),
    "symbol of a replay": ((*REPLAY, "--data", "good.csv", "--symbol", "X"), 2, "add --venue NAME"),
    "replay at a venue": ((*REPLAY, "--data", "good.csv", "--venue", "bybit"), 2, "venue: is 'bybit'"),
    "unknown venue": ((*HEADLESS, "--venue", "bybitt"), 2, "did you mean bybit"),
    "armed live": ((*HEADLESS, "--mode", "live", "--arm"), 2, "--arm does not go with live"),
    "armed demo": ((*HEADLESS, "--mode", "demo", "--arm"), 2, "--arm does not go with demo"),
    "two ways to show": ((*HEADLESS, "--plain"), 2, "exclude each other"),
    "json for a screen": (("run", "--json"), 2, "--json needs --headless"),
    "instance with slashes": ((*HEADLESS, "--instance", "../x"), 2, "--instance"),
    "negative duration": ((*HEADLESS, "--duration", "-3"), 2, "--duration"),
    "duration of words": ((*HEADLESS, "--duration", "long"), 2, "--duration"),
    "speed 0": ((*REPLAY[:-1], "0", "--data", "good.csv"), 2, "--speed"),
    "speed of words": ((*REPLAY[:-1], "fast", "--data", "good.csv"), 2, "--speed"),
    "speed without replay": ((*HEADLESS, "--speed", "2"), 2, "add --mode replay"),
    "data without replay": ((*HEADLESS, "--data", "good.csv"), 2, "add --mode replay"),
    "replay without data": (REPLAY, 2, "--data"),
    "unknown play": ((*HEADLESS, "--play", "cannary"), 2, "did you mean 'canary'"),
    "unknown profile": ((*HEADLESS, "--profile", "nope"), 2, "nope"),
    "unknown indicator": ((*HEADLESS, "--play", "indicator.yaml"), 2, "indicator.yaml:5"),
    "unknown key in a play": ((*HEADLESS, "--play", "key.yaml"), 2, "stoploss"),
    "malformed play": ((*HEADLESS, "--play", "malformed.yaml"), 2, "malformed.yaml:"),
    "a list for a play": ((*HEADLESS, "--play", "list.yaml"), 2, "list.yaml"),
    "data for a play": ((*HEADLESS, "--play", "good.csv"), 2, "good.csv"),
    "missing play": ((*HEADLESS, "--play", "missing.yaml"), 2, "missing.yaml"),
    "folder for a play": ((*HEADLESS, "--play", "./"), 2, "there is no play"),
    "one name for two plays": ((*HEADLESS, "--play", "play.yaml", "--play", "key.yaml"), 2, "stoploss"),
    "malformed data line": ((*REPLAY, "--data", "bad.csv"), 2, "bad.csv:4"),
    "not market data": ((*REPLAY, "--data", "text.csv"), 2, "text.csv"),
    "not really gzip": ((*REPLAY, "--data", "bytes.csv.gz"), 2, "bytes.csv.gz"),
    "empty data": ((*REPLAY, "--data", "empty.csv"), 2, "empty.csv"),
    "missing data": ((*REPLAY, "--data", "missing.csv"), 2, "missing.csv"),
    "folder for data": ((*REPLAY, "--data", "./"), 2, "is a directory, not a file"),
    "backtest of bad data": (("backtest", "canary", "--data", "bad.csv"), 2, "bad.csv:4"),
    "backtest into a file": (
        ("backtest", "canary", "--data", "good.csv", "--out", "good.csv"),
        2,
        "--out takes a folder",
    ),
    "comparing what was not kept": (("backtest", "compare", "good", "bad"), 2, "no saved backtest"),
    "parity of nothing": (("bench", "parity"), 2, "--data-dir DIR"),
    "parity of nowhere": (("bench", "parity", "--data-dir", "nowhere"), 2, "nowhere: is no folder"),
    "backtest of nothing": (("backtest", "canary"), 2, "--data"),
    "backtest before the data": (
        ("backtest", "canary", "--data", "good.csv", "--to", "2019-01-01"),
        2,
        "no rows",
    ),
    "backtest from no time": (("backtest", "canary", "--data", "good.csv", "--from", "soon"), 2, "--from"),
    "no terminal": (("run",), 2, "--headless"),
    "no terminal and no data": (
        ("run", "--mode", "replay"),
        2,
        "replay needs a file of market data: give --data",
    ),
    "no terminal and no such mode": (
        ("run", "--mode", "live", "--confirm"),
        2,
        "no venue is named: --venue NAME",
    ),
    "no terminal and a broken play": (("run", "--play", "indicator.yaml"), 2, "indicator.yaml:5"),
    "no terminal to attach in": (("attach",), 2, "attach --plain"),
    "no engine to ask": (("status",), 1, "no engine runs"),
    "no engine to stop": (("stop",), 1, "no engine runs"),
    "no engine to flatten": (("flatten",), 4, "no engine runs"),
    "direct and all": (("flatten", "--all", "--direct"), 2, "choose one of the two"),
    "nothing to flatten": (("flatten", "--direct"), 1, "no session"),
    "no session to verify": (("verify", "last"), 2, "no session"),
    "unknown risk mode": (("mode", "careless"), 2, "careless"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_told_once_and_leaves_nothing(place, capsys, wrong):
    words, code, told = WRONG[wrong]
    assert call(*words) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert "Traceback" not in said.err
    assert not (place / "state").exists(), "nothing is written"


# Plays meet their instruments once the engine has its folder and its lock; an empty database may stay.
MISPLACED = {
    "unknown symbol": ((*HEADLESS, "--play", "symbol.yaml"), "wants DOGEUSDT, but the feed has BTCUSDT"),
    "symbol not in the data": (
        (*REPLAY, "--play", "symbol.yaml", "--data", "XYZ=good.csv"),
        "wants DOGEUSDT, but the feed has XYZ",
    ),
    "two plays, one instrument": (
        (*REPLAY, "--play", "play.yaml", "--play", "other.yaml", "--data", "BTCUSDT=good.csv"),
        "each needs one of its own",
    ),
}


@pytest.mark.parametrize("wrong", MISPLACED)
def test_a_play_without_its_instrument_begins_no_session(place, capsys, wrong):
    words, told = MISPLACED[wrong]
    assert call(*words) == 2
    assert told in capsys.readouterr().err
    assert not [*(place / "state").glob("*")], "nothing was written"


def test_help_lists_every_command_and_the_exit_codes(capsys):
    assert cli.main(["--help"]) == 0
    words = capsys.readouterr().out
    assert "Exit codes: 0 done" in words
    listed = [line.split()[0] for line in words.partition("Commands:\n")[2].splitlines() if line.strip()]
    visible = tuple(name for name in cli.COMMANDS if not cli.cli.commands[name].hidden)
    assert tuple(listed[: len(visible)]) == visible
    assert set(cli.cli.commands) == set(cli.COMMANDS)
    assert "..." not in words.partition("Commands:")[2], "each command says in one line what it does"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_option_is_explained(command):
    options = [p for p in cli.cli.commands[command].params if p.param_type_name == "option"]
    assert [p.name for p in options if not getattr(p, "help", "")] == []


def test_the_version_is_printed(capsys):
    assert cli.main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "action", "argument", "reason"),
    [
        (("arm", "--confirm", "canary", "--reason", "go"), Action.ARM, "canary", "go"),
        (("disarm",), Action.DISARM, "", ""),
        (("pause", "--reason", "news"), Action.PAUSE, "", "news"),
        (("resume",), Action.RESUME, "", ""),
        (("mode", "reduce"), Action.RISK_MODE, "reduce", ""),
        (("limits", "enable", "canary", "--reason", "seen"), Action.ENABLE, "canary", "seen"),
        (("limits", "accept", "--reason", "seen"), Action.ACCEPT_LIMITS, "", "seen"),
        (
            ("resolve", "tt01xyz", "dead", "--confirm", "1xyz", "--reason", "gone"),
            Action.RESOLVE,
            "tt01xyz dead",
            "gone",
        ),
    ],
)
def test_a_command_reaches_the_engine(place, settings, capsys, words, action, argument, reason):
    with Night(settings) as night:
        assert call(*words, "--instance", "night", "--json") == 0
        (request,) = night.requests
    assert (request.action, request.argument, request.reason) == (action, argument, reason)
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_status_flatten_and_stop_reach_the_engine(place, settings, capsys):
    with Night(settings) as night:
        night.on = {Action.FLATTEN: lambda: night.flatten("flat"), Action.STOP: night.let_go}
        for words in (("status",), ("limits", "show"), ("flatten",), ("stop", "--on-stop", "keep")):
            assert call(*words, "--instance", "night", "--json") == 0
            assert isinstance(json.loads(capsys.readouterr().out), dict)
        assert night.requests[-1].argument == "keep"


def test_flags_alone_mean_run(place, monkeypatch):
    seen = []

    def run(settings, options):
        seen.append((settings, options))
        return 0

    monkeypatch.setattr(launch, "run", run)
    assert call("--play", "canary", "--duration", "5", "--theme", "dark", "--in-process") == 0
    ((settings, options),) = seen
    assert settings.duration_s == 5
    assert settings.console.theme == "dark"
    assert options.in_process
    assert options.given == ("--play", "--duration")
    assert call("--speed", "max", "--mode", "replay", "--data", "XYZ=good.csv", "--bar-ts", "close") == 0
    settings, _ = seen[-1]
    assert settings.speed is None
    assert settings.data[0].symbol == "XYZ"


def test_plain_attach_shows_lines(place, monkeypatch):
    seen = []

    def attach(_settings, options):
        seen.append(options)
        return 0

    monkeypatch.setattr(launch, "attach", attach)
    assert call("attach", "--plain") == 0
    assert seen[0].plain


def test_ctrl_c_is_one_line(place, monkeypatch, capsys):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(backtest, "run_backtest", interrupted)
    assert call("backtest", "canary", "--data", "good.csv") == 130
    assert capsys.readouterr().err.strip() == "trader-tui: interrupted"
