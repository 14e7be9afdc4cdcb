"""Loads the plays of a start: a file that is of no use now leaves the version that ran last."""

from pathlib import Path

from engine.config.packaged import mode_dir
from engine.config.settings import Settings
from engine.domain.errors import ConfigError
from engine.runtime.binding import PlayFile, load_play_file, refuse_namesakes
from engine.runtime.factory import goes_on_after_end
from engine.runtime.reloadmemory import ReloadMemory


def load_start(settings: Settings) -> tuple[PlayFile, ...]:
    """Read the plays of a start.

    Where an account is gone on with, a play whose file was broken meanwhile runs on in its last good version:
    its position is looked after. Raises ConfigError for what never was good here.
    """
    memory = ReloadMemory(mode_dir(settings)) if goes_on_after_end(settings) else ReloadMemory()
    files = tuple(_load(path, memory) for path in settings.plays)
    refuse_namesakes(files)
    return files


def _load(path: Path, memory: ReloadMemory) -> PlayFile:
    try:
        return load_play_file(path)
    except ConfigError as error:
        good = memory.of(path).good
        if good is None:
            raise
        return PlayFile(path, good, flaw=str(error))
