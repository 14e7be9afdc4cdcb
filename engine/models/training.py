"""Training: logistic regression and small networks of tanh units, in numpy, the same bits for the same seed.

Rows are in order of time. Whatever a model is scored on lies after all that it was trained on, with a gap of
the horizon between: the last rows before a split are labeled by closes behind it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from engine.models.manifest import SCALE_MIN, Architecture, Calibration, Normalisation
from engine.models.scores import Truth, brier, calibration
from engine.models.weights import Array

NEWTON_STEPS = 30
NEWTON_DONE = 1e-10
ADAM = (0.9, 0.999, 1e-8)  # Kingma and Ba 2015: decay of the mean, of the square, and what keeps from 0
VALIDATION_PART = 0.15
BATCH_ROWS_MIN, BATCH_ROWS_MAX, BATCHES_MIN = 32, 512, 20  # of few rows an epoch still makes some steps
CHUNK_ROWS = 8_192


class Rows(NamedTuple):
    """Features of rows in order of time, and what came true of each `horizon_bars` bars later.

    `bars` numbers the bar that each row stands on.
    """

    features: Array
    truth: Truth
    bars: npt.NDArray[np.int64]
    horizon_bars: int

    def before(self, bar: int) -> "Rows":
        """Return the rows that are labeled by closes before a bar."""
        return self._where(self.bars + self.horizon_bars < bar)

    def between(self, first: int, last: int) -> "Rows":
        """Return the rows on the bars of [first, last)."""
        return self._where((self.bars >= first) & (self.bars < last))

    def _where(self, kept: Truth) -> "Rows":
        return Rows(self.features[kept], self.truth[kept], self.bars[kept], self.horizon_bars)


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is trained. `hidden` holds the units of an mlp's layers, empty for a logistic one."""

    architecture: Architecture
    hidden: tuple[int, ...] = ()
    folds: int = 4
    seed: int = 1
    epochs: int = 40
    rate: float = 0.003
    decay: float = 1e-4  # of the squared weights, per row


