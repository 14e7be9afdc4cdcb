"""Positions that other modes of the instance have at real venues, and that a simulated one does not watch."""

from collections.abc import Iterable
from pathlib import Path

from engine.domain.errors import CheckpointError
from engine.domain.modes import Mode
from engine.domain.money import canonical
from engine.runtime.session import decode_state
from engine.storage.checkpoints import CheckpointStore


def open_elsewhere(directory: Path, modes: Iterable[Mode], now: int) -> tuple[str, ...]:
    """Return a sentence for each of these modes whose last checkpoint holds positions or open orders."""
    return tuple(text for mode in modes if (text := _left_by(directory, mode, now)))


def _left_by(directory: Path, mode: Mode, now: int) -> str:
    folder = directory / mode.value / "checkpoints"
    if not folder.is_dir():
        return ""
    found = CheckpointStore(folder).load_newest(now).checkpoint
    if found is None:
        return ""
    try:
        machine = decode_state(found.payload).loop.machine
    except CheckpointError as error:
        return f"what the {mode} account of this instance holds cannot be read: {error}"
    held = [f"{canonical(p.qty)} {p.symbol}" for p in machine.ledger.positions if p.qty]
    orders = len(machine.desk.book.open)
    if not held and not orders:
        return ""
    what = [f"positions ({', '.join(held)})"] if held else []
    what += [f"{orders} open {'order' if orders == 1 else 'orders'}"] if orders else []
    return (
        f"the {mode} account of this instance has {' and '.join(what)}, as far as its last session knew: "
        f"nothing here looks after them. `trader-tui --mode {mode}` does"
    )
