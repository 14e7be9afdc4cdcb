"""A list's filter while it lasts: what is let through, how much that is, and where the next match is."""

from collections.abc import Callable, Mapping, Sequence

from tui.sieve import Sieve, sieve_of

NO_SIEVE = Sieve()
TEXT_SHOWN_MAX = 30  # cells of a filter in a pane's title


class Sifting:
    """The filter of one pane. `last` outlives it, for going from match to match among all rows."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self.sieve = NO_SIEVE
        self.typing = False
        self._last = NO_SIEVE
        self._hits: tuple[int, ...] = ()  # rows shown now that match, as they are counted now
        self._found = self._total = 0

    @property
    def active(self) -> bool:
        """Whether rows are left out, or are about to be."""
        return self.typing or bool(self.sieve.text)

    @property
    def state(self) -> tuple[str, bool]:
        """What a drawing depends on."""
        return self.sieve.text, self.typing

    def write(self, text: str) -> None:
        """Have another filter."""
        self.sieve = sieve_of(text, self.fields)
        if self.sieve.terms:
            self._last = self.sieve

    def clear(self) -> None:
        """Let everything through."""
        self.sieve, self.typing = NO_SIEVE, False

    def sift(self, items: Sequence[object], facts: Callable[[object], Mapping[str, str]]) -> tuple[int, ...]:
        """Return the rows to show. Items that follow one another and are the same make one match."""
        wanted = self.sieve if self.active else self._last
        rows = range(len(items))
        if not wanted.text:
            self._hits = ()
            self._found = self._total = _distinct(items, rows) if self.active else 0
            return tuple(rows)
        hits = [row for row in rows if wanted.passes(facts(items[row]))]
        self._found, self._total = _distinct(items, hits), _distinct(items, rows)
        kept = tuple(hits) if self.active else tuple(rows)
        starts = [row for row in hits if row == 0 or items[row - 1] is not items[row]]
        places = {row: index for index, row in enumerate(kept)}
        self._hits = tuple(places[row] for row in starts)
        return kept

    def next(self, row: int, step: int) -> int | None:
        """Return the row of the match after (1) or before (-1) one, going round; None where there is none."""
        if not self._hits:
            return None
        if step > 0:
            return next((hit for hit in self._hits if hit > row), self._hits[0])
        return next((hit for hit in reversed(self._hits) if hit < row), self._hits[-1])

    def title(self) -> str:
        """Return what the pane's title says of the filter."""
        text = self.sieve.text
        shown = text if len(text) <= TEXT_SHOWN_MAX else f"…{text[1 - TEXT_SHOWN_MAX :]}"
        return f"/{shown}{'▏' if self.typing else ''} {self._found}/{self._total} "

    def empty(self, clear: str) -> tuple[str, ...]:
        """Return what to say where nothing is let through; `clear` is the key that ends it."""
        why = self.sieve.flaw or f"nothing matches /{self.sieve.text}"
        return (f"{why[0].upper()}{why[1:]}.", f"Not shown: {self._total}. {clear} shows all.")


def _distinct(items: Sequence[object], rows: Sequence[int] | range) -> int:
    return len({id(items[row]) for row in rows})
