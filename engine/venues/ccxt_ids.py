"""Our client ids in the form that each venue takes: a bijection, so that an answer always leads back."""

import re
from enum import StrEnum

from engine.domain.ids import PREFIX

_OURS = re.compile(rf"{PREFIX}[0-9a-z]{{23}}")
_DIGITS = 23  # of base 36 after the prefix: below 2**119
_BITS = 119
_MARK = 0x1A5  # nine bits above them tell our ids from others of this form
_HEX = re.compile(r"(?:0x)?([0-9a-f]{32})")


class IdForm(StrEnum):
    """How a venue wants client ids."""

    PLAIN = "plain"  # ours as they are: [a-z0-9], 25 characters
    HEX_128 = "hex_128"  # 32 hexadecimal digits after 0x


def to_venue(client_id: str, form: IdForm) -> str:
    """Write one of our ids as the venue wants it. Any other text is a mistake of the caller."""
    if form is IdForm.PLAIN:
        return client_id
    assert _OURS.fullmatch(client_id), f"{client_id!r} is no id of ours"
    number = int(client_id[len(PREFIX) :], 36) | _MARK << _BITS
    return f"0x{number:032x}"


def from_venue(text: str | None, form: IdForm) -> str:
    """Return the id that `to_venue` made this text of; what it did not make stays as it is."""
    if not text:
        return ""
    if form is IdForm.PLAIN:
        return text
    found = _HEX.fullmatch(text)
    if found is None or int(found[1], 16) >> _BITS != _MARK:
        return text
    number, digits = int(found[1], 16) & (1 << _BITS) - 1, ""
    for _ in range(_DIGITS):
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return text if number else PREFIX + digits
