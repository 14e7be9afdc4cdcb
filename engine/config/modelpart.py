"""The section `model` of a play: which file, what it is given and what it was trained to tell."""

import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from engine.config.playfields import Count, FeatureText, Section
from engine.domain.errors import ConfigError
from engine.domain.play import ModelRef

if TYPE_CHECKING:
    from engine.models.checkpoint import Checkpoint

FEATURES_MAX = 256
Rise = Annotated[Decimal, Field(ge=-50, le=1_000)]


def _weights(value: str) -> str:
    if Path(value).suffix != ".npz":
        raise ValueError("must name an .npz file; its manifest is the .json beside it")
    return value


class ModelPart(Section):
    """A model: its file beside the play, its features in order, and what it tells the probability of."""

    file: Annotated[str, Field(max_length=1_000), AfterValidator(_weights)]
    features: Annotated[tuple[FeatureText, ...], Field(min_length=1, max_length=FEATURES_MAX)]
    horizon: Count
    rise_percent: Rise = Decimal(0)

    def to_model(self) -> ModelRef:
        """Return what the play wants of its model; which one it is stands in the file."""
        return ModelRef(
            features=self.features, horizon_bars=self.horizon, rise_percent=float(self.rise_percent)
        )


def weights_path(play: Path, written: str) -> Path:
    """Return the place of a model's weights: relative to the folder of the play that names it."""
    return Path(os.path.normpath(play.absolute().parent / Path(written).expanduser()))


def read_model(play: Path, written: str, wanted: ModelRef) -> "tuple[ModelRef, Checkpoint]":
    """Read a play's model and hold it against what the play wants.

    Raises UnsettledError where its two files do not go together, ConfigError with a field of the section.
    """
    from engine.models.checkpoint import UnsettledError, misfit, read_checkpoint, reference

    path = weights_path(play, written)
    try:
        checkpoint = read_checkpoint(path)
    except UnsettledError as error:
        raise UnsettledError(_said(error, path), field="file") from None
    except ConfigError as error:
        raise ConfigError(_said(error, path), field="file") from None
    field, fault = misfit(checkpoint.manifest, wanted)
    if fault:
        raise ConfigError(fault, field=field)
    return reference(checkpoint.manifest, wanted), checkpoint


def _said(error: ConfigError, path: Path) -> str:
    """Say what is wrong with a model's file, the file by its name alone where it is the one that is meant."""
    missing = not path.exists()
    hint = "; `trader-tui model train` makes it" if missing and error.file == str(path) else ""
    return f"{error}{hint}"
