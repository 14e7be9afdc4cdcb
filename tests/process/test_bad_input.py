"""What users get wrong: one clear message, the right exit code, and nothing half written."""

import os
import shutil

import pytest

from tests.process.harness import one_message

pytestmark = pytest.mark.process

REPLAY = ("run", "--headless", "--mode", "replay", "--speed", "max", "--data")


@pytest.fixture
def files(tmp_path):
    """Files to get wrong."""
    (tmp_path / "bad.csv").write_text("ts_ms,open,high,low,close,volume\n1577836800000,10,ten,9,10,5\n")
    (tmp_path / "indicator.yaml").write_text(
        "name: mine\ntimeframe: base\nsize: {notional: 500}\nlong:\n  enter: emma(20) > close\n"
    )
    return tmp_path


WRONG = {
    "unknown option": (("run", "--headless", "--modus", "paper"), 2, "--modus"),
    "live mode": (("run", "--headless", "--mode", "live"), 2, "mode live"),
    "unknown indicator": (("run", "--headless", "--play", "indicator.yaml"), 2, "indicator.yaml:5"),
    "malformed data line": ((*REPLAY, "bad.csv"), 2, "bad.csv:2"),
    "missing data": ((*REPLAY, "missing.csv"), 2, "missing.csv"),
    "backtest of bad data": (("backtest", "canary", "--data", "bad.csv"), 2, "bad.csv:2"),
    "no engine to ask": (("status",), 1, "no engine runs"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_one_message_and_leaves_nothing(house, files, wrong):
    words, code, told = WRONG[wrong]
    done = house.run(*words)
    assert done.code == code, done.err
    assert told in one_message(done)
    assert not house.state_dir.exists(), "nothing is written"


def test_a_mistake_in_the_environment_names_the_variable(house):
    for name, value, told in (
        ("TRADER_TUI_LIMITS__OPEN_ORDER_MAX", "5", "TRADER_TUI_LIMITS__OPEN_ORDER_MAX"),
        ("TRADER_TUI_SYNTHETIC__SYMBOLS", "BTCUSDT,NOSUCH", "NOSUCH"),
    ):
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
