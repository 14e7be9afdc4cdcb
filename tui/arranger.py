"""How the panes stand now: the layout in force for each class of width, and what was changed by hand."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from engine.api import ConfigError
from tui.arrangement import Arrangement, Layout, SizeClass, appended, moved, only, panes_of, resized
from tui.layouts import DEFAULT, SHIPPED, arrangement_of
from tui.memory import Memory

if TYPE_CHECKING:
    from pathlib import Path

WEIGHT_STEP = 3


class Arranger:
    """Holds the layouts there are and which one is in force; changes nothing on the screen itself."""

    def __init__(self, names: Collection[str], file: "Path | None", memory: Memory) -> None:
        """`names` are the panes there are, `file` holds the user's layouts."""
        self._names = tuple(names)
        self._file = file
        self._memory = memory
        self._chosen: dict[str, str] = memory.layouts()
        self._own: dict[SizeClass, Arrangement] = {}  # arranged by hand and not saved
        self.hidden: tuple[str, ...] = ()
        self.layouts: dict[str, Layout] = dict(SHIPPED)
        self.flaw = ""  # why the user's file is not in use
        try:
            self.take_up(self.read())
        except ConfigError as error:
            self.flaw = str(error)

    def read(self) -> dict[str, Layout]:
        """Return the layouts of the user's file; blocks for the disk. Raises ConfigError."""
        if self._file is None or not self._file.is_file():
            return {}
        from tui.layout_file import read_layouts  # noqa: PLC0415 - YAML is for those who have such a file

        return read_layouts(self._file, self._names)

    def take_up(self, users: Mapping[str, Layout]) -> bool:
        """Have the user's layouts beside those that ship; tell whether anything changed."""
        before, self.layouts = self.layouts, {**SHIPPED, **users}
        return self.layouts != before

    def name_at(self, size: SizeClass) -> str:
        """Return the name of the layout in force at a class."""
        name = self._chosen.get(size, DEFAULT.name)
        return name if name in self.layouts else DEFAULT.name

    def changed_at(self, size: SizeClass) -> bool:
        """Tell whether the panes stand otherwise than the layout in force says."""
        return size in self._own or bool(self.hidden)

    def arrangement(self, size: SizeClass) -> Arrangement:
        """Return how the panes stand at a class; empty never."""
        whole = self._own.get(size) or arrangement_of(self.layouts[self.name_at(size)], size)
        there = [name for name in self._names if name not in self.hidden]
        return only(whole, there) or only(arrangement_of(DEFAULT, size), there)

    def use(self, name: str, size: SizeClass) -> None:
        """Put a layout in force at a class and forget what was changed by hand there."""
        self._own.pop(size, None)
        self.hidden = ()
        self._chosen[size] = name

    def remember(self) -> None:
        """Write down which layouts are in force; blocks for the disk."""
        self._memory.keep_layouts(self._chosen)

    def hide(self, pane: str, size: SizeClass) -> bool:
        """Hide a pane until it is asked for; the last one with a place stays."""
        if panes_of(self.arrangement(size)) == (pane,):
            return False
        self.hidden = (*self.hidden, pane)
        return True

    def show(self, *panes: str) -> None:
        """Bring hidden panes back, each to its place."""
        self.hidden = tuple(pane for pane in self.hidden if pane not in panes)

    def move(self, pane: str, step: int, size: SizeClass) -> bool:
        """Take a pane one place on or back; False where there is none."""
        return self._change(moved(self.arrangement(size), pane, step), size)

    def resize(self, pane: str, step: int, size: SizeClass) -> bool:
        """Give a pane's place more or less height; False where there is no more to give."""
        return self._change(resized(self.arrangement(size), pane, step * WEIGHT_STEP), size)

    def _change(self, after: Arrangement, size: SizeClass) -> bool:
        if after == self.arrangement(size):
            return False
        self._own[size] = appended(after, self.hidden)
        return True

    def as_it_stands(self, name: str, size: SizeClass) -> Layout:
        """Return the panes as they stand at a class as a layout of that name.

        What the layout of that name says of other classes stays in it.
        """
        there = self.layouts.get(name)
        mine = there if there is not None and there is not SHIPPED.get(name) else Layout(name=name)
        return mine.at(size, self.arrangement(size))

    def write(self, layout: Layout) -> "Path":
        """Put a layout into the user's file; blocks for the disk. Raises ConfigError."""
        from tui.layout_file import save_layout  # noqa: PLC0415 - as above

        if self._file is None:
            raise ConfigError("there is no folder for files of your own")
        save_layout(self._file, layout, self._names)
        return self._file

    def take(self, layout: Layout, size: SizeClass) -> None:
        """Have a layout from now on, and put it in force at a class."""
        self.layouts = {**self.layouts, layout.name: layout}
        self.use(layout.name, size)
