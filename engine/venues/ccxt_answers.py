"""What ccxt hands out, checked and copied: only from whole and plain answers does anything follow."""

from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.domain.errors import TransientError
from engine.domain.market import NS_PER_MS, Instrument
from engine.domain.money import ZERO
from engine.domain.orders import OrderState
from engine.domain.positions import Fill, Liquidity
from engine.domain.signals import Side


def _zero_if_none(value: Any) -> Any:
    return "0" if value is None else value


Number = Annotated[Decimal, Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, BeforeValidator(_zero_if_none), Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Info = Annotated[dict[str, Any], Field(min_length=1)]
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}


class _Answer(BaseModel):
    """A part of an answer: frozen, and a copy, for ccxt goes on writing to what it handed out."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


A = TypeVar("A", bound=_Answer)


class CreatedAnswer(_Answer):
    """The answer to a new order: all that can be relied on is the venue's id of it."""

    info: Info
    id: Text


class OrderAnswer(_Answer):
    """An order as a list or a stream tells it; quantities in contracts."""

    info: Info
    id: Text
    client_id: str | None = Field(None, alias="clientOrderId")
    symbol: Text
    side: Literal["buy", "sell"]
    amount: Positive
    filled: NotNegative
    average: Number | None = None
    status: Literal["open", "closed", "canceled", "canceling", "rejected", "expired"]
    trigger: Number | None = Field(None, alias="triggerPrice")

    @property
    def domain_side(self) -> Side:
        """Which way it trades."""
        return _SIDES[self.side]

    @property
    def state(self) -> OrderState:
        """Where it is in its life by our table."""
        match self.status:
            case "open" | "canceling":
                return OrderState.PARTIALLY_FILLED if self.filled else OrderState.ACKNOWLEDGED
            case "closed":  # of a part as well: some venues close what they cancel
                return OrderState.FILLED if self.filled >= self.amount else OrderState.CANCELED
            case "canceled":
                return OrderState.CANCELED
            case "rejected":
                return OrderState.REJECTED
            case "expired":
                return OrderState.EXPIRED


class FeeAnswer(_Answer):
    """A fee: a positive cost, a negative one is a rebate."""

    cost: Number | None = None
    currency: str | None = None


class TradeAnswer(_Answer):
    """One execution; quantities in contracts."""

    info: Info
    id: Text
    order: Text
    symbol: Text
    side: Literal["buy", "sell"]
    price: Positive
    amount: Positive
    timestamp: Annotated[int, Field(gt=0)]
    liquidity: Literal["maker", "taker"] | None = Field(None, alias="takerOrMaker")
    fee: FeeAnswer | None = None

    def fill(self, client_id: str, instrument: Instrument, contract: Decimal) -> Fill:
        """Return the fill of our order; a fee in another currency is put at the instrument's own rate."""
        liquidity = Liquidity(self.liquidity or "taker")
        qty = self.amount * contract
        fee = self.fee
        if fee is None or fee.cost is None or fee.currency not in (None, instrument.settle):
            rate = instrument.maker_fee if liquidity is Liquidity.MAKER else instrument.taker_fee
            cost = self.price * qty * rate
        else:
            cost = fee.cost
        return Fill(
            ts=self.timestamp * NS_PER_MS,
            client_id=client_id,
            trade_id=self.id,
            symbol=instrument.symbol,
            side=_SIDES[self.side],
            price=self.price,
            qty=qty,
            fee=cost,
            liquidity=liquidity,
            venue_id=self.order,
        )


class PositionAnswer(_Answer):
    """A position in contracts; `hedged` where long and short stand apart."""

    info: Info
    symbol: Text
    contracts: NotNegative
    side: Literal["long", "short"] | None = None
    hedged: bool | None = None

    @property
    def signed(self) -> Decimal:
        """The net quantity in contracts, negative where short."""
        if not self.contracts:
            return ZERO
        if self.side is None:
            raise ValueError("a position without a side")
        return self.contracts if self.side == "long" else -self.contracts


class KeyAnswer(_Answer):
    """What Bybit tells of a key."""

    read_only: int = Field(alias="readOnly")
    permissions: dict[str, list[str]]

    @property
    def can_trade(self) -> bool:
        """Whether it may send orders for contracts."""
        contracts = self.permissions.get("ContractTrade", []), self.permissions.get("Derivatives", [])
        return not self.read_only and any(contracts)

    @property
    def can_withdraw(self) -> bool:
        """Whether it may take money out."""
        return "Withdraw" in self.permissions.get("Wallet", [])


def checked(model: type[A], answer: Any) -> A:
    """Return an answer as its model. Raises TransientError where it is none: nothing follows from it."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, each["loc"])) or "answer" for each in error.errors())
        raise TransientError(f"the venue's answer cannot be used: {fields}") from error
