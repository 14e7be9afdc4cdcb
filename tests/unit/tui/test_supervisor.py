"""Starting the engine's process: its word, its silence, and giving up on it."""

import asyncio
import os
import pwd
import stat
import sys

import psutil
import pytest

from engine.api import ControlError, Mode, state_directory
from tests.unit.tui.night import Night
from tui import supervisor
from tui.supervisor import EngineStartError, Supervisor, actor_name, start_engine

NOTHING: dict[str, str] = {}  # an environment that names nobody


@pytest.fixture
def python(own_place):
    """Makes a program that stands in for the interpreter; its fourth argument is where it tells its word."""

    def make(*lines: str) -> str:
        path = own_place / "python"
        say = "say() { printf '%s' \"$1\" > /dev/fd/$word; }"
        path.write_text("\n".join(("#!/bin/sh", "word=$4", say, *lines)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


async def test_another_modes_engine_that_broke_off_is_told(settings, monkeypatch):
    """Closing its database takes the log beside it away; a start in its own mode goes on with it."""

    async def started(_settings):
        return 1

    async def reached(*_args, **_kwargs):
        return None

    monkeypatch.setattr(supervisor, "start_engine", started)
    monkeypatch.setattr(supervisor, "connect", reached)
    told = Supervisor(settings, "me")
    await told.connect()
    assert told.unwatched == ""
    demo = state_directory(settings) / "demo"
    demo.mkdir(parents=True)
    (demo / "engine.sqlite-wal").touch()
    await told.connect()
    assert "The demo engine of instance" in told.unwatched
    assert "This is paper, which does not look after it. Start it again: `--mode demo`" in told.unwatched
    own = Supervisor(settings.model_copy(update={"mode": Mode.DEMO}), "me")
    await own.connect()
    assert own.unwatched == ""


async def test_an_engine_that_runs_is_left_alone(settings, python, own_place):
    fake = python(f"cat > {own_place}/told", "say '{\"ok\":true}'", "exec 3>&- 4>&-", "exit 0")
    assert await start_engine(settings, python=fake) > 0
    assert settings.from_json((own_place / "told").read_text()) == settings


async def test_a_refusal_carries_its_words_and_exit_code(settings, python):
    fake = python("cat > /dev/null", 'say \'{"ok":false,"exit_code":3,"message":"in use"}\'')
    with pytest.raises(EngineStartError, match="in use") as caught:
        await start_engine(settings, python=fake)
    assert caught.value.exit_code == 3


async def test_silence_is_told_with_the_last_complaint(settings, python):
    fake = python("cat > /dev/null", "echo first >&2", "echo 'no such module' >&2", "exit 7")
    with pytest.raises(EngineStartError, match="ended with code 7 before it said anything: no such module"):
        await start_engine(settings, python=fake)


async def test_silence_without_a_complaint(settings, python):
    with pytest.raises(EngineStartError, match=r"before it said anything$"):
        await start_engine(settings, python=python("cat > /dev/null", "exit 7"))


async def test_what_cannot_be_read_ends_the_process(settings, own_place, monkeypatch):
    monkeypatch.setattr(supervisor, "LAST_BREATH_S", 0.1)
    fake = own_place / "stays"
    fake.write_text(
        f"#!{sys.executable}\nimport os, sys, time\n"
        "os.write(int(sys.argv[4]), b'{broken')\nos.close(int(sys.argv[4]))\ntime.sleep(30)\n"
    )
    fake.chmod(0o700)
    with pytest.raises(EngineStartError, match="said nothing that can be read and was ended"):
        await start_engine(settings, python=str(fake))


async def test_one_that_takes_too_long_is_ended(settings, python, own_place):
    fake = python(f"echo $$ > {own_place}/pid", "exec sleep 30")
    with pytest.raises(EngineStartError, match=r"said nothing within 0.5 s and was ended"):
        await start_engine(settings, python=fake, timeout_s=0.5)
    await gone(own_place)


async def test_who_stops_waiting_ends_it(settings, python, own_place):
    fake = python(f"echo $$ > {own_place}/pid", "exec sleep 30")
    starting = asyncio.create_task(start_engine(settings, python=fake))
    await until(lambda: (own_place / "pid").is_file() and (own_place / "pid").read_text())
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await gone(own_place)


async def until(met):
    """Look every 10 ms whether something of another process holds, for at most 5 s."""
    async with asyncio.timeout(5):
        while not met():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.01)


async def gone(own_place):
    """Wait until the process of the noted pid has ended."""
    pid = int((own_place / "pid").read_text())
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


async def test_an_interpreter_that_is_not_there(settings):
    with pytest.raises(EngineStartError, match="could not be started"):
        await start_engine(settings, python="/nowhere/python")


async def test_a_running_engine_is_found(settings):
    with Night(settings) as night:
        for way in ("connect", "attach"):
            finder = Supervisor(settings, "me@tty")
            link = await getattr(finder, way)()
            assert finder.found_pid == os.getpid()
            assert link.hello.instance == "night"
            await link.close()
    assert night.requests == []


async def test_where_none_runs_attach_says_so_and_connect_starts_one(settings, monkeypatch):
    with pytest.raises(ControlError, match="no engine runs for instance 'night'"):
        await Supervisor(settings, "me").attach()
    started = []

    async def start(asked):
        started.append(asked)
        return 1

    monkeypatch.setattr(supervisor, "start_engine", start)
    with pytest.raises(ControlError):  # nobody was really started
        await Supervisor(settings, "me").connect()
    assert started == [settings]


def test_the_actor_is_user_and_terminal(monkeypatch):
    monkeypatch.setattr(os, "ttyname", lambda _fd: "/dev/pts/3")
    assert actor_name({"USER": "ann"}.get) == "ann@pts/3"
    assert actor_name({"LOGNAME": "bob"}.get) == "bob@pts/3"
    assert actor_name(NOTHING.get) == f"{pwd.getpwuid(os.getuid()).pw_name}@pts/3"


def test_an_actor_without_name_and_terminal(monkeypatch):
    def nobody(_uid):
        raise KeyError

    def no_tty(_fd):
        raise OSError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(os, "ttyname", no_tty)
    assert actor_name(NOTHING.get) == f"{os.getuid()}@no tty"
