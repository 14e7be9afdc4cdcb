"""What users get wrong: one clear message, the right exit code, and nothing half written."""

import os
import shutil

import pytest

from tests.process.harness import one_message

pytestmark = pytest.mark.process

GOOD_BARS = "ts_ms,open,high,low,close,volume\n1577836800000,10,11,9,10,5\n1577836860000,10,11,9,10,5\n"
PLAY = "name: mine\ntimeframe: base\nsize: {{notional: 500}}\nlong:\n  enter: {rule}\n"
REPLAY = ("run", "--headless", "--mode", "replay", "--speed", "max")


@pytest.fixture
def files(tmp_path):
    """Files to get wrong."""
    (tmp_path / "good.csv").write_text(GOOD_BARS)
    (tmp_path / "bad.csv").write_text(GOOD_BARS + "1577836920000,10,ten,9,10,5\n")
    (tmp_path / "text.csv").write_text("hello\nworld\n")
    (tmp_path / "bytes.csv.gz").write_bytes(b"\x1f\x8b\x08\x00 not really")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "play.yaml").write_text(PLAY.format(rule="close > 0"))
    (tmp_path / "other.yaml").write_text(
        PLAY.format(rule="close > 0").replace("mine", "other") + "symbols: [BTCUSDT]\n"
    )
    (tmp_path / "indicator.yaml").write_text(PLAY.format(rule="emma(20) > close"))
    (tmp_path / "key.yaml").write_text(PLAY.format(rule="close > 0") + "stoploss: {percent: 1}\n")
    (tmp_path / "malformed.yaml").write_text("name: [unclosed\nsize: 3\n")
    (tmp_path / "list.yaml").write_text("- a\n- b\n")
    (tmp_path / "symbol.yaml").write_text(PLAY.format(rule="close > 0") + "symbols: [DOGEUSDT]\n")
    return tmp_path


WRONG = {
    "unknown option": (("run", "--headless", "--modus", "paper"), 2, "--modus"),
    "unknown command": (("runn",), 2, "runn"),
    "unknown mode": (("run", "--headless", "--mode", "papre"), 2, "papre"),
    "live mode": (("run", "--headless", "--mode", "live"), 2, "mode live"),
    "demo mode": (("run", "--headless", "--mode", "demo"), 2, "mode demo"),
    "shadow mode": (("run", "--headless", "--mode", "shadow"), 2, "mode shadow"),
    "armed live": (("run", "--headless", "--mode", "live", "--arm"), 2, "--arm does not go with live"),
    "instance with slashes": (("run", "--headless", "--instance", "../x"), 2, "--instance"),
    "negative duration": (("run", "--headless", "--duration", "-3"), 2, "--duration"),
    "speed 0": ((*REPLAY[:-1], "0", "--data", "good.csv"), 2, "--speed"),
    "speed of words": ((*REPLAY[:-1], "fast", "--data", "good.csv"), 2, "--speed"),
    "replay without data": (REPLAY, 2, "--data"),
    "data without replay": (("run", "--headless", "--data", "good.csv"), 2, "add --mode replay"),
    "unknown play": (("run", "--headless", "--play", "cannary"), 2, "did you mean 'canary'"),
    "unknown profile": (("run", "--headless", "--profile", "nope"), 2, "nope"),
    "unknown indicator": (("run", "--headless", "--play", "indicator.yaml"), 2, "indicator.yaml:5"),
    "unknown key in a play": (("run", "--headless", "--play", "key.yaml"), 2, "stoploss"),
    "malformed play": (("run", "--headless", "--play", "malformed.yaml"), 2, "malformed.yaml:"),
    "a list for a play": (("run", "--headless", "--play", "list.yaml"), 2, "list.yaml"),
    "data for a play": (("run", "--headless", "--play", "good.csv"), 2, "good.csv"),
    "missing play": (("run", "--headless", "--play", "missing.yaml"), 2, "missing.yaml"),
    "folder for a play": (("run", "--headless", "--play", "./"), 2, "there is no play"),
    "unknown symbol in a play": (("run", "--headless", "--play", "symbol.yaml"), 2, "DOGEUSDT"),
    "symbol not in the data": (
        (*REPLAY, "--play", "symbol.yaml", "--data", "XYZ=good.csv"),
        2,
        "wants DOGEUSDT, but the feed has XYZ",
    ),
    "two plays, one instrument": (
        (*REPLAY, "--play", "play.yaml", "--play", "other.yaml", "--data", "BTCUSDT=good.csv"),
        2,
        "each needs one of its own",
    ),
    "malformed data line": ((*REPLAY, "--data", "bad.csv"), 2, "bad.csv:4"),
    "not market data": ((*REPLAY, "--data", "text.csv"), 2, "text.csv"),
    "not really gzip": ((*REPLAY, "--data", "bytes.csv.gz"), 2, "bytes.csv.gz"),
    "empty data": ((*REPLAY, "--data", "empty.csv"), 2, "empty.csv"),
    "missing data": ((*REPLAY, "--data", "missing.csv"), 2, "missing.csv"),
    "folder for data": ((*REPLAY, "--data", "./"), 2, "there is no file"),
    "backtest of bad data": (("backtest", "canary", "--data", "bad.csv"), 2, "bad.csv:4"),
    "no engine to ask": (("status",), 1, "no engine runs"),
    "no session to verify": (("verify", "last"), 2, "no session"),
}


