"""What can be asked without a running engine: backtests, records, plays and files of market data.

The console reaches these functions through `engine.api`. They import what they need when called.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.config.playcheck import PlayCheck
    from engine.config.settings import Settings
    from engine.runtime.datafetch import FetchProgress, FetchReport
    from engine.runtime.datasummary import DataSummary
    from engine.runtime.doctor import Check
    from engine.runtime.parity.report import Outcome, ParityReport, ParityWish
    from engine.runtime.protocol import WhyReply
    from engine.runtime.shadowreport import ShadowReport
    from engine.runtime.study.compare import RunComparison
    from engine.runtime.study.recorder import Recorder
    from engine.runtime.study.study import Study
    from engine.runtime.training import ModelReport, TrainingReport
    from engine.runtime.venueserver import Listening
    from engine.runtime.verify import Verdict
    from engine.storage.columncache import CacheUsage
    from engine.storage.promotions import Approval
    from engine.storage.venuechecks import VenueCheck


def run_backtest(
    settings: "Settings",
    *,
    since: int | None = None,
    until: int | None = None,
    out: Path | None = None,
    begun: "Callable[[Recorder], None] | None" = None,
    tell: Callable[[str], None] | None = None,
) -> "Study":
    """Run the plays over the data files, or over [since, until) of them (ns UTC). Raises TraderError.

    The run is kept in the folder `out`, whole or not at all. `begun` is told when the data is read: what it
    is given knows how far the run is, from any thread. `tell` hears what is wrong with the cache of data
    files, a line each.
    """
    from engine.runtime.study.folder import study_into

    return study_into(out, settings, since=since, until=until, begun=begun, tell=tell)


def compare_backtests(a: Path, b: Path) -> "RunComparison":
    """Compare two saved backtests. Raises ConfigError where one cannot be read."""
    from engine.runtime.study.compare import compare_runs

    return compare_runs(a, b)


def bench_parity(
    wish: "ParityWish", program: Sequence[str], tell: "Callable[[Outcome], None]"
) -> "ParityReport":
    """Hold backtests against replays through the live path, killed ones among them. Raises ConfigError.

    `program` is the command that starts trader-tui; `tell` hears of each pair when it is done.
    """
    from engine.runtime.parity.bench import run_parity

    return run_parity(wish, program, tell)


def verify_session(directory: Path) -> "Verdict":
    """Re-run a recorded session. Raises TraderError."""
    from engine.runtime.verify import verify_session as verify

    return verify(directory)


def why_recorded(directory: Path, *, play: str = "", last: int = 1, at: int = 0) -> "WhyReply":
    """Ask a recorded session why its bars led to what they did. Raises TraderError."""
    from engine.runtime.whyrecord import why_recorded as recorded

    return recorded(directory, play=play, last=last, at=at)


def summarize_data(
    path: Path,
    *,
    bar_ts: str | None = None,
    points: int = 0,
    settings: "Settings | None" = None,
    tell: Callable[[str], None] | None = None,
) -> "DataSummary":
    """Sum up a file of market data, with a chart of at most `points` prices. Raises ConfigError.

    The settings say whether columns are kept; `tell` hears what is wrong with those, a line each.
    """
    from engine.runtime.datacache import open_cache
    from engine.runtime.datasummary import summarize

    store = None if settings is None else open_cache(settings.cache, tell)
    return summarize(path, bar_ts=bar_ts, points=points, store=store)


def data_cache(settings: "Settings", *, clear: bool = False) -> "CacheUsage":
    """Say what the cache of data files holds, or held before it is cleared now. Raises StorageError."""
    from engine.runtime.datacache import cache_usage

    return cache_usage(settings.cache, clear=clear)


def check_play(play: str, parameters: Mapping[str, str]) -> "PlayCheck":
    """Take a play apart, given by file or name. Raises ConfigError naming every mistake in it."""
    from engine.config.playcheck import check_play as check

    return check(play, Path.cwd(), parameters)


def train_model(
    settings: "Settings",
    tell: Callable[[str, float], None],
    *,
    architecture: str,
    hidden: tuple[int, ...],
    folds: int,
    seed: int,
    epochs: int,
    since: int | None,
    until: int | None,
    force: bool,
) -> "TrainingReport":
    """Train the model of the settings' play on their data and write its files. Raises TraderError.

    `tell` hears what is done now, and how much of it (0 to 1).
    """
    from engine.models.manifest import Architecture
    from engine.models.training import Recipe
    from engine.runtime.training import TrainingWish
    from engine.runtime.training import train_model as train

    kind = Architecture(architecture)
    layers = hidden if kind is Architecture.MLP else ()
    recipe = Recipe(architecture=kind, hidden=layers, folds=folds, seed=seed, epochs=epochs)
    return train(settings, TrainingWish(recipe=recipe, since=since, until=until, force=force), tell)


def check_model(
    settings: "Settings", tell: Callable[[str, float], None], *, since: int | None, until: int | None
) -> "ModelReport":
    """Read the model of the settings' play, and score it on their data, if any. Raises ConfigError."""
    from engine.runtime.training import check_model as check

    return check(settings, since=since, until=until, tell=tell)


