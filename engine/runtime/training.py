"""`trader-tui model train` and `check`: a play's features over a tape, a model trained on them, its files."""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from engine import __version__
from engine.config.plays import LoadedPlay, read_play, read_untrained
from engine.config.settings import Settings
from engine.domain.errors import ConfigError, StorageError
from engine.domain.play import ModelRef
from engine.models.checkpoint import Checkpoint, manifest_path
from engine.models.manifest import (
    SCHEMA_VERSION,
    Architecture,
    Calibration,
    Manifest,
    TrainedOn,
    write_manifest,
)
from engine.models.scores import calibration
from engine.models.training import Fold, Recipe, Rows, Trained, splits, train, walk_forward
from engine.models.weights import write_weights
from engine.runtime.backtest import between
from engine.runtime.features import Seen, rows_of, seen_of
from engine.runtime.tapes import load_tapes
from engine.storage.atomic import write_whole
from engine.venues.replay import Tape

ROWS_MIN = 50  # in each part of the walk forward
KINDS_MIN = 5  # of what came true and of what did not, in each part


class TrainingReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a training led to. `unseen` is how good the folds were on what they had not seen."""

    play: str
    file: str
    manifest: str
    sha256: str
    architecture: Architecture
    hidden: tuple[int, ...]
    features: tuple[str, ...]
    horizon_bars: int
    rise_percent: float
    seed: int
    bars: int
    rows: int
    since: int
    until: int
    folds: tuple[Fold, ...]
    unseen: Calibration
    load_s: float
    train_s: float


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a model's files say, and how good it was on other data where some was given."""

    file: str
    sha256: str
    weights: int
    bytes: int
    manifest: Manifest
    play: str
    scored: Calibration | None = None
    bars: int = 0
    learned: tuple[str, ...] = ()  # files among the data given that it was trained on


class TrainingWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a training is asked for; times in ns UTC."""

    recipe: Recipe
    since: int | None = None
    until: int | None = None
    force: bool = False


Tell = Callable[[str, float], None]  # what is done now, and how much of it


def train_model(settings: Settings, wish: TrainingWish, tell: Tell) -> TrainingReport:
    """Train the model of a play on the data of the settings and write its files, whole or not at all.

    The last to be written is the manifest, which names the weights. Raises ConfigError and StorageError.
    """
    play = settings.plays[0]
    loaded = read_untrained(play)
    wanted, weights = _asked(loaded, play)
    _refuse_overwriting(weights, force=wish.force)
    started = time.perf_counter()
    tapes = _tapes(settings, wish.since, wish.until)
    seen = seen_of(loaded.spec, play, tapes, lambda done: tell("reading", done))
    rows = rows_of(seen, wanted)
    _require_enough(rows, wish.recipe.folds, play)
    load_s, started = time.perf_counter() - started, time.perf_counter()
    walked = walk_forward(rows, wish.recipe, lambda done: tell("walking forward", done))
    trained = train(rows, wish.recipe, lambda done: tell("training", done))
    facts = _facts(tapes, seen, len(rows.truth), wish.recipe)
    manifest = _write(weights, wanted, trained, recipe=wish.recipe, facts=facts, unseen=walked.unseen)
    return TrainingReport(
        play=loaded.spec.name,
        file=str(weights),
        manifest=str(manifest_path(weights)),
        sha256=manifest.identity,
        architecture=manifest.architecture,
        hidden=manifest.hidden,
        features=manifest.features,
        horizon_bars=manifest.horizon_bars,
        rise_percent=manifest.rise_percent,
        seed=wish.recipe.seed,
        bars=len(seen.closes),
        rows=len(rows.truth),
        since=facts.since,
        until=facts.until,
        folds=walked.folds,
        unseen=walked.unseen,
        load_s=load_s,
        train_s=time.perf_counter() - started,
    )


def check_model(
    settings: Settings, *, since: int | None = None, until: int | None = None, tell: Tell
) -> ModelReport:
    """Read the model of a play and say what it is; with data in the settings, how good it is there, too.

    Raises ConfigError.
    """
    play = settings.plays[0]
    loaded = read_play(play)
    wanted, weights = _asked(loaded, play)
    assert loaded.model is not None, "a play that was read with its model has it"
    scored, bars, learned = None, 0, tuple[str, ...]()
    if settings.data:
        tapes = _tapes(settings, since, until)
        seen = seen_of(loaded.spec, play, tapes, lambda done: tell("reading", done))
        rows, bars = rows_of(seen, wanted), len(seen.closes)
        learned = _learned(loaded.model.manifest.trained_on, tapes, seen)
        if not len(rows.truth):
            raise ConfigError(f"the data has no bar on which the model of {loaded.spec.name} can be scored")
        asked = loaded.model.network.forecaster()
        scored = calibration(np.array([asked(row) for row in rows.features.tolist()]), rows.truth)
    described = _described(loaded.model, weights, loaded.spec.name)
    return msgspec.structs.replace(described, scored=scored, bars=bars, learned=learned)


def _learned(trained: TrainedOn, tapes: Sequence[Tape], seen: Seen) -> tuple[str, ...]:
    """Return the names of tapes of which the model was trained on what is scored."""
    if not seen.times or seen.times[0] > trained.until or seen.times[-1] < trained.since:
        return ()
    return tuple(tape.path.name for tape in tapes if tape.sha256 in trained.data.values())


def _described(model: Checkpoint, weights: Path, play: str) -> ModelReport:
    count = sum(int(np.prod(shape)) for shape in model.manifest.shapes.values())
    return ModelReport(
        file=str(weights),
        sha256=model.identity,
        weights=count,
        bytes=len(model.weights_file),
        manifest=model.manifest,
        play=play,
    )


def _asked(loaded: LoadedPlay, play: Path) -> tuple[ModelRef, Path]:
    """Return what a play wants of its model and where that is. Raises ConfigError for one without."""
    if loaded.spec.model is None or loaded.weights is None:
        example = "model: {file: drift.npz, features: [rsi(14)], horizon: 12}"
        text = f"the play has no model; name one, as in {example}"
        raise ConfigError(text, file=str(play))
    return loaded.spec.model, loaded.weights


def _refuse_overwriting(weights: Path, *, force: bool) -> None:
    for path in (weights, manifest_path(weights)):
        if path.exists() and not force:
            raise ConfigError("is there already; give --force to train it anew", file=str(path))
    if not weights.parent.is_dir():
        raise ConfigError("there is no such folder", file=str(weights.parent))


def _tapes(settings: Settings, since: int | None, until: int | None) -> tuple[Tape, ...]:
    return tuple(between(tape, since, until) for tape in load_tapes(settings))


def _require_enough(rows: Rows, folds: int, play: Path) -> None:
    """Refuse data that leaves a part of the walk forward without enough rows of both kinds."""
    need = f"a walk forward of {folds} folds"
    if len(rows.truth) < ROWS_MIN * (folds + 1):
        text = f"the data gives {len(rows.truth):,} rows with all features and a label"
        least = f"{need} needs at least {ROWS_MIN * (folds + 1):,}"
        raise ConfigError(f"{text}, and {least}: give more data", file=str(play))
    for number, parts in enumerate(splits(rows, folds), start=1):
        for part, what in zip(parts, ("learns from", "is scored on"), strict=True):
            yes = int(part.truth.sum())
            if min(yes, len(part.truth) - yes) < KINDS_MIN:
                text = f"of the {len(part.truth):,} rows that fold {number} {what}, {yes:,} came true"
                mend = f"each kind must be there {KINDS_MIN} times; change rise_percent or give more data"
                raise ConfigError(f"{text}: {mend}", file=str(play))


def _facts(tapes: Sequence[Tape], seen: Seen, rows: int, recipe: Recipe) -> TrainedOn:
    return TrainedOn(
        data={tape.path.name: tape.sha256 for tape in tapes},
        symbols=tuple(tape.instrument.symbol for tape in tapes),
        step_ns=min(tape.base_step_ns for tape in tapes),
        since=seen.times[0],
        until=seen.times[-1],
        rows=rows,
        folds=recipe.folds,
        seed=recipe.seed,
        engine=__version__,
    )


def _write(
    weights: Path,
    wanted: ModelRef,
    trained: Trained,
    *,
    recipe: Recipe,
    facts: TrainedOn,
    unseen: Calibration,
) -> Manifest:
    """Write weights, then manifest, each whole."""
    data = write_weights(trained.arrays)
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        architecture=recipe.architecture,
        hidden=recipe.hidden,
        features=wanted.features,
        input_shape=(len(wanted.features),),
        normalisation=trained.normalisation,
        horizon_bars=wanted.horizon_bars,
        rise_percent=wanted.rise_percent,
        sha256=hashlib.sha256(data).hexdigest(),
        trained_on=facts,
        calibration=unseen,
    )
    try:
        write_whole(weights, data)
        write_whole(manifest_path(weights), write_manifest(manifest))
    except OSError as error:
        raise StorageError(f"{weights}: the model cannot be written: {error.strerror or error}") from None
    return manifest
