"""Running fingerprints of what was decided and traded: equal hashes mean equal runs."""

import hashlib

import msgspec
from msgspec.structs import replace

from engine.domain.money import canonical
from engine.domain.positions import Fill
from engine.domain.signals import Signal

_START = bytes(32)


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
    """

    def __init__(self) -> None:
        self.state = TallyState()

    def signal(self, signal: Signal) -> None:
        """Add a signal."""
        line = f"{signal.ts}|{signal.play}|{signal.symbol}|{signal.side}|{signal.kind}"
        chain = _link(self.state.signal_chain, line)
        self.state = replace(self.state, signals=self.state.signals + 1, signal_chain=chain)

    def veto(self) -> None:
        """Count a signal that led to no order; it stays in the fingerprint of all signals."""
        self.state = replace(self.state, vetoed=self.state.vetoed + 1)

    def fill(self, fill: Fill) -> None:
        """Add a fill."""
        amounts = "|".join(canonical(amount) for amount in (fill.price, fill.qty, fill.fee))
        chain = _link(self.state.trade_chain, f"{fill.ts}|{fill.side}|{amounts}")
        self.state = replace(self.state, trade_chain=chain)

    @property
    def signal_hash(self) -> str:
        """The fingerprint of all signals, in hex."""
        return self.state.signal_chain.hex()

    @property
    def trade_hash(self) -> str:
        """The fingerprint of all fills, in hex."""
        return self.state.trade_chain.hex()


def _link(chain: bytes, line: str) -> bytes:
    return hashlib.sha256(chain + line.encode()).digest()
