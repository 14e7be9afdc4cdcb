"""A model's manifest: what its weights are, what they are given and what they say, as JSON beside them.

A checkpoint is two files: `NAME.npz` with the weights, and `NAME.json`, which names the weights by their
sha256. What the model computes is named by one hash over both, `identity`; what the manifest tells of its
training is not part of that.
"""

import hashlib
import math
from enum import StrEnum
from itertools import pairwise
from typing import Any

import msgspec

from engine.domain.errors import ConfigError

SCHEMA_VERSION = 1
MANIFEST_BYTES_MAX = 1_000_000
FEATURES_MAX = 256
LAYERS_MAX = 8
UNITS_MAX = 8_192
HORIZON_MAX = 1_000
SCALE_MIN = 1e-12


class Architecture(StrEnum):
    """What kinds of models there are."""

    LOGISTIC = "logistic"  # one weight a feature
    MLP = "mlp"  # layers of tanh units before that


class Normalisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken from each feature, and what it is then divided by, before the model sees it."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]


class TrainedOn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts of a training, for people: data by name and sha256, times as ns UTC, rows, seed."""

    data: dict[str, str] = {}
    symbols: tuple[str, ...] = ()
    step_ns: int = 0
    since: int = 0
    until: int = 0
    rows: int = 0
    folds: int = 0
    seed: int = 0
    engine: str = ""


class Bin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bin of a reliability table: forecasts of [low, high), their mean and how often it came true."""

    low: float
    high: float
    count: int
    forecast: float
    came_true: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How good forecasts were on data that the model had not seen.

    Brier score and log-loss of the model and of the base rate (which always says how often it comes true),
    area under the ROC curve (None where only one thing ever happened), and the reliability by bins.
    """

    rows: int
    base_rate: float
    brier: float
    brier_base: float
    log_loss: float
    log_loss_base: float
    auc: float | None = None
    bins: tuple[Bin, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written beside the weights. `hidden` holds the units of an mlp's layers."""

    schema_version: int
    architecture: Architecture
    hidden: tuple[int, ...] = ()
    features: tuple[str, ...]
    input_shape: tuple[int, ...]
    normalisation: Normalisation
    horizon_bars: int
    rise_percent: float = 0.0
    sha256: str
    trained_on: TrainedOn = TrainedOn()
    calibration: Calibration | None = None

    @property
    def identity(self) -> str:
        """The sha256 of all that decides what the model says."""
        parts = (
            self.schema_version,
            self.architecture,
            self.hidden,
            self.features,
            self.normalisation,
            self.horizon_bars,
            self.rise_percent,
            self.sha256,
        )
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The arrays that the weights must be: `weights_0`, `bias_0` and so on, from features to forecast."""
        sizes = (len(self.features), *self.hidden, 1)
        return {
            name: shape
            for layer, (inner, outer) in enumerate(pairwise(sizes))
            for name, shape in ((f"weights_{layer}", (outer, inner)), (f"bias_{layer}", (outer,)))
        }


def parse_manifest(data: bytes, file: str) -> Manifest:
    """Read a manifest. Raises ConfigError that names the file and the field."""
    version = _version(data, file)
    if version > SCHEMA_VERSION:
        raise ConfigError(
            f"is {version}, and this version of trader-tui reads up to {SCHEMA_VERSION}: update it, or train "
            "the model again",
            file=file,
            field="schema_version",
        )
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _misfit(str(error), file) from None
    _check(manifest, file)
    return manifest


def write_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as it is kept in a file."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def _version(data: bytes, file: str) -> int:
    """Return the schema version before anything else is looked at: a later one may have other fields."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise ConfigError(f"is larger than {MANIFEST_BYTES_MAX // 1000} kB: this is no manifest", file=file)
    try:
        written: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"the manifest is not JSON: {error}", file=file) from None
    if not isinstance(written, dict):
        raise ConfigError("the manifest is not an object with fields", file=file)
    version = written.get("schema_version")
    if type(version) is not int or version < 1:
        raise ConfigError("must be a whole number from 1 on", file=file, field="schema_version")
    return version


def _misfit(message: str, file: str) -> ConfigError:
    """Turn `Expected int, got str - at $.a.b` into an error at a field."""
    text, _, place = message.partition(" - at `$")
    field = place.strip("`").removeprefix(".")
    return ConfigError(f"{text[:1].lower()}{text[1:]}", file=file, field=field or "manifest")


def _check(manifest: Manifest, file: str) -> None:
    """Raise ConfigError where the fields do not go together."""
    for field, sentence in _faults(manifest):
        if sentence:
            raise ConfigError(sentence, file=file, field=field)


def _faults(manifest: Manifest) -> list[tuple[str, str]]:
    """Return what each field says that is wrong, empty texts where nothing is."""
    count, norm = len(manifest.features), manifest.normalisation
    mlp = manifest.architecture is Architecture.MLP
    finite = all(map(math.isfinite, (*norm.mean, *norm.scale)))
    wrong_hidden = (
        not 1 <= len(manifest.hidden) < LAYERS_MAX
        or not all(1 <= units <= UNITS_MAX for units in manifest.hidden)
        if mlp
        else manifest.hidden != ()
    )
    layers = (
        f"1 to {LAYERS_MAX - 1} layers of 1 to {UNITS_MAX:,} units" if mlp else "no layers: it is logistic"
    )
    told = manifest.calibration
    return [
        (
            "calibration.base_rate",
            "" if told is None or 0.0 <= told.base_rate <= 1.0 else "must be 0 to 1",
        ),
        ("features", "" if 1 <= count <= FEATURES_MAX else f"must be 1 to {FEATURES_MAX}, and are {count}"),
        ("features", "" if len(set(manifest.features)) == count else "must each be named once"),
        (
            "input_shape",
            "" if manifest.input_shape == (count,) else f"must be [{count}]: one number a feature",
        ),
        ("hidden", f"must be {layers}" if wrong_hidden else ""),
        (
            "normalisation",
            ""
            if len(norm.mean) == len(norm.scale) == count
            else f"must hold {count} means and {count} scales, one a feature",
        ),
        ("normalisation", "" if finite else "must be finite numbers"),
        (
            "normalisation.scale",
            "" if all(scale >= SCALE_MIN for scale in norm.scale) else "must be more than 0 everywhere",
        ),
        (
            "horizon_bars",
            "" if 1 <= manifest.horizon_bars <= HORIZON_MAX else f"must be 1 to {HORIZON_MAX:,}",
        ),
        ("rise_percent", "" if math.isfinite(manifest.rise_percent) else "must be a finite number"),
        ("sha256", "" if _is_hash(manifest.sha256) else "must be the 64 hexadecimal digits of a sha256"),
    ]


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
