"""Says what a file of market data is about: symbol, steps, minimums, fees, and the meaning of its times.

What `NAME.instrument.yaml` beside `NAME.csv[.gz]` states is taken; the rest is derived from the data and
the file's name, and every derivation is told in a line of text.

The symbol in a file name is the first of its parts (split at `_`, `-`, `.` and spaces) that ends in a known
quote currency with something before it, `perp` aside: `binance_usdm_btcusdt_20240808_trades.csv.gz` is
BTCUSDT. Failing that, two neighbouring parts of which the second is a quote currency (`BTC_USDT-1m.csv`),
then a part that ends in `perp`, then the whole name.
"""

import difflib
import re
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from engine.domain.errors import ConfigError
from engine.domain.market import Instrument, InstrumentKind
from engine.domain.money import ZERO, canonical, decimals_of
from engine.venues.datafile import BarColumns, DataFile, DataKind

DEFAULT_MAKER_FEE = Decimal("0.0002")
DEFAULT_TAKER_FEE = Decimal("0.0005")
FILE_BYTES_MAX = 64 * 1024
_DATA_SUFFIXES = (".csv.gz", ".csv")
_QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "USD", "EUR", "GBP", "JPY", "BTC", "ETH", "BNB")
_UNKNOWN_QUOTE = "USD"
_PERPETUAL = "PERP"


class BarTime(StrEnum):
    """Whether the time of a bar in a file is that of its open or of its close."""

    OPEN = "open"
    CLOSE = "close"


class VolumeUnit(StrEnum):
    """In what a file counts volume; only base units can cap fills."""

    BASE = "base"
    QUOTE = "quote"
    UNKNOWN = "unknown"


T = TypeVar("T")
Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
FeeRate = Annotated[Decimal, Field(gt=-1, lt=1, allow_inf_nan=False)]  # makers may be paid
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._:/-]+$")]


