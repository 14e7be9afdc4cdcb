"""Hot-reload of models: both files of one are part of the play, and taken only once they go together."""

import hashlib
import json
import os

import numpy as np
import pytest

from engine.config.plays import load_play
from engine.domain.market import NS_PER_S
from engine.models.manifest import Normalisation
from engine.runtime.binding import load_play_file
from engine.runtime.hotreload import Change, PlayReloader
from engine.runtime.playfile import look, mark
from engine.runtime.reloadentry import WatchedPlay
from engine.storage.modelstore import ModelStore
from tests.modelfiles import arrays, files, manifest, write_checkpoint
from tests.unit.runtime.test_hotreload import BARS, START_NS

PLAY = """\
name: drift
model: {file: m.npz, features: [rsi(3), roc(2)], horizon: 2}
size: {notional: 1000}
long: {enter: model > 0.6, exit: model < 0.5}
"""


class Watch:
    """A reloader of one play with a model, with a clock that goes a second a check."""

    def __init__(self, path):
        self.path, self.store = path, ModelStore()
        self.loads, self.now_s = 0, 1000.0
        play = WatchedPlay(path, self.load(path))
        self.reloader = PlayReloader(
            [play], load=self.load, models=self.store, window=lambda _: BARS, now=START_NS
        )

    def load(self, path):
        self.loads += 1
        play = load_play_file(path)
        if play.model is not None:
            self.store.put(play.model)
        return play.spec

    async def check(self, times=1):
        swaps: list[Change] = []
        for _ in range(times):
            self.now_s += 1.0
            swaps += await self.reloader.check(self.now_s, int(self.now_s) * NS_PER_S)
        return swaps

    @property
    def row(self):
        (row,) = self.reloader.rows()
        return row


@pytest.fixture
async def watch(tmp_path):
    path = tmp_path / "drift.yaml"
    path.write_text(PLAY)
    write_checkpoint(tmp_path)
    watch = Watch(path)
    assert await watch.check(2) == []
    assert watch.row.result == "loaded"
    return watch


async def test_another_training_is_another_version(watch):
    write_checkpoint(watch.path.parent, seed=2)
    (swap,) = await watch.check(2)
    assert swap.generation == 2
    assert swap.spec == load_play(watch.path)
    assert watch.store.model(swap.spec.model.sha256) is not None
    assert (watch.row.result, watch.row.generation) == ("swapped", 2)


async def test_half_a_pair_is_not_settled_and_taken_once_it_is_whole(watch):
    weights, told = files(manifest(), arrays(manifest(), 3))
    folder = watch.path.parent
    (folder / "m.npz").write_bytes(weights)
    assert await watch.check(2) == []
    row = watch.row
    assert (row.result, row.generation, row.failures) == ("waiting", 1, 1)
    assert "m.json: sha256: is" in row.text
    assert row.next_try_s > 0
    (folder / "m.json").write_bytes(told)
    (swap,) = await watch.check(2)
    assert swap.spec == load_play(watch.path)
    assert (watch.row.result, watch.row.failures) == ("swapped", 0)


@pytest.mark.parametrize("gone", ["m.npz", "m.json"])
async def test_a_file_that_is_away_is_waited_for_ever_longer(watch, gone):
    path = watch.path.parent / gone
    content = path.read_bytes()
    path.unlink()
    await watch.check(2)
    loads = watch.loads
    await watch.check(10)
    assert watch.loads - loads <= 4
    assert f"{gone}: there is no such file" in watch.row.text
    assert watch.row.result == "waiting"
    path.write_bytes(content)
    assert await watch.check(2) == []
    assert (watch.row.result, watch.row.generation) == ("loaded", 1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda told: told | {"schema_version": 9}, "schema_version: is 9"),
        (lambda told: told | {"input_shape": [5]}, "input_shape: must be [2]"),
        (lambda told: told | {"features": ["roc(2)", "rsi(3)"]}, "are in another order"),
        (lambda told: told | {"features": ["rsi(3)", "hour"]}, "the model takes hour"),
        (lambda told: told | {"hidden": [4]}, "weights_0 has shape 3 x 2, and the manifest asks for 4 x 2"),
        (lambda told: told | {"novelty": 1}, "unknown field `novelty`"),
    ],
)
async def test_a_manifest_that_does_not_fit_is_rejected_and_the_old_model_stays(watch, spoil, said):
    path = watch.path.with_name("m.json")
    path.write_text(json.dumps(spoil(json.loads(path.read_bytes()))))
    assert await watch.check(2) == []
    assert (watch.row.result, watch.row.generation) == ("rejected", 1)
    assert said in watch.row.text
    assert str(watch.path.parent) not in watch.row.text
    loads = watch.loads
    await watch.check(5)
    assert watch.loads == loads  # a content that was refused is not tried again


