"""Settings of shadow twins and of promotion."""

from typing import Annotated

from pydantic import Field

from engine.config.section import Section
from engine.risk.promotion import PromotionPolicy

Count = Annotated[int, Field(ge=0, le=100_000)]
Hours = Annotated[float, Field(ge=0, le=8_760)]


class ShadowSettings(Section):
    """What is kept of shadow twins."""

    horizon_bars: Annotated[int, Field(ge=1, le=10_000)] = 60  # then a signal nobody took meets the market
    keep_days: Annotated[float, Field(gt=0, le=3_650)] = 90.0


class PromotionSettings(Section):
    """The evidence that a promotion to live needs; 0 asks for none of its kind."""

    backtest_trades_min: Count = 20
    shadow_h_min: Hours = 24.0
    demo_h_min: Hours = 24.0
    demo_trades_min: Count = 5

    def to_policy(self) -> PromotionPolicy:
        """Return the settings as the risk layer takes them."""
        return PromotionPolicy(**{name: getattr(self, name) for name in PromotionPolicy.__struct_fields__})
