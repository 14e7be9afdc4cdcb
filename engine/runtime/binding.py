"""Puts plays on instruments: which bars of which symbols evaluate which play."""

from collections.abc import Container, Iterable, Sequence
from pathlib import Path

import msgspec

from engine.config.plays import read_play
from engine.core.runner import evaluator_for
from engine.core.setup import PlayBinding
from engine.core.twins import TWINS_MAX
from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S, PRINT_STEP_NS, Instrument
from engine.domain.play import PlaySpec
from engine.models.checkpoint import Checkpoint
from engine.storage.modelstore import ModelStore
from engine.strategy.model import UNASKED
from engine.strategy.timeframes import step_of


class PlayFile(msgspec.Struct, frozen=True):
    """A play, where it was read from, and the model that it asks."""

    path: Path
    spec: PlaySpec
    model: Checkpoint | None = None
    flaw: str = ""  # why the file is of no use; then this is its last good version


def load_play_file(path: Path) -> PlayFile:
    """Read a play with its model. Raises ConfigError."""
    loaded = read_play(path)
    return PlayFile(path, loaded.spec, loaded.model)


def load_plays(paths: Sequence[Path]) -> tuple[PlayFile, ...]:
    """Read the plays; no two may share a name. Raises ConfigError."""
    files = tuple(map(load_play_file, paths))
    refuse_namesakes(files)
    return files


def refuse_namesakes(files: Iterable[PlayFile]) -> None:
    """Raise ConfigError where two plays share a name."""
    names: dict[str, Path] = {}
    for file in files:
        other = names.setdefault(file.spec.name, file.path)
        if other is not file.path:
            raise ConfigError(f"is named {file.spec.name!r} like {other}; rename one", file=str(file.path))


def keep_models(plays: Iterable[PlayFile], directory: Path | None = None) -> ModelStore:
    """Return a store of the models of plays, on disk where there is a directory. Raises StorageError."""
    store = ModelStore(directory)
    for play in plays:
        if play.model is not None:
            store.put(play.model)
    return store


def bind(
    files: Sequence[PlayFile],
    instruments: Sequence[Instrument],
    base_step_ns: int,
    *,
    printed: Container[str],
) -> tuple[PlayBinding, ...]:
    """Put each play on its instruments: those it names, else the instruments in order, one for each leg.

    `printed` are the symbols whose trades the feed tells, `base_step_ns` is the length of its shortest bars.

    Two plays may not trade one instrument: a venue in one-way mode keeps one position a symbol, and each
    play closes only what it opened. Other legs may be looked at by any number of plays. Raises ConfigError.
    """
    by_symbol = {instrument.symbol: instrument for instrument in instruments}
    free = [i.symbol for i in instruments if not any(i.symbol in f.spec.symbols for f in files)]
    taken: dict[str, str] = {}
    bindings = []
    for file in files:
        spec = file.spec
        symbol, *others = spec.symbols or _take(free, file)
        missing = next((name for name in (symbol, *others) if name not in by_symbol), None)
        if missing is not None:
            known = ", ".join(by_symbol)
            raise ConfigError(
                f"wants {missing}, but the feed has {known}", file=str(file.path), field="symbols"
            )
        if symbol in taken:
            raise ConfigError(
                f"wants {symbol}, which {taken[symbol]} already trades; one play an instrument",
                file=str(file.path),
                field="symbols",
            )
        taken[symbol] = spec.name
        step_ns = step_of(spec.timeframe, base_step_ns)
        if step_ns == PRINT_STEP_NS:
            _require_prints(symbol, file, printed)
        elif step_ns % base_step_ns:
            raise ConfigError(
                f"{spec.timeframe} is not a multiple of the data's {base_step_ns // NS_PER_S} s",
                file=str(file.path),
                field="timeframe",
            )
        binding = PlayBinding(spec, symbol, step_ns, tuple(others))
        _require_fitting(binding, file)
        bindings.append(binding)
    return tuple(bindings)


def bind_beside(
    files: Sequence[PlayFile],
    plays: Sequence[PlayBinding],
    instruments: Sequence[Instrument],
    base_step_ns: int,
    *,
    printed: Container[str],
) -> tuple[PlayBinding, ...]:
    """Put plays on instruments that others trade: those they name, else the traded ones first.

    Raises ConfigError, also where there are more than may be watched.
    """
    if len(files) > TWINS_MAX:
        raise ConfigError(f"{len(files)} are given; {TWINS_MAX} may run", field="shadows")
    traded = {symbol: None for play in plays for symbol in play.symbols}
    by_symbol = {instrument.symbol: instrument for instrument in instruments}
    ordered = [by_symbol[symbol] for symbol in dict.fromkeys((*traded, *by_symbol))]
    return tuple(bind((file,), ordered, base_step_ns, printed=printed)[0] for file in files)


def _take(free: list[str], file: PlayFile) -> tuple[str, ...]:
    """Take the next instruments that no play names, one for each leg. Raises ConfigError."""
    legs = file.spec.legs
    count = max(1, len(legs))
    if len(free) < count:
        own = f"it needs one for each of its legs {', '.join(legs)}" if legs else "each needs one of its own"
        raise ConfigError(
            f"finds no instrument left; give another --data or fewer plays, for {own}", file=str(file.path)
        )
    taken = tuple(free[:count])
    del free[:count]
    return taken


def steps_of(files: Iterable[PlayFile], base_steps_ns: Iterable[int]) -> set[int]:
    """Return the lengths of all bars that a feed must tell of; what a play reads of prints is not built."""
    lengths = tuple(base_steps_ns)
    steps = {step_of(file.spec.timeframe, length_ns) for file in files for length_ns in lengths}
    return steps - {PRINT_STEP_NS}


def _require_prints(symbol: str, file: PlayFile, printed: Container[str]) -> None:
    if symbol not in printed:
        raise ConfigError(
            f"is trade, but the data of {symbol} is bars: give a file of trades, or name a length of bars",
            file=str(file.path),
            field="timeframe",
        )


def _require_fitting(binding: PlayBinding, file: PlayFile) -> None:
    """Raise ConfigError where the rules look at timeframes that cannot be made of the play's own bars."""
    try:
        evaluator_for(binding, UNASKED)
    except ConfigError as error:
        raise ConfigError(error.message, file=str(file.path)) from None
