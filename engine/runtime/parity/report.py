"""What is asked of a trial of parity, and what it answers: light enough for the door to hold."""

from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One fact of both runs at the bar."""

    name: str
    backtest: str
    replay: str

    @property
    def same(self) -> bool:
        """Whether both runs say the same."""
        return self.backtest == self.replay


class FirstDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The first bar on which two runs decided otherwise. `text` is for what cannot be shown in rows."""

    ts: int
    at: str
    bar: str
    rows: tuple[Row, ...]
    text: str = ""


class Verdict(StrEnum):
    """What came of a case."""

    IDENTICAL = "identical"
    DIFFERENT = "DIFFERENT"
    UNPROVEN = "UNPROVEN"  # the replay could not be killed on its way, or a program failed
    UNFIT = "unfit"  # the play does not trade on this file


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A case with what the three runs gave. `text` says why, where it is not identical."""

    play: str
    data: str
    verdict: Verdict
    text: str = ""
    bars: int = 0
    signals: int = 0
    trades: int = 0
    signal_hash: str = ""
    trade_hash: str = ""
    runs: dict[str, dict[str, Any]] = {}
    difference: FirstDifference | None = None


class ParityWish(msgspec.Struct, frozen=True, kw_only=True):
    """What to try. Without `plays` all that ship, without `files` all below the folder; `rows` cuts files."""

    folder: Path
    plays: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    rows: int | None = None
    jobs: int = 1


class ParityReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `idle` names plays that traded on no file and files that no play traded on."""

    outcomes: tuple[Outcome, ...]
    skipped: tuple[str, ...]  # files of neither bars nor trades
    idle: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """Whether every pair that trades is identical, and every play and every file is in one."""
        held = all(outcome.verdict in (Verdict.IDENTICAL, Verdict.UNFIT) for outcome in self.outcomes)
        return held and not self.idle
