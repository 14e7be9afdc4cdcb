"""`run` and `attach`: which process runs what, and how each way out ends."""

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.api import (
    Action,
    ConfigError,
    Link,
    TraderError,
    block_signals,
    check_start,
    open_engine,
    run_engine,
    send_command,
)
from tui.folding import folded
from tui.formats import clean_lines
from tui.supervisor import Supervisor, actor_name, new_console

if TYPE_CHECKING:
    from engine.api import Settings
    from tui.app import ConsoleApp

NO_TERMINAL = "there is no terminal to draw on: use {} instead of the screen"
FORCED_EXIT_S = 1.5  # how long a console may take to leave after a signal
MARGIN_S = 5.0  # beyond the engine's own deadline, where console and engine are one process
NOTICE_S = 12.0
UNWATCHED_S = 120.0  # how long it stays on screen that another engine's positions are not looked after
CONSOLE_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How `run` shows what it runs."""

    headless: bool = False
    plain: bool = False
    in_process: bool = False
    as_json: bool = False
    read_only: bool = False
    socket: Path | None = None  # of an engine elsewhere
    given: tuple[str, ...] = ()  # options that a running engine would ignore

    @classmethod
    def of(cls, options: dict[str, Any]) -> "RunOptions":
        """Take what concerns the showing from the command line's options."""
        own = ("headless", "plain", "in_process", "as_json")
        which = ("mode", "plays", "shadows", "data", "bar_ts", "venue", "profile")
        engine = (*which, "speed", "duration", "arm")
        flags = {"plays": "play", "shadows": "shadow", "bar_ts": "bar-ts"}
        given = tuple(f"--{flags.get(name, name)}" for name in engine if options.get(name))
        headless, plain, in_process, as_json = (bool(options[name]) for name in own)
        return cls(headless=headless, plain=plain, in_process=in_process, as_json=as_json, given=given)


def block(options: RunOptions) -> None:
    """Block the signals that a thread of ours will take, before any thread exists."""
    if options.headless:
        block_signals()
    elif not options.plain:
        signal.pthread_sigmask(signal.SIG_BLOCK, CONSOLE_SIGNALS)


def run(settings: "Settings", options: RunOptions) -> int:
    """Run what the options ask for; return the exit code."""
    if options.headless:
        return _headless(settings, as_json=options.as_json)
    supervisor = _supervisor(settings, options)
    if options.plain:
        return _plain(supervisor, supervisor.connect, options.given)
    if not _is_terminal():
        check_start(settings)  # with a screen, too, it would not start: that is the first thing to mend
    _require_terminal("--headless (the engine alone) or --plain (lines)")
    if options.in_process:
        return asyncio.run(_in_process(settings))
    return _console(settings, supervisor, supervisor.connect, options)


def attach(settings: "Settings", options: RunOptions) -> int:
    """Open the console on the running engine."""
    supervisor = _supervisor(settings, options)
    if options.plain:
        return _plain(supervisor, supervisor.attach, (), reads=not options.read_only)
    _require_terminal("`trader-tui attach --plain` (lines) or `trader-tui status`")
    return _console(settings, supervisor, supervisor.attach, options)


def _supervisor(settings: "Settings", options: RunOptions) -> Supervisor:
    """Return who finds the engine; lines are no console that could have control."""
    console = "" if options.plain else new_console()
    return Supervisor(settings, actor_name(os.environ.get), console=console, socket=options.socket)


def watch(settings: "Settings", *, as_json: bool) -> int:
    """Print what changes in the running engine."""
    from tui.watch import watch as follow

    supervisor = Supervisor(settings, actor_name(os.environ.get))
    return follow(supervisor.attach, sys.stdout, sys.stderr, as_json=as_json)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _require_terminal(otherwise: str) -> None:
    if not _is_terminal():
        raise ConfigError(NO_TERMINAL.format(otherwise))


def _attached(pid: int, given: tuple[str, ...]) -> str:
    """Say that the engine ran already, and which options it therefore did not hear of."""
    ignored = f" It runs as it was started: {', '.join(given)} had no effect." if given else ""
    return f"Attached to the engine that was running already (pid {pid}).{ignored}"


# without a screen


def _headless(settings: "Settings", *, as_json: bool) -> int:
    report = run_engine(settings)
    if as_json:
        facts = report.run if report.run is not None else report
        sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
        if report.exit_code and report.run is not None:
            sys.stderr.write(f"ended: {report.text} (exit code {report.exit_code})\n")
    else:
        lines = [f"ended: {report.text} (exit code {report.exit_code})"]
        lines += [f"left open: {item}" for item in (*report.open_orders, *report.positions)]
        if report.run is not None:
            names = report.run.__struct_fields__
            lines += [f"{name}: {getattr(report.run, name)}" for name in names]
        sys.stdout.write("\n".join(lines) + "\n")
    return report.exit_code


def _plain(
    supervisor: Supervisor,
    reach: Callable[[], Awaitable[Link]],
    given: tuple[str, ...],
    *,
    reads: bool = True,
) -> int:
    from tui.plain import Typed, run_plain
    from tui.plainwords import listen

    async def show() -> int:
        link = await reach()
        typed, loop = Typed(), asyncio.get_running_loop()
        if reads:
            listen(lambda line: _hand_over(loop, typed, line))
        if supervisor.found_pid is not None:
            sys.stderr.write(_attached(supervisor.found_pid, given) + "\n")
        if told := supervisor.unwatched:
            sys.stderr.write(folded(told, sys.stderr) + "\n")
        try:
            return await run_plain(link, sys.stdout, typed=typed)
        finally:
            await link.close()

    try:
        return asyncio.run(show())
    except KeyboardInterrupt:
        sys.stderr.write("the engine goes on; `trader-tui stop` ends it\n")
        return 130


