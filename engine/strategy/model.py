"""Models as plays see them: they turn features into a probability, and are found by a hash."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Protocol

from engine.domain.errors import CheckpointError
from engine.strategy.indicators import MISSING
from engine.strategy.operators import Function, Row

Forecaster = Callable[[Sequence[float]], float]


class Model(Protocol):
    """A trained model. Its weights never change; a model that learned more is another one."""

    def forecaster(self) -> Forecaster:
        """Return what turns one row of features, in their order, into a probability.

        The same row gives the same bits, each time and in every process of one machine. Each forecaster has
        its own working memory, so that two evaluators may run in two threads.
        """
        ...


class Models(Protocol):
    """Where models are found by the sha256 of their content."""

    def model(self, sha256: str) -> Model:
        """Return a model. Raises CheckpointError where it is not at hand."""
        ...


class NoModels:
    """Where no play has a model."""

    def model(self, sha256: str) -> Model:
        """Find nothing."""
        raise CheckpointError(f"the model {sha256[:12]} is not at hand")


class Unasked:
    """Stands for any model where rules are compiled and no bar ever comes."""

    def model(self, sha256: str) -> Model:  # noqa: ARG002 - all are the same
        """Return a model that says nothing."""
        return self

    def forecaster(self) -> Forecaster:
        """Return what finds each forecast missing."""
        return lambda _: MISSING


NO_MODELS = NoModels()
UNASKED = Unasked()


def forecast_of(row: Row, slots: tuple[int, ...], forecaster: Forecaster) -> Function:
    """Return the forecast made of some slots, whatever the argument; missing where one of them is."""

    def forecast(_: object) -> float:
        features = [row[slot] for slot in slots]
        if not all(map(isfinite, features)):
            return MISSING
        return forecaster(features)

    return forecast
