"""Commands from a shell against an engine that answers, refuses, hangs or is not there."""

import _thread
import json
import os
import signal
from functools import partial

import msgspec
import pytest

from engine.api import Action, CommandReply, ControlError, running_engine, send_command, state_directory
from tests import console_fakes
from tests.unit.tui.night import Night
from tui import remote


@pytest.fixture
def night(settings):
    """An engine of the instance `night`."""
    with Night(settings) as engine:
        yield engine


def said(capsys):
    """Return what was printed as JSON."""
    return json.loads(capsys.readouterr().out)


# status


def test_status_as_json_holds_what_is_open_only(night, settings, capsys):
    night.shown = console_fakes.snapshot()
    assert remote.status(settings, as_json=True) == 0
    facts = said(capsys)
    assert facts["mode"] == night.shown.status.mode.value
    assert facts["pid"] == 4711
    assert all(float(p["qty"]) != 0 for p in facts["positions"])
    assert {o["state"] for o in facts["orders"]} <= {
        "submitted",
        "acknowledged",
        "partially_filled",
        "unknown",
    }


def test_status_in_words_names_every_subject(night, settings, capsys):
    night.shown = console_fakes.trouble_snapshot()
    assert remote.status(settings, as_json=False) == 0
    words = capsys.readouterr().out
    subjects = [line.split()[0] for line in words.splitlines() if not line.startswith(" ")]
    assert subjects == [
        *(
            "engine",
            "rung",
            "instance",
            "socket",
            "plays",
            "account",
            "positions",
            "orders",
            "risk",
            "limits",
            "alarms",
        ),
        *("feeds", "channels", "venue", "flatten", "reload", "latency"),
    ]
    assert "held by" in words
    assert "bybit orders not working, 5 failures of late, the last: no answer within 30 s" in words
    assert "venue      bybit, its clock minus ours +1240 ms, last error: no answer within 30 s" in words
    assert "           orders 9 of 9 in 1 s" in words
    assert "bybit disconnected, 14s old, connected 4 times, last error: connection reset" in words


def test_status_says_none_where_nothing_is(night, settings, capsys):
    assert remote.status(settings, as_json=False) == 0
    words = capsys.readouterr().out
    assert "positions  none" in words
    assert "flatten    never asked for" in words


def test_status_says_paused(night, settings, capsys):
    status = msgspec.structs.replace(night.shown.status, paused=True)
    night.shown = msgspec.structs.replace(night.shown, status=status)
    remote.status(settings, as_json=False)
    assert "paper, disarmed, paused, risk mode normal" in capsys.readouterr().out


# commands


def test_a_command_says_what_became_of_it(night, settings, capsys):
    assert remote.command(settings, "arm", reason="why", argument="canary", as_json=False) == 0
    (request,) = night.requests
    assert (request.action, request.reason, request.argument) == (Action.ARM, "why", "canary")
    assert capsys.readouterr().out == "done\n"


def test_a_refusal_goes_to_stderr_with_exit_code_4(night, settings, capsys):
    night.reply = CommandReply(0, ok=False, reason="HALTED", text="not while halted")
    assert remote.command(settings, "arm", reason="", argument="", as_json=False) == 4
    assert capsys.readouterr() == ("", "not while halted\n")
    assert remote.command(settings, "arm", reason="", argument="", as_json=True) == 4
    assert said(capsys)["reason"] == "HALTED"


@pytest.mark.parametrize("typed", ["", "tt01xyz", "1XYZ"])
def test_an_order_is_resolved_only_where_the_end_of_its_id_was_typed(night, settings, capsys, typed):
    def resolve(confirm, *, as_json=False):
        return remote.resolve(
            settings, "tt01xyz", "dead", confirm=confirm, reason="not there", as_json=as_json
        )

    assert resolve(typed) == 4
    assert "confirm with the last 4 characters of the id: --confirm 1xyz" in capsys.readouterr().err
    assert resolve(typed, as_json=True) == 4
    assert said(capsys)["reason"] == "NOT_CONFIRMED"
    assert night.requests == [], "nothing reached the engine"
    assert resolve("1xyz") == 0
    (request,) = night.requests
    assert (request.action, request.argument, request.reason) == (Action.RESOLVE, "tt01xyz dead", "not there")


def test_status_names_an_order_without_a_venue_id_by_ours(night, settings, capsys):
    shown = console_fakes.trouble_snapshot()
    order = next(o for o in shown.orders if o.state.is_open)
    order = msgspec.structs.replace(order, venue_id="", client_id="tt01xyz")
    night.shown = msgspec.structs.replace(shown, orders=(order,))
    assert remote.status(settings, as_json=False) == 0
    assert f"{order.state.value} tt01xyz" in capsys.readouterr().out


