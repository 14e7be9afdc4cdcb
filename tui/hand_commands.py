"""`close` and `cancel` as the command line declares them."""

import sys
from typing import Any

import click

from tui.flags import load_to_reach
from tui.options import instance_options, json_option, reason_option

confirm_option = click.option(
    "--confirm", "confirmed", is_flag=True, help="Do it; without this it only says what it would do."
)


@click.command()
@click.argument("play")
@click.option("--symbol", default="", metavar="SYM", help="Which of its positions, where it has several.")
@instance_options
@confirm_option
@reason_option
@json_option
def close(play: str, symbol: str, confirmed: bool, reason: str, as_json: bool, **options: Any) -> None:
    """Close one position at market.

    PLAY is the name of the play that holds it. The order is reduce-only and no limit, pause or risk mode
    refuses it; what is left of the play's entry is canceled first, stop and target rest until the position is
    gone. The play then sits out until its next signal: it does not enter again while the rule that led to
    the entry goes on to hold. Without --confirm it prints quantity, mark and estimated cost, and ends with 4.
    """
    from tui import hands

    sys.exit(
        hands.close(load_to_reach(options), play, symbol, confirmed=confirmed, reason=reason, as_json=as_json)
    )


@click.command()
@click.argument("order_id", metavar="ID")
@instance_options
@confirm_option
@reason_option
@json_option
def cancel(order_id: str, confirmed: bool, reason: str, as_json: bool, **options: Any) -> None:
    """Cancel one order.

    ID is its client id, or the venue's, as `trader-tui status` prints them. The stop and target of an open
    position are not canceled: close the position instead. After an entry's cancel its play sits out until its
    next signal. Without --confirm it prints what it would cancel, and ends with 4.
    """
    from tui import hands

    sys.exit(
        hands.cancel(load_to_reach(options), order_id, confirmed=confirmed, reason=reason, as_json=as_json)
    )