class InstrumentFile(BaseModel):
    """What a user may state in `NAME.instrument.yaml`; every key is optional."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Name | None = None
    tick: Positive | None = None
    lot: Positive | None = None
    qty_min: Positive | None = None
    notional_min: NotNegative | None = None
    base: Name | None = None
    quote: Name | None = None
    settle: Name | None = None
    kind: InstrumentKind | None = None
    maker_fee: FeeRate | None = None
    taker_fee: FeeRate | None = None
    bar_ts: BarTime | None = None
    volume_unit: VolumeUnit | None = None
    venue: Name | None = None  # where fetched bars came from, so that a later fetch can go on from them
    timeframe: Name | None = None


class Described(msgspec.Struct, frozen=True):
    """A file's instrument, the meaning of its bar times, and what had to be derived, a line each.

    `headline` says in one line as what the file trades, who says so, and which facts are derived.
    """

    instrument: Instrument
    bar_ts: BarTime
    derived: tuple[str, ...]
    headline: str


def describe(
    data: DataFile,
    *,
    symbol: str | None = None,
    bar_ts: BarTime | None = None,
    maker_fee: Decimal = DEFAULT_MAKER_FEE,
    taker_fee: Decimal = DEFAULT_TAKER_FEE,
) -> Described:
    """Put together what the instrument file states and what the data shows. Raises ConfigError.

    `symbol` and `bar_ts` are the user's own words and go before the file; the fees stand where it has none.
    """
    path = instrument_path(data.path)
    stated = read_instrument_file(path) if path.exists() else InstrumentFile()
    notes = _Notes(data.path.name)
    name = notes.take("symbol", symbol or stated.symbol, lambda: symbol_of(data.path), "the file's name")
    base, quote = _currencies(stated, name, data.path, notes)
    tick = notes.take("tick", stated.tick, lambda: _step(data.price_digits), "the prices' decimals")
    unit = _volume_unit(data, stated, notes)
    lot = _lot(data, stated, unit, notes)
    instrument = Instrument(
        symbol=name,
        tick=tick,
        lot=lot,
        qty_min=notes.take("qty_min", stated.qty_min, lambda: lot, "the lot"),
        notional_min=notes.take("notional_min", stated.notional_min, lambda: ZERO, "the default"),
        base=base,
        quote=quote,
        settle=stated.settle or quote,
        maker_fee=notes.take("maker_fee", stated.maker_fee, lambda: maker_fee, "the default"),
        taker_fee=notes.take("taker_fee", stated.taker_fee, lambda: taker_fee, "the default"),
        price_digits=max(data.price_digits, decimals_of(tick)),
        qty_digits=max(data.qty_digits, decimals_of(lot)),
        kind=stated.kind or InstrumentKind.LINEAR,
        volume_caps_fills=unit is VolumeUnit.BASE and not data.quirks.volume_is_zero,
    )
    time = _bar_time(data, bar_ts or stated.bar_ts, notes)
    source = f"as --data says{_contradiction(data.path, name)}" if symbol else f"as {path.name} says"
    return Described(instrument, time, tuple(notes.lines), notes.headline(name, source))


def instrument_path(data_path: Path) -> Path:
    """Return where the instrument file of a data file lies."""
    return data_path.with_name(f"{_stem(data_path)}.instrument.yaml")


def read_instrument_file(path: Path) -> InstrumentFile:
    """Read and validate an instrument file. Raises ConfigError naming file, line and key."""
    texts, lines = _read_flat_yaml(path)
    try:
        return InstrumentFile.model_validate(texts)
    except ValidationError as error:
        fault = error.errors()[0]
        key = str(fault["loc"][0])
        if fault["type"] == "extra_forbidden":
            close = difflib.get_close_matches(key, InstrumentFile.model_fields, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {_KNOWN_KEYS}"
            message = f"unknown key; {hint}"
        else:
            message = f"{texts[key]!r}: {fault['msg']}"
        raise ConfigError(message, file=str(path), line=lines[key], field=key) from None


_KNOWN_KEYS = ", ".join(InstrumentFile.model_fields)


def symbol_of(data_path: Path) -> str:
    """Derive a symbol from a file's name by the rule at the head of this module."""
    stem = _stem(data_path).upper()
    parts = [part for part in re.split(r"[_\-.\s]+", stem) if part]
    for part in parts:
        if split_symbol(part) is not None:
            return part
    for base, quote in pairwise(parts):
        if quote in _QUOTES and base.isalnum() and not base.isdigit():
            return base + quote
    return next((part for part in parts if part.endswith(_PERPETUAL)), stem)


def split_symbol(symbol: str) -> tuple[str, str] | None:
    """Split a symbol such as BTCUSDT or BTCUSDPERP into base and quote, None where the quote is not known."""
    pair = symbol.removesuffix(_PERPETUAL)
    quote = next((quote for quote in _QUOTES if pair.endswith(quote) and len(pair) > len(quote)), None)
    return None if quote is None else (pair.removesuffix(quote).rstrip("/:-._"), quote)


def _contradiction(path: Path, symbol: str) -> str:
    """Say where a file's name tells another market than the symbol that it was given."""
    named = symbol_of(path)
    pair, other = split_symbol(symbol.upper()), split_symbol(named)
    return f"; the file's name says {named}" if pair and other and pair != other else ""