def test_without_an_engine_a_command_raises(settings):
    with pytest.raises(ControlError, match="no engine runs for instance 'night'"):
        remote.command(settings, "pause", reason="", argument="", as_json=False)


# stop


@pytest.mark.parametrize("as_json", [False, True])
def test_stop_waits_for_the_lock(night, settings, capsys, as_json):
    night.on[Action.STOP] = night.let_go
    assert remote.stop(settings, "keep", timeout_s=5, as_json=as_json) == 0
    assert night.requests[0].argument == "keep"
    out = capsys.readouterr().out
    assert (json.loads(out)["ended"] is True) if as_json else ("has ended" in out)


def test_stop_says_when_it_takes_too_long(night, settings, capsys):
    assert remote.stop(settings, "", timeout_s=0.01, as_json=False) == 1
    assert "still stopping" in capsys.readouterr().err


def test_stopping_already_is_no_refusal(night, settings, capsys):
    night.reply = CommandReply(0, ok=False, reason="STOPPING", text="it stops")
    night.on[Action.STOP] = night.let_go
    assert remote.stop(settings, "", timeout_s=5, as_json=False) == 0
    assert "has ended" in capsys.readouterr().out


def test_stop_can_be_refused(night, settings, capsys):
    night.reply = CommandReply(0, ok=False, reason="UNFIT", text="no")
    assert remote.stop(settings, "", timeout_s=5, as_json=False) == 4
    assert capsys.readouterr().err == "no\n"


# flatten


def flatten(settings, *, as_json=False, everywhere=False, timeout_s=5.0):
    return remote.flatten(settings, everywhere=everywhere, timeout_s=timeout_s, as_json=as_json)


def test_flat_is_said_once_the_engine_says_so(night, settings, capsys):
    night.on[Action.FLATTEN] = lambda: night.flatten("flat")
    assert flatten(settings) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "night: FLAT"


def test_what_is_left_is_listed_with_exit_code_4(night, settings, capsys):
    night.on[Action.FLATTEN] = lambda: night.flatten("residual", "position BTCUSDT 0.1")
    assert flatten(settings) == 4
    assert "night: NOT FLAT, left: position BTCUSDT 0.1" in capsys.readouterr().out
    assert flatten(settings, as_json=True) == 4
    facts = said(capsys)
    assert facts["flat"] is False
    assert facts["instances"][0]["residual"] == ["position BTCUSDT 0.1"]


def test_steps_are_shown_and_the_wait_ends(night, settings, capsys):
    night.on[Action.FLATTEN] = lambda: night.flatten("cancel entries")
    assert flatten(settings, timeout_s=0.3) == 4
    captured = capsys.readouterr()
    assert captured.out.count("night: cancel entries, 2 to cancel") == 1
    assert "not flat after 0.3 s" in captured.err


def test_a_flatten_that_runs_already_is_watched(night, settings):
    night.reply = CommandReply(0, ok=False, reason="FLATTEN_RUNNING", text="it runs")
    night.on[Action.FLATTEN] = lambda: night.flatten("flat")
    assert flatten(settings) == 0


def test_a_refused_flatten_is_not_flat(night, settings, capsys):
    night.reply = CommandReply(0, ok=False, reason="OTHER", text="cannot")
    assert flatten(settings) == 4
    assert "night: cannot" in capsys.readouterr().err


@pytest.fixture
def signalled():
    """Take the SIGUSR1 that a flatten sends to a mute engine, which is this process; list what came."""
    came: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: came.append(number))
    yield came
    signal.signal(signal.SIGUSR1, before)


def test_an_engine_that_hangs_is_latched_signalled_and_the_direct_way_named(settings, capsys, signalled):
    with Night(settings, mute=True):
        assert flatten(settings) == 4
        assert (state_directory(settings) / "flatten.latch").exists()
    assert signalled == [signal.SIGUSR1]
    told = capsys.readouterr()
    assert f"the latch is set, no entry leaves; SIGUSR1 told pid {os.getpid()} to flatten" in told.err
    assert f"flatten --direct --instance night --state-dir {settings.state_dir}" in told.err
    assert "FLAT" not in told.out


def test_an_engine_elsewhere_is_not_signalled(settings, capsys, signalled, monkeypatch):
    with Night(settings, mute=True):
        owner = running_engine(settings)
        assert owner is not None
        there = msgspec.structs.replace(owner, host="elsewhere")
        monkeypatch.setattr(remote, "running_engine", lambda _settings: there)
        assert flatten(settings) == 4
    assert signalled == []
    assert "it runs on elsewhere: flatten it there" in capsys.readouterr().err


