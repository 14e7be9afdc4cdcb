"""Filters of lists: words and `field:value` terms, all of which must hold; `!` before one turns it round."""

import re
from collections.abc import Mapping, Sequence

import msgspec

TEXT_MAX = 200  # characters of a filter
_TERM = re.compile(r'(!?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S*))')


class Term(msgspec.Struct, frozen=True):
    """One thing a row must have, or must not have."""

    word: str
    field: str = ""  # empty: anywhere
    wanted: bool = True


class Sieve(msgspec.Struct, frozen=True):
    """A filter as it was typed and what it means. `flaw` says why it cannot match anything."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    flaw: str = ""

    def passes(self, facts: Mapping[str, str]) -> bool:
        """Tell whether something with these facts, by field, is let through. Upper and lower case are one."""
        if self.flaw:
            return False
        return all((term.word in _where(term, facts)) is term.wanted for term in self.terms)


def _where(term: Term, facts: Mapping[str, str]) -> str:
    found = facts.get(term.field, "") if term.field else "\n".join(facts.values())
    return found.casefold()


def sieve_of(text: str, fields: Sequence[str]) -> Sieve:
    """Read a filter. A field may be shortened to what still means one; `14:02` is no field but a time."""
    terms: list[Term] = []
    flaw = ""
    for match in _TERM.finditer(text.casefold()):
        turned, name, quoted, word = match.groups()
        word = quoted if quoted is not None else word
        meant = [field for field in fields if name and field.startswith(name)]
        field = name if name in fields else meant[0] if meant else ""
        if name and (len(meant) > 1 and name not in fields):
            flaw = f"{name}: may be {' or '.join(meant)}"
        elif name and not field:
            flaw = f"there is no field {name}; fields: {', '.join(fields)}"
        if word:
            terms.append(Term(word, field, wanted=not turned))
    return Sieve(text, tuple(terms), flaw)
