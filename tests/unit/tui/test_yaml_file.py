"""Whatever stands in a user's file, it is one sentence that names the file, and never the console's end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.api import ConfigError
from tui.keymap import load_keymap
from tui.layout_file import read_layouts
from tui.memory import Memory
from tui.theme import ThemeLibrary

HOSTILE = (
    "<<: {arm: z}\n",
    "base: &a {arm: z}\n<<: *a\n",
    "arm: !!int abc\n",
    "arm: !!float z\n",
    "arm: !!binary zz\n",
    "arm: !!python/object:os.system x\n",
    "arm: &x [*x]\n",
    "? [a, b]\n: c\n",
    "arm: z\n---\narm: y\n",
    "{" * 200_000,
    f"arm: {'[' * 200_000}",
    "arm: 'a\n",
    "arm: a\x00b\n",
    "x" * 300_000,
)
READERS: dict[str, Callable[[Path], object]] = {
    "keymap": load_keymap,
    "layouts": lambda file: read_layouts(file, ("orders", "market")),
    "theme": lambda file: ThemeLibrary((file.parent,)).load(file.stem),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_one_sentence(tmp_path: Path, reader: str, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        READERS[reader](file)
    assert "mine.yaml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["arm: 2024-99-99\n", "arm: 1e999999\n", "arm: 0x\n"])
def test_what_looks_like_a_date_or_a_number_is_read_as_a_key_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keymap.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="there is no key"):
        load_keymap(file)


@pytest.mark.parametrize("data", [b"\xff\x00", b'{"layouts": {"small": "\xff"}}', b"[]", b"", b"{"])
def test_a_broken_memory_is_as_good_as_none(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / ".console.json"
    file.write_bytes(data)
    memory = Memory(file)
    assert (memory.layouts(), memory.welcomed) == ({}, False)
    memory.keep_welcomed()
    assert Memory(file).welcomed
