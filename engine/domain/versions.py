"""What is told of the versions of plays: which one is watched beside a running one, which may trade live."""

import msgspec

from engine.domain.play import PlaySpec


class TwinChanged(msgspec.Struct, frozen=True, tag=True):
    """A version of a play runs as a shadow twin from now on, or no longer where `spec` is None.

    `label` names the twin; another one with it takes its place. `of` is the running play that it is compared
    with. Without a `symbol` it looks at what that play looks at.
    """

    ts: int
    label: str
    of: str
    spec: PlaySpec | None = None
    generation: int = 1
    symbol: str = ""
    step_ns: int = 0
    others: tuple[str, ...] = ()
    why: str = ""


class PlaysApproved(msgspec.Struct, frozen=True, tag=True):
    """The hashes of the plays whose entries may be real; all that were approved before are among them."""

    ts: int
    hashes: tuple[str, ...]
