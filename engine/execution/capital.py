"""What closed trades made, and the part of it that is put aside: the self-financing split of profits."""

from decimal import ROUND_DOWN, Decimal

import msgspec

from engine.domain.money import LEDGER_CONTEXT, ZERO

RESERVE_STEP = Decimal("1e-8")  # in quote units
_PERCENT = Decimal(100)
Key = tuple[str, str]


class CapitalState(msgspec.Struct, frozen=True, kw_only=True):
    """The split as a checkpoint holds it; keys of `settled` are `PLAY SYMBOL`."""

    reserve: Decimal = ZERO
    losses_in_a_row: int = 0
    settled: dict[str, Decimal] = {}


class Capital:
    """Follows trades from flat to flat, over all plays.

    Of a profit after fees a set part goes to the reserve, which nothing is sized with; a loss moves nothing.
    Reserve and trading capital together are equity, always: the reserve is a share of it and no other money.
    """

    def __init__(self) -> None:
        self.reserve = ZERO
        self.reserve_percent = ZERO  # of each profit; set by a person
        self.losses_in_a_row = 0
        self._settled: dict[Key, Decimal] = {}  # realized profit minus fees when it was flat last

    def on_closed(self, key: Key, result: Decimal) -> None:
        """Take a trade that ended; `result` is what its play made in the symbol in all, after fees."""
        profit = result - self._settled.get(key, ZERO)
        self._settled[key] = result
        if profit > ZERO:
            self.losses_in_a_row = 0
            if self.reserve_percent:
                part = LEDGER_CONTEXT.divide(profit * self.reserve_percent, _PERCENT)
                self.reserve += part.quantize(RESERVE_STEP, ROUND_DOWN)
        elif profit < ZERO:
            self.losses_in_a_row += 1

    # checkpoint

    def state(self) -> CapitalState:
        """Return all that a checkpoint needs."""
        settled = {" ".join(key): result for key, result in self._settled.items()}
        return CapitalState(reserve=self.reserve, losses_in_a_row=self.losses_in_a_row, settled=settled)

    def restore(self, state: CapitalState) -> None:
        """Take up a checkpoint's state."""
        self.reserve, self.losses_in_a_row = state.reserve, state.losses_in_a_row
        self._settled = {_key(name): result for name, result in state.settled.items()}


def _key(name: str) -> Key:
    play, symbol = name.rsplit(" ", 1)
    return play, symbol
