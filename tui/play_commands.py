"""The `play` commands as the command line declares them."""

import sys

import click

from tui.options import json_option


@click.group()
def play() -> None:
    """Look into plays."""


@play.command()
def schema() -> None:
    """Print the JSON Schema of play files, for editors.

    Keep it as a file and name it in a play's first line: # yaml-language-server: $schema=play.schema.json
    """
    from tui import playcheck

    sys.exit(playcheck.schema())


@play.command()
@click.argument("play")
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE", help="Another value of a parameter; repeatable."
)
@json_option
def check(play: str, values: tuple[str, ...], as_json: bool) -> None:
    """Check a play, and say what it is made of.

    Every mistake is named with file, line and column (exit code 2). A play without any is taken apart: the
    rules as they were understood, the data they need, and how much of it before the first signal. PLAY is a
    file, or the name of a play that ships or of your own.
    """
    from tui import playcheck

    sys.exit(playcheck.check(play, values, as_json=as_json))
