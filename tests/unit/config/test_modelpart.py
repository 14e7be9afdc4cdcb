import pytest

from engine.config.plays import load_play, read_play, read_untrained
from engine.config.playschema import play_schema
from engine.domain.errors import ConfigError
from engine.models.checkpoint import UnsettledError
from tests.modelfiles import manifest, write_checkpoint

PLAY = """\
name: drift
model:
  file: m.npz
  features: [rsi(3), "roc( 2 )"]
  horizon: 2
size: {notional: 1000}
long:
  enter: model > 0.6
  exit: model < 0.5
"""


def written(folder, text=PLAY):
    path = folder / "drift.yaml"
    path.write_text(text)
    return path


def test_a_play_with_a_model_is_read(tmp_path):
    weights = write_checkpoint(tmp_path)
    loaded = read_play(written(tmp_path))
    assert loaded.weights == weights
    assert loaded.model is not None
    assert loaded.spec.model is not None
    assert loaded.spec.model.sha256 == loaded.model.identity
    assert loaded.spec.model.features == ("rsi(3)", "roc(2)")
    assert loaded.spec.model.architecture == "mlp"


def test_another_training_is_another_play(tmp_path):
    write_checkpoint(tmp_path)
    before = load_play(written(tmp_path)).hash
    write_checkpoint(tmp_path, seed=2)
    assert load_play(written(tmp_path)).hash != before


def test_a_model_is_found_beside_its_play_and_by_an_absolute_path(tmp_path):
    (tmp_path / "models").mkdir()
    weights = write_checkpoint(tmp_path / "models")
    for place in ("models/m.npz", "./models/../models/m.npz", str(weights)):
        assert load_play(written(tmp_path, PLAY.replace("m.npz", place))).model is not None


def test_an_untrained_play_can_be_read_for_training(tmp_path):
    loaded = read_untrained(written(tmp_path))
    assert loaded.spec.model is not None
    assert loaded.spec.model.sha256 == ""
    assert loaded.weights == tmp_path / "m.npz"


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        (
            ("m.npz", "n.npz"),
            "3:9: model.file",
            "n.npz: there is no such file; `trader-tui model train` makes it",
        ),
        (("m.npz", "m.pkl"), "3:9: model.file", "must name an .npz file"),
        (("rsi(3), ", ""), "4:3: model.features", "the model takes rsi(3), which the play does not give"),
        (('rsi(3), "roc( 2 )"', "roc(2), rsi(3)"), "4:3: model.features", "are in another order"),
        (("horizon: 2", "horizon: 3"), "5:12: model.horizon", "is 3, and the model was trained for"),
        (("horizon: 2", "horizon: 2\n  rise_percent: 1"), "6:17: model.rise_percent", "is 1, and the model"),
        (("horizon: 2", "horizon: 0"), "5:12: model.horizon", "must be at least 1"),
        (("  horizon: 2\n", ""), "2:1: model.horizon", "must be given"),
        (("horizon: 2", "horizont: 2"), "model.horizont", "did you mean 'horizon'"),
        (("rsi(3)", "rsj(3)"), "4:14: model.features", "there is no 'rsj'; did you mean 'rsi'"),
        (("rsi(3)", "model"), "4:14: model.features", "cannot be made of the model's own forecast"),
        (("rsi(3)", "close > 1"), "model.features", "a feature is a number"),
        (("model > 0.6", "modell > 0.6"), "8:10: long.enter", "there is no 'modell'; did you mean 'model'"),
    ],
)
def test_each_fault_is_said_at_its_place(tmp_path, change, place, said):
    write_checkpoint(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_play(written(tmp_path, PLAY.replace(*change)))
    assert place in str(caught.value)
    assert said in str(caught.value)


def test_a_play_without_the_section_has_no_forecast(tmp_path):
    text = "\n".join(
        line for line in PLAY.split("\n") if not line.startswith(("model", "  file", "  f", "  h"))
    )
    with pytest.raises(ConfigError, match=r"4:10: long\.enter: there is no model here"):
        load_play(written(tmp_path, text))


def test_a_fault_of_the_model_file_itself_is_told_whole(tmp_path):
    weights = write_checkpoint(tmp_path)
    weights.with_suffix(".json").write_text("{}")
    with pytest.raises(
        ConfigError, match=r"drift\.yaml:3:9: model\.file: .*m\.json: schema_version: must be"
    ):
        load_play(written(tmp_path))
    write_checkpoint(tmp_path, told=manifest(("rsi(3)", "roc(2)")))
    weights.write_bytes(b"other")
    with pytest.raises(UnsettledError, match=r"drift\.yaml:3:9: model\.file: .*m\.json: sha256"):
        load_play(written(tmp_path))


def test_the_schema_knows_the_section():
    part = play_schema()["$defs"]["ModelPart"]
    assert set(part["required"]) == {"file", "features", "horizon"}
    assert part["properties"]["features"]["items"] == {"$ref": "#/$defs/number"}