class _Notes:
    """Collects a line for every value that was not stated."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.lines: list[str] = []
        self._names: list[str] = []

    def take(self, name: str, stated: T | None, derive: Callable[[], T], source: str) -> T:
        """Return what is stated, or derive it and say so."""
        if stated is not None:
            return stated
        value = derive()
        self.say(name, canonical(value) if isinstance(value, Decimal) else str(value), source)
        return value

    def say(self, name: str, value: str, source: str) -> None:
        """Add a line."""
        self.lines.append(f"{self._file}: {name} {value}, from {source}")
        self._names.append(name)

    def headline(self, symbol: str, source: str) -> str:
        """Say as what the file trades and what of that is derived; `source` is who states the symbol."""
        names = [name for name in self._names if name != "symbol"]
        if len(names) < len(self._names):
            source = "assumed from its name"
        facts = f"; derived: {', '.join(names)} (`trader-tui data show`)" if names else ""
        return f"{self._file} trades as {symbol}, {source}{facts}"


def _currencies(stated: InstrumentFile, symbol: str, path: Path, notes: _Notes) -> tuple[str, str]:
    """Take base and quote from the symbol, else from the file's name: a symbol may be any name."""
    found, source = split_symbol(symbol.upper()), "the symbol"
    if found is None and (found := split_symbol(symbol_of(path))) is not None:
        source = "the file's name"
    base, quote = found or (symbol.upper().removesuffix(_PERPETUAL) or symbol, _UNKNOWN_QUOTE)
    if found is None:
        source = "nothing better: neither symbol nor file's name tells a known one"
    return (
        notes.take("base", stated.base, lambda: base, source if found else "the symbol"),
        notes.take("quote", stated.quote, lambda: quote, source),
    )


def _volume_unit(data: DataFile, stated: InstrumentFile, notes: _Notes) -> VolumeUnit:
    if stated.volume_unit is not None:
        return stated.volume_unit
    if data.kind is DataKind.TRADES:
        return VolumeUnit.BASE
    notes.say("volume_unit", VolumeUnit.UNKNOWN, "nothing; fills are not capped by volume")
    return VolumeUnit.UNKNOWN


def _lot(data: DataFile, stated: InstrumentFile, unit: VolumeUnit, notes: _Notes) -> Decimal:
    """Take the quantities' decimals; where those are not in base units, a lot is worth at most 1."""
    digits, source = data.qty_digits, "the quantities' decimals"
    if unit is not VolumeUnit.BASE and isinstance(data.columns, BarColumns):
        worth = Decimal(repr(float(data.columns.close[0])))
        affordable = next((d for d in range(9) if _step(d) * worth <= 1), 9)
        if affordable > digits:
            digits, source = affordable, "the price: a lot worth at most 1"
    return notes.take("lot", stated.lot, lambda: _step(digits), source)


def _bar_time(data: DataFile, stated: BarTime | None, notes: _Notes) -> BarTime:
    if data.kind is DataKind.TRADES:
        return BarTime.CLOSE
    return notes.take("bar_ts", stated, lambda: BarTime.OPEN, "the default")


def _step(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def _stem(path: Path) -> str:
    suffix = next((suffix for suffix in _DATA_SUFFIXES if path.name.lower().endswith(suffix)), "")
    return path.name[: len(path.name) - len(suffix)] if suffix else path.stem


def _read_flat_yaml(path: Path) -> tuple[dict[str, str], dict[str, int]]:
    """Read a YAML mapping of scalars as texts, so that 0.10 stays what was written; also the keys' lines."""
    file = str(path)
    try:
        text = path.read_bytes()[: FILE_BYTES_MAX + 1].decode()
        if len(text) > FILE_BYTES_MAX:
            raise ConfigError(f"is larger than {FILE_BYTES_MAX} bytes", file=file)
        root = YAML(typ="safe", pure=True).compose(StringIO(text))
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", file=file) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=file) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(f"is not YAML: {error.problem}", file=file, line=line) from None
    except YAMLError as error:
        raise ConfigError(f"is not YAML: {error}", file=file) from None
    if root is None:
        return {}, {}
    if not isinstance(root, MappingNode):
        raise ConfigError("must be lines of `key: value`", file=file, line=1)
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, ScalarNode) or not isinstance(value, ScalarNode):
            raise ConfigError("must be a line of `key: value`", file=file, line=line)
        if key.value in texts:
            raise ConfigError("is there twice", file=file, line=line, field=key.value)
        texts[key.value], lines[key.value] = value.value, line
    return texts, lines
