"""What groups of settings have in common: they are closed, and their amounts and times are sane."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Money = Annotated[Decimal, Field(gt=0, le=Decimal(10) ** 12, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Section(BaseModel):
    """A group of settings: no unknown keys, no changes after the check."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