class Trained(NamedTuple):
    """A model that was trained: what features are normalised by, and its weights by name."""

    normalisation: Normalisation
    arrays: dict[str, Array]


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the walk forward: rows it learned from, and how good it was on the rows after them."""

    number: int
    train_rows: int
    calibration: Calibration


class Walked(NamedTuple):
    """What a walk forward led to: its folds, and all that they forecast unseen, together."""

    folds: tuple[Fold, ...]
    unseen: Calibration


Tell = Callable[[float], None]  # the part that is done, 0 to 1


def splits(rows: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield what each fold learns from and is scored on: as long stretches as before, one after the other."""
    first, last = int(rows.bars[0]), int(rows.bars[-1]) + 1
    edges = [first + (last - first) * number // (folds + 1) for number in range(folds + 2)]
    for number in range(1, folds + 1):
        yield rows.before(edges[number]), rows.between(edges[number], edges[number + 1])


def walk_forward(rows: Rows, recipe: Recipe, tell: Tell) -> Walked:
    """Train on each part of the past and score on what follows it. The splits have rows of both kinds."""
    folds, forecasts, truths = [], [], []
    for number, (known, unseen) in enumerate(splits(rows, recipe.folds), start=1):
        trained = train(known, recipe, partial(_tell_part, tell, number - 1, recipe.folds))
        said = forecasts_of(trained, unseen.features)
        folds.append(
            Fold(number=number, train_rows=len(known.truth), calibration=calibration(said, unseen.truth))
        )
        forecasts.append(said)
        truths.append(unseen.truth)
    return Walked(tuple(folds), calibration(np.concatenate(forecasts), np.concatenate(truths)))


def _tell_part(tell: Tell, before: int, parts: int, done: float) -> None:
    tell((before + done) / parts)


def train(rows: Rows, recipe: Recipe, tell: Tell) -> Trained:
    """Train one model on all rows."""
    normalisation = normalised(rows.features)
    values = _normal(rows.features, normalisation)
    if recipe.architecture is Architecture.LOGISTIC:
        arrays = _logistic(values, rows.truth, recipe, tell)
    else:
        arrays = _network(values, rows, recipe, tell)
    return Trained(normalisation, arrays)


def normalised(features: Array) -> Normalisation:
    """Return mean and deviation of each feature; one that never changes is divided by 1."""
    mean, scale = features.mean(axis=0), features.std(axis=0)
    still = ~(scale > np.maximum(SCALE_MIN, np.abs(mean) * SCALE_MIN))
    return Normalisation(tuple(mean.tolist()), tuple(np.where(still, 1.0, scale).tolist()))


def forecasts_of(trained: Trained, features: Array) -> Array:
    """Return what a model says to many rows at once: for scores, not for trading (see network)."""
    layers = _layers(trained.arrays)
    parts = [features[at : at + CHUNK_ROWS] for at in range(0, len(features), CHUNK_ROWS)]
    said = [_sigmoid(_forward(_normal(part, trained.normalisation), layers)[-1][:, 0]) for part in parts]
    return np.concatenate(said)


def _normal(features: Array, by: Normalisation) -> Array:
    normal: Array = (features - np.array(by.mean)) / np.array(by.scale)
    return normal


def _sigmoid(logits: Array) -> Array:
    said: Array = 1.0 / (1.0 + np.exp(-np.clip(logits, -700.0, 700.0)))
    return said


def _logistic(values: Array, truth: Truth, recipe: Recipe, tell: Tell) -> dict[str, Array]:
    """Return the maximum of the penalised likelihood, by Newton's method from the base rate on."""
    inputs = np.column_stack((values, np.ones(len(values))))
    penalty = np.full(inputs.shape[1], recipe.decay * len(values))
    penalty[-1] = 0.0
    weights = np.zeros(inputs.shape[1])
    rate = float(truth.mean())
    weights[-1] = np.log(rate / (1.0 - rate))
    for step in range(NEWTON_STEPS):
        said = _sigmoid(inputs @ weights)
        gradient = inputs.T @ (said - truth) + penalty * weights
        curvature = (inputs * (said * (1.0 - said))[:, None]).T @ inputs + np.diag(penalty + SCALE_MIN)
        change = np.linalg.solve(curvature, gradient)
        weights = weights - change
        tell((step + 1) / NEWTON_STEPS)
        if float(np.abs(change).max()) < NEWTON_DONE:
            break
    return {"weights_0": weights[:-1].reshape(1, -1).copy(), "bias_0": weights[-1:].copy()}


Layers = list[tuple[Array, Array]]


def _layers(arrays: dict[str, Array]) -> Layers:
    return [(arrays[f"weights_{n}"], arrays[f"bias_{n}"]) for n in range(len(arrays) // 2)]


def _forward(values: Array, layers: Layers) -> list[Array]:
    """Return what comes out of each layer, the logits last."""
    outputs = [values]
    for number, (weights, bias) in enumerate(layers, start=1):
        sums = outputs[-1] @ weights.T + bias
        outputs.append(sums if number == len(layers) else np.tanh(sums))
    return outputs


def _network(values: Array, rows: Rows, recipe: Recipe, tell: Tell) -> dict[str, Array]:
    """Train by Adam on batches drawn by the seed; keep the weights of the epoch that told the end best.

    The end is the last part of the rows, which is only looked at: of a market that is mostly noise, a network
    soon learns the noise.
    """
    draw = np.random.default_rng(recipe.seed)
    edge = int(rows.bars[int(len(rows.bars) * (1.0 - VALIDATION_PART))])
    known, ending = rows.bars + rows.horizon_bars < edge, rows.bars >= edge
    inputs, wanted = values[known], rows.truth[known].astype(np.float64)
    layers = _begin(draw, (values.shape[1], *recipe.hidden, 1), float(wanted.mean()))
    adam = _Adam(layers, recipe.rate)
    best = _copied(layers)
    lowest = brier(_said(values[ending], layers), rows.truth[ending])
    rows_each = min(BATCH_ROWS_MAX, max(BATCH_ROWS_MIN, len(inputs) // BATCHES_MIN))
    for epoch in range(recipe.epochs):
        order = draw.permutation(len(inputs))
        for at in range(0, len(order), rows_each):
            batch = order[at : at + rows_each]
            adam.step(layers, _gradients(inputs[batch], wanted[batch], layers, recipe.decay))
        score = brier(_said(values[ending], layers), rows.truth[ending])
        if score < lowest:
            lowest, best = score, _copied(layers)
        tell((epoch + 1) / recipe.epochs)
    return {
        name: array
        for number, (weights, bias) in enumerate(best)
        for name, array in ((f"weights_{number}", weights), (f"bias_{number}", bias))
    }


def _said(values: Array, layers: Layers) -> Array:
    return _sigmoid(_forward(values, layers)[-1][:, 0])


def _begin(draw: np.random.Generator, sizes: tuple[int, ...], rate: float) -> Layers:
    """Draw weights that keep the spread of what passes (Glorot and Bengio 2010); begin at the base rate."""
    layers = []
    for inner, outer in pairwise(sizes):
        edge = np.sqrt(6.0 / (inner + outer))
        layers.append((draw.uniform(-edge, edge, size=(outer, inner)), np.zeros(outer)))
    layers[-1][1][0] = np.log(rate / (1.0 - rate))
    layers[-1][0][:] *= 0.1
    return layers


def _gradients(values: Array, wanted: Array, layers: Layers, decay: float) -> Layers:
    """Return the slopes of the mean log-loss, and of the penalty on weights, backwards through the layers."""
    outputs = _forward(values, layers)
    slope = (_sigmoid(outputs[-1]) - wanted[:, None]) / len(values)
    found: Layers = []
    for number in range(len(layers) - 1, -1, -1):
        weights, _ = layers[number]
        found.append((slope.T @ outputs[number] + decay * weights, slope.sum(axis=0)))
        if number:
            slope = (slope @ weights) * (1.0 - outputs[number] ** 2)
    return found[::-1]


def _copied(layers: Layers) -> Layers:
    return [(weights.copy(), bias.copy()) for weights, bias in layers]


class _Adam:
    """The steps of Adam over all weights."""

    def __init__(self, layers: Layers, rate: float) -> None:
        self._rate, self._steps = rate, 0
        self._means = [np.zeros_like(array) for layer in layers for array in layer]
        self._squares = [np.zeros_like(array) for layer in layers for array in layer]

    def step(self, layers: Layers, gradients: Layers) -> None:
        """Change the weights in place."""
        fast, slow, tiny = ADAM
        self._steps += 1
        arrays = [array for layer in layers for array in layer]
        slopes = [slope for layer in gradients for slope in layer]
        for number, (array, slope) in enumerate(zip(arrays, slopes, strict=True)):
            mean = fast * self._means[number] + (1.0 - fast) * slope
            square = slow * self._squares[number] + (1.0 - slow) * slope**2
            self._means[number], self._squares[number] = mean, square
            unbiased = mean / (1.0 - fast**self._steps)
            np.subtract(
                array,
                self._rate * unbiased / (np.sqrt(square / (1.0 - slow**self._steps)) + tiny),
                out=array,
            )
