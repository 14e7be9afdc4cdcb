"""The command line. Commands import what they need when they run: starting fast is a promise."""

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from tui.attach_commands import attach, handover
from tui.backtest_commands import backtest, compare
from tui.bench_commands import bench
from tui.data_commands import data
from tui.doctor_commands import doctor
from tui.drill_commands import drill
from tui.flags import RUN_FLAGS, load, load_to_reach
from tui.hand_commands import cancel, close
from tui.init_commands import init
from tui.keys_commands import keys
from tui.limits_commands import limits
from tui.model_commands import model
from tui.options import (
    data_options,
    instance_options,
    json_option,
    play_options,
    reason_option,
    screen_options,
)
from tui.play_commands import play
from tui.promotion_commands import promote, rollback, shadow
from tui.record_commands import verify, why
from tui.venue_commands import venue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import Settings

MODES = ("replay", "shadow", "paper", "demo", "live")
SECONDS_MAX = 86_400.0
EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 another engine holds the instance, "
    "4 refused, not flat or not identical, 128+n ended by signal n."
)
# As the help lists them: what starts, what looks, what acts, what needs no engine.
COMMANDS = (
    *("run", "attach", "status", "handover", "why", "shadow", "limits"),
    *("arm", "disarm", "pause", "resume", "mode", "close", "cancel", "resolve", "flatten", "stop"),
    *("promote", "rollback"),
    *("backtest", "backtest compare", "verify", "data", "play", "model", "bench", "venue", "doctor", "drill"),
    "init",
    "keys",
)


class RunByDefault(click.Group):
    """`trader-tui` alone, or with flags only, means `trader-tui run`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List commands in the order in which a session uses them."""
        return sorted(super().list_commands(ctx), key=COMMANDS.index)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before arguments that name no command."""
        known = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in known):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command by its two words before one by its first."""
        words = " ".join(args[:2])
        command = self.get_command(ctx, words)
        return super().resolve_command(ctx, args) if command is None else (words, command, args[2:])


@click.group(
    cls=RunByDefault,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(package_name="trader-tui", prog_name="trader-tui")
def cli() -> None:
    """A trading console for the terminal.

    Without a command it runs the embedded market in paper mode: no keys, no network, no real money. The
    engine is a process of its own: the console can be left and attached again while it trades on.
    """


@cli.command()
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="paper (the default) and shadow send no real order; demo and live do (docs/live-orders.md).",
)
@play_options
@data_options
@click.option("--speed", metavar="max|N", help="Of a replay: N times real time, or as fast as it goes.")
@click.option("--arm", is_flag=True, help="Start armed: plays may open positions (replay and paper only).")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True, max=SECONDS_MAX),
    metavar="S",
    help="Stop in order after S seconds.",
)
@click.option(
    "--venue",
    metavar="NAME",
    help="Whose live market, and account: local, bybit, binance, any that ccxt knows (default: simulated).",
)
@click.option(
    "--symbol",
    "symbols",
    multiple=True,
    metavar="SYM",
    help="A market of the venue, for plays that name none; may be repeated (default: BTCUSDT).",
)
@click.option("--profile", metavar="NAME", help="A named set of settings.")
@instance_options
@click.option("--headless", is_flag=True, help="The engine alone, without a screen.")
@click.option("--plain", is_flag=True, help="Lines instead of a screen.")
@click.option("--in-process", is_flag=True, help="Engine and console in one process; both end together.")
@screen_options
@click.option("--confirm", is_flag=True, help="Needed for live.")
@click.option("--json", "as_json", is_flag=True, help="With --headless: end with one JSON object.")
def run(**options: Any) -> None:
    """Run an engine and its console; attach where it runs already."""
    from tui import launch

    _refuse_contradictions(options)
    shown = launch.RunOptions.of(options)
    launch.block(shown)
    settings = load(options, RUN_FLAGS)
    _refuse_idle_options(options, settings)
    sys.exit(launch.run(settings, shown))


def _refuse_contradictions(options: dict[str, Any]) -> None:
    """Refuse options that cannot be had together."""
    ways = [way for way in ("--headless", "--plain", "--in-process") if options[way[2:].replace("-", "_")]]
    if len(ways) > 1:
        raise click.UsageError(f"{' and '.join(ways)} exclude each other; choose one.")
    if options["as_json"] and not options["headless"]:
        raise click.UsageError(
            "--json needs --headless; a running engine answers to `trader-tui status --json`."
        )


def _refuse_idle_options(options: dict[str, Any], settings: "Settings") -> None:
    """Refuse options that would do nothing, or not what they seem to, in the mode that was chosen."""
    mode = settings.mode.value
    if options["arm"] and mode in ("live", "demo"):
        raise click.UsageError(
            f"--arm does not go with {mode}: it always starts disarmed. "
            "Arm it with `trader-tui arm --confirm NAME` once it runs."
        )
    if options["symbols"] and (mode in ("replay", "backtest") or settings.venue == "simulated"):
        raise click.UsageError("--symbol names a market of a real venue: add --venue NAME, such as bybit.")
    if mode == "replay":
        return
    for name, option in (("data", "--data"), ("speed", "--speed"), ("bar_ts", "--bar-ts")):
        if options[name]:
            raise click.UsageError(f"{option} plays recorded data, and {mode} does not: add --mode replay.")


