"""Client order ids: unique to this database's birth, derived, never drawn by chance.

An id is [A-Za-z0-9], at most 32 characters:
`tt` + birth epoch in seconds (7, base 36) + instance (4) + play (4) + role (1) + sequence (7, base 36).
"""

import hashlib
from enum import StrEnum

PREFIX = "tt"
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_BIRTH_WIDTH = 7
_NAME_WIDTH = 4
_SEQUENCE_WIDTH = 7
_ID_WIDTH = len(PREFIX) + _BIRTH_WIDTH + 2 * _NAME_WIDTH + 1 + _SEQUENCE_WIDTH
_ROLE_AT = _ID_WIDTH - _SEQUENCE_WIDTH - 1
SEQUENCE_MAX = 36**_SEQUENCE_WIDTH - 1


class OrderRole(StrEnum):
    """What an order is for; it decides which gates apply to it."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"
    TARGET = "target"
    FLATTEN = "flatten"


_ROLE_CODE = {
    OrderRole.ENTRY: "e",
    OrderRole.EXIT: "x",
    OrderRole.STOP: "s",
    OrderRole.TARGET: "t",
    OrderRole.FLATTEN: "f",
}
_ROLE_OF = {code: role for role, code in _ROLE_CODE.items()}


def base36(value: int, width: int) -> str:
    """Write a non-negative integer in base 36, padded with zeros to `width` characters."""
    assert 0 <= value < 36**width, f"{value} does not fit {width} characters of base 36"
    text = ""
    while value:
        value, pair = divmod(value, len(_PAIRS))
        text = _PAIRS[pair] + text
    return text[-width:].rjust(width, "0")


def short_code(name: str) -> str:
    """Return four characters that stand for a name of any length and alphabet."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return base36(int.from_bytes(digest, "big") % 36**_NAME_WIDTH, _NAME_WIDTH)


def sequence_of(client_id: str) -> int:
    """Return the sequence inside an id of this form, 0 for any other text."""
    return _number(client_id, _ID_WIDTH - _SEQUENCE_WIDTH, _SEQUENCE_WIDTH)


def birth_of(client_id: str) -> int:
    """Return the birth (s) inside an id of this form, 0 for any other text."""
    return _number(client_id, len(PREFIX), _BIRTH_WIDTH)


def play_code_of(client_id: str) -> str:
    """Return the code of the play inside an id of this form, empty for any other text."""
    return client_id[_ROLE_AT - _NAME_WIDTH : _ROLE_AT] if len(client_id) == _ID_WIDTH else ""


def role_of(client_id: str) -> OrderRole | None:
    """Return the role inside an id of this form, None for any other text."""
    return _ROLE_OF.get(client_id[_ROLE_AT]) if len(client_id) == _ID_WIDTH else None


def _number(client_id: str, at: int, width: int) -> int:
    if len(client_id) != _ID_WIDTH or not client_id.startswith(PREFIX):
        return 0
    digits = client_id[at : at + width]
    return int(digits, 36) if all(digit in _ALPHABET for digit in digits) else 0


class IdSpace:
    """Derives client order ids from (birth, instance, play, role, sequence)."""

    __slots__ = ("_codes", "_high", "_high_text", "prefix")

    def __init__(self, birth_s: int, instance: str) -> None:
        self.prefix = PREFIX + base36(birth_s, _BIRTH_WIDTH) + short_code(instance)
        self._codes: dict[str, str] = {}
        self._high, self._high_text = 0, base36(0, _SEQUENCE_WIDTH - 2)

    def client_id(self, play: str, role: OrderRole, sequence: int) -> str:
        """Return the id of one order."""
        code = self._codes.get(play)
        if code is None:
            code = self._codes[play] = short_code(play)
        high, low = divmod(sequence, len(_PAIRS))
        if high != self._high:  # once in 1296 orders
            self._high, self._high_text = high, base36(high, _SEQUENCE_WIDTH - 2)
        return f"{self.prefix}{code}{_ROLE_CODE[role]}{self._high_text}{_PAIRS[low]}"

    def owns(self, client_id: str) -> bool:
        """Tell whether an order on the venue is ours: this birth's and this instance's."""
        return client_id.startswith(self.prefix)
