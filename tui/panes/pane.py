"""A pane: a framed grid with a title, the age of its data, a cursor and a window over its rows."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import msgspec
from textual import events
from textual.message import Message

from engine.api import Snapshot
from tui.formats import NS_PER_S, age, clean, wrapped
from tui.jump import badges, shortened
from tui.layout import Box, Slot
from tui.panes.content import Content, Frame
from tui.selection import Selection
from tui.sifting import Sifting
from tui.theme import Palette
from tui.widgets.cells import Cell, Line, Row, cells_of, cropped, row_width
from tui.widgets.painted import Painted

NUMBERS_MAX = 10  # panes that a digit goes to; 0 is the tenth
DETAIL_MAX = 4  # lines
DETAIL_ROOM = 8  # lines a pane must have before it gives some to the selected row
TITLE_SHORT = 4  # cells of a tab's title where they have no room for all
NO_SLOT = Slot((), Box(0, 0, 0, 0), framed=False)


class Pane(Painted, can_focus=True):
    """One pane. Subclasses say which sections they read and turn them into content."""

    number: ClassVar[int]
    name_id: ClassVar[str]
    title: ClassVar[str]
    follows: ClassVar[bool] = False  # newest row at the bottom, kept in view
    selectable: ClassVar[bool] = True
    holds: ClassVar[bool] = False  # what is selected counts also while another pane has the focus
    fields: ClassVar[tuple[str, ...]] = ()  # what a filter can ask of an item; none: the pane is no list

    class Chosen(Message):
        """A tab in a pane's title was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, widget_id=self.name_id)
        self.slot = NO_SLOT
        self.merged = False
        self.tabs: tuple[tuple[str, str, str], ...] = ()  # id, label, title of the panes that share the slot
        self.selection = Selection(self.identity, follows=self.follows)
        self.sifting = Sifting(self.fields)
        self._title_names: list[Cell] = []  # as last drawn, for clicks on them
        self._drawn: tuple[object, ...] = ()

    @property
    def label(self) -> str:
        """The key that goes to the pane, and a blank; nothing where there are more panes than digits."""
        return f"{self.number % 10} " if self.number <= NUMBERS_MAX else ""

    # what subclasses say

    @abstractmethod
    def sections(self, snapshot: Snapshot) -> tuple[object, ...]:
        """Return the sections this pane reads; while they are the same objects, nothing is drawn."""

    @abstractmethod
    def content(self, snapshot: Snapshot, frame: Frame, width: int) -> Content:
        """Turn a snapshot into rows of at most `width` cells."""

    def wanted_rows(self, snapshot: Snapshot) -> int:  # noqa: ARG002 - most panes take what they get
        """Return the height that shows everything, frame included; 0 where more is always better."""
        return 0

    def facts(self, item: Any) -> Mapping[str, str]:  # noqa: ARG002 - most panes are no lists
        """Return what a filter sees of an item, by field."""
        return {}

    def identity(self, item: Any) -> Hashable:
        """Return what an item is known by while it changes; most items never change."""
        return item  # type: ignore[no-any-return]  # items are frozen

    def empty_hint(self, frame: Frame) -> tuple[str, ...]:
        """Return what to say before the first snapshot."""
        return (frame.waiting,)

    @property
    def pointed(self) -> object:
        """What the selected row is of, as it was drawn last; None where the pane does not say."""
        return self.selection.item

    @property
    def cursor(self) -> int:
        """The selected row."""
        return self.selection.row

    @property
    def following(self) -> bool:
        """Whether the newest row is kept in view."""
        return self.selection.following

    # drawing

    def paint(self, frame: Frame, *, force: bool = False) -> int:
        """Draw a frame; return how many rows changed."""
        key = self._key(frame)
        if not force and key == self._drawn:  # what is the same object is not compared
            return 0
        self._drawn = key
        return self.show(self._compose_lines(frame))

    def _key(self, frame: Frame) -> tuple[object, ...]:
        snapshot = frame.snapshot
        size = self.size
        place = (size.width, size.height, self.slot, self.merged)
        state: tuple[object, ...] = (*place, self.cursor, self.selection.top, self.following, self.has_focus)
        state = (*state, *self.sifting.state, bool(frame.letters), frame.keys)
        if snapshot is None:
            return (*state, frame.waiting)
        at = snapshot.status
        silence = int(frame.silent_s) if frame.stopped else 0
        moment = (at.now // NS_PER_S, silence, frame.ended)
        told = (at.phase, at.paused, at.risk_mode, at.rung, at.plays, at.data_ended)  # by empty panes
        return (*state, *moment, *told, *self.sections(snapshot))

    def _compose_lines(self, frame: Frame) -> list[Line]:
        framed = self.slot.framed
        inner = max(0, self.size.width - (4 if framed else 2))
        if frame.snapshot is None:
            content = Content((), empty=self.empty_hint(frame))
        else:
            content = self._sifted(self.content(frame.snapshot, frame, inner), frame)
        self.selection.take(content.items, len(content.rows), held=self.holds or self.has_focus)
        room = max(0, self.size.height - (2 if framed else 1))
        head, foot = self._head(content, room), self._foot(content, room)
        shown = self.selection.show(room - len(head) - len(foot))
        body = [*head, *self._body(content, shown, room - len(head) - len(foot)), *foot]
        lines: list[Line] = [(self._title_row(content, frame, shown), "background")]
        lines += [(self._sided(row, inner), on) for row, on in body]
        if framed and self.size.height > 1:
            lines.append((self._bottom_row(shown), "background"))
        return lines

    def _sifted(self, content: Content, frame: Frame) -> Content:
        """Leave out the rows that the filter does not let through."""
        if not self.fields:
            return content
        kept = self.sifting.sift(content.items, self.facts)
        if not self.sifting.active:
            return content
        return msgspec.structs.replace(
            content,
            rows=tuple(content.rows[index] for index in kept),
            items=tuple(content.items[index] for index in kept),
            details=tuple(content.details[index] for index in kept) if content.details else (),
            empty=self.sifting.empty(frame.key("escape")),
            title_note="",
        )

    def _head(self, content: Content, room: int) -> list[Line]:
        return [(content.header, "background")] if content.header and room > 2 else []

    def _foot(self, content: Content, room: int) -> list[Line]:
        told: list[Line] = [(row, "background") for row in content.summary] if room > 4 else []
        return [*self._detail(content, room), *told]

    def _body(self, content: Content, shown: range, room: int) -> list[Line]:
        if not content.rows:
            texts = (line for text in content.empty for line in wrapped(text, self._text_width))
            return _filled([(((text, "muted"),), "background") for text in texts], room)
        marked = self.cursor if self.has_focus and self.selectable else -1
        rows = content.rows
        return _filled(
            [(rows[index], "cursor" if index == marked else "background") for index in shown], room
        )

    @property
    def _text_width(self) -> int:
        return max(10, self.size.width - (4 if self.slot.framed else 2))

    def _detail(self, content: Content, room: int) -> list[Line]:
        text = content.details[self.cursor] if self.cursor < len(content.details) else ""
        if not (text and self.has_focus and room > DETAIL_ROOM):
            return []
        inner = self._text_width
        rule: Line = ((("┄" * inner, "border"),), "background")
        said: list[Row] = [((line, "text"),) for line in wrapped(text, inner, DETAIL_MAX)]
        return [rule, *((row, "background") for row in said)]

    # the frame

    def _title_row(self, content: Content, frame: Frame, shown: range) -> Row:
        edge = "focus" if self.has_focus else "border"
        corners = "╭╮" if self.slot.framed else "──"
        note, style = self._age_note(content, frame)
        tail: list[Cell] = [(f" {note} ", style)] if note else []
        budget = self.size.width - 4 - row_width(tail)
        self._title_names = names = self._titles(frame, budget)
        part = "" if self.slot.framed else self._part(shown)  # a frame says it at its foot
        short = ", ".join(filter(None, (part, content.title_note)))
        notes = (f"{short} · {content.title_hint}" if content.title_hint else short, short)
        room = budget - row_width(names) - 3
        told = next((text for text in notes if 0 < cells_of(text) <= room), "")
        if told:
            names.append((f"{self._dot(names)}{clean(told)} ", "muted"))
        elif row_width(names) > budget:
            names = list(cropped(names, max(0, budget)))
        rule = "─" * (budget - row_width(names))
        row = ((f"{corners[0]}─", edge), *names, (rule, edge), *tail, (f"─{corners[1]}", edge))
        return cropped(row, self.size.width)

    def _titles(self, frame: Frame, budget: int) -> list[Cell]:
        if frame.letters:
            tabs = [(name, title) for name, _, title in self.tabs] or [(self.name_id, self.title)]
            return badges(tabs, dict(frame.letters), budget)
        if self.sifting.active:
            note_of_filter = self.sifting.title()
            return [*self._names(budget - cells_of(note_of_filter)), (note_of_filter, "accent*")]
        return self._names(budget)

    def _dot(self, names: list[Cell]) -> str:
        """Part a note from the tabs; the tab in front has no blank behind it."""
        return "" if len(self.tabs) < 2 else "· " if names[-1][0].endswith(" ") else " · "

    def _names(self, budget: int) -> list[Cell]:
        marker = "▶" if self.has_focus else " "
        if len(self.tabs) < 2:
            style = "focus*" if self.has_focus else "text*"
            return [(f"{marker}{self.label}{self.title} ", style)]
        full = [f"{label}{title}" for _, label, title in self.tabs]
        texts = self._tab_texts(full, budget)
        cells: list[Cell] = [(marker, "focus*")]
        for (pane, _, _), text, whole in zip(self.tabs, texts, full, strict=True):
            if pane == self.name_id:
                cells.append((f"[{whole}]", "focus*" if self.has_focus else "text*"))
            else:
                cells.append((f" {text} ", "muted"))
        return cells

    def _tab_texts(self, full: list[str], budget: int) -> list[str]:
        """Return the longest names of the tabs that fit: whole, cut, or digits alone."""
        forms = (
            full,
            [f"{label}{shortened(title, TITLE_SHORT)}" for _, label, title in self.tabs],
            [label.strip() or shortened(title, 3) for _, label, title in self.tabs],
        )
        own = max(len(title) for _, _, title in self.tabs)  # the one in front is written whole
        fitting = (texts for texts in forms if sum(len(text) + 2 for text in texts) + own - 3 <= budget)
        return next(fitting, forms[-1])

    def _age_note(self, content: Content, frame: Frame) -> Cell:
        if frame.stopped or frame.ended:
            return f"stopped {age(frame.silent_s)} ago", "danger*"
        if content.stopped:
            return content.stopped, "stale*"
        if content.age_s is None:
            return "", "muted"
        return age(content.age_s), "muted"

    def _part(self, shown: range) -> str:
        """Say which rows are in view; empty where all are."""
        total = self.selection.count
        return f"{shown.start + 1}-{shown.stop} of {total}" if len(shown) < total else ""

    def _bottom_row(self, shown: range) -> Row:
        edge = "focus" if self.has_focus else "border"
        width, part = self.size.width, self._part(shown)
        if not part or len(part) + 6 > width:
            return ((f"╰{'─' * max(0, width - 2)}╯", edge),)
        return ((f"╰{'─' * (width - 6 - len(part))}", edge), (f" {part} ", "muted"), ("──╯", edge))

    def _sided(self, row: Row, inner: int) -> Row:
        used = sum(cells_of(text) for text, _ in row)
        if used > inner:
            row, used = cropped(row, inner), inner
        if not self.slot.framed:
            return ((" ", "text"), *row)
        edge = "focus" if self.has_focus else "border"
        pad = inner - used
        return (("│ ", edge), *row, (" " * pad, "text"), (" │", edge))

    # moving

    def move(self, rows: int) -> None:
        """Move the cursor, or the window of a pane without one; newest-last panes stop following."""
        self.selection.move(rows)

    def jump(self, *, last: bool) -> None:
        """Go to the first or the last row; the last row of a newest-last pane is followed from then on."""
        self.selection.jump(last=last)

    def go(self, row: int) -> None:
        """Go to a row."""
        self.move(row - self.cursor)

    def next_match(self, step: int) -> bool:
        """Go to the next match of the filter, or of the one before it was cleared; False where none is."""
        row = self.sifting.next(self.cursor, step)
        if row is not None:
            self.go(row)
        return row is not None

    def show_all(self) -> None:
        """End the filter; what is selected stays selected."""
        self.sifting.clear()

    @property
    def page_rows(self) -> int:
        """How many rows a page moves."""
        return max(1, self.size.height - 4)

    def on_click(self, event: events.Click) -> None:
        """Choose a tab by its title."""
        if event.y != 0 or len(self.tabs) < 2:
            return
        x = 2
        for text, name in self._title_names:
            if x <= event.x < x + cells_of(text):
                shown = text.strip(" []…")
                chosen = [pane for pane, label, title in self.tabs if f"{label}{title}".startswith(shown)]
                if name == "muted" and chosen:
                    self.post_message(self.Chosen(chosen[0]))
                return
            x += cells_of(text)


def _filled(lines: list[Line], room: int) -> list[Line]:
    blank: Line = ((), "background")
    return [*lines[:room], *[blank] * (room - len(lines))]


__all__ = ["NO_SLOT", "NUMBERS_MAX", "Content", "Frame", "Pane", "wrapped"]
