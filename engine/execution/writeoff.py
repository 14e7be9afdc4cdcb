"""What was booked away because the venue does not show it, and which late fills explain it after all."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from engine.domain.ids import sequence_of
from engine.domain.money import ZERO
from engine.domain.orders import Order
from engine.domain.positions import Fill


class WrittenOff(msgspec.Struct, frozen=True):
    """What was written off of a symbol, and what of it no late fill has explained yet.

    A fill explains some of it where its order has an id up to `sequence` and it happened up to `as_of` (ns
    UTC): what trades after the venue's report was not missing from it. `qty` is signed, as the position was.
    """

    symbol: str
    sequence: int
    price: Decimal
    qty: Decimal = ZERO
    as_of: int = 0


class WriteOffs:
    """The last write-off of each symbol."""

    def __init__(self) -> None:
        self._by_symbol: dict[str, WrittenOff] = {}

    def __bool__(self) -> bool:
        return bool(self._by_symbol)

    def note(self, off: WrittenOff) -> None:
        """Remember a write-off; what is unexplained of an earlier one to the same side joins it."""
        before = self._by_symbol.get(off.symbol)
        if before is not None and before.qty * off.qty > ZERO:
            off = msgspec.structs.replace(off, qty=before.qty + off.qty)
        self._by_symbol[off.symbol] = off

    def covers(self, order: Order) -> bool:
        """Tell whether what an order may still report can be part of what was written off."""
        off = self._by_symbol.get(order.request.symbol)
        return off is not None and sequence_of(order.client_id) <= off.sequence

    def explain(self, order: Order, fill: Fill) -> tuple[Decimal, Decimal]:
        """Take from a write-off what a fill explains of it; return that quantity, and the write-off's price.

        The venue's report had counted that fill, and our books had not.
        """
        if not self.covers(order):
            return ZERO, ZERO
        off = self._by_symbol[fill.symbol]
        if fill.ts > off.as_of or off.qty * fill.side.sign >= ZERO:
            return ZERO, ZERO
        qty = min(fill.qty, abs(off.qty))
        self._by_symbol[fill.symbol] = msgspec.structs.replace(off, qty=off.qty + qty * fill.side.sign)
        return qty, off.price

    def state(self) -> tuple[WrittenOff, ...]:
        """Return what a checkpoint holds."""
        return tuple(self._by_symbol.values())

    def restore(self, state: Iterable[WrittenOff]) -> None:
        """Take up a checkpoint's state."""
        self._by_symbol = {off.symbol: off for off in state}