@cli.command()
@instance_options
@click.option("--watch", is_flag=True, help="A line whenever something changes, until Ctrl-C.")
@json_option
def status(watch: bool, as_json: bool, **options: Any) -> None:
    """Say how the engine is and what it holds."""
    from tui import launch, remote

    settings = load_to_reach(options)
    sys.exit(launch.watch(settings, as_json=as_json) if watch else remote.status(settings, as_json=as_json))


@cli.command()
@instance_options
@click.option("--confirm", "name", default="", metavar="NAME", help="The play's name, typed as confirmation.")
@reason_option
@json_option
def arm(name: str, reason: str, as_json: bool, **options: Any) -> None:
    """Allow plays to open positions.

    Needs --confirm with the name that the console asks for: that of the first play.
    """
    _command("arm", options, reason=reason, argument=name, as_json=as_json)


def _plain_command(name: str, text: str) -> None:
    """Add a command that needs nothing but its name."""

    @cli.command(name, help=text)
    @instance_options
    @reason_option
    @json_option
    def command(reason: str, as_json: bool, **options: Any) -> None:
        _command(name, options, reason=reason, as_json=as_json)


_plain_command("disarm", "Forbid entries; exits and protection go on.")
_plain_command("pause", "Hold back entries until resumed.")
_plain_command("resume", "End a pause.")


@cli.command()
@click.argument("mode", type=click.Choice(["normal", "reduce", "observe"]))
@instance_options
@reason_option
@json_option
def mode(mode: str, reason: str, as_json: bool, **options: Any) -> None:
    """Set the risk mode.

    normal allows what the gates pass, reduce only what lessens exposure, observe nothing but protection.
    """
    _command("risk_mode", options, reason=reason, argument=mode, as_json=as_json)


@cli.command()
@click.argument("client_id")
@click.argument("outcome", type=click.Choice(["dead"]))
@instance_options
@click.option("--confirm", default="", metavar="LAST_4", help="The last four characters of CLIENT_ID.")
@click.option("--reason", default="", metavar="TEXT", help="What you saw at the venue; kept in the record.")
@json_option
def resolve(client_id: str, outcome: str, confirm: str, reason: str, as_json: bool, **options: Any) -> None:
    """End an order that the venue does not settle.

    For one that is UNKNOWN, or that the venue was asked about in vain, once you looked there by hand. dead:
    it never came to life or is gone, and did not trade. Nothing is booked: fills are taken from the venue's
    report only, also of an order that was resolved. Needs --confirm and --reason.
    """
    from tui import remote

    sys.exit(
        remote.resolve(
            load_to_reach(options), client_id, outcome, confirm=confirm, reason=reason, as_json=as_json
        )
    )


@cli.command()
@instance_options
@click.option(
    "--on-stop",
    type=click.Choice(["cancel_entries", "keep", "flatten"]),
    help="What becomes of open orders and positions.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True, max=SECONDS_MAX),
    default=40.0,
    metavar="S",
    help="How long to wait for its end (default 40).",
)
@json_option
def stop(on_stop: str | None, timeout_s: float, as_json: bool, **options: Any) -> None:
    """Shut the engine down in order and wait until it has ended."""
    from tui import remote

    sys.exit(remote.stop(load_to_reach(options), on_stop or "", timeout_s=timeout_s, as_json=as_json))


@cli.command()
@instance_options
@click.option("--all", "everywhere", is_flag=True, help="Every instance that runs under --state-dir.")
@click.option("--direct", is_flag=True, help="End an engine that does not answer, and flatten without it.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True, max=SECONDS_MAX),
    default=40.0,
    metavar="S",
    help="How long to wait for FLAT (default 40).",
)
@json_option
def flatten(everywhere: bool, direct: bool, timeout_s: float, as_json: bool, **options: Any) -> None:
    """Kill-switch: cancel our orders, close our positions, verify.

    The engine then is HALTED until somebody arms it with a reason. Exit code 4 unless everything is known
    to be flat: also where no engine runs or answers (NOT FLAT as far as is known), for nobody looked at the
    venue then. --direct looks; where no session was ever recorded, it ends with exit code 1.
    """
    from engine.api import block_signals
    from tui import remote

    if direct and everywhere:
        raise click.UsageError("--direct ends one engine and --all asks every one; choose one of the two.")
    if direct:
        block_signals()
    settings = load_to_reach(options)
    if direct:
        sys.exit(remote.flatten_direct(settings, as_json=as_json))
    sys.exit(remote.flatten(settings, everywhere=everywhere, timeout_s=timeout_s, as_json=as_json))


_OTHERS = (backtest, compare, bench, data, doctor, drill, model, play, promote, rollback, shadow, venue)
for _other in (*_OTHERS, attach, cancel, close, handover, init, keys, limits, verify, why):
    cli.add_command(_other)


def _command(
    name: str, options: dict[str, Any], *, as_json: bool, reason: str = "", argument: str = ""
) -> None:
    from tui import remote

    sys.exit(remote.command(load_to_reach(options), name, reason=reason, argument=argument, as_json=as_json))


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run the command line; every expected failure is one message and its exit code."""
    from engine.api import TraderError

    try:
        cli.main(
            args=None if arguments is None else list(arguments), prog_name="trader-tui", standalone_mode=False
        )
    except click.exceptions.Abort:
        click.echo("trader-tui: interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TraderError as error:
        from tui.folding import folded
        from tui.formats import clean_lines

        click.echo(folded(clean_lines(f"trader-tui: {error}"), sys.stderr), err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
