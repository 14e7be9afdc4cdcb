"""What `trader-tui init` does: writes a first config.yaml and a first play, checked, over nobody's files."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

import msgspec

from engine.api import ConfigError, check_play, load_settings, shipped, user_directory
from tui.atomic import replace_text

SIMULATED = "simulated"
PLAY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
MARKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9/:._-]{0,39}")
UNFIT_TEMPLATE = re.compile(
    r"^(model|legs):", re.MULTILINE
)  # they need more than one file, or more than one market

CONFIG = """\
# Settings of trader-tui, written by `trader-tui init`. What is not said here is as docs/setup.md lists it:
# every setting with its default. A TRADER_TUI_... variable goes before this file, an option before both.

mode: paper # paper and shadow send no real order; live is never read from a file, only from the command line
venue: {venue} # simulated: a market made up here; bybit, binance, local, ...: that venue's live prices
plays: [{play}] # files beside this one, or names of plays that ship

{market}: # what is traded where a play names no market
  symbols: {symbols}

account:
  equity: {equity} # made-up money to begin with, in the currency that the markets settle in

limits: # asked of every entry, of nothing that reduces; null lifts one. All of them: docs/risk.md
  order_notional_max: {order_max} # worth of one order
  position_notional_max: {position_max} # worth of the position in a symbol, all plays together
  daily_loss_max: {daily_loss} # since 00:00 UTC; reached, nothing new is entered until you say why it may be
  drawdown_max_percent: {drawdown} # of equity from its peak; likewise

console:
  theme: dark # amber, colour-blind, dark, high-contrast, light, mono; Ctrl-P tries them on
"""

PLAY = """\
# {name}: your play, begun as a copy of {template}, which ships with trader-tui.
#
# It is read again whenever you save it while the engine runs; the reload pane says what came of that.
#   trader-tui play check {name}             what is wrong with it, by line and field
#   trader-tui backtest {name} --data FILE   how it would have done on recorded data
#   trader-tui why                            why its last bar led to an order, or to none
# The language: docs/plays.md. What follows is {template} as it ships.
#
"""


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the two files. Amounts are in quote units; None lifts a limit."""

    venue: str = SIMULATED
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    play: str = "my_play"
    template: str = "ema_cross"
    equity: Decimal = Decimal(50_000)
    order_max: Decimal | None = Decimal(10_000)
    position_max: Decimal | None = Decimal(20_000)
    daily_loss: Decimal | None = Decimal(1_000)
    drawdown: Decimal | None = Decimal(10)


class Written(msgspec.Struct, frozen=True):
    """What was written, and where what stood there before is kept now."""

    config: str
    play: str
    kept: tuple[str, ...] = ()


def templates() -> tuple[str, ...]:
    """Return the plays that ship and stand alone."""
    files = sorted(shipped("configs/plays").glob("*.yaml"))
    return tuple(file.stem for file in files if not UNFIT_TEMPLATE.search(file.read_text("utf-8")))


def targets(choices: Choices) -> tuple[Path, Path]:
    """Return where the settings and the play go."""
    folder = user_directory()
    return folder / "config.yaml", folder / "plays" / f"{choices.play}.yaml"


def write(choices: Choices, *, overwrite: bool) -> Written:
    """Check both files, then put them in place; what is replaced is kept beside them.

    Raises ConfigError where a choice cannot be used, or where a file is there and may not be replaced.
    """
    refuse_odd_names(choices)
    files = targets(choices)
    there = [file for file in files if file.exists()]
    if there and not overwrite:
        names = " and ".join(map(str, there))
        raise ConfigError(
            f"{names} {'is' if len(there) == 1 else 'are'} there already and nothing was written; "
            "--overwrite replaces what is there and keeps it as NAME.bak"
        )
    config, play = files
    texts = {config: config_text(choices), play: play_text(choices)}
    try:
        play.parent.mkdir(parents=True, exist_ok=True)
        with _staged(config.parent, texts) as staged:
            load_settings({}, user_file=staged[config])
            check_play(str(staged[play]), {})
        kept = tuple(str(_keep(file)) for file in there)
        for file in (play, config):  # the settings name the play: it is there first
            replace_text(file, texts[file])
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(error.filename)) from None
    return Written(str(config), str(play), kept)


def config_text(choices: Choices) -> str:
    """Return the settings file, with comments."""
    return CONFIG.format(
        venue=json.dumps(choices.venue),
        play=json.dumps(f"plays/{choices.play}.yaml"),
        market="synthetic" if choices.venue == SIMULATED else "stream",
        symbols=json.dumps(choices.symbols),
        equity=_amount(choices.equity),
        order_max=_amount(choices.order_max),
        position_max=_amount(choices.position_max),
        daily_loss=_amount(choices.daily_loss),
        drawdown=_amount(choices.drawdown),
    )


def play_text(choices: Choices) -> str:
    """Return the play: a copy of one that ships, with its name and a word of what to do with it."""
    text = shipped(f"configs/plays/{choices.template}.yaml").read_text("utf-8")
    named = re.sub(r"^name: .*$", f"name: {choices.play}", text, count=1, flags=re.MULTILINE)
    return PLAY.format(name=choices.play, template=choices.template) + named


def refuse_odd_names(choices: Choices) -> None:
    """Check the names among the choices. Raises ConfigError for the first one that cannot be used."""
    if choices.template not in templates():
        near = get_close_matches(choices.template, templates(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(templates())}"
        raise ConfigError(f"no play named {choices.template!r} ships that stands alone; {hint}")
    if not PLAY_NAME.fullmatch(choices.play):
        raise ConfigError(f"{choices.play!r} is no name for a play: letters, digits and _, a letter first")
    if not choices.symbols:
        raise ConfigError("at least one market must be named")
    for name in (choices.venue, *choices.symbols):
        if not MARKET_NAME.fullmatch(name):
            raise ConfigError(f"{name!r} is no name of a venue or market, such as bybit or BTCUSDT")


def _amount(value: Decimal | None) -> str:
    return "null" if value is None else f"{value:f}"


@contextmanager
def _staged(folder: Path, texts: dict[Path, str]) -> Iterator[dict[Path, Path]]:
    """Lay files out as they will lie, in a folder of their own that is gone afterwards."""
    stage = Path(tempfile.mkdtemp(prefix=".init-", dir=folder))
    try:
        staged = {file: stage / file.relative_to(folder) for file in texts}
        for file, path in staged.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(texts[file], "utf-8")
        yield staged
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _keep(file: Path) -> Path:
    """Copy a file beside itself under the first free name; return that."""
    numbers = iter(range(1, 1_000))
    spare = file.with_name(f"{file.name}.bak")
    while spare.exists():
        spare = file.with_name(f"{file.name}.bak{next(numbers)}")
    shutil.copy2(file, spare)
    return spare
