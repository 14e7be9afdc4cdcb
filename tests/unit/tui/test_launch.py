"""What `run` and `attach` decide before and after a screen, and what signals do to a console."""

import asyncio
import json
import os
import signal
import threading
from typing import Any

import msgspec
import pytest

from engine.api import Action, ConfigError, ControlError, run_backtest
from engine.config.settings import Settings
from engine.runtime.exitreport import ExitReport
from tests.unit.tui.night import Night
from tui import launch
from tui.launch import RunOptions

OPTIONS = {"headless": False, "plain": False, "in_process": False, "as_json": False}


class FakeApp:
    """What the signal thread knows of the console."""

    def __init__(self, link=None) -> None:
        self.link = link
        self.panics: list[str] = []
        self.posted: list[object] = []
        self.left: list[int] = []

    def panic_now(self, source):
        self.panics.append(source)

    def post_message(self, message):
        self.posted.append(message)

    def leave(self, code):
        self.left.append(code)


def fake_app(link: object = None) -> Any:
    """A console for the functions that take one."""
    return FakeApp(link)


def test_options_that_a_running_engine_ignores_are_named():
    options = RunOptions.of(OPTIONS | {"mode": "replay", "plays": ("a",), "bar_ts": "open", "arm": False})
    assert options.given == ("--mode", "--play", "--bar-ts")
    assert launch._attached(7, options.given).endswith("--mode, --play, --bar-ts had no effect.")
    assert launch._attached(7, ()) == "Attached to the engine that was running already (pid 7)."


@pytest.mark.parametrize(
    ("options", "blocked"),
    [
        (RunOptions(headless=True), {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1}),
        (RunOptions(), {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1}),
        (RunOptions(plain=True), set()),
    ],
)
def test_signals_are_blocked_where_a_thread_takes_them(own_place, options, blocked):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    launch.block(options)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) - before == blocked - before


def test_without_a_terminal_other_ways_are_named(settings):
    with pytest.raises(ConfigError, match=r"--headless .* or --plain"):
        launch.run(settings, RunOptions())
    with pytest.raises(ConfigError, match="attach --plain"):
        launch.attach(settings, RunOptions())


# headless


def headless(monkeypatch, report, *, as_json):
    monkeypatch.setattr(launch, "run_engine", lambda _settings: report)
    return launch.run(Settings(), RunOptions(headless=True, as_json=as_json))


def test_the_end_is_told_in_words(short_tape, monkeypatch, capsys):
    report = ExitReport(exit_code=143, text="SIGTERM", open_orders=("o1",), positions=("BTCUSDT 1",))
    assert headless(monkeypatch, report, as_json=False) == 143
    assert capsys.readouterr().out == "ended: SIGTERM (exit code 143)\nleft open: o1\nleft open: BTCUSDT 1\n"
    report = msgspec.structs.replace(report, exit_code=0, run=run_backtest(short_tape).run)
    assert headless(monkeypatch, report, as_json=False) == 0
    assert "play: canary\n" in capsys.readouterr().out


def test_the_end_is_one_object_in_json(short_tape, monkeypatch, capsys):
    report = ExitReport(exit_code=0, text="stopped", open_orders=(), positions=())
    assert headless(monkeypatch, report, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "stopped"
    report = msgspec.structs.replace(report, exit_code=143, text="SIGTERM", run=run_backtest(short_tape).run)
    assert headless(monkeypatch, report, as_json=True) == 143
    told = capsys.readouterr()
    assert json.loads(told.out)["play"] == "canary"
    assert told.err == "ended: SIGTERM (exit code 143)\n"


# plain


def test_plain_follows_until_the_engine_ends(settings, capsys):
    with Night(settings) as night:
        threading.Timer(0.3, night.end).start()
        assert launch.attach(settings, RunOptions(plain=True)) == 0
    told = capsys.readouterr()
    assert "PAPER" in told.out
    assert told.err == f"Attached to the engine that was running already (pid {os.getpid()}).\n"


def test_plain_without_an_engine(settings):
    with pytest.raises(ControlError, match="no engine runs"):
        launch.attach(settings, RunOptions(plain=True))


def test_plain_runs_one_where_none_runs(settings, monkeypatch, capsys):
    with Night(settings) as night:
        monkeypatch.setattr("tui.supervisor.running_engine", lambda _settings: None)
        started = []

        async def start(asked):
            started.append(asked)
            threading.Timer(0.3, night.end).start()

        monkeypatch.setattr("tui.supervisor.start_engine", start)
        assert launch.run(settings, RunOptions(plain=True)) == 0
    assert started == [settings]
    assert capsys.readouterr().err == ""


def test_ctrl_c_leaves_a_plain_console_only(settings, monkeypatch, capsys):
    def interrupted(coroutine):
        coroutine.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    assert launch.attach(settings, RunOptions(plain=True)) == 130
    assert "the engine goes on" in capsys.readouterr().err


# signals


@pytest.fixture
def blocked(own_place):
    """The console's signals, blocked in this thread as in a console's process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, launch.CONSOLE_SIGNALS)
    return launch.CONSOLE_SIGNALS


def send(*numbers):
    for number in numbers:
        signal.pthread_kill(threading.get_ident(), number)


def test_a_panic_goes_down_the_line(settings):
    app = fake_app(link=object())
    launch._forward_panic(app, settings)
    assert (app.panics, app.posted) == (["SIGUSR1"], [])


def test_before_there_is_a_line_the_engine_is_told_at_once(settings):
    app = fake_app()
    with Night(settings) as night:
        launch._forward_panic(app, settings)
        assert [request.action for request in night.requests] == [Action.FLATTEN]
    assert app.panics == []
    (posted,) = app.posted
    assert posted.fired
    assert posted.error == ""


def test_where_nobody_is_reached_the_console_says_so(settings):
    app = fake_app()
    launch._forward_panic(app, settings)
    assert (app.panics, app.posted) == (["SIGUSR1"], [])


def test_a_console_that_does_not_leave_is_left_by_the_first_signal(settings, blocked):
    assert launch._await_end(fake_app(), settings, signal.SIGHUP, 0.05) == signal.SIGHUP
    assert launch._await_end(fake_app(), settings, signal.SIGTERM, 0.0) == signal.SIGTERM


def test_a_second_signal_decides_a_second_hangup_does_not(settings, blocked):
    send(signal.SIGTERM)
    assert launch._await_end(fake_app(), settings, signal.SIGHUP, 5) == signal.SIGTERM
    send(signal.SIGHUP)
    assert launch._await_end(fake_app(), settings, signal.SIGTERM, 0.05) == signal.SIGTERM


def test_a_panic_counts_while_leaving(settings, blocked):
    app = fake_app(link=object())
    send(signal.SIGUSR1)
    assert launch._await_end(app, settings, signal.SIGTERM, 0.05) == signal.SIGTERM
    assert app.panics == ["SIGUSR1"]
