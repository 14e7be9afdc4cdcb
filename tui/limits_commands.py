"""`trader-tui limits`: what is in force and how near it is, what waits for a person, who was stopped."""

import sys
from typing import Any

import click

from tui.flags import load_to_reach
from tui.options import instance_options, json_option, reason_option


@click.group()
def limits() -> None:
    """Show limits, accept looser ones, let a stopped play go on."""


@limits.command()
@instance_options
@json_option
def show(as_json: bool, **options: Any) -> None:
    """Say how near each limit is, and what waits to be accepted."""
    from tui import limitsview

    sys.exit(limitsview.show(load_to_reach(options), as_json=as_json))


@limits.command()
@instance_options
@reason_option
@json_option
def accept(reason: str, as_json: bool, **options: Any) -> None:
    """Put in force what a changed file would loosen.

    In live mode a limit that becomes looser waits for this; one that becomes tighter does not. Needs
    --reason, which is kept in the record.
    """
    from tui import limitsview

    sys.exit(limitsview.accept(load_to_reach(options), reason=reason, as_json=as_json))


@limits.command()
@click.argument("play")
@instance_options
@reason_option
@json_option
def enable(play: str, reason: str, as_json: bool, **options: Any) -> None:
    """Let a play go on that was stopped for entering too often.

    Needs --reason, which is kept in the record.
    """
    from tui import remote

    sys.exit(remote.command(load_to_reach(options), "enable", reason=reason, argument=play, as_json=as_json))
