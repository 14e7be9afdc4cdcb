"""Running fingerprints of what was decided and traded: equal hashes mean equal runs."""

import hashlib

import msgspec

from engine.domain.money import canonical
from engine.domain.positions import Fill
from engine.domain.signals import Signal

_START = bytes(32)
WAITING_MAX = 64  # signals or fills that wait to be linked


class TallyState(msgspec.Struct, frozen=True):
    """The fingerprints so far: a hash chain needs only its last link."""

    signals: int = 0
    vetoed: int = 0
    signal_chain: bytes = _START
    trade_chain: bytes = _START


class Tally:
    """Chains sha256 over signals and over fills.

    A signal counts with close ts, play, instrument, side and kind, a fill with ts, side, price, quantity and
    fee as canonical decimals. Ids and wall time stay out: a run can be compared with any other run.

    What is added waits until some of it has come together or somebody looks: writing and hashing many lines
    in one go costs less than one line between the other work of each order.
    """

    def __init__(self) -> None:
        self.signals = 0
        self.vetoed = 0
        self._signal_chain = _START
        self._trade_chain = _START
        self._new_signals: list[Signal] = []
        self._new_fills: list[Fill] = []

    def signal(self, signal: Signal) -> None:
        """Add a signal."""
        self.signals += 1
        self._new_signals.append(signal)
        if len(self._new_signals) >= WAITING_MAX:
            self._link_new()

    def veto(self) -> None:
        """Count a signal that led to no order; it stays in the fingerprint of all signals."""
        self.vetoed += 1

    def fill(self, fill: Fill) -> None:
        """Add a fill."""
        self._new_fills.append(fill)
        if len(self._new_fills) >= WAITING_MAX:
            self._link_new()

    @property
    def signal_hash(self) -> str:
        """The fingerprint of all signals, in hex."""
        self._link_new()
        return self._signal_chain.hex()

    @property
    def trade_hash(self) -> str:
        """The fingerprint of all fills, in hex."""
        self._link_new()
        return self._trade_chain.hex()

    def _link_new(self) -> None:
        """Link what has waited, oldest first."""
        # Joined and not formatted: a format looks each word's kind up, and every signal and fill passes here.
        for signal in self._new_signals:
            line = "|".join((str(signal.ts), signal.play, signal.symbol, signal.side, signal.kind))
            self._signal_chain = _link(self._signal_chain, line)
        for fill in self._new_fills:
            price, qty, fee = canonical(fill.price), canonical(fill.qty), canonical(fill.fee)
            line = "|".join((str(fill.ts), fill.side, price, qty, fee))
            self._trade_chain = _link(self._trade_chain, line)
        self._new_signals.clear()
        self._new_fills.clear()

    # checkpoint

    def state(self) -> TallyState:
        """Return all that a checkpoint needs."""
        self._link_new()
        return TallyState(self.signals, self.vetoed, self._signal_chain, self._trade_chain)

    def restore(self, state: TallyState) -> None:
        """Take up a checkpoint's state."""
        self.signals, self.vetoed = state.signals, state.vetoed
        self._signal_chain, self._trade_chain = state.signal_chain, state.trade_chain
        self._new_signals.clear()
        self._new_fills.clear()


def _link(chain: bytes, line: str) -> bytes:
    return hashlib.sha256(chain + line.encode()).digest()
