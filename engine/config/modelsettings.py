"""The settings of the watch over models."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from engine.config.section import Section
from engine.risk.calibration import WINDOW_MAX, CalibrationPolicy


class ModelSettings(Section):
    """When a play's model is demoted: by its last forecasts that were resolved. null lifts a limit."""

    window: Annotated[int, Field(ge=10, le=WINDOW_MAX)] = 500
    resolved_min: Annotated[int, Field(ge=10, le=WINDOW_MAX)] = 200
    brier_excess_max: Annotated[float, Field(gt=0, le=1)] | None = 0.05
    gap_max: Annotated[float, Field(gt=0, le=1)] | None = 0.25

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if self.resolved_min > self.window:
            raise ValueError(f"must have resolved_min at most window, which is {self.window}")
        return self

    def to_policy(self) -> CalibrationPolicy:
        """Return the settings as the core takes them."""
        return CalibrationPolicy(
            **{name: getattr(self, name) for name in CalibrationPolicy.__struct_fields__}
        )
