"""How good forecasts were: Brier score, log-loss, area under the ROC curve, reliability by bins."""

import numpy as np
import numpy.typing as npt

from engine.models.manifest import Bin, Calibration
from engine.models.weights import Array

BINS = 10
SURE = 1e-15  # log-loss of a forecast of 0 that comes true is infinite; this is as sure as one may be
Truth = npt.NDArray[np.bool_]


def calibration(forecasts: Array, truth: Truth) -> Calibration:
    """Score forecasts against what happened, and against the base rate of that; at least one row."""
    rate = float(truth.mean())
    return Calibration(
        rows=len(truth),
        base_rate=rate,
        brier=brier(forecasts, truth),
        brier_base=rate * (1.0 - rate),
        log_loss=log_loss(forecasts, truth),
        log_loss_base=log_loss(np.full(len(truth), rate), truth),
        auc=auc(forecasts, truth),
        bins=reliability(forecasts, truth),
    )


def brier(forecasts: Array, truth: Truth) -> float:
    """Return the mean squared distance of forecasts from what happened (Brier 1950): 0 best, 1 worst."""
    return float(np.mean((forecasts - truth) ** 2))


def log_loss(forecasts: Array, truth: Truth) -> float:
    """Return the mean negative logarithm of what was said of what happened."""
    said = np.clip(np.where(truth, forecasts, 1.0 - forecasts), SURE, 1.0)
    return float(-np.mean(np.log(said)))


def auc(forecasts: Array, truth: Truth) -> float | None:
    """Return the probability that what came true had the higher forecast; ties count half.

    From ranks (Mann and Whitney 1947). None where only one of both ever happened.
    """
    yes = int(truth.sum())
    no = len(truth) - yes
    if not yes or not no:
        return None
    _, inverse, counts = np.unique(forecasts, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2.0)[inverse]
    return float((ranks[truth].sum() - yes * (yes + 1) / 2.0) / (yes * no))


def reliability(forecasts: Array, truth: Truth, bins: int = BINS) -> tuple[Bin, ...]:
    """Return bins of about as many forecasts each, from the lowest to the highest."""
    order = np.argsort(forecasts, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return tuple(
        Bin(
            low=float(forecasts[part[0]]),
            high=float(forecasts[part[-1]]),
            count=len(part),
            forecast=float(forecasts[part].mean()),
            came_true=float(truth[part].mean()),
        )
        for part in parts
    )
