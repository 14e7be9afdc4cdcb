"""`attach` and `handover` as the command line declares them."""

import sys
from pathlib import Path
from typing import Any

import click

from tui.flags import load_to_reach
from tui.options import instance_options, json_option, screen_options


@click.command()
@instance_options
@click.option("--plain", is_flag=True, help="Lines instead of a screen.")
@click.option("--read-only", is_flag=True, help="Watch; take no control at the start. The kill-switch works.")
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A Unix socket that ssh forwards to the control socket of an engine elsewhere.",
)
@screen_options
def attach(plain: bool, read_only: bool, socket: Path | None, **options: Any) -> None:
    """Open the console on the engine that runs already.

    The first console commands; a further one only watches until it takes control, which is recorded. Over
    ssh: `ssh -t HOST trader-tui attach`, or with the console here, `ssh -N -L /tmp/engine.sock:ITS_SOCKET
    HOST` and --socket /tmp/engine.sock, where `trader-tui status` on HOST prints ITS_SOCKET.
    """
    from tui import launch

    if socket is not None and options.get("instance"):
        raise click.UsageError("--socket names one engine already: leave out --instance.")
    shown = launch.RunOptions(plain=plain, read_only=read_only, socket=socket)
    launch.block(shown)
    sys.exit(launch.attach(load_to_reach(options), shown))


@click.command()
@instance_options
@json_option
def handover(as_json: bool, **options: Any) -> None:
    """Say what whoever comes next must know.

    What is open, which play opened it on which signal, the stop that protects it, and the ids to act on at
    the venue by hand. The console prints the same when it is left and the engine goes on.
    """
    from tui import handover as note

    sys.exit(note.show(load_to_reach(options), as_json=as_json))
