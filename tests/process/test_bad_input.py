"""What users get wrong: one clear message, the right exit code, and nothing half written."""

import gzip
import json
import os
import re
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


HEAD = b"ts_ms,open,high,low,close,volume\n"
ROWS = [b"%d,10,11,9,10.5,3\n" % (1577836800000 + 60_000 * row) for row in range(2_000)]
WHOLE = HEAD + b"".join(ROWS)
PACKED = gzip.compress(WHOLE)
BAD_FILES = {  # name: content, and a pattern of what is said of it after the name
    "column.csv": (
        WHOLE.replace(b",volume", b"").replace(b",3\n", b"\n"),
        ":1: a file of bars needs the column",
    ),
    "text.csv": (WHOLE.replace(ROWS[7], b"1577837220000,10,ten,9,10,3\n"), ":9: high: 'ten' is not a number"),
    "falling.csv": (HEAD + b"".join(reversed(ROWS)), ":3: ts_ms: 1577956680000 is before the line above"),
    "double.csv": (HEAD + b"".join([*ROWS[:5], *ROWS[4:]]), ":7: ts_ms: 1577837040000 is there twice"),
    "nan.csv": (WHOLE.replace(ROWS[7], b"1577837220000,10,nan,9,10,3\n"), ":9: high: 'nan' is not a number"),
    "inf.csv": (WHOLE.replace(ROWS[7], b"1577837220000,10,inf,9,10,3\n"), ":9: high: 'inf' is not a number"),
    "cut.csv.gz": (PACKED[: len(PACKED) // 2], r":\d+: the gzip file ends in the middle of this line"),
    "empty.csv": (b"", ":1: the file is empty"),
    "header.csv": (HEAD, ":2: has no rows under its first line"),
    "binary.csv": (bytes(range(256)) * 50, ": is no text"),
    "semicolons.csv": (WHOLE.replace(b",", b";"), ":1: the columns are separated by semicolons"),
    "wide.csv": (HEAD[:-1] + b",x" * 1_000_000 + b"\n", ":1: the first line is longer than"),
    "seconds.csv": (HEAD + b"".join(row[:10] + row[13:] for row in ROWS), ":2: ts_ms: as milliseconds"),
}
LOOKERS = {
    "data show": ("data", "show"),
    "backtest": ("backtest", "canary", "--data"),
    "replay": ("run", "--headless", "--mode", "replay", "--speed", "max", "--play", "canary", "--data"),
}


@pytest.mark.parametrize("looker", LOOKERS)
def test_a_bad_file_is_one_message_with_its_line_and_leaves_nothing(house, tmp_path, looker):
    for name, (content, told) in BAD_FILES.items():
        (tmp_path / name).write_bytes(content)
        done = house.run(*LOOKERS[looker], name)
        assert done.code == 2, (name, done.err)
        message = one_message(done)
        place, _, what = message.partition(name)
        assert place, message
        assert re.match(told, what), message
        assert message.count("\n") == 0, message
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name, told in (("folder.csv", "is a directory"), ("pipe.csv", "pipe")):
        done = house.run(*LOOKERS[looker], name)
        assert done.code == 2, (name, done.err)
        assert told in one_message(done)
    assert not house.state_dir.exists(), "nothing is written"
    assert not list(tmp_path.glob("**/*.columns")), "nothing is kept"


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistakes(house, tmp_path):
    for name, content in (
        ("plain.csv", WHOLE),
        ("windows.csv", b"\xef\xbb\xbf" + WHOLE.replace(b"\n", b"\r\n")),
    ):
        (tmp_path / name).write_bytes(content)
    runs = [
        json.loads(house.run("backtest", "canary", "--data", name, "--json").out)
        for name in ("plain.csv", "windows.csv")
    ]
    assert runs[0]["bars"] == runs[1]["bars"] == len(ROWS)
    assert runs[0]["final_equity"] == runs[1]["final_equity"]


WRONG = {
    "unknown option": (("run", "--headless", "--modus", "paper"), 2, "--modus"),
    "live mode": (("run", "--headless", "--mode", "live"), 2, "live does not start, for 4 reasons"),
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
