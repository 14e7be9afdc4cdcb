import numpy as np
import pytest

from engine.models.manifest import Architecture
from engine.models.scores import auc, brier
from engine.models.training import (
    Recipe,
    Rows,
    forecasts_of,
    normalised,
    splits,
    train,
    walk_forward,
)
from tests.modelfiles import checkpoint, manifest

LOGISTIC = Recipe(architecture=Architecture.LOGISTIC)
MLP = Recipe(architecture=Architecture.MLP, hidden=(6,), epochs=15, folds=2)


def quiet(_: float) -> None:
    """Nobody looks on."""


def rows(count: int = 1_200, horizon: int = 3, *, bent: bool = False) -> Rows:
    """Draw features that tell something: the sign of the first, or of the first two together."""
    draw = np.random.default_rng(5)
    features = draw.normal(size=(count, 3)) * [1.0, 5.0, 0.1] + [0.0, 100.0, -3.0]
    signal = features[:, 0] * (np.sign(features[:, 1] - 100.0) if bent else 1.0)
    truth = draw.random(count) < 1.0 / (1.0 + np.exp(-2.0 * signal))
    return Rows(features, truth, np.arange(count, dtype=np.int64) + 10, horizon)


def test_a_fold_learns_from_nothing_that_its_scores_are_made_of():
    known_to = 0
    for known, unseen in splits(rows(horizon=7), 4):
        assert known.bars.max() + 7 < unseen.bars.min()
        assert unseen.bars.min() > known_to
        known_to = int(unseen.bars.max())
    assert known_to == 10 + 1_200 - 1


def test_labels_of_what_follows_do_not_change_what_was_learned():
    """Whatever happens after a split, the model of the fold before it has the same bits."""
    whole = rows()
    other = Rows(whole.features, whole.truth.copy(), whole.bars, whole.horizon_bars)
    known, unseen = next(splits(whole, 1))
    other.truth[unseen.bars.min() - 10 :] ^= True
    again, _ = next(splits(other, 1))
    for recipe in (LOGISTIC, MLP):
        one, two = train(known, recipe, quiet), train(again, recipe, quiet)
        assert one.normalisation == two.normalisation
        assert all(one.arrays[name].tobytes() == two.arrays[name].tobytes() for name in one.arrays)


@pytest.mark.parametrize("recipe", [LOGISTIC, MLP])
def test_the_same_seed_gives_the_same_bits(recipe):
    one, two = (train(rows(), recipe, quiet) for _ in range(2))
    assert one.normalisation == two.normalisation
    assert {name: array.tobytes() for name, array in one.arrays.items()} == {
        name: array.tobytes() for name, array in two.arrays.items()
    }


def test_another_seed_is_another_network():
    one = train(rows(), MLP, quiet)
    two = train(rows(), Recipe(architecture=Architecture.MLP, hidden=(6,), epochs=15, seed=2), quiet)
    assert one.arrays["weights_0"].tobytes() != two.arrays["weights_0"].tobytes()


def test_a_logistic_model_finds_the_weight_and_stands_where_the_slope_is_none():
    found = rows(6_000)
    trained = train(found, LOGISTIC, quiet)
    weight = trained.arrays["weights_0"][0] / trained.normalisation.scale
    assert weight[0] == pytest.approx(2.0, abs=0.2)
    said = forecasts_of(trained, found.features)
    assert said.mean() == pytest.approx(found.truth.mean(), abs=1e-9)


def test_a_network_finds_what_a_line_cannot():
    found = rows(4_000, bent=True)
    recipe = Recipe(architecture=Architecture.MLP, hidden=(8,), epochs=60)
    bent, straight = (forecasts_of(train(found, each, quiet), found.features) for each in (recipe, LOGISTIC))
    assert (auc(straight, found.truth) or 0.0) < 0.6
    assert (auc(bent, found.truth) or 0.0) > 0.8


def test_what_is_trained_is_what_trades():
    """The forecasts of a batch are those of the rows one by one, up to rounding."""
    found = rows()
    for recipe in (LOGISTIC, MLP):
        trained = train(found, recipe, quiet)
        told = manifest(
            ("a", "b", "c"),
            recipe.hidden,
            normalisation=trained.normalisation,
        )
        asked = checkpoint(told, trained.arrays).network.forecaster()
        one_by_one = np.array([asked(row) for row in found.features.tolist()])
        assert np.abs(one_by_one - forecasts_of(trained, found.features)).max() < 1e-12


def test_the_walk_forward_scores_what_was_unseen_and_tells_how_far_it_is():
    told: list[float] = []
    walked = walk_forward(rows(), LOGISTIC, told.append)
    assert [fold.number for fold in walked.folds] == [1, 2, 3, 4]
    assert walked.unseen.rows == sum(fold.calibration.rows for fold in walked.folds)
    assert walked.unseen.brier < walked.unseen.brier_base
    assert told == sorted(told)
    assert 0.0 < told[0] < told[-1] <= 1.0


def test_a_network_that_learns_noise_is_stopped_where_the_end_knew_best():
    draw = np.random.default_rng(1)
    noise = Rows(draw.normal(size=(800, 3)), draw.random(800) < 0.5, np.arange(800, dtype=np.int64), 2)
    recipe = Recipe(architecture=Architecture.MLP, hidden=(32,), epochs=150, rate=0.02)
    ending = noise.bars >= noise.bars[int(800 * 0.85)]
    said = forecasts_of(train(noise, recipe, quiet), noise.features)
    assert brier(said[ending], noise.truth[ending]) < 0.27


def test_a_feature_that_never_changes_is_divided_by_one():
    found = normalised(np.array([[7.0, 1.0], [7.0, 3.0]]))
    assert found.mean == (7.0, 2.0)
    assert found.scale == (1.0, 1.0)
