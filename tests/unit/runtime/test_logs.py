"""Logs: one JSON object a line, secrets hidden, files bounded, and no way to stop the engine."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.config.secrets import HIDDEN, Redactor, Secret
from engine.config.settings import LogLevel, LogSettings
from engine.domain.errors import StorageError
from engine.domain.modes import Mode
from engine.runtime.logs import FILE_NAME, EngineLog, RotatingFile, readable_screen

PASSWORD = "pa55-of-the-venue"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def lines(folder):
    return [json.loads(line) for line in (folder / FILE_NAME).read_text().splitlines()]


def test_a_line_is_an_object_with_time_level_event_and_values(tmp_path):
    with EngineLog(tmp_path, LogSettings(), instance="default") as log:
        log.logger.bind(cycle="canary@1").info("order.submitted", qty=Decimal("1.20"), mode=Mode.PAPER)
    (line,) = lines(tmp_path)
    assert list(line)[:3] == ["time", "level", "event"]
    written = datetime.fromisoformat(line.pop("time"))
    assert written.tzinfo == UTC
    assert abs((datetime.now(UTC) - written).total_seconds()) < 60
    assert line == {
        "level": "info",
        "event": "order.submitted",
        "instance": "default",
        "cycle": "canary@1",
        "qty": "1.20",
        "mode": "paper",
    }


def test_secrets_are_hidden_in_values_events_and_tracebacks(tmp_path):
    with EngineLog(tmp_path, LogSettings(), redactor=Redactor([Secret(PASSWORD)])) as log:
        log.logger.info("sent %s", PASSWORD, api_key="x", nested={"list": [f"a {PASSWORD}"]})
        try:
            raise ValueError(f"refused {PASSWORD}")
        except ValueError:
            log.logger.exception("failed")
    text = (tmp_path / FILE_NAME).read_text()
    assert PASSWORD not in text
    sent, failed = lines(tmp_path)
    assert sent["api_key"] == HIDDEN
    assert f"ValueError: refused {HIDDEN}" in failed["exception"]


@pytest.mark.parametrize("level", LogLevel)
def test_a_level_lets_through_what_is_as_severe(tmp_path, level):
    with EngineLog(tmp_path, LogSettings(level=level)) as log:
        for name in LogLevel:
            getattr(log.logger, name)("x")
    assert [line["level"] for line in lines(tmp_path)] == list(LogLevel)[list(LogLevel).index(level) :]


def test_a_level_that_is_off_touches_nothing(tmp_path):
    class Bomb:
        def __str__(self) -> str:
            raise AssertionError("rendered")

    with EngineLog(tmp_path, LogSettings()) as log:
        log.logger.debug("x", value=Bomb())
    assert lines(tmp_path) == []


@pytest.mark.parametrize("value", [2**80, "\ud800"])
def test_what_the_codec_cannot_write_is_written_all_the_same(tmp_path, value):
    with EngineLog(tmp_path, LogSettings()) as log:
        log.logger.info("odd", value=value)
    assert lines(tmp_path)[0]["value"] == value


def test_two_engines_share_nothing(tmp_path):
    with (
        EngineLog(tmp_path / "a", LogSettings(level=LogLevel.DEBUG), instance="a") as one,
        EngineLog(tmp_path / "b", LogSettings(level=LogLevel.ERROR), instance="b") as two,
    ):
        one.logger.debug("from a")
        two.logger.debug("from b")
        two.logger.error("from b")
    assert [line["instance"] for line in lines(tmp_path / "a")] == ["a"]
    assert [line["level"] for line in lines(tmp_path / "b")] == ["error"]


def test_a_person_at_a_terminal_reads_along(tmp_path):
    screen = Terminal()
    with EngineLog(tmp_path, LogSettings(), screen=screen) as log:
        log.logger.warning("feed.stale", symbol="BTCUSDT", age_s=12)
        try:
            raise ValueError("why")
        except ValueError:
            log.logger.exception("failed")
    first, *rest = screen.getvalue().splitlines()
    assert first[12:] == " warning  feed.stale symbol=BTCUSDT age_s=12"
    assert rest[-1] == "ValueError: why"


def test_a_terminal_that_went_away_stops_nothing(tmp_path):
    screen = Terminal()
    screen.close()
    with EngineLog(tmp_path, LogSettings(), screen=screen) as log:
        log.logger.info("x")
    assert len(lines(tmp_path)) == 1


@pytest.mark.parametrize(
    ("stream", "headless", "shown"),
    [(Terminal(), True, True), (Terminal(), False, False), (io.StringIO(), True, False)],
)
def test_only_a_headless_engine_on_a_terminal_shows_its_log(stream, headless, shown):
    assert (readable_screen(stream, headless=headless) is stream) is shown


@pytest.mark.parametrize("files", [1, 3])
def test_files_are_bounded_and_the_newest_lines_are_kept(tmp_path, files):
    log = RotatingFile(tmp_path / "x.log", bytes_max=100, files=files)
    for number in range(100):
        log.write(b"%09d\n" % number)
    log.close()
    found = sorted(tmp_path.iterdir())
    assert [path.name for path in found] == ["x.log", "x.log.1", "x.log.2"][:files]
    assert all(path.stat().st_size <= 100 for path in found)
    newest_last = b"".join(path.read_bytes() for path in reversed(found)).split()
    assert newest_last == [b"%09d" % number for number in range(100 - len(newest_last), 100)]


def test_a_restart_appends(tmp_path):
    for _ in range(2):
        log = RotatingFile(tmp_path / "x.log", bytes_max=100, files=2)
        log.write(b"line\n")
        log.close()
        log.close()
    assert (tmp_path / "x.log").read_bytes() == b"line\nline\n"


def test_a_line_longer_than_a_file_is_kept_whole(tmp_path):
    log = RotatingFile(tmp_path / "x.log", bytes_max=10, files=2)
    log.write(b"x" * 50)
    log.close()
    assert (tmp_path / "x.log").stat().st_size == 50


def test_a_line_that_cannot_be_written_is_counted(tmp_path):
    log = RotatingFile(tmp_path / "x.log", bytes_max=100, files=2)
    log.close()
    log.write(b"late\n")
    assert log.lost == 1


def test_a_log_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file/engine\.log cannot be written"):
        EngineLog(tmp_path / "file", LogSettings())


def test_a_log_is_read_by_its_owner_only(tmp_path):
    with EngineLog(tmp_path, LogSettings()):
        assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