def _hand_over(loop: asyncio.AbstractEventLoop, typed: "asyncio.Queue[str]", line: str) -> None:
    """Pass on a line from the thread that reads; one that comes after the end is nobody's."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(typed.put_nowait, line)


# with a screen


def _console(
    settings: "Settings",
    supervisor: Supervisor,
    reach: Callable[[], Awaitable[Link]],
    options: RunOptions,
) -> int:
    given = options.given

    async def connect() -> Link:
        link = await reach()
        if supervisor.found_pid is not None:
            text = _attached(supervisor.found_pid, given)
            app.tell(text, severity="warning" if given else "information", timeout=NOTICE_S)
        if told := supervisor.unwatched:
            app.tell(told, severity="error", timeout=UNWATCHED_S)
        return link

    app = _app(settings, connect, again=supervisor.again, read_only=options.read_only)
    forced = _take_signals(app, None if options.socket else settings)
    result = app.run()
    with forced:
        pass
    code = _code_of(app, result)
    if supervisor.found_pid is not None and given:
        sys.stderr.write(_attached(supervisor.found_pid, given) + "\n")
    return code


def _app(
    settings: "Settings",
    connect: Callable[[], Awaitable[Link]],
    *,
    again: Callable[[], Awaitable[Link]] | None = None,
    read_only: bool = False,
) -> "ConsoleApp":
    gc.disable()  # loading makes much and drops nothing; `settle_memory` switches it on again
    from tui.app import ConsoleApp
    from tui.settings import console_settings

    for size in ("COLUMNS", "LINES"):  # whoever exported them once does not follow the terminal's size
        os.environ.pop(size, None)
    look = msgspec.structs.replace(console_settings(settings, os.environ), read_only=read_only)
    return ConsoleApp(connect, settings=look, again=again)


def _take_signals(
    app: "ConsoleApp", settings: "Settings | None", patience_s: float = FORCED_EXIT_S
) -> threading.Lock:
    """Take the console's signals in a thread: they count while the screen is stuck or nobody reads it.

    Return a lock that is held for good once the way out is forced: a process that ended meanwhile would
    leave the terminal as it is.
    """
    from tui.driver import let_writes_be_interrupted, restore_terminal, save_terminal

    let_writes_be_interrupted()
    saved, forced = save_terminal(), threading.Lock()

    def wait() -> None:
        while (number := signal.sigwait(CONSOLE_SIGNALS)) == signal.SIGUSR1:
            _forward_panic(app, settings)
        app.leave(128 + number)
        number = _await_end(app, settings, number, patience_s)
        forced.acquire()
        restore_terminal(saved=saved)
        os._exit(128 + number)

    threading.Thread(target=wait, name="signals", daemon=True).start()
    return forced


def _await_end(app: "ConsoleApp", settings: "Settings | None", number: int, patience_s: float) -> int:
    """Wait for the process to end; return the signal to leave by where it takes too long or is told again."""
    deadline_s = time.monotonic() + patience_s
    while (left_s := deadline_s - time.monotonic()) > 0:
        again = signal.sigtimedwait(CONSOLE_SIGNALS, left_s)
        if again is None:
            break
        if again.si_signo == signal.SIGUSR1:
            _forward_panic(app, settings)
        elif again.si_signo != signal.SIGHUP:  # a closing terminal often says it twice
            return again.si_signo
    return number


def _forward_panic(app: "ConsoleApp", settings: "Settings | None") -> None:
    """Flatten by SIGUSR1: on the console's panic line, or straight to the engine where it has none yet.

    `settings` are None where the engine is elsewhere: no other one is meant.
    """
    from tui.messages import PanicPressed

    if app.link is None and settings is not None:
        with suppress(TraderError, OSError):  # then `panic_now` says that nobody was reached
            send_command(settings, Action.FLATTEN, actor=actor_name(os.environ.get), reason="SIGUSR1")
            app.post_message(PanicPressed("SIGUSR1", fired=True))
            return
    app.panic_now("SIGUSR1")


async def _in_process(settings: "Settings") -> int:
    """Run engine and console in one process and one loop: for a look without a second process."""
    async with open_engine(settings) as engine:

        async def connect() -> Link:
            return engine.link(actor_name(os.environ.get), new_console())

        app = _app(settings, connect)
        forced = _take_signals(app, settings, settings.runtime.shutdown_deadline_s + MARGIN_S)
        result = await app.run_async()
        with forced:
            pass
        code = _code_of(app, result)
        report = await engine.finish("the console ended")
    return code or report.exit_code


def _code_of(app: "ConsoleApp", result: int | None) -> int:
    """Print the console's last words, now that the terminal is the shell's again; return its exit code."""
    code = result if result is not None else (app.return_code or 0)
    if app.last_words:
        stream = sys.stderr if code else sys.stdout
        stream.write(folded(f"trader-tui: {clean_lines(app.last_words)}\n", stream))
    return code
