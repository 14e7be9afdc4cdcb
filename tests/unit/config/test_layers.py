"""Layers: the higher one wins, and every error names where the value was written."""

from pathlib import Path

import pytest

from engine.config.layers import load_settings
from engine.config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.modes import Mode


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Keep the user's own files out of it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "trader-tui"
    folder.mkdir(parents=True)
    play = folder / "plays" / "mine.yaml"
    play.parent.mkdir()
    play.write_text("name: mine\n")
    return folder


@pytest.fixture
def load(home):
    """Load with an environment of its own and a play that is there."""

    def load_with(flags=None, env=None, user=None) -> Settings:
        if user is not None:
            (home / "config.yaml").write_text(user)
        return load_settings({"plays": ["mine"]} | (flags or {}), env=env or {})

    return load_with


def refusal(load, **layers) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(**layers)
    return caught.value


def test_the_packaged_default_is_what_the_models_say(load, home):
    same = {"plays": (home / "plays" / "mine.yaml",)}
    assert load() == Settings().model_copy(update=same)


@pytest.mark.parametrize(
    ("user", "env", "flags", "theme"),
    [
        (None, None, None, "dark"),
        ("console: {theme: user}", None, None, "user"),
        ("console: {theme: user}", {"TRADER_TUI_CONSOLE__THEME": "env"}, None, "env"),
        ("console: {theme: user}", {"TRADER_TUI_CONSOLE__THEME": "env"}, {"console.theme": "flag"}, "flag"),
        ("console: {theme: user}", {"TRADER_TUI_CONSOLE__THEME": ""}, {"console.theme": None}, "user"),
    ],
)
def test_the_higher_layer_wins(load, user, env, flags, theme):
    settings = load(user=user, env=env, flags=flags)
    assert settings.console.theme == theme
    assert settings.console.frame_rate == 10, "what a layer does not say stays"


def test_a_profile_lies_between_the_default_and_the_user(load, home):
    (home / "profiles").mkdir()
    (home / "profiles" / "careful.yaml").write_text("limits: {open_orders_max: 3}\nlog: {files: 9}\n")
    settings = load(user="profile: careful\nlog: {files: 7}\n")
    assert settings.limits.open_orders_max == 3
    assert settings.log.files == 7


def test_a_shipped_profile_is_found_by_name_and_can_be_taken_back(load):
    assert load(flags={"profile": "live"}).limits.open_orders_max == 10
    assert load(flags={"profile": ""}, env={"TRADER_TUI_PROFILE": "live"}).limits.open_orders_max == 50


def test_an_unknown_profile_names_its_source(load):
    error = refusal(load, env={"TRADER_TUI_PROFILE": "papr"})
    assert (
        str(error) == "TRADER_TUI_PROFILE: profile: there is no profile named 'papr'; did you mean 'paper'?"
    )


def test_a_broken_profile_names_its_own_file(load, home):
    (home / "profiles").mkdir()
    (home / "profiles" / "bad.yaml").write_text("a: [")
    assert "bad.yaml:1:" in str(refusal(load, flags={"profile": "bad"}))


def test_lists_and_nothing_can_be_written_in_variables(load):
    env = {
        "TRADER_TUI_SYNTHETIC__SYMBOLS": "[A, B]",
        "TRADER_TUI_LIMITS__DAILY_LOSS_MAX": "null",
        "TRADER_TUI_LIMITS__ORDER_NOTIONAL_MAX": "12.50",
    }
    settings = load(env=env)
    assert settings.synthetic.symbols == ("A", "B")
    assert settings.limits.daily_loss_max is None
    assert str(settings.limits.order_notional_max) == "12.50"


