"""The first files: commented, checked, and over nobody else's."""

import io
import json
import stat
from decimal import Decimal

import pytest
from ruamel.yaml import YAML

from engine.api import ConfigError, load_settings
from tui import cli
from tui.init import Choices, config_text, play_text, targets, templates, write


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A configuration folder that nobody has written to."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "trader-tui"


class Answers(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self):
        return True


def call(*words):
    """Run `init` as the shell would; return the exit code."""
    try:
        return cli.main(["init", *words])
    except SystemExit as end:
        return end.code


def test_what_is_written_is_what_was_chosen(home):
    choices = Choices(symbols=("ETHUSDT",), play="mine", equity=Decimal(7000), daily_loss=None)
    written = write(choices, overwrite=False)
    settings = load_settings({})
    assert settings.plays == (home / "plays" / "mine.yaml",)
    assert settings.synthetic.symbols == ("ETHUSDT",)
    assert settings.account.equity == 7000
    assert settings.limits.daily_loss_max is None
    assert written.kept == ()
    assert sorted(path.name for path in home.rglob("*")) == ["config.yaml", "mine.yaml", "plays"]


def test_a_venues_markets_are_those_that_are_streamed():
    write(Choices(venue="bybit", symbols=("BTCUSDT",)), overwrite=False)
    settings = load_settings({})
    assert (settings.venue, settings.stream.symbols) == ("bybit", ("BTCUSDT",))


@pytest.mark.parametrize("template", templates())
def test_every_play_that_stands_alone_can_be_begun_with(template):
    write(Choices(template=template), overwrite=False)


def test_those_that_do_not_are_not_offered():
    assert "ema_cross" in templates()
    assert not {"model_drift", "pair_reversion"} & set(templates())


def test_every_setting_has_a_word_beside_it():
    lines = [line for line in config_text(Choices()).splitlines() if line and not line.startswith("#")]
    bare = [line for line in lines if "#" not in line]
    assert bare == ['  symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT"]', "account:", "console:"]
    assert "play check mine" in play_text(Choices(play="mine"))


def test_names_that_yaml_would_read_otherwise_stay_names():
    text = config_text(Choices(venue="no", symbols=("1e5", "ON")))
    read = YAML(typ="safe").load(text)
    assert (read["venue"], read["stream"]["symbols"]) == ("no", ["1e5", "ON"])


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (Choices(template="ema_cros"), "did you mean ema_cross"),
        (Choices(template="zzz"), "there is band_reversion"),
        (Choices(play="../evil"), "no name for a play"),
        (Choices(symbols=("BTC USDT",)), "no name of a venue or market"),
        (Choices(symbols=()), "at least one market"),
        (Choices(venue="by\nbit"), "no name of a venue or market"),
        (Choices(drawdown=Decimal(200)), "drawdown_max_percent"),
    ],
)
def test_what_cannot_be_used_is_refused_before_a_file_is_there(home, choices, said):
    with pytest.raises(ConfigError, match=said):
        write(choices, overwrite=False)
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_files_that_are_there_are_left_alone(home, capsys):
    home.mkdir()
    (home / "config.yaml").write_text("mode: paper\n")
    assert call("--yes") == 2
    assert "config.yaml is there already and nothing was written; --overwrite" in capsys.readouterr().err
    assert (home / "config.yaml").read_text() == "mode: paper\n"
    assert not (home / "plays").exists()


def test_what_is_replaced_is_kept_each_time(home, capsys):
    home.mkdir()
    (home / "config.yaml").write_text("mode: paper\n")
    (home / "config.yaml").chmod(0o600)
    assert call("--yes", "--overwrite") == 0
    assert call("--yes", "--overwrite") == 0
    said = capsys.readouterr().out
    assert (home / "config.yaml.bak").read_text() == "mode: paper\n"
    assert "config.yaml.bak1" in said
    assert stat.S_IMODE((home / "config.yaml").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_one_message(home, capsys):
    home.write_text("a file, not a folder")
    assert call("--yes") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_flags_say_what_would_be_asked(capsys):
    words = (
        "--venue",
        "bybit",
        "--symbol",
        "ETHUSDT",
        "--symbol",
        "SOLUSDT",
        "--play",
        "p",
        "--from",
        "canary",
    )
    assert call("--json", *words, "--order-max", "none", "--drawdown", "5") == 0
    facts = json.loads(capsys.readouterr().out)
    settings = load_settings({})
    assert facts["play"].endswith("plays/p.yaml")
    assert settings.stream.symbols == ("ETHUSDT", "SOLUSDT")
    assert settings.limits.order_notional_max is None
    assert settings.limits.drawdown_max_percent == 5


@pytest.mark.parametrize("written", ["much", "-3", "0", "1e99", "nan"])
def test_amounts_are_amounts(written, capsys):
    assert call("--yes", "--order-max", written) == 2
    assert "order max is an amount above 0, or none, and not" in capsys.readouterr().err


def test_money_is_not_lifted(capsys):
    assert call("--yes", "--equity", "none") == 2
    assert "equity is an amount above 0, and not" in capsys.readouterr().err


def test_questions_are_asked_with_defaults(monkeypatch, capsys):
    answers = ("bybit", "", "canary", "try", "", "none", "", "", "7")
    monkeypatch.setattr("sys.stdin", Answers("".join(f"{answer}\n" for answer in answers)))
    assert call() == 0
    settings = load_settings({})
    assert (settings.venue, settings.stream.symbols) == ("bybit", ("BTCUSDT",))
    assert settings.limits.order_notional_max is None
    assert settings.limits.drawdown_max_percent == 7
    assert settings.plays[0].name == "try.yaml"
    said = capsys.readouterr().out
    assert "Whose market?" in said
    assert "press a and type try" in said


def test_an_answer_that_cannot_be_used_is_asked_for_again(monkeypatch, capsys):
    """The answers before it are not lost."""
    answers = ("no such!", "bybit", "", "emacross", "canary", "try", "lots", "900", "", "", "", "")
    monkeypatch.setattr("sys.stdin", Answers("".join(f"{answer}\n" for answer in answers)))
    assert call() == 0
    settings = load_settings({})
    assert (settings.venue, str(settings.account.equity)) == ("bybit", "900")
    said = capsys.readouterr().out
    assert "'no such!' is no name of a venue or market" in said
    assert "did you mean ema_cross?" in said
    assert "equity is an amount above 0, and not 'lots'" in said


@pytest.mark.parametrize(("answer", "code"), [("n", 4), ("", 4), ("y", 0)])
def test_before_something_is_replaced_one_is_asked(home, monkeypatch, capsys, answer, code):
    write(Choices(), overwrite=False)
    before = (home / "config.yaml").read_text()
    monkeypatch.setattr("sys.stdin", Answers("\n" * 8 + f"{answer}\n"))
    assert call("--equity", "9") == code
    assert "There already: " in capsys.readouterr().out
    assert ((home / "config.yaml").read_text() == before) is (code == 4)


def test_without_a_terminal_it_asks_nobody(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert call() == 2
    assert "--yes" in capsys.readouterr().err
    assert not targets(Choices())[0].exists()
