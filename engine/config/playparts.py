"""The fields of a play file that say how it enters: sizes, entry orders, further entries, protections."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.config.playexits import Prices, Span, side_missing, to_level
from engine.config.playfields import (
    Count,
    Duration,
    Factor,
    Flag,
    Fraction,
    Notional,
    Percent,
    PercentDown,
    Period,
    Profit,
    RuleText,
    Section,
)
from engine.domain.money import canonical
from engine.domain.orders import OrderKind, TimeInForce
from engine.domain.play import (
    Distance,
    DistanceKind,
    DrawdownStop,
    EntryOrder,
    LossGuard,
    LowProfit,
    Protections,
    Rule,
    ScaleIn,
    Sizing,
    SizingKind,
)
from engine.strategy.timeframes import step_of

VOLATILITY_PERIOD = 20
ENTRIES_MAX = 100


class Size(Section):
    """How much an entry is worth."""

    notional: Notional | None = None
    equity_fraction: Fraction | None = None
    risk_percent: PercentDown | None = None
    volatility_target: Percent | None = None
    period: Annotated[Period, Field(ge=2)] | None = None
    notional_max: Notional | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self._kinds()) != 1:
            raise ValueError("must hold one of notional, equity_fraction, risk_percent, volatility_target")
        if self.period is not None and self.volatility_target is None:
            raise ValueError("a period belongs to volatility_target")
        if self.notional_max is not None and self.notional is not None:
            raise ValueError("a notional_max does not belong to notional")
        return self

    def _kinds(self) -> list[tuple[SizingKind, Decimal]]:
        return [(kind, value) for kind in SizingKind if (value := getattr(self, kind.value)) is not None]

    def to_sizing(self) -> Sizing:
        """Return it as the engine has it."""
        ((kind, value),) = self._kinds()
        period = self.period or VOLATILITY_PERIOD if kind is SizingKind.VOLATILITY_TARGET else 0
        most = None if self.notional_max is None else Decimal(canonical(self.notional_max))
        return Sizing(kind, Decimal(canonical(value)), most, period)


class EntryOffset(Span):
    """How far an entry order lies from the close, or from the price it is given."""

    ticks: Count | None = None

    def check(self) -> None:
        """Raise ValueError where the fields do not go together."""
        if sum(field is not None for field in (self.percent, self.atr, self.ticks)) != 1:
            raise ValueError("must hold one of percent, atr and ticks")
        self.check_period()

    def to_distance(self) -> Distance:
        """Return it as the engine has it."""
        if self.ticks is not None:
            return Distance(DistanceKind.TICKS, float(self.ticks))
        return super().to_distance()


class Entry(Section):
    """Which order an entry is."""

    type: Literal["market", "limit", "stop"]
    offset: EntryOffset | None = None
    at: Prices | None = None
    post_only: Flag = False
    time_in_force: Literal["gtc", "ioc", "fok"] = "gtc"
    valid_bars: Count | None = None
    replace: Flag = False

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.type == "market":
            for field in ("offset", "at", "valid_bars"):
                if getattr(self, field) is not None:
                    raise ValueError(f"a market order trades at once: {field} belongs to limit and stop")
        if self.type == "stop" and self.offset is None and self.at is None:
            raise ValueError("a stop needs offset or at: at the close it would trade at once")
        if self.post_only and (self.type != "limit" or self.time_in_force != "gtc"):
            raise ValueError("post_only belongs to a limit order with time_in_force gtc")
        rests = self.type != "market" and self.time_in_force == "gtc"
        if not rests and (self.valid_bars is not None or self.replace):
            raise ValueError("valid_bars and replace belong to an order that rests: limit or stop, gtc")
        return self

    def lacks(self, side: str) -> bool:
        """Tell whether a side is without a price."""
        return side_missing(self.at, side)

    def to_order(self, long: bool, short: bool) -> EntryOrder | None:  # noqa: FBT001 - the sides of a play
        """Return it as the engine has it, None for the market order that an entry is anyway."""
        order = EntryOrder(
            kind=OrderKind(self.type),
            offset=None if self.offset is None else self.offset.to_distance(),
            at=None if self.at is None else to_level(self.at, long=long, short=short),
            post_only=self.post_only,
            tif=TimeInForce(self.time_in_force),
            valid_bars=self.valid_bars or 0,
            replace=self.replace,
        )
        return None if order == EntryOrder(OrderKind.MARKET) else order


class ScaleInPart(Section):
    """Further entries into a position."""

    max_entries: Annotated[int, Field(ge=2, le=ENTRIES_MAX, strict=True)]
    when: RuleText | None = None
    every: Span | None = None
    direction: Literal["favour", "against"] = "favour"
    size_factor: Factor = Decimal(1)

    @model_validator(mode="after")
    def _triggered(self) -> Self:
        if self.when is None and self.every is None:
            raise ValueError("must hold when (a rule), every (a distance) or both")
        return self

    def to_scale_in(self) -> ScaleIn:
        """Return it as the engine has it."""
        return ScaleIn(
            entries_max=self.max_entries,
            when=None if self.when is None else Rule(self.when),
            every=None if self.every is None else self.every.to_distance(),
            against=self.direction == "against",
            size_factor=Decimal(canonical(self.size_factor)),
        )


class Cooldown(Section):
    """A rest after each trade."""

    bars: Count


class Guarded(Section):
    """How long a guard looks back, and how long it pauses the play."""

    within: Duration
    pause: Duration


class StopLossGuard(Guarded):
    """Too many stops in a short time."""

    trades: Count


class LowProfitGuard(Guarded):
    """Too little earned for some time."""

    trades: Count
    min_profit_percent: Profit


class DrawdownGuard(Guarded):
    """Too much lost from the best of some time."""

    percent: PercentDown


class Guards(Section):
    """When the play may not enter."""

    cooldown: Cooldown | None = None
    trades_per_day_max: Count | None = None
    stop_loss_guard: StopLossGuard | None = None
    low_profit: LowProfitGuard | None = None
    drawdown: DrawdownGuard | None = None

    def to_protections(self) -> Protections | None:
        """Return them as the engine has them, None where there are none."""
        guard, profit, drawdown = self.stop_loss_guard, self.low_profit, self.drawdown
        made = Protections(
            cooldown_bars=0 if self.cooldown is None else self.cooldown.bars,
            trades_per_day_max=self.trades_per_day_max or 0,
            stop_loss_guard=None if guard is None else LossGuard(guard.trades, *_times(guard)),
            low_profit=None if profit is None else _low_profit(profit),
            drawdown=None if drawdown is None else DrawdownStop(float(drawdown.percent), *_times(drawdown)),
        )
        return None if made == Protections() else made


def _low_profit(guard: LowProfitGuard) -> LowProfit:
    within_ns, pause_ns = _times(guard)
    return LowProfit(guard.trades, within_ns, float(guard.min_profit_percent), pause_ns)


def _times(guard: Guarded) -> tuple[int, int]:
    return step_of(guard.within), step_of(guard.pause)
