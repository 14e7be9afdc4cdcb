"""Opens an instance's folder: its lock, its log and its database."""

import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from engine.config.packaged import instance_dir, mode_dir, state_root
from engine.config.secrets import Redactor
from engine.config.settings import Settings
from engine.domain.errors import StorageError
from engine.domain.market import NS_PER_DAY, NS_PER_S
from engine.runtime.clock import SystemClock
from engine.runtime.factory import synchronous_of
from engine.runtime.logs import EngineLog, readable_screen
from engine.storage.atomic import make_directory
from engine.storage.database import Database
from engine.storage.elsewhere import note_elsewhere
from engine.storage.lock import InstanceLock
from engine.storage.sessions import claim
from engine.storage.shadows import prune_shadows


async def open_instance(
    stack: AsyncExitStack, settings: Settings, account: str | None, redactor: Redactor, *, headless: bool
) -> tuple[FilteringBoundLogger, Database]:
    """Take the instance's lock, then open its log and its database; all three are let go with the stack.

    `redactor` keeps what it knows out of the log. Raises LockHeldError and StorageError.
    """
    directory = instance_dir(settings)
    _make_directory(directory)
    now = SystemClock().now()
    lock = InstanceLock(directory)
    lock.acquire(settings.instance, now)
    stack.callback(lock.release)
    screen = readable_screen(sys.stderr, headless=headless)
    log = EngineLog(
        directory / "logs", settings.log, screen=screen, instance=settings.instance, redactor=redactor
    )
    stack.enter_context(log)
    try:
        note_elsewhere(state_root(), directory)
    except StorageError as error:
        log.logger.warning("`flatten --all` will not find this instance", error=str(error))
    _make_directory(mode_dir(settings))
    database = await Database.open(mode_dir(settings) / "engine.sqlite", synchronous=synchronous_of(settings))
    stack.push_async_callback(database.close)
    await claim(database, now // NS_PER_S, settings.instance, account)
    await prune_shadows(database, now - round(settings.shadow.keep_days * NS_PER_DAY))
    return log.logger, database


def _make_directory(directory: Path) -> None:
    try:
        make_directory(directory)
    except OSError as error:
        raise StorageError(
            f"{directory}: the state directory cannot be made: {error.strerror}. Choose another --state-dir."
        ) from error
    if not os.access(directory, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise StorageError(
            f"{directory}: the state directory cannot be written to. "
            "Make it writable or choose another --state-dir."
        )
