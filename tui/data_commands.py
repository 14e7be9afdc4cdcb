"""The `data` commands as the command line declares them; what they do is in `tui.data`."""

import sys
from pathlib import Path
from typing import Any

import click

from tui.options import json_option


@click.group()
def data() -> None:
    """Look at files of market data, and fetch bars from exchanges."""


@data.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--bar-ts", type=click.Choice(["open", "close"]), help="Which end of a bar the file's times name."
)
@json_option
def show(file: Path, bar_ts: str | None, as_json: bool) -> None:
    """Say what a file holds: period, gaps, quirks, prices, instrument, with a chart on a terminal.

    FILE is a CSV or CSV.gz of bars, trades or quotes, or a recording of JSON lines.
    """
    from tui import data as actions

    sys.exit(actions.show(file, bar_ts=bar_ts, as_json=as_json))


@data.command()
@click.option("--clear", is_flag=True, help="Remove it; the next read of each file writes it anew.")
@json_option
def cache(*, clear: bool, as_json: bool) -> None:
    """Say where the columns of files that were read are kept, and how much that is.

    They make the next read of a file fast, are checked whenever they are used, and can be removed at any
    time. The setting cache.columns_max_gb bounds them; 0 keeps none.
    """
    from tui import data as actions

    sys.exit(actions.cache(clear=clear, as_json=as_json))


@data.command()
@click.option("--venue", required=True, metavar="NAME", help="The exchange as ccxt calls it: bybit, binance.")
@click.option(
    "--symbol", required=True, metavar="SYMBOL", help="The venue's or ccxt's: BTCUSDT, BTC/USDT:USDT."
)
@click.option("--timeframe", required=True, metavar="T", help="The length of a bar: 1m, 5m, 1h, 1d.")
@click.option("--since", required=True, metavar="TIME", help="The first bar's time.")
@click.option("--until", metavar="TIME", help="Leave out what opens at TIME and later (default: now).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A .csv.gz; one that is there is continued (default: VENUE_KIND_SYMBOL_T.csv.gz).",
)
@click.option("--host", metavar="URL", help="A local stand-in for the exchange: http://127.0.0.1:PORT.")
@json_option
def fetch(as_json: bool, **options: Any) -> None:
    """Fetch closed bars from an exchange into a file, without keys.

    What was fetched is kept whatever interrupts it; the same command goes on from there. What the venue says
    of the market is written beside the file as NAME.instrument.yaml. TIME is a date or time in UTC such as
    2020-01-31 or 2020-01-31T12:00, or milliseconds since 1970.
    """
    from tui import data as actions

    sys.exit(actions.fetch(as_json=as_json, **options))
