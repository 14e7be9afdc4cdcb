"""How many decimals the prices of each symbol have."""

from collections.abc import Mapping

from engine.api import Snapshot


def price_digits(snapshot: Snapshot) -> Mapping[str, int]:
    """Return the decimals by symbol; a symbol without a price yet is not in it: after a restart, at first."""
    return {tick.symbol: tick.price_digits for tick in snapshot.ticks}
