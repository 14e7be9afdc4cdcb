"""Where a result comes from: all that must be the same for a run to come out the same."""

import platform
from typing import Any

import msgspec
import numpy as np

from engine import __version__
from engine.config.settings import Settings
from engine.core.setup import CoreSetup
from engine.domain.market import Instrument
from engine.domain.money import canonical
from engine.runtime.study.figures import moment_text
from engine.venues.replay import Tape


class PlayOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """A play by the hash of its canonical form."""

    name: str
    hash: str
    file: str


class DataOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """A file by its sha256, and what of it was played. `bar_ts` in files is told by the settings."""

    symbol: str
    file: str
    sha256: str
    rows: int
    since: str
    until: str


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Plays, data, versions and the settings that decide. `seed` is null: recorded data has none."""

    plays: tuple[PlayOrigin, ...]
    data: tuple[DataOrigin, ...]
    settings: dict[str, Any]
    versions: dict[str, str]
    seed: int | None = None


def origin(
    settings: Settings,
    setup: CoreSetup,
    tapes: tuple[Tape, ...],
    *,
    since: int | None,
    until: int | None,
) -> Origin:
    """Note where a run over tapes comes from; the plays are in the order of the settings' files."""
    return Origin(
        plays=tuple(
            PlayOrigin(name=play.spec.name, hash=play.spec.hash, file=str(path))
            for play, path in zip(setup.plays, settings.plays, strict=True)
        ),
        data=tuple(_data(tape) for tape in tapes),
        settings={
            "account": {**settings.account.model_dump(mode="json"), "currency": setup.currency},
            "limits": settings.limits.model_dump(mode="json"),
            "simulated": settings.simulated.model_dump(mode="json"),
            "bar_ts": settings.bar_ts.value if settings.bar_ts else None,
            "from": None if since is None else moment_text(since),
            "to": None if until is None else moment_text(until),
            "instruments": [_rules(tape.instrument) for tape in tapes],
        },
        versions={
            "trader-tui": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "msgspec": msgspec.__version__,
        },
    )


def _data(tape: Tape) -> DataOrigin:
    ts = tape.columns.ts
    return DataOrigin(
        symbol=tape.instrument.symbol,
        file=str(tape.path),
        sha256=tape.sha256,
        rows=int(ts.size),
        since=moment_text(int(ts[0])),
        until=moment_text(int(ts[-1])),
    )


def _rules(instrument: Instrument) -> dict[str, str]:
    money = ("tick", "lot", "qty_min", "notional_min", "maker_fee", "taker_fee")
    return {"symbol": instrument.symbol, **{name: canonical(getattr(instrument, name)) for name in money}}
