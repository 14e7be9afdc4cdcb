"""Reload of limits: a changed settings file is checked, and what it says of limits handed on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from engine.config.settings import Settings
from engine.core.snapshot import ReloadRow
from engine.domain.errors import ConfigError
from engine.domain.limits import LimitsChanged
from engine.runtime.playfile import Seen, look

NAME = "limits"
ID_LENGTH = 8
FAULT_MAX = 300  # characters shown


class LimitsReloader:
    """Watches one settings file by the hash of its content.

    A new content is taken once two looks found it the same, so that a half-written file is never read. One
    that is rejected is not tried again until it changes; limits in force then stay, as they do where the
    file is missing or empty. What of a change loosens is not this one's to judge.
    """

    def __init__(self, path: Path, *, start: Settings, load: Callable[[], Settings], now: int) -> None:
        """`start` is what the engine runs on, `load` reads all layers anew or raises ConfigError."""
        self._path, self._load = path, load
        self._limits, self._blackout = start.limits, start.blackout
        self._seen = Seen(())
        self._settled = ""
        self._result, self._text, self._at = "loaded", "in force since the start", now
        self._generation, self._rejections = 1, 0

    async def check(self, wall_now: int) -> LimitsChanged | None:
        """Look at the file; return what it asks for where that is new. `wall_now` is ns UTC."""
        before, self._seen = self._seen, await asyncio.to_thread(look, self._path)
        content = self._seen.content
        if self._seen.trouble or content == self._settled or content != before.content:
            return None
        self._settled = content
        return await self._judge(content, wall_now)

    def rows(self) -> tuple[ReloadRow, ...]:
        """Return what a screen shows: nothing where there never was a file."""
        if not self._settled and not self._seen.mark:
            return ()
        trouble = self._seen.trouble
        row = ReloadRow(
            play=NAME,
            file=str(self._path),
            generation=self._generation,
            hash=self._settled,
            result="waiting" if trouble else self._result,
            text=f"cannot be read: {trouble}; limits stay as they are" if trouble else self._text,
            at=self._at,
            failures=self._rejections,
            next_try_s=0.0,
        )
        return (row,)

    async def _judge(self, content: str, wall_now: int) -> LimitsChanged | None:
        try:
            wanted = await asyncio.to_thread(self._load)
        except ConfigError as error:
            self._reject(str(error), wall_now)
            return None
        except Exception as error:  # noqa: BLE001 - whatever a file breaks, the limits in force stay
            self._reject(f"{self._path}: it cannot be read: {error!r}", wall_now)
            return None
        self._rejections = 0
        if (wanted.limits, wanted.blackout) == (self._limits, self._blackout):
            self._end("loaded", "in force; nothing of limits or blackouts changed", wall_now)
            return None
        self._limits, self._blackout = wanted.limits, wanted.blackout
        self._generation += 1
        self._end("swapped", "handed to the engine; what loosens in live waits for you", wall_now)
        limits, calendar = wanted.limits.to_limits(), wanted.blackout.to_calendar()
        return LimitsChanged(wall_now, content[:ID_LENGTH], limits, calendar)

    def _reject(self, fault: str, wall_now: int) -> None:
        self._rejections += 1
        short = " ".join(fault.replace(str(self._path), self._path.name).split())[:FAULT_MAX]
        self._end("rejected", f"{short}; limits stay as they are", wall_now)

    def _end(self, result: str, text: str, wall_now: int) -> None:
        self._result, self._text, self._at = result, text, wall_now
