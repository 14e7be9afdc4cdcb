import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.errors import ConfigError
from engine.models import weights
from engine.models.weights import WEIGHTS_BYTES_MAX, read_weights, write_weights

SHAPES = {"weights_0": (1, 2), "bias_0": (1,)}
GOOD = {"weights_0": np.array([[0.5, -0.25]]), "bias_0": np.array([0.125])}


def npz(**members: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return written.getvalue()


def npy(array: object) -> bytes:
    written = io.BytesIO()
    np.save(written, array, allow_pickle=True)  # type: ignore[arg-type]  # also what is no array
    return written.getvalue()


def header(text: str, body: bytes = b"", version: int = 1) -> bytes:
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes((version, 0)) + length + text.encode("latin1") + body


def read(data: bytes, shapes: dict[str, tuple[int, ...]] = SHAPES) -> dict[str, np.ndarray]:
    return read_weights(data, shapes, "m.npz")


def test_what_is_written_is_read_again_bit_for_bit():
    draw = np.random.default_rng(3)
    arrays = {"weights_0": draw.normal(size=(4, 7)), "bias_0": draw.normal(size=4)}
    found = read(write_weights(arrays), {name: array.shape for name, array in arrays.items()})
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in arrays.items()
    }
    assert write_weights(arrays) == write_weights(found)
    assert not any(array.flags.writeable for array in found.values())


def test_what_numpy_writes_is_read_too(tmp_path):
    path = tmp_path / "m.npz"
    np.savez_compressed(
        path,
        weights_0=np.asfortranarray(np.array([[0.5, -0.25]], dtype=np.float32)),
        bias_0=np.array([0.125]),
    )
    found = read(path.read_bytes())
    assert found["weights_0"].tolist() == [[0.5, -0.25]]
    assert found["weights_0"].dtype == np.float64


class Trap:
    """Writes a file where a pickle of it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_refused_and_never_run(tmp_path):
    trap = Trap(tmp_path / "run")
    data = npz(weights_0=npy(np.array([[trap, trap]], dtype=object)), bias_0=npy(GOOD["bias_0"]))
    with pytest.raises(ConfigError, match=r"m\.npz: weights_0 holds Python objects \(a pickle\)"):
        read(data)
    with pytest.raises(ConfigError, match=r"no array of numpy"):
        read(npz(weights_0=pickle.dumps(trap), bias_0=npy(GOOD["bias_0"])))
    with pytest.raises(ConfigError, match=r"no whole \.npz file"):
        read(pickle.dumps(trap))
    assert not (tmp_path / "run").exists()


def test_what_claims_to_unpack_to_much_is_refused_by_its_header():
    """Two gigabytes of zeros take two megabytes as a zip; nothing of them is unpacked."""
    bias = npy(GOOD["bias_0"])
    claim = header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 268435456), }\n")
    with pytest.raises(ConfigError, match="has shape 1 x 268435456, and the manifest asks for 1 x 2"):
        read(npz(weights_0=claim, bias_0=bias))
    data = bytearray(npz(weights_0=npy(GOOD["weights_0"]), bias_0=bias))
    at = data.index(b"PK\x01\x02") + 24  # where the central directory says how large the first one is
    data[at : at + 4] = (2 * 10**9).to_bytes(4, "little")
    with pytest.raises(ConfigError, match=r"unpacks to 2,000,000,\d+ bytes, and at most 67,108,864 are read"):
        read(bytes(data))


def test_a_file_over_the_limit_is_refused_unread():
    with pytest.raises(ConfigError, match="larger than 64 MiB"):
        read(b"0" * (WEIGHTS_BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "must hold the arrays weights_0, bias_0, and holds nothing"),
        ({"weights_0": b""}, "must hold the arrays weights_0, bias_0, and holds weights_0"),
        ({"weights_0": b"", "bias_0": b"", "more": b""}, "and holds bias_0, more, weights_0"),
        ({"weights_0": b"no array", "bias_0": b""}, "no array of numpy"),
        (
            {"weights_0": npy(np.zeros((2, 1))), "bias_0": b""},
            "shape 2 x 1, and the manifest asks for 1 x 2",
        ),
        ({"weights_0": npy(np.float64(1.0)), "bias_0": b""}, "has shape a single number"),
        ({"weights_0": npy(np.array([[1, 2]])), "bias_0": b""}, "is of type <i8"),
        ({"weights_0": npy(np.array([[1.0, 2.0]], dtype=">f8")), "bias_0": b""}, "is of type >f8"),
        (
            {"weights_0": npy(np.array([[np.nan, np.inf]])), "bias_0": b""},
            "2 values that are no finite",
        ),
        ({"weights_0": npy(GOOD["weights_0"])[:-1], "bias_0": b""}, "should take 16 bytes behind its header"),
        ({"weights_0": npy(GOOD["weights_0"]) + b"0", "bias_0": b""}, "and 17 are there"),
        ({"weights_0": header("{'descr': '<f8'}"), "bias_0": b""}, "has a header that cannot be read"),
        ({"weights_0": header("f8("), "bias_0": b""}, "has a header that cannot be read"),
        ({"weights_0": header("[]"), "bias_0": b""}, "has a header that cannot be read"),
        (
            {"weights_0": header("{'descr': '<f8', 'fortran_order': 1, 'shape': (1, 2)}"), "bias_0": b""},
            "has a header that cannot be read",
        ),
        (
            {
                "weights_0": header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': ()}"),
                "bias_0": b"",
            },
            "weights_0 is of type [(",
        ),
        ({"weights_0": header(" " * 5_000), "bias_0": b""}, "has a header of 5,000 bytes"),
        ({"weights_0": header("{'descr': '<f8'}", version=9), "bias_0": b""}, "no array of numpy"),
    ],
)
def test_each_fault_is_said(members, said):
    with pytest.raises(ConfigError) as caught:
        read(npz(**members))
    assert said in str(caught.value)
    assert str(caught.value).startswith("m.npz: ")


def test_a_header_of_a_later_version_is_read():
    told = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"
    data = npz(weights_0=npy(GOOD["weights_0"]), bias_0=header(told, bytes(8), version=2))
    assert read(data)["bias_0"].tolist() == [0.0]


def test_a_file_that_is_cut_off_anywhere_is_refused():
    whole = write_weights(GOOD)
    for size in range(len(whole)):
        with pytest.raises(ConfigError):
            read(whole[:size])


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data):
    with pytest.raises(ConfigError):
        read(data)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_numbers_alone(at, value):
    """A zip guards its content by a checksum; what it does not guard must not break the reader."""
    data = bytearray(write_weights(GOOD))
    data[at % len(data)] = value
    try:
        found = read(bytes(data))
    except ConfigError:
        return
    assert {name: array.shape for name, array in found.items()} == SHAPES


@given(st.binary(max_size=200), st.integers(1, 3))
def test_no_header_breaks_the_reader(text, version):
    array = header(text.decode("latin1"), bytes(16), version)
    with pytest.raises(ConfigError):
        read(npz(weights_0=array, bias_0=npy(GOOD["bias_0"])))


def test_nothing_unpickles():
    """`allow_pickle` is how numpy loads Python objects; the reader never hands a file to that."""
    text = Path(weights.__file__).read_text()
    assert "np.load(" not in text
    assert "allow_pickle=True" not in text
