"""`trader-tui play check`: a play file, found wrong or taken apart."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from engine.config.packaged import play_path
from engine.config.playnames import Parameter
from engine.config.plays import read_play
from engine.domain.errors import ConfigError
from engine.strategy.explain import PlayFacts, explain


class PlayCheck(msgspec.Struct, frozen=True):
    """A play file that is right: what it says, and what it may be tried with."""

    file: str
    facts: PlayFacts
    parameters: tuple[Parameter, ...]


def check_play(written: str, base: Path, parameters: Mapping[str, str]) -> PlayCheck:
    """Read a play by its file (relative to `base`) or name, with other values of some parameters.

    Raises one ConfigError naming every problem.
    """
    path = play_path(written, base)
    loaded = read_play(path, {name: _number(name, text) for name, text in parameters.items()})
    return PlayCheck(str(path), explain(loaded.spec), loaded.parameters)


def _number(name: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ConfigError(f"{text!r} is no number", field=name) from None
