"""Reads the recorded markets of a session, and opens the feed that plays them."""

from collections.abc import Callable, Sequence

from engine.config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.market import PRINT_STEP_NS
from engine.runtime.binding import PlayFile, steps_of
from engine.runtime.datacache import open_cache
from engine.runtime.session import SessionConfig
from engine.venues.instruments import BarTime
from engine.venues.replay import DataSource, FileFeed, MergedFeed, Tape, load_tape, open_feed


def load_tapes(settings: Settings, tell: Callable[[str], None] | None = None) -> tuple[Tape, ...]:
    """Read the data files, or take their columns from the cache; `tell` hears what is wrong with the cache.

    Raises ConfigError naming file and line.
    """
    bar_ts = None if settings.bar_ts is None else BarTime(settings.bar_ts.value)
    cache = open_cache(settings.cache, tell)
    return tuple(
        load_tape(
            DataSource(file.path, file.symbol or None),
            store=cache,
            bar_ts=bar_ts,
            maker_fee=settings.simulated.maker_fee,
            taker_fee=settings.simulated.taker_fee,
        )
        for file in settings.data
    )


def tape_feed(
    tapes: Sequence[Tape], files: Sequence[PlayFile], *, limit: int | None = None
) -> FileFeed | MergedFeed:
    """Open the feed with every step the plays need."""
    return open_feed(tapes, steps_of(files, {tape.base_step_ns for tape in tapes}), limit=limit)


def reopen_feed(config: SessionConfig, files: dict[str, str]) -> FileFeed | MergedFeed | None:
    """Open a recorded session's tapes again, None for one without. Raises ConfigError where they changed."""
    if not config.data:
        return None
    settings = Settings.from_json(config.settings)
    tapes = load_tapes(settings)
    for tape in tapes:
        if files.get(str(tape.path)) != tape.sha256:
            raise ConfigError("this file is not the one the session ran on", file=str(tape.path))
    steps = {binding.step_ns for binding in (*config.setup.plays, *config.setup.shadows)}
    return open_feed(tapes, steps - {PRINT_STEP_NS})
