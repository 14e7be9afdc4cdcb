"""Jump mode: each pane has a letter of its own, the same at every size and in every layout."""

from collections.abc import Iterable, Mapping, Sequence
from string import ascii_lowercase

from tui.widgets.cells import Cell

TITLE_CUTS = (99, 4, 0)  # how many letters of a title are written, from much room to little


def letters(names: Iterable[str]) -> dict[str, str]:
    """Give each name the first of its letters that is free, else any free one."""
    given: dict[str, str] = {}
    for name in names:
        taken = set(given.values())
        free = (letter for letter in (*name, *ascii_lowercase) if letter.isalpha() and letter not in taken)
        given[name] = next(free, "")
    return given


def shortened(title: str, cells: int) -> str:
    """Cut a title, with a sign that it was: `Signals` is `Sig…` in four cells."""
    return title if len(title) <= cells else f"{title[: max(0, cells - 1)]}…"[:cells]


def badges(tabs: Sequence[tuple[str, str]], letter: Mapping[str, str], budget: int) -> list[Cell]:
    """Return the titles of a pane's tabs (id and title), each behind its letter."""
    for cut in TITLE_CUTS:
        cells: list[Cell] = [(" ", "text")]
        for name, title in tabs:
            cells += [
                (f" {letter.get(name, '')} ", "accent!"),
                (f" {shortened(title, cut)} "[: cut + 2], "text*"),
            ]
        if sum(len(text) for text, _ in cells) <= budget:
            break
    return cells


def elsewhere(panes: Sequence[tuple[str, str]], shown: Iterable[str], letter: Mapping[str, str]) -> str:
    """Return the letters of the panes (id and title) that no title on the screen shows."""
    hidden = set(shown)
    return "  ".join(f"{letter[name]} {title}" for name, title in panes if name not in hidden)
