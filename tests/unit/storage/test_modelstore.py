import os

import pytest

from engine.domain.errors import CheckpointError, StorageError
from engine.models.checkpoint import Checkpoint
from engine.storage import modelstore
from engine.storage.modelstore import ModelStore, models_of
from tests.modelfiles import arrays, checkpoint, manifest

ROW = [40.0, 0.3]


def model(seed: int) -> Checkpoint:
    told = manifest()
    return checkpoint(told, arrays(told, seed))


def test_a_model_is_found_again_by_its_hash_from_disk(tmp_path):
    one = model(1)
    ModelStore(tmp_path / "models").put(one)
    found = ModelStore(tmp_path / "models").model(one.identity)
    assert found.forecaster()(ROW) == one.network.forecaster()(ROW)


def test_in_memory_alone_nothing_is_forgotten():
    store = ModelStore()
    models = [model(seed) for seed in range(modelstore.AT_HAND_MAX + 2)]
    for each in models:
        store.put(each)
    assert store.model(models[0].identity) is models[0].network
    with pytest.raises(CheckpointError, match="the model 123 is not at hand"):
        store.model("123")


def test_with_a_disk_behind_it_the_oldest_leave_memory(tmp_path):
    store = ModelStore(tmp_path)
    models = [model(seed) for seed in range(modelstore.AT_HAND_MAX + 1)]
    for each in models:
        store.put(each)
    first = store.model(models[0].identity)
    assert first is not models[0].network
    assert first.forecaster()(ROW) == models[0].network.forecaster()(ROW)


def test_what_is_kept_already_is_not_written_again(tmp_path):
    store, one = ModelStore(tmp_path), model(1)
    store.put(one)
    path = tmp_path / f"{one.identity}.npz"
    os.utime(path, ns=(1, 1))
    before = path.stat().st_ino
    store.put(one)
    assert path.stat().st_ino == before
    assert path.stat().st_mtime_ns > 1


def test_the_models_used_longest_ago_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(modelstore, "AT_HAND_MAX", 1)
    models = [model(seed) for seed in range(4)]
    size = len(models[0].weights_file) + len(models[0].manifest_file)
    store = ModelStore(tmp_path, bytes_max=2 * size + size // 2)
    for number, each in enumerate(models):
        store.put(each)
        for suffix in (".npz", ".json"):
            os.utime(tmp_path / f"{each.identity}{suffix}", ns=(number, number))
    kept = {path.stem for path in tmp_path.iterdir()}
    assert kept == {models[2].identity, models[3].identity}
    with pytest.raises(CheckpointError, match=r"cannot be read: .*there is no such file"):
        store.model(models[0].identity)


def test_a_model_under_a_wrong_name_is_not_taken(tmp_path):
    one, other = model(1), model(2)
    store = ModelStore(tmp_path)
    store.put(one)
    for suffix in (".npz", ".json"):
        (tmp_path / f"{one.identity}{suffix}").rename(tmp_path / f"{other.identity}{suffix}")
    with pytest.raises(CheckpointError, match="another model than its name says"):
        ModelStore(tmp_path).model(other.identity)


def test_a_disk_that_takes_nothing_is_said(tmp_path):
    (tmp_path / "models").write_text("no folder")
    with pytest.raises(StorageError, match="the model cannot be kept"):
        ModelStore(tmp_path / "models").put(model(1))


def test_models_lie_beside_the_records(tmp_path):
    one = model(1)
    ModelStore(tmp_path / "models").put(one)
    assert models_of(tmp_path / "records" / "s1").model(one.identity) is not None
