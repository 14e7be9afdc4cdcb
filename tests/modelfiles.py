"""Models for tests: small, with weights by seed, in memory or as the two files of a checkpoint."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.domain.play import ModelRef
from engine.models.checkpoint import Checkpoint, parse_checkpoint, reference
from engine.models.manifest import Architecture, Manifest, Normalisation, write_manifest
from engine.models.weights import Array, write_weights
from engine.storage.modelstore import ModelStore

FEATURES = ("rsi(3)", "roc(2)")


def manifest(features: Sequence[str] = FEATURES, hidden: Sequence[int] = (3,), **changes: Any) -> Manifest:
    """Return a manifest whose weights are not there yet."""
    count = len(features)
    facts: dict[str, Any] = {
        "schema_version": 1,
        "architecture": Architecture.MLP if hidden else Architecture.LOGISTIC,
        "hidden": tuple(hidden),
        "features": tuple(features),
        "input_shape": (count,),
        "normalisation": Normalisation((0.0,) * count, (10.0,) * count),
        "horizon_bars": 2,
        "sha256": "0" * 64,
    }
    return Manifest(**(facts | changes))


def arrays(told: Manifest, seed: int = 1, scale: float = 1.0) -> dict[str, Array]:
    """Return weights of a manifest's shapes."""
    draw = np.random.default_rng(seed)
    return {name: draw.normal(size=shape) * scale for name, shape in told.shapes.items()}


def files(told: Manifest, weights: dict[str, Array] | None = None) -> tuple[bytes, bytes]:
    """Return the content of both files, the manifest naming the weights."""
    data = write_weights(arrays(told) if weights is None else weights)
    named = msgspec.structs.replace(told, sha256=hashlib.sha256(data).hexdigest())
    return data, write_manifest(named)


def checkpoint(told: Manifest | None = None, weights: dict[str, Array] | None = None) -> Checkpoint:
    """Return a model as if it had been read."""
    data, beside = files(told or manifest(), weights)
    return parse_checkpoint(data, beside, weights="m.npz", manifest="m.json")


def write_checkpoint(folder: Path, name: str = "m", told: Manifest | None = None, seed: int = 1) -> Path:
    """Write both files of a model; return the place of its weights."""
    named = told or manifest()
    data, beside = files(named, arrays(named, seed))
    path = folder / f"{name}.npz"
    path.write_bytes(data)
    path.with_suffix(".json").write_bytes(beside)
    return path


def store(*models: Checkpoint) -> ModelStore:
    """Return a store in memory that holds models."""
    found = ModelStore()
    for model in models:
        found.put(model)
    return found


def ref(model: Checkpoint) -> ModelRef:
    """Return what a play holds of a model that fits it."""
    told = model.manifest
    wanted = ModelRef(told.features, told.horizon_bars, told.rise_percent)
    return reference(told, wanted)
