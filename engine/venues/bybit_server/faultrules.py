"""What a fault is, as users write it: where it strikes, what it does, how often, and for how long."""

from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

FAULTS_MAX = 200
MS_MAX = 3_600_000


class Do(StrEnum):
    """What a fault does."""

    LATENCY = "latency"
    HANG = "hang"
    RESET = "reset"
    STATUS = "status"
    RET_CODE = "ret-code"
    HTML = "html"
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DROP = "drop"
    STALE = "stale"
    GAP = "gap"
    SILENT = "silent"
    DISCONNECT = "disconnect"
    CLOCK_SKEW = "clock-skew"
    MAINTENANCE = "maintenance"


ON_CALLS = frozenset({Do.LATENCY, Do.HANG, Do.RESET, Do.STATUS, Do.RET_CODE, Do.HTML, Do.EMPTY})
ON_MESSAGES = frozenset({Do.DUPLICATE, Do.REORDER, Do.DROP, Do.STALE})
ONE_BY_ONE = ON_CALLS | ON_MESSAGES | {Do.GAP}
ON_SOCKETS = frozenset({Do.SILENT, Do.DISCONNECT})
EVERYWHERE = frozenset({Do.CLOCK_SKEW, Do.MAINTENANCE})
STANDING = ON_SOCKETS | EVERYWHERE  # in force for as long as they stand, not call by call
_NEEDS = {
    Do.LATENCY: "ms",
    Do.STALE: "ms",
    Do.CLOCK_SKEW: "ms",
    Do.STATUS: "status",
    Do.RET_CODE: "code",
}
_TAKES = {
    "ms": {Do.LATENCY, Do.STALE, Do.CLOCK_SKEW},
    "jitter_ms": {Do.LATENCY, Do.STALE},
    "status": {Do.STATUS},
    "code": {Do.RET_CODE},
    "effect": ON_CALLS,
    "via": ON_CALLS,
    "text": {Do.STATUS, Do.RET_CODE, Do.HTML},
    "probability": ONE_BY_ONE,
    "skip": ONE_BY_ONE,
    "count": ONE_BY_ONE,
}

Milliseconds = Annotated[int, Field(ge=-MS_MAX, le=MS_MAX)]


class FaultRule(BaseModel):
    """One fault. `on` is an endpoint, a topic or a socket, with `*` and `?` as in file names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Annotated[str, Field(min_length=1, max_length=80)] = "*"
    do: Do
    via: Literal["rest", "socket"] | None = None
    effect: Literal["none", "done"] = "none"  # of calls: before the exchange acted, or after
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    skip: Annotated[int, Field(ge=0)] = 0  # let so many pass first
    count: Annotated[int, Field(gt=0)] | None = None  # then strike so often at most
    for_s: Annotated[float, Field(gt=0, le=86_400)] | None = None  # and no longer
    ms: Milliseconds = 0
    jitter_ms: Annotated[int, Field(ge=0, le=MS_MAX)] = 0
    status: Annotated[int, Field(ge=400, le=599)] = 0
    code: Annotated[int, Field(gt=0)] = 0
    text: Annotated[str, Field(max_length=2_000)] = ""

    @model_validator(mode="before")
    @classmethod
    def _suggest(cls, data: object) -> object:
        """Name the fault that was probably meant."""
        if isinstance(data, dict) and isinstance(data.get("do"), str):
            known = [do.value for do in Do]
            if data["do"] not in known:
                close = get_close_matches(data["do"], known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
                raise ValueError(f"there is no fault {data['do']!r}; {hint}")
        return data

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Refuse fields that the fault would not look at, and lacking ones."""
        needed = _NEEDS.get(self.do)
        if needed is not None and not getattr(self, needed):
            raise ValueError(f"{self.do.value} needs {needed}")
        for name in sorted(self.model_fields_set & _TAKES.keys()):
            if self.do not in _TAKES[name]:
                raise ValueError(f"{self.do.value} has no {name}")
        if self.do is not Do.CLOCK_SKEW and self.ms < 0:
            raise ValueError("ms must not be negative")
        return self


class FaultFile(BaseModel):
    """A file of faults. The seed decides which ones strike where a probability is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    faults: Annotated[tuple[FaultRule, ...], Field(max_length=FAULTS_MAX)] = ()
