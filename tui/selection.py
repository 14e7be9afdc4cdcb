"""Which row of a list is selected and which part of the list is in view, while rows come and go."""

from collections.abc import Callable, Hashable, Sequence


class Selection:
    """The selected row. What is selected is an item, not a place: it stays selected wherever it moves to.

    `follows` lists have their newest row at the bottom; while nobody looks back it is the selected one.
    """

    def __init__(self, identity: Callable[[object], Hashable], *, follows: bool) -> None:
        """`identity` names an item in a way that outlives its changes."""
        self._identity = identity
        self._follows = follows
        self._moved = False  # whether somebody chose the row
        self._items: Sequence[object] = ()
        self.following = follows
        self.row = self.top = self.count = 0

    @property
    def item(self) -> object:
        """What the selected row is of, as it was taken last; None where the list does not say."""
        return self._items[self.row] if self.row < len(self._items) else None

    def take(self, items: Sequence[object], count: int, *, held: bool) -> None:
        """Take the list as it is now: `count` rows, and what each is of (nothing where that is not known).

        `held` keeps the first item selected, too; else the first row is, whatever comes to stand there.
        """
        before = self.row
        if self.following:
            self.row = count - 1
        elif items and self._items and (held or self._moved) and items is not self._items:
            self.row = self._found(items)
        elif items and not (held or self._moved):
            self.row = 0
        self.row = max(0, min(self.row, count - 1))
        if self.top:
            self.top += self.row - before  # the view stays on what it shows
        self._items, self.count = items, count

    def show(self, room: int) -> range:
        """Move the view as little as shows the selected row; return the rows that are in view."""
        if self.row < self.top:
            self.top = self.row
        elif self.row >= self.top + room:
            self.top = self.row - room + 1
        self.top = max(0, min(self.top, self.count - room))
        return range(self.top, min(self.count, self.top + max(0, room)))

    def move(self, rows: int) -> None:
        """Select another row, counted from the selected one."""
        self.row = max(0, min(self.count - 1, self.row + rows))
        self.following = self._follows and self.row >= self.count - 1
        self._moved = self.row > 0

    def jump(self, *, last: bool) -> None:
        """Select the first or the last row; the last one of a newest-last list is followed from then on."""
        self.move(self.count if last else -self.count)
        self.following = self._follows and last

    def _found(self, items: Sequence[object]) -> int:
        """Return where the selected item is now; where it is gone, the next one that is still there."""
        old, row = self._items, min(self.row, len(self._items) - 1)
        first = _start(old, row)
        places: dict[Hashable, list[int]] = {}
        for index, item in enumerate(items):
            if not index or items[index - 1] is not item:
                places.setdefault(self._identity(item), []).append(index)
        for other in (*range(row, len(old)), *range(row - 1, -1, -1)):
            starts = places.get(self._identity(old[other]))
            if starts:
                start = min(starts, key=lambda place: abs(place - first))
                return _within(items, start, row - first if other == row else 0)
        return row


def _start(items: Sequence[object], row: int) -> int:
    """Return the first of the rows that one item takes."""
    while row and items[row - 1] is items[row]:
        row -= 1
    return row


def _within(items: Sequence[object], start: int, offset: int) -> int:
    """Return the row so far into an item, or its last one."""
    row = start
    while row < start + offset and row + 1 < len(items) and items[row + 1] is items[start]:
        row += 1
    return row
