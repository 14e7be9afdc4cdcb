"""`trader-tui init` as the command line declares it: what it asks, and what it says afterwards."""

import sys
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from tui.options import json_option

if TYPE_CHECKING:
    from tui.init import Choices, Written

REFUSED = 4
AMOUNT_MAX = Decimal(10) ** 12
LIFTABLE = ("order_max", "position_max", "daily_loss", "drawdown")
QUESTIONS = {  # in the order in which they are asked
    "venue": "Whose market? simulated, or the live one of bybit, binance, ...",
    "symbols": "Which markets? Separated by commas",
    "template": "Begin with a copy of which play",
    "play": "What shall your copy be called",
    "equity": "How much made-up money",
    "order_max": "Most that one order may be worth (none: no limit)",
    "position_max": "Most that the position in one market may be worth",
    "daily_loss": "Loss in a day after which nothing new is entered",
    "drawdown": "Drawdown in percent after which nothing new is entered",
}


@click.command()
@click.option("--venue", metavar="NAME", help="Whose market (default: simulated).")
@click.option("--symbol", "symbols", multiple=True, metavar="SYM", help="A market; may be repeated.")
@click.option("--play", metavar="NAME", help="What your play is called (default: my_play).")
@click.option("--from", "template", metavar="NAME", help="A play that ships, to begin with a copy of.")
@click.option("--equity", metavar="AMOUNT", help="Made-up money to begin with (default: 50000).")
@click.option("--order-max", metavar="AMOUNT", help="Most that one order may be worth, or none.")
@click.option("--position-max", metavar="AMOUNT", help="Most that a position may be worth, or none.")
@click.option("--daily-loss", metavar="AMOUNT", help="Loss in a day that stops entries, or none.")
@click.option("--drawdown", metavar="PERCENT", help="Drawdown that stops entries, or none.")
@click.option("--yes", is_flag=True, help="Ask nothing: what no option says is as by default.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there; they are kept as NAME.bak.")
@json_option
def init(*, yes: bool, overwrite: bool, as_json: bool, **said: Any) -> None:
    """Write a first config.yaml and a play of your own.

    Asks for what no option says. Both files are full of comments, are checked before they are put in place,
    and replace nothing without a word. Exit code 4 where you said no to replacing what is there.
    """
    sys.exit(_init(said, yes=yes, overwrite=overwrite, as_json=as_json))


def _init(said: dict[str, Any], *, yes: bool, overwrite: bool, as_json: bool) -> int:
    from tui.init import targets, write

    ask = not yes and not as_json
    if ask and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: --yes takes defaults for what is not said.")
    choices = _choices(said, ask=ask)
    there = [str(file) for file in targets(choices) if file.exists()]
    if ask and there and not overwrite:
        click.echo(f"There already: {', '.join(there)}. What is replaced is kept as NAME.bak.")
        if not click.confirm("Replace", default=False):
            click.echo("Nothing was written.")
            return REFUSED
        overwrite = True
    _tell(write(choices, overwrite=overwrite), choices, as_json=as_json)
    return 0


def _choices(said: dict[str, Any], *, ask: bool) -> "Choices":
    """Return what was said, then what is answered, then the defaults."""
    from tui.folding import folded
    from tui.init import SIMULATED, Choices, templates

    defaults = Choices()
    found: dict[str, Any] = {}
    for name, question in QUESTIONS.items():
        default = getattr(defaults, name)
        if name == "symbols" and found.get("venue", SIMULATED) != SIMULATED:
            default = default[:1]
        given = said[name] or None
        if given is None and ask:
            if name == "template":
                click.echo(folded(f"Plays that ship: {', '.join(templates())}", sys.stdout))
            found[name] = click.prompt(question, default=_shown(default), value_proc=partial(_answered, name))
        else:
            found[name] = default if given is None else _taken(name, given)
    return Choices(**found)


def _answered(name: str, written: str) -> Any:
    """Take an answer, or say what is wrong with it: it is asked for again then, and no other one is lost."""
    from engine.api import ConfigError
    from tui.init import Choices, refuse_odd_names

    value = _taken(name, written)
    try:
        refuse_odd_names(Choices(**{name: value}))
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    return value


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _taken(name: str, given: Any) -> Any:
    """Turn what was written into the value of a choice."""
    if name == "symbols":
        written = given.split(",") if isinstance(given, str) else given
        return tuple(symbol.strip() for symbol in written if symbol.strip())
    if name == "equity" or name in LIFTABLE:
        return _amount(name, str(given).strip())
    return str(given).strip()


def _amount(name: str, written: str) -> Decimal | None:
    if written.lower() == "none" and name in LIFTABLE:
        return None
    try:
        value = Decimal(written.replace("_", ""))
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and 0 < value <= AMOUNT_MAX):
        none = ", or none" if name in LIFTABLE else ""
        raise click.UsageError(f"{name.replace('_', ' ')} is an amount above 0{none}, and not {written!r}.")
    return value


def _tell(written: "Written", choices: "Choices", *, as_json: bool) -> None:
    from tui.remote import print_facts

    if as_json:
        print_facts(written)
        return
    click.echo(f"Wrote {written.config}\n  and {written.play}. Both were checked.")
    for path in written.kept:
        click.echo(f"What stood there is kept as {path}.")
    steps = {
        "trader-tui": f"starts it with made-up money, disarmed; press a and type {choices.play}",
        f"trader-tui play check {choices.play}": "says what your play reads and does",
        "trader-tui doctor": "looks at everything an engine needs",
    }
    width = max(map(len, steps))
    click.echo("\n".join(("Next:", *(f"  {step:<{width}}  {what}" for step, what in steps.items()))))
