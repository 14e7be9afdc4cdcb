"""Files of faults are read, and each mistake is named with its place."""

from pathlib import Path

import pytest

from engine.domain.errors import ConfigError
from engine.runtime.faultfile import read_faults
from engine.venues.bybit_server.faultrules import Do

GOOD = """\
seed: 7
faults:
  - on: order.create
    do: hang
    effect: done
    count: 1
  - {on: "orderbook.*", do: gap, probability: 0.1}
"""


def test_a_file_is_read(tmp_path: Path):
    path = tmp_path / "faults.yaml"
    path.write_text(GOOD)
    file = read_faults(path)
    assert (file.seed, [rule.do for rule in file.faults]) == (7, [Do.HANG, Do.GAP])
    path.write_text("")
    assert read_faults(path).faults == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("faults:\n  - do: hnag\n", r":2:5: faults\[0\]: there is no fault 'hnag'; did you mean hang\?"),
        ("faults:\n  - do: hang\n    cuont: 1\n", r":3:\d+: faults\[0\]\.cuont: .* did you mean count\?"),
        ("faluts: []\n", r":1:\d+: faluts: there is no such field; did you mean faults\?"),
        ("faults:\n  - on: order.create\n", r":2:5: faults\[0\]\.do: this field must be given"),
        ("faults:\n  - do: hang\n    count: 0\n", r":3:12: faults\[0\]\.count: it should be greater than 0"),
        ("faults:\n  - {do: status}\n", r"faults\[0\]: status needs status"),
        ("- do: hang\n", r":1:1: it should be"),
        ("faults: [\n", r"this is not YAML"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, text: str, message: str):
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_faults(path)
