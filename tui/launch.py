"""`run` and `attach`: which process runs what, and how each way out ends."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from engine.api import ConfigError, Link, block_signals, open_engine, run_engine, user_directory
from tui.supervisor import Supervisor, actor_name

if TYPE_CHECKING:
    from engine.api import Settings
    from tui.app import ConsoleApp
    from tui.settings import ConsoleSettings

NO_TERMINAL = "there is no terminal to draw on: use --headless (the engine alone) or --plain (lines)"
FORCED_EXIT_S = 1.5  # how long a console may take to leave after a signal
CONSOLE_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1)


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How `run` shows what it runs."""

    headless: bool = False
    plain: bool = False
    in_process: bool = False
    as_json: bool = False
    given: tuple[str, ...] = ()  # options that a running engine would ignore

    @classmethod
    def of(cls, options: dict[str, Any]) -> "RunOptions":
        """Take what concerns the showing from the command line's options."""
        own = ("headless", "plain", "in_process", "as_json")
        engine = ("mode", "plays", "data", "venue", "profile", "speed", "duration", "arm")
        given = tuple(f"--{name.removesuffix('s')}" for name in engine if options.get(name))
        return cls(**{name: bool(options[name]) for name in own}, given=given)


def block(options: RunOptions) -> None:
    """Block the signals that a thread of ours will take, before any thread exists."""
    if options.headless:
        block_signals()
    elif not (options.plain or options.in_process):
        signal.pthread_sigmask(signal.SIG_BLOCK, CONSOLE_SIGNALS)


def run(settings: "Settings", options: RunOptions) -> int:
    """Run what the options ask for; return the exit code."""
    if options.headless:
        return _headless(settings, as_json=options.as_json)
    if options.plain:
        return _plain(settings)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(NO_TERMINAL)
    if options.in_process:
        return _in_process(settings)
    supervisor = Supervisor(settings, actor_name(os.environ.get))
    return _console(settings, supervisor, supervisor.connect, options.given)


def attach(settings: "Settings") -> int:
    """Open the console on the running engine."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(NO_TERMINAL)
    supervisor = Supervisor(settings, actor_name(os.environ.get))
    return _console(settings, supervisor, supervisor.attach, ())


# without a screen


def _headless(settings: "Settings", *, as_json: bool) -> int:
    report = run_engine(settings)
    if as_json:
        facts = report.run if report.run is not None else report
        sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
    else:
        lines = [f"ended: {report.text} (exit code {report.exit_code})"]
        lines += [f"left open: {item}" for item in (*report.open_orders, *report.positions)]
        if report.run is not None:
            names = report.run.__struct_fields__
            lines += [f"{name}: {getattr(report.run, name)}" for name in names]
        sys.stdout.write("\n".join(lines) + "\n")
    return report.exit_code


def _plain(settings: "Settings") -> int:
    from tui.plain import run_plain

    supervisor = Supervisor(settings, actor_name(os.environ.get))

    async def show() -> int:
        link = await supervisor.connect()
        try:
            return await run_plain(link, sys.stdout)
        finally:
            await link.close()

    try:
        return asyncio.run(show())
    except KeyboardInterrupt:
        sys.stderr.write("the engine goes on; `trader-tui stop` ends it\n")
        return 130


# with a screen


def _console(
    settings: "Settings", supervisor: Supervisor, connect: Callable[[], Any], given: tuple[str, ...]
) -> int:
    app = _app(settings, connect)
    _take_signals(app)
    code = app.run()
    if supervisor.found_pid is not None and given:
        sys.stderr.write(
            f"attached to the engine that ran already (pid {supervisor.found_pid}); "
            f"{', '.join(given)} had no effect. `trader-tui stop` ends it.\n"
        )
    return code if code is not None else (app.return_code or 0)


def _app(settings: "Settings", connect: Callable[[], Any]) -> "ConsoleApp":
    from tui.app import ConsoleApp

    return ConsoleApp(connect, settings=_console_settings(settings))


def _console_settings(settings: "Settings") -> "ConsoleSettings":
    from tui.settings import ConsoleSettings

    own = user_directory()
    return ConsoleSettings(
        theme=settings.console.theme,
        theme_dirs=(own / "themes",),
        keymap_file=own / "keymap.yaml",
        frames_per_s=settings.console.frame_rate,
        budget_bytes_per_s=round(settings.console.bandwidth_max_kb_s * 1000),
        title=f"{settings.mode} · instance {settings.instance}",
    )


def _take_signals(app: "ConsoleApp") -> None:
    """Take the console's signals in a thread: they count while the screen is stuck or nobody reads it."""
    from tui.driver import restore_terminal, save_terminal

    saved = save_terminal()

    def wait() -> None:
        while True:
            number = signal.sigwait(CONSOLE_SIGNALS)
            if number == signal.SIGUSR1:
                app.panic_now("SIGUSR1")
                continue
            app.leave(128 + number)
            time.sleep(FORCED_EXIT_S)
            restore_terminal(saved=saved)
            os._exit(128 + number)

    threading.Thread(target=wait, name="signals", daemon=True).start()


def _in_process(settings: "Settings") -> int:
    """Run engine and console in one process and one loop: for a look without a second process."""
    return asyncio.run(_both(settings))


async def _both(settings: "Settings") -> int:
    async with open_engine(settings) as engine:

        async def connect() -> Link:
            return engine.link(actor_name(os.environ.get))

        app = _app(settings, connect)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, app.leave, 128 + number)
        code = await app.run_async()
        await engine.finish("the console ended")
    return code or app.return_code or 0