def test_a_section_may_be_said_whole_and_in_part(load):
    env = {"TRADER_TUI_LOG": "{files: 3}", "TRADER_TUI_LOG__LEVEL": "debug"}
    assert load(env=env).log.files == 3
    assert load(env={"TRADER_TUI_LOG": "x", "TRADER_TUI_LOG__FILES": "4"}).log.files == 4


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            {"user": "mode: paper\nlimits:\n  open_order_max: 3\n"},
            "{file}:3:19: limits.open_order_max: there is no such setting; did you mean 'open_orders_max'?",
        ),
        (
            {"env": {"TRADER_TUI_LOG__LEVEL": "loud"}},
            "TRADER_TUI_LOG__LEVEL: log.level: it should be 'debug', 'info', 'warning' or 'error' (got ",
        ),
        (
            {"flags": {"instance": "a/b"}},
            "--instance: must be 1 to 32 letters, digits, dots, dashes or underscores, ",
        ),
        (
            {"flags": {"console.frame_rate": 99}},
            "--frame-rate: it should be less than or equal to 30 (got 99)",
        ),
        (
            {"user": "limits:\n  position_notional_max: 1\n"},
            "{file}:2:26: limits.position_notional_max: must not be below order_notional_max (10000) (got 1)",
        ),
        ({"user": "limits: 5\n"}, "{file}:1:9: limits: it should be a valid dictionary or instance of "),
        ({"user": "data: [{symbol: A}]\n"}, "{file}:1:8: data[0].path: this setting must be given"),
        ({"user": "data: [{path: a, pth: b}]\n"}, "{file}:1:23: data[0].pth: there is no such setting; did"),
        (
            {"flags": {"plays": ["mien"]}},
            "--play: there is no play named 'mien'; did you mean 'mine'?",
        ),
        (
            {"env": {"TRADER_TUI_MODE": "live"}},
            "TRADER_TUI_MODE: mode: live is chosen on the command line only",
        ),
        ({"user": "arm: true\n"}, "{file}:1:6: arm: true is chosen on the command line only"),
        ({"user": "- a\n"}, "{file}:1: settings are written as `name: value` lines"),
        ({"env": {"TRADER_TUI_PLAYS": "[a"}}, "TRADER_TUI_PLAYS:1:3: this is not YAML: "),
        (
            {"env": {"TRADER_TUI_X": "y" * 80}},
            "TRADER_TUI_X: x: there is no such setting; there is account, ",
        ),
        ({"env": {"TRADER_TUI_MODE": "y" * 80}}, "TRADER_TUI_MODE: mode: it should be 'backtest', "),
    ],
)
def test_an_error_names_source_field_and_trouble(load, home, layers, message):
    error = refusal(load, **layers)
    assert str(error).startswith(message.replace("{file}", str(home / "config.yaml")))
    assert error.exit_code == 2


def test_all_errors_are_told_together(load, home):
    error = refusal(load, user="mod: paper\nlog: {files: 0}\n", env={"TRADER_TUI_SPEED": "fast"})
    first, *rest = str(error).splitlines()
    assert first == "3 settings cannot be used:"
    assert len(rest) == 3
    assert sum(str(home / "config.yaml") in line for line in rest) == 2
    assert any(line.startswith("  TRADER_TUI_SPEED: speed:") for line in rest)


def test_missing_files_are_told_together_with_their_flags(load):
    error = refusal(load, flags={"plays": ["./gone.yaml"], "data": ["A=gone.csv", "also.csv"]})
    flags = [line.split(": ")[0].strip() for line in str(error).splitlines()[1:]]
    assert flags == ["--play", "--data", "--data"]
    assert ["gone.yaml" in str(error), "gone.csv" in str(error), "also.csv" in str(error)] == [True] * 3


def test_a_replaced_list_does_not_answer_for_its_successor(load):
    error = refusal(load, user="data: [one.csv, two.csv]\n", flags={"data": ["three.csv"]})
    assert str(error).startswith("--data: there is no file")


def test_paths_are_absolute_and_relative_to_what_names_them(load, home, tmp_path, monkeypatch):
    (home / "year.csv").write_text("")
    work = tmp_path / "work"
    work.mkdir()
    (work / "day.csv").write_text("")
    monkeypatch.chdir(work)
    assert load(user="data: [BTC=year.csv]\nstate_dir: state\n").data[0].path == home / "year.csv"
    assert load(user="state_dir: state\n").state_dir == home / "state"
    settings = load(flags={"data": ["day.csv"], "state_dir": "state"})
    assert settings.data[0].path == work / "day.csv"
    assert settings.state_dir == work / "state"


def test_live_may_be_said_on_the_command_line(load):
    assert load(flags={"mode": "live", "arm": True}).mode is Mode.LIVE


def test_real_money_has_no_play_unless_somebody_names_one(home):
    assert load_settings({"mode": "live"}, env={}).plays == ()
    assert [play.name for play in load_settings({"mode": "demo"}, env={}).plays] == ["canary.yaml"]
    mine = (home / "plays" / "mine.yaml",)
    assert load_settings({"mode": "live", "plays": ["mine"]}, env={}).plays == mine
    assert load_settings({"mode": "live"}, env={"TRADER_TUI_PLAYS": "mine"}).plays == mine


def test_a_settings_file_can_be_named(home, tmp_path):
    file = tmp_path / "other.yaml"
    file.write_text("")
    assert load_settings({"plays": []}, env={}, user_file=file).plays == ()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings({}, env={}, user_file=Path("/nowhere/x.yaml"))


def test_sections_that_are_left_out_are_not_asked(tmp_path):
    """A command to an engine that runs is not kept from it by limits that make no sense."""
    file = tmp_path / "config.yaml"
    file.write_text("instance: night\nlimits: {order_notional_max: -1}\nblackout: 5\n", "utf-8")
    env = {"TRADER_TUI_LIMITS__OPEN_ORDERS_MAX": "-1", "TRADER_TUI_CONSOLE__THEME": "light"}
    with pytest.raises(ConfigError):
        load_settings(env=env, user_file=file)
    settings = load_settings(env=env, user_file=file, without=("limits", "blackout"))
    assert (settings.instance, settings.console.theme) == ("night", "light")
    assert settings.limits.open_orders_max == 50
