"""What `trader-tui venue` does: runs the local exchange and says where it is."""

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from engine.api import run_venue
from tui.venue_commands import PORT

if TYPE_CHECKING:
    from engine.api import Listening


def run(*, as_json: bool, **wish: Any) -> int:
    """Run the exchange until it is told to end. Raises TraderError."""

    def tell(listening: "Listening") -> None:
        if as_json:
            sys.stdout.write(msgspec.json.encode(listening).decode() + "\n")
        else:
            sys.stdout.write("".join(f"{line}\n" for line in _lines(listening)))
        sys.stdout.flush()

    run_venue(tell=tell, **wish)
    return 0


def _lines(listening: "Listening") -> list[str]:
    elsewhere = "" if listening.port == PORT else f"TRADER_TUI_LOCAL__PORT={listening.port} "
    return [
        f"local exchange (Bybit v5, linear) with {', '.join(listening.symbols)}",
        f"rest     {listening.rest}",
        f"sockets  {listening.public}  {listening.private}  {listening.trade}",
        f"key      {listening.key}  secret {listening.secret}  (worth nothing: all money here is made up)",
        f"faults   {listening.rest}/_faults  truth {listening.rest}/_ledger",
        f"try it   {elsewhere}trader-tui run --mode demo --venue local --play canary",
        "Ctrl-C ends it",
    ]
