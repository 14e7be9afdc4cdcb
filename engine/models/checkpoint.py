"""A model's two files read as one: `NAME.npz` and the manifest `NAME.json` beside it."""

import hashlib
import os
import stat
from pathlib import Path

import msgspec

from engine.domain.errors import ConfigError
from engine.domain.play import ModelRef
from engine.models.manifest import MANIFEST_BYTES_MAX, Manifest, parse_manifest
from engine.models.network import Network
from engine.models.weights import WEIGHTS_BYTES_MAX, read_weights

WEIGHTS, MANIFEST = ".npz", ".json"


class UnsettledError(ConfigError):
    """The two files do not go together, as while one of them is being replaced: it may pass by itself."""


class Checkpoint(msgspec.Struct, frozen=True):
    """A model as it was read: the bytes of both files, what the manifest says, and what it computes."""

    manifest: Manifest
    network: Network
    weights_file: bytes
    manifest_file: bytes

    @property
    def identity(self) -> str:
        """The sha256 of all that decides what the model says."""
        return self.manifest.identity


def manifest_path(weights: Path) -> Path:
    """Return the manifest's place beside the weights."""
    return weights.with_suffix(MANIFEST)


def read_checkpoint(weights: Path) -> Checkpoint:
    """Read a model. Raises UnsettledError or ConfigError, which name the file and what is wrong with it."""
    if weights.suffix != WEIGHTS:
        raise ConfigError(f"is no {WEIGHTS} file", file=str(weights))
    beside = manifest_path(weights)
    return parse_checkpoint(
        _content(weights, WEIGHTS_BYTES_MAX),
        _content(beside, MANIFEST_BYTES_MAX),
        weights=str(weights),
        manifest=str(beside),
    )


def parse_checkpoint(weights_file: bytes, manifest_file: bytes, *, weights: str, manifest: str) -> Checkpoint:
    """Check the content of both files, whose names are for messages. Raises as read_checkpoint does."""
    told = parse_manifest(manifest_file, manifest)
    found = hashlib.sha256(weights_file).hexdigest()
    if found != told.sha256:
        raise UnsettledError(
            f"is {told.sha256[:12]}..., and {Path(weights).name} has {found[:12]}...: the two files are not "
            "of one training, or one of them is damaged",
            file=manifest,
            field="sha256",
        )
    network = Network(told, read_weights(weights_file, told.shapes, weights))
    return Checkpoint(told, network, weights_file, manifest_file)


def misfit(manifest: Manifest, wanted: ModelRef) -> tuple[str, str]:
    """Return the field of a play that a model does not fit and why, empty texts where it fits."""
    fault = _other_features(manifest.features, wanted.features)
    if fault:
        return "features", fault
    if manifest.horizon_bars != wanted.horizon_bars:
        return "horizon", _other("horizon_bars", manifest.horizon_bars, wanted.horizon_bars)
    if manifest.rise_percent != wanted.rise_percent:
        return "rise_percent", _other("rise_percent", manifest.rise_percent, wanted.rise_percent)
    return "", ""


def reference(manifest: Manifest, wanted: ModelRef) -> ModelRef:
    """Return what a play holds of a model that fits it."""
    told = manifest.calibration
    found = msgspec.structs.replace(
        wanted, sha256=manifest.identity, architecture=manifest.architecture.value
    )
    return found if told is None else msgspec.structs.replace(found, base_rate=told.base_rate)


def _other(name: str, told: float, wanted: float) -> str:
    return f"is {wanted:g}, and the model was trained for {name} {told:g}: train it again or change this"


def _other_features(told: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    """Say what a model takes instead of the play's features."""
    if told == wanted:
        return ""
    missing = [name for name in told if name not in wanted]
    more = [name for name in wanted if name not in told]
    again = "train it again or change this"
    if missing or more:
        parts = [f"the model takes {', '.join(missing)}, which the play does not give"] if missing else []
        parts += [f"the play gives {', '.join(more)}, which the model was not trained on"] if more else []
        return f"{'; '.join(parts)}; {again}"
    place, (theirs, ours) = next(
        (number, pair) for number, pair in enumerate(zip(told, wanted, strict=True), 1) if pair[0] != pair[1]
    )
    return (
        f"are in another order than the model's: number {place} is {ours}, and the model takes {theirs} there"
    )


def _content(path: Path, bytes_max: int) -> bytes:
    """Read a file that is not too large; one that is not there may be on its way."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise ConfigError("is not a file", file=str(path))
            if facts.st_size > bytes_max:
                text = f"has {facts.st_size:,} bytes, and at most {bytes_max:,} are read"
                raise ConfigError(text, file=str(path))
            data = file.read(bytes_max + 1)
    except FileNotFoundError:
        raise UnsettledError("there is no such file", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", file=str(path)) from None
    if len(data) > bytes_max:
        raise ConfigError(f"grew past {bytes_max:,} bytes while it was read", file=str(path))
    if not data:
        raise UnsettledError("is empty", file=str(path))
    return data


def _without_waiting(path: str, flags: int) -> int:
    """Open without waiting: somebody may have put a pipe there."""
    return os.open(path, flags | os.O_NONBLOCK)
