"""The first page: where one is, that the money is made up, and the five keys."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.events import Click, Key

from engine.api import Mode, Snapshot
from tui.formats import money
from tui.screens.dialog import Dialog, say

KEYS = (  # action, how often it is pressed, what it does
    ("arm", 1, "arm: let the play trade (it asks for a name first)"),
    ("pause", 1, "pause, and resume"),
    ("flatten", 2, "flatten: cancel and close everything, then halt"),
    ("help", 1, "help: every key, and what each command does"),
    ("shutdown", 1, "leave: shut down, or detach and let it go on"),
)
KEY_WIDTH = 12
_MADE_UP = (
    "This is a SIMULATION: {market} and {worth} of made-up money. No order leaves this machine.\n\n"
    "What watches the market: {plays}. It may trade only while the engine is armed; now it is {phase}."
)
PLACES = dict.fromkeys(Mode, _MADE_UP) | {
    Mode.REPLAY: _MADE_UP.replace("{market}", "a recorded market"),
    Mode.DEMO: "{plays} trades on the test network of {venue}: real orders, no real money.",
    Mode.LIVE: "This is LIVE: {plays} trades with real money on {venue}.",
}


class WelcomeDialog(Dialog[bool]):
    """Any key closes it, and does nothing else."""

    def __init__(self, snapshot: Snapshot | None, key_of: Callable[[str], str]) -> None:
        super().__init__("Welcome to trader-tui", "any key closes this page")
        self._snapshot, self._key_of = snapshot, key_of

    def parts(self) -> ComposeResult:
        """Yield where one is, what the money is, and the keys."""
        yield say(place_words(self._snapshot))
        yield say("\n".join(f"{self._pressed(*key[:2]):<{KEY_WIDTH}}{key[2]}" for key in KEYS))
        yield say(
            "The top row says how things are, the row below it what to do about it. Panes have numbers: "
            f"press one to go there, {self._key_of('zoom')} to make it large. {self._key_of('palette')} "
            "finds every action by its name, and this page: First steps."
        )

    def _pressed(self, action_id: str, times: int) -> str:
        return " ".join([self._key_of(action_id)] * times)

    def on_key(self, event: Key) -> None:
        """Close, whatever the key was."""
        event.stop()
        event.prevent_default()
        self.dismiss(True)  # noqa: FBT003 - Textual's signature

    def on_click(self, event: Click) -> None:
        """Close."""
        event.stop()
        self.dismiss(True)  # noqa: FBT003

    def action_cancel(self) -> None:
        """Close, as any key does."""
        self.dismiss(True)  # noqa: FBT003


def place_words(snapshot: Snapshot | None) -> str:
    """Return where one is: in a simulation with made-up money, or not."""
    if snapshot is None:
        return "This is a console for trading plays. The engine that runs them has not answered yet."
    status, account = snapshot.status, snapshot.account
    venue = snapshot.venue.name
    made_up = "a market made up here, without network or keys,"
    return PLACES[status.mode].format(
        market=f"the live prices of {venue}" if venue else made_up,
        worth=f"{money(account.equity)} {account.currency}",
        plays=", ".join(status.plays) or "no play",
        venue=venue or "a venue",
        phase=status.phase.value.upper(),
    )
