"""Hooks: the user's programs hear what they listen for, and a bad one harms nobody."""

import asyncio
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.config.settings import HookSettings, Settings
from engine.domain.events import Remark
from engine.domain.news import CheckpointNews, ReloadNews, Topic
from engine.runtime import hooks
from engine.runtime.hooks import Hook
from engine.runtime.newsroom import Newsroom
from engine.runtime.telling import Telling
from tests.builders import T0
from tests.unit.runtime.rig import Lines, eventually, market_settings, run_engine

CHECKPOINT = CheckpointNews(T0, 7, 100, 1.5)
RELOAD = ReloadNews(T0, "p", 2, "swapped", "text")


def program(folder: Path, text: str, name: str = "hook") -> str:
    """Write a program of the user's."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(stat.S_IRWXU)
    return str(path)


class Desk:
    """A hook that runs; `said` is what it reported."""

    def __init__(self, run: str, *on: Topic, timeout_s: float = 10.0) -> None:
        self.newsroom = Newsroom()
        self.said: list[str] = []
        settings = HookSettings(on=on or (Topic.CHECKPOINT,), run=(run,), timeout_s=timeout_s)
        environment = {"PATH": os.environ["PATH"], "BYBIT_SECRET": "x", "HOME": "/nowhere"}
        self.hook = Hook(settings, self.newsroom, self.said.append, environment)

    async def hears(self, *news: CheckpointNews | ReloadNews) -> None:
        """Publish, and let the hook hear all of it."""
        for one in news:
            self.newsroom.publish(one)
        await self.hook.finish()


async def test_a_program_gets_each_piece_of_news_as_a_line_of_json(tmp_path: Path) -> None:
    desk = Desk(program(tmp_path, f"cat >> {tmp_path}/heard"))
    await desk.hears(CHECKPOINT, RELOAD, CHECKPOINT)
    lines = (tmp_path / "heard").read_text().splitlines()
    assert [json.loads(line)["news"] for line in lines] == ["checkpoint", "checkpoint"]
    assert desk.said == []


async def test_it_runs_with_no_signal_blocked_and_without_our_secrets(tmp_path: Path) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    try:
        text = f"cat > /dev/null; grep SigBlk /proc/self/status > {tmp_path}/mask; env > {tmp_path}/env"
        await Desk(program(tmp_path, text)).hears(CHECKPOINT)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert int((tmp_path / "mask").read_text().split()[1], 16) == 0
    environment = (tmp_path / "env").read_text()
    assert "HOME=/nowhere" in environment
    assert "SECRET" not in environment


async def test_one_that_hangs_is_killed_with_all_it_started_and_said_once(tmp_path: Path) -> None:
    desk = Desk(program(tmp_path, f"sleep 600 & echo $! >> {tmp_path}/pids; wait"), timeout_s=0.5)
    started_s = time.monotonic()
    await desk.hears(CHECKPOINT, CHECKPOINT)
    assert time.monotonic() - started_s < 20
    assert len(desk.said) == 1
    assert "did not end within 0.5 s and was killed" in desk.said[0]
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    await eventually(lambda: not any(_lives(pid) for pid in pids))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


async def test_one_that_fails_is_said_once_and_so_is_that_it_works_again(tmp_path: Path) -> None:
    desk = Desk(program(tmp_path, f"cat > /dev/null; test -e {tmp_path}/ready || exit 3"))
    await desk.hears(CHECKPOINT, CHECKPOINT)
    (tmp_path / "ready").touch()
    await desk.hears(CHECKPOINT, CHECKPOINT)
    assert len(desk.said) == 2
    assert "ended with exit code 3" in desk.said[0]
    assert desk.said[1].endswith("it works again")


async def test_one_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "exit 0")
    desk = Desk(path)
    (tmp_path / "hook").unlink()
    await desk.hears(CHECKPOINT)
    assert "ended with exit code 127" in desk.said[0]
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    other = Desk(program(tmp_path, "exit 0", "other"))
    await other.hears(CHECKPOINT)
    assert "cannot be started: No such file" in other.said[0]


async def test_one_that_reads_nothing_is_no_failure(tmp_path: Path) -> None:
    desk = Desk(program(tmp_path, "exit 0"))
    await desk.hears(CHECKPOINT)
    assert desk.said == []


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"on": ["filled"], "run": ["/nowhere/at/all"]}, "no program '/nowhere/at/all'"),
        ({"on": ["sunrise"], "run": ["sh"]}, "on"),
        ({"on": [], "run": ["sh"]}, "on"),
        ({"on": ["filled"], "run": []}, "run"),
        ({"on": ["filled"], "run": ["sh"], "timeout_s": -1}, "timeout_s"),
    ],
)
def test_bad_settings_are_named(facts: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings.model_validate({"hooks": [facts]})


def _keeping(offered: list[object]) -> Callable[[object], bool]:
    def offer(event: object) -> bool:
        offered.append(event)
        return True

    return offer


async def test_the_end_waits_for_hooks_only_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "FINISH_S", 0.3)
    hangs = {"on": ["checkpoint"], "run": [program(tmp_path, "sleep 600")], "timeout_s": 60}
    offered: list[object] = []
    telling = Telling(
        Settings.model_validate({"hooks": [hangs]}),
        Lines().logger,
        offer=_keeping(offered),
        now=lambda: T0,
    )
    telling.newsroom.publish(CHECKPOINT)
    async with asyncio.timeout(10):
        await telling.finish()
    assert offered == []


async def test_what_a_hook_fails_of_is_offered_to_the_core(tmp_path: Path) -> None:
    fails = {"on": ["checkpoint"], "run": [program(tmp_path, "exit 1")]}
    offered: list[object] = []
    telling = Telling(
        Settings.model_validate({"hooks": [fails]}),
        Lines().logger,
        offer=_keeping(offered),
        now=lambda: T0,
    )
    telling.newsroom.publish(CHECKPOINT)
    await telling.finish()
    (remark,) = offered
    assert isinstance(remark, Remark)
    assert (remark.kind, remark.is_warning) == ("hook", True)


def test_an_engine_tells_its_hooks_what_it_does_while_one_of_them_hangs(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    topics = ["submitted", "filled", "mode", "checkpoint"]
    settings = market_settings(
        tmp_path,
        arm=True,
        duration_s=3,
        hooks=[
            {
                "on": topics,
                "run": [program(tmp_path, f"cat >> {heard}")],
            },
            {"on": ["filled"], "run": [program(tmp_path, "sleep 600", "hangs")], "timeout_s": 60},
        ],
    )
    report = asyncio.run(run_engine(settings))
    assert report.exit_code == 0
    kinds = {json.loads(line)["news"] for line in heard.read_text().splitlines()}
    assert {"order", "fill", "checkpoint"} <= kinds
