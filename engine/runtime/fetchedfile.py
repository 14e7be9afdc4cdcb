"""The names of a fetched file, and the instrument file beside it that tells a later fetch what it holds."""

import re
from decimal import Decimal
from pathlib import Path

from engine.domain.errors import ConfigError, StorageError
from engine.domain.money import canonical
from engine.storage.atomic import write_whole
from engine.storage.barfile import part_path
from engine.venues.barpages import Series, moment
from engine.venues.instruments import InstrumentFile, instrument_path, read_instrument_file

SUFFIX = ".csv.gz"
_IDENTITY = ("venue", "symbol", "timeframe")


def default_name(series: Series) -> str:
    """Return the name a file gets where the user gave none: `bybit_linear_btcusdt_1m.csv.gz`."""
    stated = series.stated
    symbol = re.sub(r"[^a-z0-9]", "", (stated.symbol or series.symbol).lower())
    return f"{series.venue}_{stated.kind}_{symbol}_{series.timeframe}{SUFFIX}"


def agree(out: Path, series: Series) -> list[str]:
    """Hold what is there already against the venue; return what differs, a line each. Raises ConfigError."""
    path = instrument_path(out)
    if not path.exists():
        for data in (out, part_path(out)):
            if data.exists():
                raise ConfigError(
                    f"it is there, and no {path.name} beside it says what it holds; choose another --out",
                    file=str(data),
                )
        return []
    held, asked = read_instrument_file(path), series.stated
    for name in _IDENTITY:
        if getattr(held, name) != getattr(asked, name):
            raise ConfigError(
                f"it is of {getattr(held, name) or 'unknown origin'}, not of {getattr(asked, name)};"
                " choose another --out",
                file=str(path),
                field=name,
            )
    return [
        f"{path.name} keeps {name} {_text(getattr(held, name))}; {series.venue} now says {_text(value)}"
        for name, value in _values(asked).items()
        if getattr(held, name) not in (None, value)
    ]


def describe_beside(out: Path, series: Series, at_ms: int) -> None:
    """Write the instrument file where there is none. Raises StorageError."""
    path = instrument_path(out)
    if path.exists():
        return
    try:
        write_whole(path, instrument_text(series, at_ms).encode())
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def instrument_text(series: Series, at_ms: int) -> str:
    """Write what a venue says of a market as an instrument file."""
    lines = [
        f"# What {series.venue} said of {series.symbol} at {moment(at_ms)} UTC, by way of ccxt.",
        "# The fees are its standard ones, not those of an account.",
        *(f"{name}: {_text(value)}" for name, value in _values(series.stated).items()),
    ]
    return "".join(f"{line}\n" for line in lines)


def _values(stated: InstrumentFile) -> dict[str, object]:
    return {
        name: value for name in InstrumentFile.model_fields if (value := getattr(stated, name)) is not None
    }


def _text(value: object) -> str:
    return canonical(value) if isinstance(value, Decimal) else str(value)