def test_an_engine_that_ended_meanwhile_is_not_signalled(settings, capsys, monkeypatch):
    with Night(settings, mute=True):
        owner = running_engine(settings)
        assert owner is not None
        ended = msgspec.structs.replace(owner, pid=2**22 + 1)  # beyond any pid
        monkeypatch.setattr(remote, "running_engine", lambda _settings: ended)
        assert flatten(settings) == 4
    assert "SIGUSR1" not in capsys.readouterr().err


def test_an_engine_that_cannot_be_reached_is_not_called_absent(settings):
    with Night(settings, mute=True):
        for ask in (
            lambda: remote.status(settings, as_json=False),
            lambda: remote.command(settings, "pause", reason="", argument="", as_json=False),
        ):
            with pytest.raises(ControlError, match=rf"^pid {os.getpid()} on .* its control socket is gone"):
                ask()


@pytest.mark.usefixtures("signalled")
def test_a_latch_that_cannot_be_set_is_said(settings, capsys):
    with Night(settings, mute=True):
        (state_directory(settings) / "flatten.latch").mkdir()
        assert flatten(settings) == 4
    assert "the latch could not be set" in capsys.readouterr().err


def test_without_an_engine_nothing_is_flat(settings, capsys):
    assert flatten(settings) == 4
    assert "no engine runs" in capsys.readouterr().err
    assert flatten(settings, everywhere=True) == 4
    assert "nothing was flattened" in capsys.readouterr().err


def test_all_are_flattened_at_once(night, settings, capsys):
    with Night(settings.model_copy(update={"instance": "day"})) as day:
        for engine in (day, night):
            engine.on[Action.FLATTEN] = partial(engine.flatten, "flat")
        assert flatten(settings, everywhere=True, as_json=True) == 0
    facts = said(capsys)
    assert facts["flat"] is True
    assert [item["instance"] for item in facts["instances"]] == ["day", "night"]


@pytest.mark.usefixtures("night")
def test_one_that_fails_unforeseen_is_not_flat_and_not_left_out(settings, capsys, monkeypatch, signalled):
    real = send_command

    def send(to, *words, **more):
        if to.instance == "night":
            raise RuntimeError("no more threads")
        return real(to, *words, **more)

    monkeypatch.setattr(remote, "send_command", send)
    with Night(settings.model_copy(update={"instance": "day"})) as day:
        day.on[Action.FLATTEN] = partial(day.flatten, "flat")
        assert flatten(settings, everywhere=True, as_json=True) == 4
    printed = capsys.readouterr()
    facts = json.loads(printed.out)
    assert facts["flat"] is False
    outcomes = [(item["instance"], item["flat"]) for item in facts["instances"]]
    assert outcomes == [("day", True), ("night", False)]
    assert signalled == [signal.SIGUSR1]
    assert "night: RuntimeError: no more threads" in printed.err
    assert "the latch is set" in printed.err


def test_ctrl_c_leaves_the_flatten_to_the_engine(night, settings, capsys):
    def interrupted():
        night.flatten("cancel entries")
        _thread.interrupt_main()

    night.on[Action.FLATTEN] = interrupted
    assert flatten(settings, timeout_s=1) == 130
    assert "goes on" in capsys.readouterr().err


def test_direct_needs_something_to_take_up(settings):
    with pytest.raises(ControlError, match="no session"):
        remote.flatten_direct(settings, as_json=False)
    assert running_engine(settings) is None


class Report(msgspec.Struct):
    """What an engine that flattened leaves."""

    exit_code: int
    open_orders: tuple[str, ...]
    positions: tuple[str, ...]
    text: str


@pytest.mark.parametrize(
    ("report", "code", "told"),
    [
        (Report(0, (), (), "flat"), 0, "FLAT"),
        (Report(4, ("order 7",), ("BTCUSDT 1",), "late"), 4, "NOT FLAT (late), left: order 7; BTCUSDT 1"),
        (Report(1, (), (), "broke"), 4, "NOT FLAT (broke), left: unknown"),
    ],
)
def test_direct_says_flat_only_where_nothing_is_left(settings, capsys, monkeypatch, report, code, told):
    def direct(_settings, tell):
        tell("looking")
        return report

    monkeypatch.setattr(remote, "api_flatten_direct", direct)
    assert remote.flatten_direct(settings, as_json=False) == code
    assert capsys.readouterr() == (f"{told}\n", "looking\n")
    assert remote.flatten_direct(settings, as_json=True) == code
    assert said(capsys) == {
        "flat": code == 0,
        "residual": [*report.open_orders, *report.positions],
        "text": report.text,
    }
