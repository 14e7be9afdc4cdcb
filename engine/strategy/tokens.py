"""The text of a rule, cut into words."""

import re
from enum import StrEnum
from typing import NamedTuple

from engine.domain.errors import ConfigError

LENGTH_MAX = 4_000
TOKENS_MAX = 400  # bounds the depth of every tree, so that walking one cannot overflow the stack

_PATTERN = re.compile(
    r"""\s*(?:
        (?P<clock>[0-9]{1,2}:[0-9]{2}(?![0-9:]))
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<name>\$[A-Za-z0-9_]*)
      | (?P<frame>@[A-Za-z0-9_]*)
      | (?P<mark><=|>=|==|!=|[-+*/()\[\],.<>])
      | (?P<strange>&&|\|\||\S)
    )""",
    re.VERBOSE,
)
_INSTEAD = {"=": "==", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not", "\N{MINUS SIGN}": "-"}


class TokenKind(StrEnum):
    """What a token is."""

    CLOCK = "clock"  # 08:30
    NUMBER = "number"
    WORD = "word"
    NAME = "name"  # $fast
    FRAME = "frame"  # @1h
    MARK = "mark"
    END = "end"


class Token(NamedTuple):
    """A word, number or mark and its offset in the text."""

    kind: TokenKind
    text: str
    at: int


def tokenize(text: str) -> list[Token]:
    """Cut a rule into tokens, the last of which is END. Raises ConfigError."""
    if len(text) > LENGTH_MAX:
        raise fault(text, LENGTH_MAX, f"a rule has at most {LENGTH_MAX:,} characters")
    tokens: list[Token] = []
    for match in _PATTERN.finditer(text):
        kind = str(match.lastgroup)
        word, at = match[kind], match.start(kind)
        if kind == "strange":
            instead = f"; did you mean {_INSTEAD[word]!r}?" if word in _INSTEAD else ""
            raise fault(text, at, f"{word!r} means nothing in a rule{instead}")
        if len(tokens) == TOKENS_MAX:
            raise fault(text, at, f"a rule has at most {TOKENS_MAX} words, numbers and marks")
        tokens.append(Token(TokenKind(kind), word, at))
    tokens.append(Token(TokenKind.END, "", len(text.rstrip())))
    return tokens


def fault(text: str, at: int, message: str) -> ConfigError:
    """Return an error whose line and column (both from 1) count within the text of the rule."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return ConfigError(message, line=line, column=column)
