"""What a model computes: normalised features through layers of tanh units to one probability.

    z_0 = (x - mean) / scale;  z_k+1 = tanh(W_k z_k + b_k);  p = 1 / (1 + exp(-(W_n z_n + b_n)))

Rows are computed one by one, in backtest, stream and restart alike, with numpy's own loops (`einsum`) and
without a BLAS: those take other ways for one row than for many, and with other numbers of threads, and the
bits differ. Here the same row gives the same bits in every process of one machine.
"""

import math
from collections.abc import Sequence

import numpy as np

from engine.models.manifest import Manifest
from engine.models.weights import Array
from engine.strategy.model import Forecaster

LOGIT_MAX = 700.0  # exp of more overflows


class Network:
    """Weights and normalisation, which never change."""

    def __init__(self, manifest: Manifest, arrays: dict[str, Array]) -> None:
        """`arrays` are those of the manifest's shapes."""
        self._mean = np.array(manifest.normalisation.mean)
        self._scale = np.array(manifest.normalisation.scale)
        layers = range(len(manifest.hidden) + 1)
        self._layers = tuple((arrays[f"weights_{n}"], arrays[f"bias_{n}"]) for n in layers)

    def forecaster(self) -> Forecaster:
        """Return what computes one row, with its own room to compute in."""
        *hidden, (weights, bias) = self._layers
        inner = [(matrix, offset, np.empty(len(offset))) for matrix, offset in hidden]
        mean, scale, last = self._mean, self._scale, np.empty(1)
        einsum, tanh = np.einsum, np.tanh

        @np.errstate(all="ignore")  # what overflows is missing
        def forecast(features: Sequence[float]) -> float:
            values = (np.array(features) - mean) / scale
            for matrix, offset, room in inner:
                einsum("ij,j->i", matrix, values, out=room)
                values = tanh(room + offset)
            einsum("ij,j->i", weights, values, out=last)
            return probability(float(last[0] + bias[0]))

        return forecast


def probability(logit: float) -> float:
    """Return the probability of a logit; NaN where that is NaN."""
    return 1.0 / (1.0 + math.exp(-max(-LOGIT_MAX, min(LOGIT_MAX, logit)))) if logit == logit else logit  # noqa: PLR0124
