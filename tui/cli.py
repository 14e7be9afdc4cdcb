"""The command line. Commands import what they need when they run: starting fast is a promise."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Settings

MODES = ("replay", "shadow", "paper", "demo", "live")


class RunByDefault(click.Group):
    """`trader-tui` alone, or with flags only, means `trader-tui run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before arguments that name no command."""
        known = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in known):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="trader-tui", prog_name="trader-tui")
def cli() -> None:
    """A trading console for the terminal; without a command it runs the embedded market in paper mode."""


def instance_options(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """Add the options that say which engine is meant."""
    command = click.option("--instance", metavar="NAME", help="Which engine; one state folder each.")(command)
    return click.option(
        "--state-dir",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Where instances keep their state.",
    )(command)


def data_options(command: "Callable[..., Any]") -> "Callable[..., Any]":
    """Add the options that say which recorded data is meant."""
    command = click.option(
        "--bar-ts", type=click.Choice(["open", "close"]), help="What the times of a bar file name."
    )(command)
    return click.option(
        "--data", multiple=True, metavar="[SYM=]FILE", help="CSV or CSV.gz of bars or trades; repeatable."
    )(command)


@cli.command()
@click.option("--mode", type=click.Choice(MODES), help="What runs: paper is the default.")
@click.option("--play", "plays", multiple=True, metavar="FILE", help="A play's file or name; repeatable.")
@data_options
@click.option("--venue", metavar="NAME", help="Where orders go.")
@click.option("--profile", metavar="NAME", help="A named set of settings.")
@instance_options
@click.option("--headless", is_flag=True, help="The engine alone, without a screen.")
@click.option("--plain", is_flag=True, help="Lines instead of a screen.")
@click.option("--in-process", is_flag=True, help="The engine in the console's own process; it ends with it.")
@click.option("--arm", is_flag=True, help="Start armed (replay and paper only).")
@click.option("--speed", metavar="max|N", help="Of a replay: times real time, or as fast as it goes.")
@click.option("--duration", type=float, metavar="S", help="Stop after so many seconds.")
@click.option("--theme", metavar="NAME", help="The screen's theme.")
@click.option("--confirm", is_flag=True, help="Needed for live.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def run(**options: Any) -> None:
    """Run an engine, with the console unless --headless or --plain; attach where one runs already."""
    from tui import launch

    shown = launch.RunOptions.of(options)
    launch.block(shown)
    sys.exit(launch.run(load(options, RUN_FLAGS), shown))


@cli.command()
@instance_options
@click.option("--theme", metavar="NAME", help="The screen's theme.")
def attach(**options: Any) -> None:
    """Open the console on the engine that runs already."""
    from tui import launch

    launch.block(launch.RunOptions())
    sys.exit(launch.attach(load(options)))


@cli.command()
@instance_options
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def status(as_json: bool, **options: Any) -> None:
    """Say how the engine is."""
    from tui import remote

    sys.exit(remote.status(load(options), as_json=as_json))


@cli.command()
@instance_options
@click.option("--confirm", "name", default="", metavar="NAME", help="The play's name, typed as confirmation.")
@click.option("--reason", default="", metavar="TEXT", help="Why; needed after a flatten.")
@click.option("--json", "as_json", is_flag=True)
def arm(name: str, reason: str, as_json: bool, **options: Any) -> None:
    """Allow entries."""
    _command("arm", options, reason=reason, argument=name, as_json=as_json)


def _plain_command(name: str, text: str) -> None:
    """Add a command that needs nothing but its name."""

    @cli.command(name, help=text)
    @instance_options
    @click.option("--reason", default="", metavar="TEXT", help="Why; it is recorded.")
    @click.option("--json", "as_json", is_flag=True)
    def command(reason: str, as_json: bool, **options: Any) -> None:
        _command(name, options, reason=reason, as_json=as_json)


_plain_command("disarm", "Forbid entries; exits and protection go on.")
_plain_command("pause", "Hold back entries until resumed.")
_plain_command("resume", "End a pause.")


@cli.command()
@click.argument("mode", type=click.Choice(["normal", "reduce", "observe"]))
@instance_options
@click.option("--reason", default="", metavar="TEXT", help="Why; needed on the way up.")
@click.option("--json", "as_json", is_flag=True)
def mode(mode: str, reason: str, as_json: bool, **options: Any) -> None:
    """Set the risk mode."""
    _command("risk_mode", options, reason=reason, argument=mode, as_json=as_json)


@cli.command()
@instance_options
@click.option("--on-stop", type=click.Choice(["cancel_entries", "keep", "flatten"]), help="What stays open.")
@click.option("--json", "as_json", is_flag=True)
def stop(on_stop: str | None, as_json: bool, **options: Any) -> None:
    """Shut the engine down in order."""
    from tui import remote

    sys.exit(remote.stop(load(options), on_stop or "", as_json=as_json))


@cli.command()
@instance_options
@click.option("--all", "everywhere", is_flag=True, help="Every instance on this machine.")
@click.option("--direct", is_flag=True, help="End an engine that does not answer and flatten from here.")
@click.option("--timeout", "timeout_s", default=40.0, metavar="S", help="How long to watch for FLAT.")
@click.option("--json", "as_json", is_flag=True)
def flatten(everywhere: bool, direct: bool, timeout_s: float, as_json: bool, **options: Any) -> None:
    """The kill-switch: cancel everything of ours, close every position, verify. Exit 4 where that failed."""
    from engine.api import block_signals
    from tui import remote

    if direct:
        block_signals()
    settings = load(options)
    if direct:
        sys.exit(remote.flatten_direct(settings, as_json=as_json))
    sys.exit(remote.flatten(settings, everywhere=everywhere, timeout_s=timeout_s, as_json=as_json))


@cli.command()
@click.argument("play")
@data_options
@click.option("--profile", metavar="NAME", help="A named set of settings.")
@click.option("--json", "as_json", is_flag=True)
def backtest(play: str, as_json: bool, **options: Any) -> None:
    """Run a play over recorded data as fast as it goes."""
    from tui import offline

    options["plays"] = (play,)
    sys.exit(offline.backtest(load(options, RUN_FLAGS, mode="backtest"), as_json=as_json))


@cli.command()
@click.argument("session")
@instance_options
@click.option("--json", "as_json", is_flag=True)
def verify(session: str, as_json: bool, **options: Any) -> None:
    """Re-run a recorded session (its name or folder) and compare every decision. Exit 4 on a difference."""
    from tui import offline

    sys.exit(offline.verify(load(options), session, as_json=as_json))


# Flags by option name, as the settings call them.
BASE_FLAGS = {"instance": "instance", "state_dir": "state_dir", "theme": "console.theme"}
RUN_FLAGS = {
    **BASE_FLAGS,
    "mode": "mode",
    "plays": "plays",
    "data": "data",
    "bar_ts": "bar_ts",
    "venue": "venue",
    "profile": "profile",
    "arm": "arm",
    "speed": "speed",
    "duration": "duration_s",
}


def load(options: dict[str, Any], names: dict[str, str] | None = None, **fixed: Any) -> "Settings":
    """Load the settings with the flags that were given."""
    from engine.api import load_settings

    flags = dict(fixed)
    for option, setting in (names or BASE_FLAGS).items():
        value = options.get(option)
        if value not in (None, (), False, ""):
            flags[setting] = value
    return load_settings(flags)


def _command(
    name: str, options: dict[str, Any], *, as_json: bool, reason: str = "", argument: str = ""
) -> None:
    from tui import remote

    sys.exit(remote.command(load(options), name, reason=reason, argument=argument, as_json=as_json))


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run the command line; every expected failure is one message and its exit code."""
    from engine.api import TraderError

    try:
        cli.main(
            args=None if arguments is None else list(arguments), prog_name="trader-tui", standalone_mode=False
        )
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TraderError as error:
        click.echo(f"trader-tui: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
