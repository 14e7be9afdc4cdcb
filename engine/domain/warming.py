"""Numbers that were computed ahead of a swap, beside the loop."""

import msgspec


class Warmed(msgspec.Struct, frozen=True):
    """The state of a new version's indicators after the bars that were kept when it was tried out.

    `upto` holds the close (ns UTC) of the last bar of each symbol; what came later is not in it yet.
    """

    state: bytes
    upto: dict[str, int]
