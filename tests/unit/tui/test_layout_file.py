"""The user's layouts: what is read, what is refused with which words, and what saving leaves alone."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import ConfigError
from tests.unit.tui.test_layout import arrangements
from tui.arrangement import Arrangement, Layout, SizeClass, stacked
from tui.layout_file import read_layouts, save_layout, with_entry, written

KNOWN = ("market", "positions", "orders", "signals", "risk", "events", "health")
NIGHT = """\
# what I look at while nobody trades
night:                  # my own
  medium:
    - width: 11
      orders: 14        # the long one
      events, signals: 10
    - width: 9
      risk health: 10

# by day
day:
  small:
    - market: 3
"""
MINE = Layout(name="mine", small=(stacked(("orders", 4), ("events risk", 2)),))


def file_of(folder: Path, text: str) -> Path:
    file = folder / "layouts.yaml"
    file.write_bytes(text.encode())
    return file


def test_a_layout_is_columns_of_groups_with_weights(tmp_path: Path) -> None:
    """Panes of one place are separated by blanks or commas."""
    layouts = read_layouts(file_of(tmp_path, NIGHT), KNOWN)
    assert list(layouts) == ["night", "day"]
    assert layouts["night"].medium == (
        stacked(("orders", 14), ("events signals", 10), width=11),
        stacked(("risk health", 10), width=9),
    )
    assert layouts["night"].of(SizeClass.LARGE) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("night:\n  medium:\n    - ordres: 3\n", ":3: night.medium.ordres: there is no pane 'ordres'; did"),
        ("night:\n  medum: []\n", ":2: night.medum: there is no such class of width; did you mean medium?"),
        ("night:\n  small:\n    - orders: 0\n", ":3: night.small.orders: expected a weight of 1 to 99"),
        ("night:\n  small:\n    - orders: yes\n", "expected a weight of 1 to 99, not 'yes'"),
        ("night:\n  small:\n    - width: x\n      orders: 3\n", ":3: night.small.width: expected a weight"),
        ("night:\n  small:\n    - orders: 1\n    - orders: 1\n", ":2: night.small: the pane orders stands"),
        ("night:\n  small:\n    - width: 3\n", "a column has no panes"),
        ("night:\n  small: 3\n", ":2: night.small: expected a list of 1 to 6 columns"),
        ("night:\n  small:\n    - orders\n", "a column is written as `panes: weight` lines"),
        ("night: 3\n", ":1: night: expected one or more of small, medium, large"),
        ("my night:\n  small:\n    - orders: 1\n", ":1: my night: a name begins with a letter"),
        ("night:\n  small: [\n", "this is not YAML"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """File, line, field and a suggestion."""
    with pytest.raises(ConfigError) as error:
        read_layouts(file_of(tmp_path, text), KNOWN)
    assert said in str(error.value)
    assert "layouts.yaml" in str(error.value)


def test_saving_adds_to_the_end_and_changes_nothing_else(tmp_path: Path) -> None:
    """Byte for byte."""
    file = file_of(tmp_path, NIGHT)
    save_layout(file, MINE, KNOWN)
    assert file.read_text().startswith(NIGHT)
    assert read_layouts(file, KNOWN)["mine"] == MINE


def test_saving_replaces_the_layout_of_that_name_alone(tmp_path: Path) -> None:
    """Comments of the others stay, also the one over the next."""
    file = file_of(tmp_path, NIGHT)
    save_layout(file, Layout(name="night", small=MINE.small), KNOWN)
    text = file.read_text()
    assert text.startswith("# what I look at while nobody trades\nnight:\n  small:\n")
    assert text.endswith("\n# by day\nday:\n  small:\n    - market: 3\n")
    assert "the long one" not in text


def test_a_first_layout_makes_the_file(tmp_path: Path) -> None:
    """With a line that says where it is explained."""
    file = tmp_path / "new" / "layouts.yaml"
    save_layout(file, MINE, KNOWN)
    assert file.read_text().splitlines()[0].startswith("# Layouts of the console")
    assert read_layouts(file, KNOWN) == {"mine": MINE}


def test_a_link_stays_a_link_and_permissions_stay(tmp_path: Path) -> None:
    """Many keep such files in a repository of their own."""
    real = file_of(tmp_path, NIGHT)
    real.chmod(0o600)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    save_layout(link, MINE, KNOWN)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert "mine" in read_layouts(real, KNOWN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layouts.yaml", "link.yaml"]


def test_line_ends_and_a_missing_last_one_are_kept(tmp_path: Path) -> None:
    """A file from another system stays one."""
    file = file_of(tmp_path, "day:\r\n  small:\r\n    - market: 3")
    save_layout(file, MINE, KNOWN)
    assert file.read_bytes().count(b"\r\n") == file.read_bytes().count(b"\n")
    assert set(read_layouts(file, KNOWN)) == {"day", "mine"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{day: {small: [{market: 3}]}}\n", "no layout can be added to it"),
        ("day: 3\n", "expected one or more of"),
    ],
)
def test_a_file_that_would_be_damaged_is_left_alone(tmp_path: Path, text: str, said: str) -> None:
    """What it holds is worth more than the new entry."""
    file = file_of(tmp_path, text)
    with pytest.raises(ConfigError, match=said):
        save_layout(file, MINE, KNOWN)
    assert file.read_text() == text


def test_a_name_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(ConfigError, match="cannot be the name of a layout"):
        save_layout(tmp_path / "layouts.yaml", Layout(name="a b", small=MINE.small), KNOWN)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    """In one sentence."""
    (tmp_path / "layouts.yaml").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        save_layout(tmp_path / "layouts.yaml", MINE, KNOWN)


@given(arrangements(), st.sampled_from(list(SizeClass)))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, arrangement: Arrangement, size: SizeClass
) -> None:
    """For any arrangement, between other entries."""
    layout = Layout(name="mine").at(size, arrangement)
    file = tmp_path_factory.getbasetemp() / "roundtrip.yaml"
    known = {*KNOWN, *(pane for column in arrangement for group in column.groups for pane in group.panes)}
    file.write_text(with_entry(with_entry(NIGHT, MINE), layout))
    layouts = read_layouts(file, known)
    assert layouts["mine"] == layout
    assert list(layouts) == ["night", "day", "mine"]
    assert "\n".join(written(layout)) in file.read_text()
