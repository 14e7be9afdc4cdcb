"""Reads the shadow store of one mode of an instance."""

import asyncio

import msgspec

from engine.config.packaged import mode_dir
from engine.config.settings import Settings
from engine.domain.shadow import ShadowSignal, Stage
from engine.runtime.promotion import DATABASE
from engine.storage.database import open_reader
from engine.storage.shadows import ShadowRepository


class ShadowReport(msgspec.Struct, frozen=True):
    """The newest signals of twins, newest first, and for how long each version has run."""

    signals: tuple[ShadowSignal, ...] = ()
    stages: tuple[Stage, ...] = ()


def shadow_report(settings: Settings, last: int) -> ShadowReport:
    """Return the newest `last` signals and all stages. Raises StorageError."""
    return asyncio.run(_read(settings, last))


async def _read(settings: Settings, last: int) -> ShadowReport:
    path = mode_dir(settings) / DATABASE
    if not await asyncio.to_thread(path.is_file):
        return ShadowReport()
    async with open_reader(path) as reader:
        shadows = ShadowRepository(reader)
        return ShadowReport(tuple(await shadows.newest(last)), tuple(await shadows.stages()))
