"""What a layout is: columns of groups of panes for each class of width; and the edits an operator makes."""

from collections.abc import Callable, Collection, Iterator, Sequence
from enum import StrEnum

import msgspec

TWO_COLUMNS, THREE_COLUMNS = 110, 160  # cells of width from which on there is room for so many
WEIGHT_MAX = 99


class SizeClass(StrEnum):
    """How wide a terminal is; each class remembers a layout of its own."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


def size_class(width: int) -> SizeClass:
    """Return the class of a width in cells."""
    if width < TWO_COLUMNS:
        return SizeClass.SMALL
    return SizeClass.MEDIUM if width < THREE_COLUMNS else SizeClass.LARGE


class Group(msgspec.Struct, frozen=True):
    """Panes that share a place as tabs, and how much of their column's height they get."""

    panes: tuple[str, ...]
    weight: int


class Column(msgspec.Struct, frozen=True):
    """Groups from the top down, and how much of the width they get."""

    groups: tuple[Group, ...]
    width: int = 1


Arrangement = tuple[Column, ...]


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A named layout: an arrangement for each class it says something about."""

    name: str
    about: str = ""
    small: Arrangement = ()
    medium: Arrangement = ()
    large: Arrangement = ()

    def of(self, size: SizeClass) -> Arrangement:
        """Return the arrangement of a class; empty where this layout leaves it to the default one."""
        match size:
            case SizeClass.SMALL:
                return self.small
            case SizeClass.MEDIUM:
                return self.medium
            case SizeClass.LARGE:
                return self.large

    def at(self, size: SizeClass, arrangement: Arrangement) -> "Layout":
        """Return the layout with another arrangement of a class."""
        return msgspec.structs.replace(self, **{size.value: arrangement})


def stacked(*rows: tuple[str, int], width: int = 1) -> Column:
    """Return a column of groups, each written as the names of its panes and its weight."""
    return Column(tuple(Group(tuple(names.split()), weight) for names, weight in rows), width)


def panes_of(arrangement: Arrangement) -> tuple[str, ...]:
    """Return every pane that has a place, column by column from the top."""
    return tuple(pane for column in arrangement for group in column.groups for pane in group.panes)


def only(arrangement: Arrangement, wanted: Collection[str]) -> Arrangement:
    """Leave out all panes but the wanted ones; groups and columns that become empty go."""
    return _mapped(arrangement, lambda group: tuple(pane for pane in group.panes if pane in wanted))


def appended(arrangement: Arrangement, panes: Sequence[str]) -> Arrangement:
    """Give panes without a place one, as tabs of the last group."""
    lost = [pane for pane in panes if pane not in panes_of(arrangement)]
    if not lost or not arrangement:
        return arrangement
    *columns, column = arrangement
    *groups, group = column.groups
    last = Group((*group.panes, *lost), group.weight)
    return (*columns, Column((*groups, last), column.width))


def moved(arrangement: Arrangement, pane: str, step: int) -> Arrangement:
    """Take a pane to the place before (-1) or after (+1) its own, where it becomes a tab.

    From a place that it shares it first gets one of its own, so that every step can be taken back.
    """
    home = next((group for group in _groups(arrangement) if pane in group.panes), None)
    if home is None:
        return arrangement
    if len(home.panes) > 1:
        return _split(arrangement, home, pane, step)
    groups = list(_groups(arrangement))
    target = groups.index(home) + step
    if not 0 <= target < len(groups):
        return arrangement
    chosen = groups[target].panes
    joined = (*chosen, pane) if step > 0 else (pane, *chosen)
    return _mapped(
        arrangement, lambda group: joined if group.panes == chosen else () if group is home else group.panes
    )


def resized(arrangement: Arrangement, pane: str, step: int) -> Arrangement:
    """Give the group of a pane more or less of its column's height."""

    def grown(group: Group) -> Group:
        if pane not in group.panes:
            return group
        return Group(group.panes, max(1, min(WEIGHT_MAX, group.weight + step)))

    return tuple(Column(tuple(map(grown, column.groups)), column.width) for column in arrangement)


def _split(arrangement: Arrangement, home: Group, pane: str, step: int) -> Arrangement:
    """Give a pane that is a tab a place of its own, over or under the others."""
    rest = Group(tuple(name for name in home.panes if name != pane), home.weight)
    own = Group((pane,), home.weight)
    pair = (rest, own) if step > 0 else (own, rest)
    columns = []
    for column in arrangement:
        parts: list[Group] = []
        for group in column.groups:
            parts += pair if group is home else (group,)
        columns.append(Column(tuple(parts), column.width))
    return tuple(columns)


def _groups(arrangement: Arrangement) -> Iterator[Group]:
    return (group for column in arrangement for group in column.groups)


def _mapped(arrangement: Arrangement, panes: Callable[[Group], tuple[str, ...]]) -> Arrangement:
    """Give every group other panes; drop what is empty then."""
    columns: list[Column] = []
    for column in arrangement:
        groups = [Group(kept, group.weight) for group in column.groups if (kept := panes(group))]
        if groups:
            columns.append(Column(tuple(groups), column.width))
    return tuple(columns)


def first_twice(names: Sequence[str]) -> str:
    """Return the first name that stands twice; empty where none does."""
    return next((name for index, name in enumerate(names) if name in names[:index]), "")
