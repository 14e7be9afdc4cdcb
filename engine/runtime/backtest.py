"""The backtest: the loop driven by a tape as fast as it goes, nothing stored."""

import gc
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from engine.config.settings import Settings
from engine.domain.events import FeedChanged, FeedState
from engine.runtime.binding import keep_models, load_plays
from engine.runtime.building import build_loop
from engine.runtime.factory import check_start, tape_config
from engine.runtime.loop import Batch, Loop, Steps
from engine.runtime.report import RunReport, report
from engine.runtime.session import SessionConfig
from engine.runtime.skim import Skimmer
from engine.runtime.tapes import load_tapes, tape_feed
from engine.venues.datafile import BarColumns
from engine.venues.replay import FileFeed, MergedFeed, Tape, clip
from engine.venues.simulated import SimulatedVenue

BIRTH_S = 0  # ids stay out of every hash; a backtest stores none


class Watch(Protocol):
    """Looks on while a backtest runs and changes nothing of it."""

    def begins(self, tapes: Sequence[Tape], config: SessionConfig, loop: Loop) -> None:
        """Take note of what runs: the tapes as they are played, the session's facts, its loop."""
        ...

    def takes(self, batch: Batch) -> None:
        """Take note of commands, in the order and at the moment the loop carries them out."""
        ...


def run_backtest(
    settings: Settings,
    *,
    limit: int | None = None,
    since: int | None = None,
    until: int | None = None,
    watch: Watch | None = None,
    tell: Callable[[str], None] | None = None,
) -> RunReport:
    """Run the plays over the data files, or over what lies in [since, until) of them (ns UTC), and sum up.

    `tell` hears what is wrong with the cache of data files, a line each.
    Raises ConfigError for anything the user can mend.
    """
    started = time.perf_counter()
    check_start(settings)
    plays = load_plays(settings.plays)
    tapes = tuple(between(tape, since, until) for tape in load_tapes(settings, tell))
    feed = tape_feed(tapes, plays, limit=limit)
    config = tape_config(settings, tapes, plays, BIRTH_S)
    loop = build_loop(config, keep_models(plays))
    load_s = time.perf_counter() - started
    if watch is not None:
        watch.begins(tapes, config, loop)
    started = time.perf_counter()
    play_tape(loop, feed, watch)
    wall_s = time.perf_counter() - started
    names = tuple(str(tape.path) for tape in tapes)
    return report(loop.machine, data=names, rows=feed.rows, events=len(feed), load_s=load_s, wall_s=wall_s)


def between(tape: Tape, since: int | None, until: int | None) -> Tape:
    """Clip a tape; a bar lies where its interval does, although it carries the time of its close."""
    if since is None and until is None:
        return tape
    shift = int(isinstance(tape.columns, BarColumns))
    return clip(tape, None if since is None else since + shift, None if until is None else until + shift)


def play_tape(loop: Loop, feed: FileFeed | MergedFeed, watch: Watch | None = None) -> None:
    """Drive the loop over a whole tape; a watch is told each batch of commands and costs quiet bars nothing.

    The collector is off meanwhile: hot types hold no cycles, and a full collection finds only the tape.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        last = _drive(loop, feed, watch)
        _finish(loop.take(FeedChanged(last, "tape", FeedState.ENDED), last), watch)
    finally:
        if collecting:
            gc.enable()


def _drive(loop: Loop, feed: FileFeed | MergedFeed, watch: Watch | None) -> int:
    """Take all events of a feed; return the time of the last."""
    venue = loop.venue
    if isinstance(feed, FileFeed) and isinstance(venue, SimulatedVenue):
        return Skimmer(loop, venue, partial(_finish, watch=watch)).play(feed)
    now = 0
    market = loop.market
    for event in feed.events():
        now = event.ts
        if loop.next_due <= now:
            _finish(loop.due(now), watch)
        steps = market(event, now)
        if steps is not None:
            _finish(steps, watch)
    return now


def _finish(steps: Steps, watch: Watch | None) -> None:
    for batch in steps:  # every batch is durable enough: a backtest stores nothing
        if watch is not None:
            watch.takes(batch)
