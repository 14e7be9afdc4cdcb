"""The `bench` commands as the command line declares them; what they do is in `tui.bench`."""

import sys
from pathlib import Path
from typing import Any

import click

from tui.options import json_option

JOBS_MAX = 64


@click.group()
def bench() -> None:
    """Try what the program promises, on this machine."""


@bench.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of CSV or CSV.gz files of bars and trades; folders in it are searched, too.",
)
@click.option("--play", "plays", multiple=True, metavar="PLAY", help="Only this play; may be repeated.")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PART",
    help="Only files whose names hold PART; may be repeated.",
)
@click.option("--rows", type=click.IntRange(min=100), metavar="N", help="Only the first N rows of each file.")
@click.option(
    "--jobs",
    type=click.IntRange(1, JOBS_MAX),
    default=1,
    metavar="N",
    help="So many pairs at a time (default 1).",
)
@json_option
def parity(data_dir: Path | None, as_json: bool, **options: Any) -> None:
    """Hold backtest, replay and interrupted replay against each other.

    Every play that ships is run on every file, three ways: as a backtest, as a replay through the live path,
    and as a replay whose process is killed (SIGKILL) on the way and started again. All three must give one
    hash of signals and one of trades. On a difference the first bar that differs is shown with both states.
    Pairs that do not trade are listed with the reason. Exit code 4 on a difference, and where a play or a
    file takes part in no pair. Whole files take an hour and more; --rows 5000 takes minutes.
    """
    from tui import bench as actions

    if data_dir is None:
        raise click.UsageError("give --data-dir DIR, a folder of CSV or CSV.gz files of bars or trades.")
    sys.exit(actions.parity(data_dir, as_json=as_json, **options))
