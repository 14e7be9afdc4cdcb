"""Reading and writing weights: an .npz of plain float arrays, every claim checked before it is believed.

An .npz is a zip of .npy files. Nothing of it is executed (no pickle is ever loaded), and nothing is made room
for before it is known to be as large as it must be: a file that says it unpacks to two gigabytes is refused
by what it says.
"""

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engine.domain.errors import ConfigError

WEIGHTS_BYTES_MAX = 64 * 1024 * 1024
HEADER_BYTES_MAX = 4_096
_MAGIC = b"\x93NUMPY"
_FLOATS = {"<f8": 8, "<f4": 4}
# The header as numpy writes it; nothing else is taken for one, and nothing of it is evaluated.
_TOLD = re.compile(
    r"\{'descr': (?P<kind>'[^']*'|\[.*\]), 'fortran_order': (?P<order>True|False), "
    r"'shape': \((?P<shape>(?:[0-9]{1,18}, ?)*(?:[0-9]{1,18})?)\),? *\}\s*"
)
_STAMP = (1980, 1, 1, 0, 0, 0)  # a zip's first moment: the same weights make the same file

Array = npt.NDArray[np.float64]
Shapes = Mapping[str, tuple[int, ...]]


def read_weights(data: bytes, shapes: Shapes, file: str) -> dict[str, Array]:
    """Return the arrays of an .npz as float64, exactly those asked for. Raises ConfigError."""
    if len(data) > WEIGHTS_BYTES_MAX:
        raise ConfigError(f"is larger than {WEIGHTS_BYTES_MAX // 2**20} MiB", file=file)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive, shapes, file)
            return {name: _array(archive, members[name], shape, file) for name, shape in shapes.items()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,  # a compression that zipfile does not know
        RuntimeError,  # an encrypted member
        ValueError,
        OverflowError,
        IndexError,
        OSError,
    ) as error:
        text = f"this is no whole .npz file, it may be cut off: {' '.join(str(error).split())}"
        raise ConfigError(text, file=file) from None


def write_weights(arrays: Mapping[str, Array]) -> bytes:
    """Return arrays as an .npz; the same arrays give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array, dtype="<f8"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _STAMP), member.getvalue())
    return written.getvalue()


def _members(archive: zipfile.ZipFile, shapes: Shapes, file: str) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays' members by name. Raises ConfigError for others than those asked for."""
    listed = archive.infolist()
    claimed = sum(member.file_size for member in listed)
    if claimed > WEIGHTS_BYTES_MAX:
        text = f"unpacks to {claimed:,} bytes, and at most {WEIGHTS_BYTES_MAX:,} are read"
        raise ConfigError(text, file=file)
    names = [member.filename.removesuffix(".npy") for member in listed]
    if sorted(names) != sorted(shapes):
        found = ", ".join(sorted(names)[:12]) or "nothing"
        raise ConfigError(f"must hold the arrays {', '.join(shapes)}, and holds {found}", file=file)
    return dict(zip(names, listed, strict=True))


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, shape: tuple[int, ...], file: str) -> Array:
    """Read one array once its header says what it must."""
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as stream:
        header, told = _header(stream.read(HEADER_BYTES_MAX), name, file)
    kind, order, found = header
    if found != shape:
        text = f"{name} has shape {_written(found)}, and the manifest asks for {_written(shape)}"
        raise ConfigError(text, file=file)
    size = math.prod(shape) * _FLOATS[kind]
    if member.file_size != told + size:
        text = (
            f"{name} should take {size:,} bytes behind its header, and {member.file_size - told:,} are there"
        )
        raise ConfigError(text, file=file)
    content = archive.read(member)[told:]
    array: Array = np.frombuffer(content, dtype=kind).reshape(shape, order="F" if order else "C")
    array = np.array(array, dtype=np.float64, order="C")
    if not np.isfinite(array).all():
        count = int(array.size - np.isfinite(array).sum())
        raise ConfigError(
            f"{name} holds {count:,} values that are no finite numbers (NaN or infinite)", file=file
        )
    array.setflags(write=False)
    return array


def _header(data: bytes, name: str, file: str) -> tuple[tuple[str, bool, tuple[int, ...]], int]:
    """Read the header of an .npy: type, whether columns come first, shape; and where the numbers begin."""
    if data[:6] != _MAGIC or len(data) < 12 or data[6] not in (1, 2, 3):
        raise ConfigError(f"{name} is no array of numpy (.npy, version 1 to 3)", file=file)
    wide = data[6] > 1
    (length,) = struct.unpack_from("<I" if wide else "<H", data, 8)
    start = 12 if wide else 10
    text = data[start : start + length]
    if len(text) < length:
        raise ConfigError(f"{name} has a header of {length:,} bytes: this is no array of weights", file=file)
    told = _TOLD.fullmatch(text.decode("latin1"))
    if told is None:
        raise ConfigError(f"{name} has a header that cannot be read", file=file)
    kind = told["kind"].strip("'")
    if "O" in kind:
        raise ConfigError(f"{name} holds Python objects (a pickle), which are never loaded", file=file)
    if kind not in _FLOATS:
        text_ = f"{name} is of type {kind}, and weights are numbers of 8 or 4 bytes ({', '.join(_FLOATS)})"
        raise ConfigError(text_, file=file)
    shape = tuple(int(size) for size in told["shape"].replace(",", " ").split())
    return (kind, told["order"] == "True", shape), start + length


def _written(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
