"""What `trader-tui limits` prints and sends."""

from typing import TYPE_CHECKING

import msgspec

from engine.api import ControlError, Snapshot, fetch_status
from tui import remote
from tui.formats import clean
from tui.limitwords import limit_lines
from tui.supervisor import unreached

if TYPE_CHECKING:
    from engine.api import Settings


def show(settings: "Settings", *, as_json: bool) -> int:
    """Print how near the limits are."""
    snapshot = _fetch(settings)
    if as_json:
        facts = {
            "gates": [msgspec.to_builtins(gate) for gate in snapshot.gates],
            **msgspec.to_builtins(snapshot.risk),
        }
        remote.print_facts(facts)
    else:
        remote.print_line("\n".join(limit_lines(snapshot)))
    return 0


def accept(settings: "Settings", *, reason: str, as_json: bool) -> int:
    """Accept what waits now, and say what that is; exit 4 where the engine refuses."""
    waits = _fetch(settings).risk
    for row in () if as_json else waits.pending:
        remote.print_line(f"{row.setting}: {clean(row.now)} -> {clean(row.wanted)}")
    return remote.command(
        settings, "accept_limits", reason=reason, argument=waits.pending_id, as_json=as_json
    )


def _fetch(settings: "Settings") -> Snapshot:
    try:
        return fetch_status(settings)[1]
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None
