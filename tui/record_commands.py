"""`trader-tui verify` and `why`: what was decided, looked at again."""

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tui.flags import load_to_reach
from tui.options import instance_options, json_option

if TYPE_CHECKING:
    from engine.api import Settings, WhyReply

NOTHING = 1
BARS_MAX = 600


@click.command()
@click.argument("session")
@instance_options
@json_option
def verify(session: str, as_json: bool, **options: Any) -> None:
    """Re-run a recorded session and compare.

    Every decision must come out the same; exit code 4 on a difference. SESSION is its name, its folder,
    or `last`.
    """
    from tui import offline

    sys.exit(offline.verify(load_to_reach(options), session, as_json=as_json))


@click.command()
@instance_options
@click.option("--play", default="", metavar="NAME", help="Which play (default: the first).")
@click.option(
    "--last",
    type=click.IntRange(1, BARS_MAX),
    default=1,
    metavar="N",
    help="The last N bars, a line each, and the nearest miss among them; 1 shows all of it.",
)
@click.option("--at", metavar="TIME", help="The bar that was the newest at TIME.")
@click.option(
    "--session",
    metavar="SESSION",
    help="Ask a recorded session, run again up to TIME: its name, its folder, or `last`.",
)
@json_option
def why(*, play: str, last: int, at: str | None, session: str | None, as_json: bool, **options: Any) -> None:
    """Say why a bar led to an order or to none.

    Every rule with its numbers, then every stage and gate that an entry meets, with values and limits. TIME
    is a date or time in UTC such as 2020-01-31T12:00, or milliseconds since 1970. A running engine keeps the
    last bars; any bar of a recorded session is found by --session.
    """
    from tui.offline import Span, session_directory

    settings = load_to_reach(options)
    moment = Span.of(at, None, names=("--at", "")).since or 0
    if session is None:
        reply = _ask(settings, play, last, moment)
    else:
        from engine.api import why_recorded

        reply = why_recorded(session_directory(settings, session), play=play, last=last, at=moment)
    sys.exit(_tell(reply, whole=last == 1 or bool(at), as_json=as_json))


def _ask(settings: "Settings", play: str, last: int, at: int) -> "WhyReply":
    from engine.api import ControlError, ask_why
    from tui.supervisor import unreached

    try:
        return ask_why(settings, play=play, last=last, at=at)
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None


def _tell(reply: "WhyReply", *, whole: bool, as_json: bool) -> int:
    from tui.whytext import summary_lines, why_lines

    if as_json:
        sys.stdout.write(msgspec.json.encode({"bars": reply.bars, "text": reply.text}).decode() + "\n")
    elif not reply.bars:
        sys.stderr.write(f"trader-tui: {reply.text}\n")
    elif whole:
        sys.stdout.write("\n".join(line for bar in reply.bars for line in why_lines(bar)) + "\n")
    else:
        sys.stdout.write("\n".join(summary_lines(reply.bars)) + "\n")
    return 0 if reply.bars else NOTHING
