"""The `venue` command as the command line declares it; the exchange is in the engine."""

import sys
from pathlib import Path
from typing import Any

import click

from tui.options import json_option

PORT = 7475


@click.group(invoke_without_command=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    metavar="N",
    help=f"Where it listens on 127.0.0.1 (default {PORT}); 0 takes a free one.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Faults to begin with: docs/venue.md.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="[SYM=]FILE",
    help="A recorded file as the market; may be repeated. Without one the market is made up.",
)
@click.option("--symbols", metavar="A,B", help="Of the made-up market (default BTCUSDT,ETHUSDT,SOLUSDT).")
@click.option(
    "--events-per-s",
    type=click.FloatRange(min=0, min_open=True, max=20_000),
    metavar="N",
    help="How busy the made-up market is (default 30).",
)
@click.option("--seed", type=int, default=1, metavar="N", help="Of the made-up market (default 1).")
@click.option(
    "--speed",
    type=click.FloatRange(min=0.01, max=10_000),
    default=1.0,
    metavar="N",
    help="Of a recorded file: N times real time (default 1).",
)
@click.option(
    "--lead",
    "lead_s",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="S",
    help="Of a recorded file: its first S seconds are past already when the exchange opens.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep orders, fills and positions here over a restart; without it they are lost.",
)
@click.option("--no-limits", is_flag=True, help="Without rate limits.")
@json_option
@click.pass_context
def venue(ctx: click.Context, /, symbols: str | None, no_limits: bool, as_json: bool, **options: Any) -> None:
    """Run a local exchange that speaks Bybit v5.

    For trying things out, with linear contracts. It listens on 127.0.0.1 alone. Money, keys and market are
    made up: nothing of it is real. Faults can be put in while it runs, by POST to /_faults; GET /_ledger
    tells the truth about every order. It runs until Ctrl-C. --json: one line that names its addresses, once
    it listens.
    """
    if ctx.invoked_subcommand is not None:
        return
    _refuse_idle_options(ctx)
    from tui import venue as actions

    chosen = {name: value for name, value in options.items() if value is not None}
    if symbols is not None:
        chosen["symbols"] = tuple(name.strip().upper() for name in symbols.split(",") if name.strip())
    sys.exit(actions.run(limits=not no_limits, as_json=as_json, **chosen))


@venue.command()
@click.option("--venue", "name", required=True, metavar="NAME", help="Such as bybit, or local.")
@click.option(
    "--testnet", is_flag=True, help="Say so: the cases place and fill real orders, of play money only."
)
@click.option(
    "--symbol", default="BTCUSDT", metavar="SYM", help="A market that nobody uses there (default BTCUSDT)."
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of all instances' state, where the result is kept.",
)
@json_option
def check(name: str, symbol: str, state_dir: Path | None, *, testnet: bool, as_json: bool) -> None:
    """Play the order cases of docs/conformance.md on a venue's testnet, with your keys of it.

    A venue takes orders once all cases passed, until ccxt or its adapter changes; before that it is there
    for data. The keys are those of its demo account: NAME_DEMO_API_KEY and NAME_DEMO_API_SECRET, or the
    key file. The exchange of `trader-tui venue` is checked with --venue local. Exit code 4: a case failed.
    """
    if not testnet and name != "local":
        raise click.UsageError("the cases place and fill orders; add --testnet: they run nowhere else.")
    from tui import venue_check as actions
    from tui.flags import load

    flags = {"venue": name, "state_dir": state_dir}
    settings = load(flags, {"venue": "venue", "state_dir": "state_dir"})
    sys.exit(actions.run(settings, symbol.upper(), as_json=as_json))


def _refuse_idle_options(ctx: click.Context) -> None:
    """Refuse options of the one market where the other one was chosen."""
    given = {
        name
        for name in ctx.params
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    has_data = bool(ctx.params["data"])
    idle = {"symbols", "events_per_s", "seed"} if has_data else {"speed", "lead_s"}
    for name in sorted(given & idle):
        option = "--lead" if name == "lead_s" else f"--{name.replace('_', '-')}"
        which = "is of the made-up market; leave out --data" if has_data else "needs --data"
        raise click.UsageError(f"{option} {which}.")
