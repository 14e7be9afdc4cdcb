"""A model on trial: what it says to the last bars is looked at before it may trade."""

from collections.abc import Callable, Sequence
from math import isfinite

from engine.strategy.model import Forecaster, Models


class Checked:
    """Stands before models and counts forecasts that are no numbers."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self.broken = 0

    def model(self, sha256: str) -> "_CheckedModel":
        """Return a model that is looked at."""
        return _CheckedModel(self, self._models.model(sha256).forecaster)


class _CheckedModel:
    def __init__(self, by: Checked, forecaster: Callable[[], Forecaster]) -> None:
        self._by, self._forecaster = by, forecaster

    def forecaster(self) -> Forecaster:
        """Return what asks the model and looks at its answer."""
        ask, by = self._forecaster(), self._by

        def asked(features: Sequence[float]) -> float:
            said = ask(features)
            by.broken += not isfinite(said)
            return said

        return asked
