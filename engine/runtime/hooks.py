"""Programs of the user's that are told what happened: bounded in time, and never in the engine's way."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.config.settings import HookSettings
from engine.domain.news import News
from engine.runtime.newsroom import Newsroom

WAITING_MAX = 200  # news that wait for one hook
FINISH_S = 3.0  # at the engine's end
_LAUNCHER = Path(__file__).with_name("unblocked.py")
# What a program needs to find its way; keys and settings of ours are none of its business.
_KNOWN = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "DISPLAY")
_NO_BUS = "DBUS_SESSION_BUS_ADDRESS"  # notify-send wants it

Report = Callable[[str], None]


class Hook:
    """One program: one news at a time on its standard input, as a line of JSON.

    What it fails of is reported once, and so is that it works again; the engine goes on meanwhile.
    """

    def __init__(
        self, settings: HookSettings, newsroom: Newsroom, report: Report, environment: Mapping[str, str]
    ) -> None:
        self._command = settings.run
        self._timeout_s = settings.timeout_s
        self._report = report
        self._environment = {name: environment[name] for name in (*_KNOWN, _NO_BUS) if name in environment}
        self._failing = False
        self._listener = newsroom.listen(settings.run[0], frozenset(settings.on), waiting_max=WAITING_MAX)

    async def run(self) -> None:
        """Tell it what comes until cancelled."""
        while True:
            await self._tell(await self._listener.next())

    async def finish(self) -> None:
        """Tell it what still waits."""
        for news in self._listener.rest():
            await self._tell(news)

    async def _tell(self, news: News) -> None:
        trouble = await self._run(msgspec.json.encode(news) + b"\n")
        if trouble and not self._failing:
            self._report(f"{self._command[0]}: {trouble}; it is told what comes next, and this is said once")
        elif self._failing and not trouble:
            self._report(f"{self._command[0]}: it works again")
        self._failing = bool(trouble)

    async def _run(self, line: bytes) -> str:
        """Run the program once; return what went wrong, empty where nothing did."""
        try:
            process = await asyncio.create_subprocess_exec(
                *_launched(self._command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            return f"it cannot be started: {error.strerror or error}"
        try:
            async with asyncio.timeout(self._timeout_s):
                await process.communicate(line)
        except TimeoutError:
            return f"it did not end within {self._timeout_s:g} s and was killed"
        finally:
            _kill(process)
        return f"it ended with exit code {process.returncode}" if process.returncode else ""


def _launched(command: Sequence[str]) -> tuple[str, ...]:
    """Return how a program is started with no signal blocked, as the engine has them."""
    return (sys.executable, "-I", "-S", str(_LAUNCHER), *command)


def _kill(process: asyncio.subprocess.Process) -> None:
    """End a program and all that it has started, if it still runs."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def finish_all(hooks: Sequence[Hook]) -> None:
    """Let hooks hear the end, all of them within `FINISH_S`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FINISH_S):
            await asyncio.gather(*(hook.finish() for hook in hooks))