def play_schema() -> str:
    """Return the JSON Schema of play files as text."""
    from engine.config.playschema import schema_text

    return schema_text()


def fetch_bars(
    *,
    venue: str,
    symbol: str,
    timeframe: str,
    since: int,
    until: int | None,
    out: Path | None,
    host: str | None,
    tell: "Callable[[FetchProgress], None]",
) -> "FetchReport":
    """Fetch bars that open in [since, until), ns UTC, from an exchange into a file. Raises TraderError."""
    from engine.runtime.datafetch import FetchRequest, run_fetch

    request = FetchRequest(
        venue=venue, symbol=symbol, timeframe=timeframe, since=since, until=until, out=out, host=host
    )
    return run_fetch(request, tell)


def check_venue(
    settings: "Settings", symbol: str, tell: Callable[[str, str, str, str], None]
) -> "VenueCheck":
    """Play the order cases on the testnet of the settings' venue and keep the result. Raises TraderError.

    `tell` hears of each case when it is done: its number, how it ended, its promise and what was seen.
    """
    from engine.runtime.venuecheck import check_venue as check

    return check(settings, symbol, tell)


def run_venue(tell: "Callable[[Listening], None]", **wish: Any) -> None:
    """Run the local exchange until SIGINT or SIGTERM; `tell` hears where it listens. Raises TraderError.

    The wishes are the fields of engine.runtime.venueserver.VenueWish.
    """
    from engine.runtime.venueserver import VenueWish
    from engine.runtime.venueserver import run_venue as run

    run(VenueWish(**wish), tell)


def find_play(play: str) -> Path:
    """Return a play's file, given by file or by the name of a shipped or user play. Raises ConfigError."""
    from engine.config.packaged import play_path

    return play_path(play, Path.cwd())


def approve_play(settings: "Settings", path: Path, *, actor: str, reason: str) -> "Approval":
    """Accept the version that a file holds for live. Raises NotPromotedError naming all that is missing."""
    from engine.runtime.promotion import approve_play as approve

    return approve(settings, path, actor=actor, reason=reason)


def keep_evidence(settings: "Settings", study: "Study") -> None:
    """Put a backtest on record as evidence for a promotion. Raises StorageError."""
    from engine.runtime.promotion import keep_evidence as keep

    keep(settings, study)


def shadow_report(settings: "Settings", last: int) -> "ShadowReport":
    """Return what the shadow store of the settings' mode holds. Raises StorageError."""
    from engine.runtime.shadowreport import shadow_report as report

    return report(settings, last)


def examine(settings: "Settings", *, offline: bool) -> "tuple[Check, ...]":
    """Look at everything an engine needs, at the venue, too, unless told to stay offline."""
    from engine.runtime.examination import examine as look

    return asyncio.run(look(settings, now=time.time_ns(), offline=offline))
