import json

import msgspec
import pytest

from engine.domain.errors import ConfigError
from engine.models.manifest import MANIFEST_BYTES_MAX, Architecture, Manifest, parse_manifest, write_manifest
from tests.modelfiles import manifest


def changed(**fields: object) -> bytes:
    written = json.loads(write_manifest(manifest()))
    return json.dumps(written | fields).encode()


def test_what_is_written_is_read_again():
    told = manifest()
    assert parse_manifest(write_manifest(told), "m.json") == told


def test_the_shapes_follow_from_features_and_layers():
    assert manifest(("a", "b"), (3, 4)).shapes == {
        "weights_0": (3, 2),
        "bias_0": (3,),
        "weights_1": (4, 3),
        "bias_1": (4,),
        "weights_2": (1, 4),
        "bias_2": (1,),
    }
    assert manifest(("a", "b"), ()).shapes == {"weights_0": (1, 2), "bias_0": (1,)}


def test_the_identity_is_that_of_what_the_model_says():
    told = manifest()
    assert told.identity == manifest(trained_on=msgspec.structs.replace(told.trained_on, rows=7)).identity
    others = [manifest(horizon_bars=3), manifest(sha256="1" * 64), manifest(rise_percent=1.0)]
    others += [manifest(("a", "b")), manifest(hidden=(4,))]
    assert len({told.identity, *(other.identity for other in others)}) == 6


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "m.json: "),
        (b"[]", "not an object"),
        (b" " * (MANIFEST_BYTES_MAX + 1), "larger than 1000 kB"),
        (b"{}", "m.json: schema_version: must be a whole number"),
        (changed(schema_version=True), "schema_version: must be a whole number"),
        (changed(schema_version=2), "schema_version: is 2, and this version of trader-tui reads up to 1"),
        (changed(schema_version=2, novelty=1), "schema_version: is 2"),
        (changed(novelty=1), "unknown field `novelty`"),
        (changed(horizon_bars="2"), "m.json: horizon_bars: expected `int`, got `str`"),
        (changed(normalisation={"mean": [0], "scale": ["x"]}), "normalisation.scale[0]: expected `float`"),
        (changed(architecture="forest"), "architecture: invalid enum value 'forest'"),
        (changed(features=[]), "features: must be 1 to 256, and are 0"),
        (changed(features=["rsi(3)", "rsi(3)"]), "features: must each be named once"),
        (changed(input_shape=[3]), "input_shape: must be [2]: one number a feature"),
        (changed(input_shape=[2, 2]), "input_shape: must be [2]"),
        (changed(hidden=[]), "hidden: must be 1 to 7 layers of 1 to 8,192 units"),
        (changed(hidden=[0]), "hidden: must be 1 to 7 layers"),
        (changed(architecture="logistic"), "hidden: must be no layers: it is logistic"),
        (
            changed(normalisation={"mean": [0], "scale": [1, 1]}),
            "normalisation: must hold 2 means and 2 scales",
        ),
        (
            changed(normalisation={"mean": [0, 0], "scale": [1, 0]}),
            "normalisation.scale: must be more than 0",
        ),
        (changed(horizon_bars=0), "horizon_bars: must be 1 to 1,000"),
        (changed(sha256="ABC"), "sha256: must be the 64 hexadecimal digits"),
    ],
)
def test_each_fault_is_said_with_its_field(data, said):
    with pytest.raises(ConfigError) as caught:
        parse_manifest(data, "m.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_that_json_cannot_say_are_no_numbers():
    data = write_manifest(manifest()).replace(b"10.0", b"1e999", 1)
    with pytest.raises(ConfigError, match=r"m\.json"):
        parse_manifest(data, "m.json")


def test_both_architectures_are_told():
    assert [kind.value for kind in Architecture] == ["logistic", "mlp"]
    assert isinstance(parse_manifest(write_manifest(manifest(hidden=())), "m.json"), Manifest)
