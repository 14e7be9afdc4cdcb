"""The fields of a play file that say how a position ends: stops, targets, and what moves them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from engine.config.playfields import (
    Duration,
    Multiple,
    Offset,
    Percent,
    PercentDown,
    Period,
    PriceText,
    Section,
)
from engine.domain.money import canonical
from engine.domain.play import (
    BreakEven,
    Distance,
    DistanceKind,
    LadderStep,
    Level,
    StopLevel,
    TimeStop,
    Trailing,
)
from engine.strategy.timeframes import step_of

ATR_PERIOD = 14
RUNGS_MAX = 20
_WHOLE = Decimal(100)  # percent


class Span(Section):
    """How far one price lies from another."""

    percent: Percent | None = None
    atr: Multiple | None = None
    period: Period | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        self.check()
        return self

    def check(self) -> None:
        """Raise ValueError where the fields do not go together."""
        if (self.percent is None) == (self.atr is None):
            raise ValueError("must hold either percent or atr")
        self.check_period()

    def check_period(self) -> None:
        """Raise ValueError where a period stands without what it belongs to."""
        if self.period is not None and self.atr is None:
            raise ValueError("a period belongs to atr")

    def to_distance(self) -> Distance:
        """Return it as the engine has it."""
        if self.percent is not None:
            return Distance(DistanceKind.PERCENT, float(self.percent))
        assert self.atr is not None, "one of the two was given"
        return Distance(DistanceKind.ATR, float(self.atr), self.period or ATR_PERIOD)


class SpanDown(Span):
    """How far a price lies from another one that it may fall to nothing from."""

    percent: PercentDown | None = None


class Sides(Section):
    """A price for each side that the play trades."""

    long: PriceText | None = None
    short: PriceText | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.long is None and self.short is None:
            raise ValueError("must hold long or short, or be one price for both")
        return self


def _sort_of_price(value: Any) -> str:
    return "<Sides>" if isinstance(value, dict | Sides) else "<text>"


# Parts of a place in angle brackets are not in the file: Report takes them out.
Prices = Annotated[
    Annotated[PriceText, Tag("<text>")] | Annotated[Sides, Tag("<Sides>")], Discriminator(_sort_of_price)
]


def to_level(prices: str | Sides, *, long: bool, short: bool) -> Level:
    """Return the prices of the sides that a play trades."""
    sides = Sides.model_construct(long=prices, short=prices) if isinstance(prices, str) else prices
    return Level(sides.long or "" if long else "", sides.short or "" if short else "")


def side_missing(prices: str | Sides | None, side: str) -> bool:
    """Tell whether there are prices, and none for this side."""
    return isinstance(prices, Sides) and getattr(prices, side) is None


class StopLoss(SpanDown):
    """Where a stop lies: off the entry price by less than all of it, or at a price of the rules."""

    at: Prices | None = None
    pad: SpanDown | None = None

    def check(self) -> None:
        """Raise ValueError where the fields do not go together."""
        if sum(field is not None for field in (self.percent, self.atr, self.at)) != 1:
            raise ValueError("must hold one of percent, atr and at")
        self.check_period()
        if self.pad is not None and self.at is None:
            raise ValueError("a pad belongs to at")

    def to_stop(self) -> Distance | None:
        """Return the stop's distance where it has one."""
        return None if self.at is not None else self.to_distance()

    def to_level(self, long: bool, short: bool) -> StopLevel | None:  # noqa: FBT001 - the sides of a play
        """Return the stop's price where it has one."""
        if self.at is None:
            return None
        return StopLevel(
            to_level(self.at, long=long, short=short), None if self.pad is None else self.pad.to_distance()
        )

    def lacks(self, side: str) -> bool:
        """Tell whether a side is without a price."""
        return side_missing(self.at, side)


class TakeProfit(Span):
    """How far from the entry price a target lies."""


class LadderRung(Span):
    """A target for a part of the position."""

    close: PercentDown | None = None


def _climbs(rungs: tuple[LadderRung, ...]) -> tuple[LadderRung, ...]:
    """Check a ladder as a whole."""
    if any(rung.close is None for rung in rungs[:-1]):
        raise ValueError("must say what each part but the last closes, as in close: 50 (percent)")
    closed = sum((rung.close for rung in rungs if rung.close is not None), Decimal(0))
    if closed > _WHOLE:
        raise ValueError(f"closes {closed} percent of the position; its parts must be 100 or less together")
    if rungs[-1].close is None and closed == _WHOLE:
        raise ValueError("leaves nothing for its last part: those before it close 100 percent")
    return rungs


def to_ladder(rungs: Sequence[LadderRung]) -> tuple[LadderStep, ...]:
    """Return a ladder as the engine has it; a last part that says nothing closes the rest."""
    closed = sum((rung.close for rung in rungs if rung.close is not None), Decimal(0))
    return tuple(
        LadderStep(rung.to_distance(), _plain(_WHOLE - closed if rung.close is None else rung.close))
        for rung in rungs
    )


def _plain(value: Decimal) -> Decimal:
    """Return a number in the one form that counts for a play's hash."""
    return Decimal(canonical(value))


def _sort_of_target(value: Any) -> str:
    return "<Ladder>" if isinstance(value, list | tuple) else "<TakeProfit>"


_Ladder = Annotated[
    tuple[LadderRung, ...], Field(min_length=1, max_length=RUNGS_MAX), AfterValidator(_climbs)
]
TakeProfits = Annotated[
    Annotated[TakeProfit, Tag("<TakeProfit>")] | Annotated[_Ladder, Tag("<Ladder>")],
    Discriminator(_sort_of_target),
]


class TrailingStop(SpanDown):
    """A stop that follows the best price since the entry."""

    after: Span | None = None

    def to_trailing(self) -> Trailing:
        """Return it as the engine has it."""
        return Trailing(self.to_distance(), None if self.after is None else self.after.to_distance())


class BreakEvenStop(Section):
    """A stop that moves to the entry price once there is a profit."""

    after: Span
    offset_percent: Offset = Decimal(0)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.after.percent is not None and self.after.percent <= self.offset_percent:
            raise ValueError("must have an offset_percent below after: the stop would lie past the price")
        return self

    def to_break_even(self) -> BreakEven:
        """Return it as the engine has it."""
        return BreakEven(self.after.to_distance(), float(self.offset_percent))


class TimeExit(Section):
    """When a position has been held for long enough."""

    bars: Period | None = None
    after: Duration | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.bars is None) == (self.after is None):
            raise ValueError("must hold either bars or after, as in after: 4h")
        return self

    def to_time_stop(self) -> TimeStop:
        """Return it as the engine has it."""
        return TimeStop(self.bars or 0, step_of(self.after) if self.after else 0)
