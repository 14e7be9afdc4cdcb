"""Alarms: states that call for a person and stay until they are over."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How soon a person must look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Alarm(msgspec.Struct, frozen=True):
    """One alarm: raised once under its id, shown until cleared, quiet once acknowledged."""

    id: str
    severity: Severity
    since: int
    text: str
    acknowledged: bool = False
