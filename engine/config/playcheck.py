"""`trader-tui play check`: a play file, found wrong or taken apart."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from engine.config.packaged import play_path
from engine.config.playnames import Parameter
from engine.config.plays import read_play
from engine.domain.errors import ConfigError
from engine.domain.play import BASE_TIMEFRAME, PlaySpec
from engine.strategy.explain import PlayFacts, explain
from engine.strategy.model import UNASKED
from engine.strategy.timeframes import step_of

USUAL_STEPS = ("1m", "5m", "15m", "1h")  # of data, for a play that leaves the length of its bars to it


class PlayCheck(msgspec.Struct, frozen=True):
    """A play file that is right: what it says, and what it may be tried with.

    `warmup_by_step` counts the bars before the first signal by their length: the play's own, or usual ones.
    """

    file: str
    facts: PlayFacts
    parameters: tuple[Parameter, ...]
    warmup_by_step: dict[str, int]


def check_play(written: str, base: Path, parameters: Mapping[str, str]) -> PlayCheck:
    """Read a play by its file (relative to `base`) or name, with other values of some parameters.

    Raises one ConfigError naming every problem.
    """
    path = play_path(written, base)
    loaded = read_play(path, {name: _number(name, text) for name, text in parameters.items()})
    spec = loaded.spec
    steps = USUAL_STEPS if spec.timeframe == BASE_TIMEFRAME else (spec.timeframe,)
    warmups = {step: _warmup(spec, step) for step in steps}
    known = {step: bars for step, bars in warmups.items() if bars is not None}
    return PlayCheck(str(path), explain(spec, models=UNASKED), loaded.parameters, known)


def _warmup(spec: PlaySpec, step: str) -> int | None:
    """Return how many bars of a length the first signal takes, None where the play cannot be run on them."""
    try:
        return explain(spec, step_of(step), UNASKED).warmup_bars
    except ConfigError:
        return None


def _number(name: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ConfigError(f"{text!r} is no number", field=name) from None
