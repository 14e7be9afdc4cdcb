"""The `model` commands as the command line declares them; what they do is in `tui.model`."""

import os
import sys
from typing import Any

import click

from tui.flags import RUN_FLAGS, load
from tui.options import data_options, json_option

UNITS_MAX = 1_024
# Sums over many rows depend on how many threads share them; numpy reads this when it is loaded.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Layers(click.ParamType[tuple[int, ...]]):
    """Sizes of layers, as in 32,16."""

    name = "N[,N...]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read 1 to 7 sizes."""
        parts = str(value).split(",")
        if not all(part.strip().isdecimal() for part in parts):
            self.fail(f"{value!r} is no list of layers' sizes; write 16 or 32,16", param, ctx)
        sizes = tuple(int(part) for part in parts)
        if len(sizes) > 7 or not all(1 <= size <= UNITS_MAX for size in sizes):
            self.fail(f"1 to 7 layers of 1 to {UNITS_MAX:,} units can be trained, not {value!r}", param, ctx)
        return sizes


@click.group()
def model() -> None:
    """Train the models that plays ask, and look into them."""


@model.command()
@click.argument("play")
@data_options
@click.option(
    "--architecture",
    type=click.Choice(["logistic", "mlp"]),
    default="logistic",
    show_default=True,
    help="logistic: a weight a feature; mlp: layers of tanh units before that.",
)
@click.option("--hidden", type=Layers(), metavar="N,N", help="Units of an mlp's layers (default: 16).")
@click.option(
    "--folds", type=click.IntRange(1, 50), default=4, show_default=True, help="Steps of the walk forward."
)
@click.option("--epochs", type=click.IntRange(1, 10_000), default=40, show_default=True, help="Of an mlp.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same file."
)
@click.option("--from", "since", metavar="TIME", help="Leave out what lies before TIME.")
@click.option("--to", "until", metavar="TIME", help="Leave out what lies at TIME and later.")
@click.option("--force", is_flag=True, help="Replace a model that is there.")
@json_option
def train(since: str | None, until: str | None, as_json: bool, **options: Any) -> None:
    """Train the model of a play on recorded data.

    PLAY is a file, or the name of a play of your own; its section `model` says which file to write, the
    features and the horizon. The model is first trained on one part of the past after the other and scored
    on what follows each, then on all of it, and written: NAME.npz and NAME.json. The report tells how good
    the scores were on what the model had not seen. Keep data back with --to, and see `model check`.
    """
    os.environ.update(ONE_THREAD)
    from tui import model as actions
    from tui.offline import Span

    architecture, hidden = options["architecture"], options.pop("hidden")
    if hidden and architecture != "mlp":
        raise click.UsageError("--hidden goes with --architecture mlp.")
    wish = {name: options.pop(name) for name in ("architecture", "folds", "epochs", "seed", "force")}
    options["plays"] = (options.pop("play"),)
    settings = load(options, RUN_FLAGS, mode="backtest")
    sys.exit(actions.train(settings, Span.of(since, until), hidden=hidden or (16,), as_json=as_json, **wish))


@model.command()
@click.argument("play")
@data_options
@click.option("--from", "since", metavar="TIME", help="Leave out what lies before TIME.")
@click.option("--to", "until", metavar="TIME", help="Leave out what lies at TIME and later.")
@json_option
def check(since: str | None, until: str | None, as_json: bool, **options: Any) -> None:
    """Check the model of a play, and say what it is.

    Both files are read as strictly as a start reads them: every fault is one message (exit code 2). With
    --data the forecasts are made for each bar of that data and scored against what followed.
    """
    os.environ.update(ONE_THREAD)
    from tui import model as actions
    from tui.offline import Span

    options["plays"] = (options.pop("play"),)
    settings = load(options, RUN_FLAGS, mode="backtest")
    sys.exit(actions.check(settings, Span.of(since, until), as_json=as_json))
