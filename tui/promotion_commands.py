"""`shadow`, `promote` and `rollback` as the command line declares them."""

import sys
from typing import Any

import click

from tui.flags import load
from tui.options import instance_options, json_option, reason_option

now_option = click.option("--now", "at_once", is_flag=True, help="Do not wait until the play is flat.")


@click.command()
@click.option("--last", type=click.IntRange(1, 10_000), default=20, metavar="N", help="How many signals.")
@click.option(
    "--mode",
    type=click.Choice(["replay", "shadow", "paper", "demo", "live"]),
    help="Whose store: that of the engine that runs, else of the mode the settings name.",
)
@instance_options
@json_option
def shadow(last: int, mode: str | None, as_json: bool, **options: Any) -> None:
    """Show what shadow twins signalled and made of it.

    Signals with what became of them (would-be profit, the worst and the best on the way), how long each
    version was watched, and where a running engine's twins differ from what runs.
    """
    from tui import promotion

    sys.exit(promotion.show(load(options), mode, last=last, as_json=as_json))


@click.command()
@click.argument("play")
@now_option
@instance_options
@reason_option
@json_option
def promote(play: str, at_once: bool, reason: str, as_json: bool, **options: Any) -> None:
    """Let a version of a play run: swap it in, and for live accept it.

    PLAY is a play's file or name, or the name of a shadow twin. An engine that runs in another mode than live
    swaps its twin in once the play is flat. For live (or where no engine runs) the evidence is checked first:
    a backtest, a time as a shadow twin, a demo stage; what is missing is named, exit code 4. Who accepted
    which version on which evidence is recorded in the state folder (.plays/approvals.jsonl).
    """
    from tui import promotion

    sys.exit(promotion.promote(load(options), play, at_once=at_once, reason=reason, as_json=as_json))


@click.command()
@click.argument("play")
@now_option
@instance_options
@reason_option
@json_option
def rollback(play: str, at_once: bool, reason: str, as_json: bool, **options: Any) -> None:
    """Let the version before run again, and watch this one.

    PLAY is the name of a play that runs. The swap waits until the play is flat, unless --now is given.
    """
    from tui import promotion

    sys.exit(promotion.roll_back(load(options), play, at_once=at_once, reason=reason, as_json=as_json))
