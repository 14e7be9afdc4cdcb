import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import ConfigError
from engine.domain.play import ModelRef
from engine.models.checkpoint import (
    UnsettledError,
    misfit,
    parse_checkpoint,
    read_checkpoint,
    reference,
)
from engine.models.weights import WEIGHTS_BYTES_MAX
from tests.modelfiles import FEATURES, checkpoint, files, manifest, write_checkpoint

WANTED = ModelRef(FEATURES, 2)


def test_both_files_are_read_as_one(tmp_path):
    found = read_checkpoint(write_checkpoint(tmp_path))
    assert found.identity == checkpoint().identity
    assert found.manifest.features == FEATURES
    assert 0.0 < found.network.forecaster()([50.0, 0.1]) < 1.0


def test_weights_of_another_training_are_unsettled(tmp_path):
    path = write_checkpoint(tmp_path)
    other = write_checkpoint(tmp_path, "other", seed=2)
    path.write_bytes(other.read_bytes())
    with pytest.raises(UnsettledError, match=r"m\.json: sha256: is .*, and m\.npz has .*not of one training"):
        read_checkpoint(path)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_file_that_is_missing_or_empty_may_be_on_its_way(tmp_path, suffix):
    path = write_checkpoint(tmp_path)
    path.with_suffix(suffix).write_bytes(b"")
    with pytest.raises(UnsettledError, match="is empty"):
        read_checkpoint(path)
    path.with_suffix(suffix).unlink()
    with pytest.raises(UnsettledError, match=f"m{suffix}: there is no such file"):
        read_checkpoint(path)


def test_a_file_over_the_limit_is_refused_by_its_size(tmp_path):
    path = write_checkpoint(tmp_path)
    os.truncate(path, WEIGHTS_BYTES_MAX + 1)  # a hole: it takes no room on disk
    with pytest.raises(ConfigError, match=r"m\.npz: has 67,108,865 bytes, and at most 67,108,864 are read"):
        read_checkpoint(path)
    os.truncate(path, 2 * 2**30)
    with pytest.raises(ConfigError, match="has 2,147,483,648 bytes"):
        read_checkpoint(path)


def test_what_is_no_file_is_said(tmp_path):
    path = tmp_path / "m.npz"
    path.mkdir()
    with pytest.raises(ConfigError, match=r"m\.npz: (is not a file|cannot be read)"):
        read_checkpoint(path)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match=r"m\.npz: is not a file"):
        read_checkpoint(path)
    with pytest.raises(ConfigError, match=r"m\.pickle: is no \.npz file"):
        read_checkpoint(tmp_path / "m.pickle")


def test_a_file_that_is_cut_off_is_told_by_its_checksum(tmp_path):
    path = write_checkpoint(tmp_path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UnsettledError, match="sha256"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("told", "field", "said"),
    [
        (manifest(), "", ""),
        (manifest(("rsi(3)",)), "features", "the play gives roc(2), which the model was not trained on"),
        (manifest((*FEATURES, "hour")), "features", "the model takes hour, which the play does not give"),
        (manifest(FEATURES[::-1]), "features", "number 1 is rsi(3), and the model takes roc(2) there"),
        (manifest(horizon_bars=5), "horizon", "is 2, and the model was trained for horizon_bars 5"),
        (manifest(rise_percent=0.5), "rise_percent", "is 0, and the model was trained for rise_percent 0.5"),
    ],
)
def test_a_model_fits_a_play_in_every_part(told, field, said):
    found, fault = misfit(told, WANTED)
    assert found == field
    assert said in fault


def test_what_a_play_holds_names_the_model():
    model = checkpoint()
    held = reference(model.manifest, WANTED)
    assert (held.sha256, held.architecture, held.features) == (model.identity, "mlp", FEATURES)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_break_the_reader(weights, told):
    good_weights, good_manifest = files(manifest())
    for pair in ((weights, told), (good_weights, told), (weights, good_manifest)):
        with pytest.raises(ConfigError):
            parse_checkpoint(*pair, weights="m.npz", manifest="m.json")