# Plays meet their instruments once the engine has its folder and its lock; an empty database may stay.
PUT_ON_INSTRUMENTS = {"unknown symbol in a play", "symbol not in the data", "two plays, one instrument"}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_one_message_and_leaves_nothing(house, files, wrong):
    words, code, told = WRONG[wrong]
    done = house.run(*words)
    assert done.code == code, done.err
    assert told in one_message(done)
    assert not [*house.state_dir.glob("*/records/*")], "no session began"
    assert wrong in PUT_ON_INSTRUMENTS or not house.state_dir.exists(), "nothing is written"


ENVIRONMENT = {
    "TRADER_TUI_LIMITS__OPEN_ORDER_MAX": ("5", "TRADER_TUI_LIMITS__OPEN_ORDER_MAX"),
    "TRADER_TUI_NOTHING": ("1", "there is no such setting"),
    "TRADER_TUI_ARM": ("true", "TRADER_TUI_ARM"),
    "TRADER_TUI_MODE": ("live", "TRADER_TUI_MODE"),
    "TRADER_TUI_SYNTHETIC__SYMBOLS": ("BTCUSDT,NOSUCH", "NOSUCH"),
}


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_mistake_in_the_environment_names_the_variable(house, name):
    value, told = ENVIRONMENT[name]
    done = house.run("run", "--headless", env={name: value})
    assert done.code == 2, done.err
    assert told in one_message(done)


def test_a_mistake_in_the_settings_file_names_its_line(house, tmp_path):
    own = tmp_path / "config" / "trader-tui" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("# mine\nlimits:\n  open_order_max: 5\n")
    done = house.run("run", "--headless")
    assert done.code == 2, done.err
    assert f"{own}:3" in one_message(done)
    own.write_text("limits: [unclosed\n")
    done = house.run("run", "--headless")
    assert done.code == 2, done.err
    assert f"{own}:" in one_message(done)


def test_without_a_terminal_the_other_ways_are_named(house):
    done = house.run()
    assert done.code == 2
    message = one_message(done)
    assert "--headless" in message
    assert "--plain" in message


def test_a_state_folder_that_cannot_be_one(house):
    house.state_dir.write_text("a file")
    done = house.run("run", "--headless")
    assert done.code == 1
    message = one_message(done)
    assert str(house.state_dir) in message
    assert "--state-dir" in message
    house.state_dir.unlink()


@pytest.mark.parametrize("made", [False, True])
def test_a_state_folder_that_may_not_be_written(house, made):
    folder = house.folder() if made else house.state_dir
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    done = house.run("run", "--headless", before=as_anybody())
    assert done.code == 1, done.err
    assert str(house.folder()) in one_message(done)
    folder.chmod(0o700)
    assert list(folder.iterdir()) == []


def as_anybody():
    """Return what takes from root the right to write everywhere."""
    if os.getuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("running as root without setpriv: a read-only folder was NOT tested")
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search")


IN_A_TERMINAL = {
    "unknown theme": (("--theme", "darc"), 2, "darc"),
    "unknown indicator": (("--play", "indicator.yaml"), 2, "indicator.yaml:5"),
    "live": (("--mode", "live"), 2, "mode live"),
    "nothing to attach to": (("attach",), 1, "no engine runs"),
}


@pytest.mark.parametrize("wrong", IN_A_TERMINAL)
def test_in_a_terminal_the_message_stands_below_a_restored_screen(house, terminal, files, wrong):
    words, code, told = IN_A_TERMINAL[wrong]
    opened = terminal(*words)
    assert opened.wait() == code, opened.words
    assert opened.restored()
    assert told in opened.words
    assert "Traceback" not in opened.words
    assert house.gone()


def test_in_a_terminal_an_engine_that_cannot_start_says_why(house, terminal):
    house.state_dir.write_text("a file")
    opened = terminal()
    assert opened.wait() == 1, opened.words
    assert opened.restored()
    assert "the state directory cannot be made: Not a directory" in opened.words
    house.state_dir.unlink()
