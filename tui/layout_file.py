"""The user's layouts: a YAML file, checked with file, line and field, and written without losing a comment.

    night:
      medium:
        - width: 11
          orders: 14
          events signals: 10
        - width: 9
          risk health: 10

A layout has an arrangement for each class it cares about; an arrangement is a list of columns; a column maps
the panes that share a place to their weight.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from tempfile import NamedTemporaryFile

from engine.api import ConfigError
from tui.arrangement import (
    WEIGHT_MAX,
    Arrangement,
    Column,
    Group,
    Layout,
    SizeClass,
    first_twice,
    panes_of,
)
from tui.atomic import replace_text
from tui.yaml_file import UserFile

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,23}")
NAME_WORDS = "a name begins with a letter and has at most 24 letters, digits, - and _"
COLUMNS_MAX = 6
SIZES = tuple(map(str, SizeClass))
Place = tuple[str | int, ...]  # of a value: keys and numbers of list items
INTRODUCTION = "# Layouts of the console; docs/console.md says how to write one.\n"


def read_layouts(file: Path, known: Collection[str]) -> dict[str, Layout]:
    """Read and check every layout of a file. Raises ConfigError for the first thing that is wrong."""
    own = UserFile(file)
    return {name: _Reader(own, name, known).layout() for name in own.values}


class _Reader:
    """Reads one layout and knows where it stands."""

    def __init__(self, own: UserFile, name: str, known: Collection[str]) -> None:
        self._own, self._name, self._known = own, name, known

    def layout(self) -> Layout:
        value = self._own.values[self._name]
        if not NAME.fullmatch(self._name):
            raise self._error(NAME_WORDS)
        if not isinstance(value, dict) or not value:
            raise self._error(f"expected one or more of {', '.join(SIZES)} under it")
        layout = Layout(name=self._name)
        for key, columns in value.items():
            if key not in SIZES:
                raise self._error(f"there is no such class of width; {_near(key, SIZES)}", key)
            layout = layout.at(SizeClass(key), self._arrangement(key, columns))
        return layout

    def _arrangement(self, key: str, columns: object) -> Arrangement:
        if not isinstance(columns, list) or not 1 <= len(columns) <= COLUMNS_MAX:
            said = f"expected a list of 1 to {COLUMNS_MAX} columns, each beginning with `-`"
            raise self._error(said, key)
        made = tuple(self._column((key, index), column) for index, column in enumerate(columns))
        twice = first_twice(panes_of(made))
        if twice:
            raise self._error(f"the pane {twice} stands in it twice", key)
        return made

    def _column(self, at: Place, column: object) -> Column:
        if not isinstance(column, dict):
            raise self._error("a column is written as `panes: weight` lines", *at)
        width = self._weight(column["width"], *at, "width") if "width" in column else 1
        groups = [self._group(names, weight, at) for names, weight in column.items() if names != "width"]
        if not groups:
            raise self._error("a column has no panes", *at)
        return Column(tuple(groups), width)

    def _group(self, names: str, weight: object, at: Place) -> Group:
        panes = tuple(re.split(r"[ ,]+", names.strip(" ,")))
        for pane in panes:
            if pane not in self._known:
                raise self._error(f"there is no pane {pane!r}; {_near(pane, self._known)}", *at, names)
        return Group(panes, self._weight(weight, *at, names))

    def _weight(self, value: object, *at: str | int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= WEIGHT_MAX:
            raise self._error(f"expected a weight of 1 to {WEIGHT_MAX}, not {value!r}", *at)
        return value

    def _error(self, message: str, *at: str | int) -> ConfigError:
        return self._own.error(message, self._name, *at)


def _near(word: str, known: Collection[str]) -> str:
    near = get_close_matches(str(word), known, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def save_layout(file: Path, layout: Layout, known: Collection[str]) -> None:
    """Put a layout into a file, in the place of one of that name; every other line stays as it is.

    Raises ConfigError where the file is not one of layouts, or cannot be written.
    """
    if not NAME.fullmatch(layout.name):
        raise ConfigError(f"{layout.name!r} cannot be the name of a layout: {NAME_WORDS}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        there = file.is_file()
        before = file.read_bytes().decode() if there else INTRODUCTION
        others = read_layouts(file, known) if there else {}
        after = with_entry(before, layout)
        if _read_again(after, known) != {**others, layout.name: layout}:
            said = "no layout can be added to it: begin each one with `NAME:` on a line of its own"
            raise ConfigError(said, file=str(file))
        replace_text(file, after)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be written: {error}", file=str(file)) from error


def _read_again(text: str, known: Collection[str]) -> dict[str, Layout] | None:
    """Read what is to be written, None where it would not be understood."""
    with NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".yaml") as trial:
        trial.write(text)
        trial.flush()
        try:
            return read_layouts(Path(trial.name), known)
        except ConfigError:
            return None


def with_entry(text: str, layout: Layout) -> str:
    """Return a file's text with a layout in it. Comments and blank lines at the left edge stay."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(end):
        lines[-1] += end
    first, last = _extent(lines, layout.name)
    entry = [line + end for line in written(layout)]
    if first == last and lines and lines[-1].strip():
        entry.insert(0, end)
    return "".join((*lines[:first], *entry, *lines[last:]))


def _extent(lines: Sequence[str], name: str) -> tuple[int, int]:
    """Return where an entry begins and ends; the end of the file where there is none."""
    own = re.compile(rf"""(['"]?){re.escape(name)}\1\s*:""")
    first = next((index for index, line in enumerate(lines) if own.match(line)), len(lines))
    last = first + 1
    while last < len(lines) and (not lines[last].strip() or lines[last][0] in " \t-"):
        last += 1
    while last - 1 > first and not lines[last - 1].strip():
        last -= 1
    return first, min(last, len(lines))


def written(layout: Layout) -> Iterator[str]:
    """Yield the lines of a layout as a user would write it."""
    yield f"{layout.name}:"
    for size in SizeClass:
        arrangement = layout.of(size)
        if arrangement:
            yield f"  {size}:"
        for column in arrangement:
            yield f"    - width: {column.width}"
            for group in column.groups:
                yield f"      {' '.join(group.panes)}: {group.weight}"
