"""The `backtest` commands as the command line declares them; what they do is in `tui.backtest`."""

import sys
from pathlib import Path
from typing import Any

import click

from tui.flags import RUN_FLAGS, load
from tui.options import data_options, json_option


@click.command()
@click.argument("play")
@data_options
@click.option("--from", "since", metavar="TIME", help="Leave out what lies before TIME.")
@click.option("--to", "until", metavar="TIME", help="Leave out what lies at TIME and later.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the run: trades.csv, equity.csv, summary.json, report.html. An earlier run there is replaced.",
)
@click.option("--profile", metavar="NAME", help="A named set of settings.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the run is put on record as evidence for `promote`: the folder of all instances' state.",
)
@json_option
def backtest(
    play: str, since: str | None, until: str | None, out: Path | None, as_json: bool, **options: Any
) -> None:
    """Run a play over recorded data as fast as it goes.

    PLAY is a file, or the name of a play that ships or of your own. TIME is a date or time in UTC such as
    2020-01-31 or 2020-01-31T12:00, or milliseconds since 1970. Runs kept with --out are compared by
    `trader-tui backtest compare A B`.
    """
    from tui import backtest as actions
    from tui.offline import Span

    options["plays"] = (play,)
    span = Span.of(since, until)
    sys.exit(actions.run(load(options, RUN_FLAGS, mode="backtest"), span, out=out, as_json=as_json))


@click.command("backtest compare", hidden=True)  # `backtest --help` names it; two words widen the list
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@json_option
def compare(a: Path, b: Path, as_json: bool) -> None:
    """Compare two backtests that were kept with --out.

    What differs in play, data, settings and version comes first, then the figures side by side. Exit code 4
    where play, data and settings are the same and the trades are not.
    """
    from tui import backtest as actions

    sys.exit(actions.compare(a, b, as_json=as_json))
