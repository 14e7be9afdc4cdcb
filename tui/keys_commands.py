"""`trader-tui keys`: the keys in force, or those that a file would give."""

import sys
from pathlib import Path

import click

from tui.options import json_option


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
def keys(file: Path | None, as_json: bool) -> None:
    """Say which key does what in the console.

    FILE is a keymap to check and show (default: keymap.yaml in your config directory, if there is one). A
    mistake is named with file and line (exit code 2). `*` marks what differs from the keys that ship.
    """
    from tui import keysview

    sys.exit(keysview.show(file, as_json=as_json))