async def test_weights_that_are_no_numbers_are_rejected(watch):
    told = manifest()
    spoilt = arrays(told)
    spoilt["weights_0"][0, 0] = float("nan")
    weights, beside = files(told, spoilt)
    watch.path.with_name("m.npz").write_bytes(weights)
    watch.path.with_name("m.json").write_bytes(beside)
    assert await watch.check(2) == []
    assert "weights_0 holds 1 values that are no finite numbers" in watch.row.text


async def test_a_file_of_two_gigabytes_is_refused_by_its_size(watch):
    os.truncate(watch.path.with_name("m.npz"), 2 * 2**30)
    assert await watch.check(2) == []
    assert watch.row.result == "rejected"
    assert "m.npz: has 2,147,483,648 bytes" in watch.row.text


async def test_a_model_whose_forecasts_are_no_numbers_is_rejected(watch):
    """Weights may be finite and what they make of features is not: infinity less infinity."""
    told = manifest(("rsi(3)", "close"), (), normalisation=Normalisation((0.0, 0.0), (1e-9, 1e-9)))
    huge = {"weights_0": np.array([[1e308, -1e308]]), "bias_0": np.array([0.0])}
    weights, beside = files(told, huge)
    watch.path.with_name("m.npz").write_bytes(weights)
    watch.path.with_name("m.json").write_bytes(beside)
    watch.path.write_text(PLAY.replace("roc(2)", "close"))
    assert await watch.check(2) == []
    assert "on the last 20 bars its model gives forecasts that are no numbers" in watch.row.text


async def test_a_play_may_name_another_model_and_take_it_once_it_is_mended(watch):
    watch.path.write_text(PLAY.replace("m.npz", "n.npz"))
    assert await watch.check(2) == []
    assert "n.npz: there is no such file" in watch.row.text
    write_checkpoint(watch.path.parent, "n", seed=5)
    (swap,) = await watch.check(2)
    assert swap.generation == 2


async def test_a_play_may_come_to_do_without_its_model(watch):
    watch.path.write_text("name: drift\nsize: {notional: 1}\nlong: {enter: close > 1}\n")
    (swap,) = await watch.check(2)
    assert swap.spec.model is None
    assert look(watch.path).parts == ()


def test_a_look_is_at_all_files_of_a_play(tmp_path):
    path = tmp_path / "drift.yaml"
    path.write_text(PLAY)
    weights = write_checkpoint(tmp_path)
    first = look(path)
    assert [part.path.name for part in first.parts] == ["m.npz", "m.json"]
    assert first.parts[0].sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert mark(path, first) == first.mark
    assert look(path, first) == first
    write_checkpoint(tmp_path, seed=2)
    assert mark(path, first) != first.mark
    assert look(path, first).content != first.content
    assert look(path, first).play == first.play


@pytest.mark.parametrize(
    "text",
    [
        "model: {file: 3}",
        "model: [",
        "model: m.npz",
        "model: {file: '\\0.npz'}",
        "model: {file: ..}",
        "# model",
    ],
)
def test_a_play_that_names_no_model_rightly_has_no_other_files(tmp_path, text):
    path = tmp_path / "drift.yaml"
    path.write_text(text + "\n")
    found = look(path)
    assert found.content
    assert all(not part.sha256 for part in found.parts)


def test_a_folder_or_pipe_in_the_place_of_a_model_has_no_content(tmp_path):
    path = tmp_path / "drift.yaml"
    path.write_text(PLAY)
    (tmp_path / "m.npz").mkdir()
    os.mkfifo(tmp_path / "m.json")
    assert [part.sha256 for part in look(path).parts] == ["", ""]
