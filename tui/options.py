"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def instance_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which engine is meant."""
    command = click.option(
        "--instance",
        metavar="NAME",
        help="Which engine; each has a state folder of its own (default: default).",
    )(command)
    return click.option(
        "--state-dir",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of all instances' state.",
    )(command)


def play_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which plays run, and which ones are watched beside them."""
    command = click.option(
        "--shadow",
        "shadows",
        multiple=True,
        metavar="FILE",
        help="A play that runs as a shadow twin beside the others: no order of it leaves; may be repeated.",
    )(command)
    return click.option(
        "--play", "plays", multiple=True, metavar="FILE", help="A play's file or name; may be repeated."
    )(command)


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which recorded data is meant."""
    command = click.option(
        "--bar-ts", type=click.Choice(["open", "close"]), help="Which end of a bar the file's times name."
    )(command)
    return click.option(
        "--data",
        multiple=True,
        metavar="[SYM=]FILE",
        help="CSV or CSV.gz of bars or trades; may be repeated.",
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")


reason_option = click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept in the record. Needed towards more freedom."
)


def screen_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how the screen looks."""
    command = click.option(
        "--low-bandwidth",
        is_flag=True,
        help="For a slow line: at most 4 frames a second and 8 kB/s, sixteen colours, no sparklines.",
    )(command)
    command = click.option(
        "--ascii", "ascii_only", is_flag=True, help="Borders, marks and charts in ASCII characters only."
    )(command)
    return click.option("--theme", metavar="NAME", help="The screen's theme.")(command)
