"""Everything `trader-tui doctor` looks at: the settings, the machine, the account's keys and the venue."""

import asyncio

from engine.config.keys import find_keys
from engine.config.packaged import instance_dir, keys_path
from engine.config.settings import Settings
from engine.domain.errors import ConfigError, VenueError
from engine.ports import VenueProbe
from engine.risk.clearance import lacks_at_venue
from engine.runtime.binding import load_plays
from engine.runtime.clearance import ANSWER_TIMEOUT_S
from engine.runtime.doctor import Check, Verdict, examine_machine
from engine.runtime.factory import SIMULATED, check_start, is_real, is_real_money, unwatched, venue_probe
from engine.runtime.othermodes import open_elsewhere
from engine.venues.ccxt_profiles import LOCAL

REMEDY = "Look at the keys and the connection"


async def examine(settings: Settings, *, now: int, offline: bool) -> tuple[Check, ...]:
    """Look at everything; the venue is left out where told so."""
    checks = [check_config(settings), *await asyncio.to_thread(examine_machine, settings, now)]
    left = open_elsewhere(instance_dir(settings), unwatched(settings), now)
    remedy = "Look after them there, or close them"
    checks += [Check("positions", Verdict.WARN, text, remedy) for text in left]
    if not is_real(settings):
        return (*checks, Check("venue", Verdict.OK, f"{settings.venue}: inside this program"))
    if settings.venue == SIMULATED:
        text = f"{settings.mode} needs a real venue, and none is named"
        return (*checks, Check("venue", Verdict.FAIL, text, "Name it: --venue NAME"))
    return (*checks, *await _account(settings, offline=offline))


def check_config(settings: Settings) -> Check:
    """Settings and plays can be run."""
    try:
        check_start(settings)
        plays = load_plays(settings.plays)
    except ConfigError as error:
        return Check("config", Verdict.FAIL, str(error), "Mend the named place")
    if is_real_money(settings) and not plays:
        text = f"{settings.mode} needs a play, and none is named"
        return Check("config", Verdict.FAIL, text, "Name it: --play FILE")
    names = ", ".join(file.spec.name for file in plays) or "no play"
    return Check("config", Verdict.OK, f"{settings.mode} on {settings.venue}: {names}")


async def _account(settings: Settings, *, offline: bool) -> list[Check]:
    """Look at the account's keys, and with them at the venue."""
    real_money = is_real_money(settings)
    keys = find_keys(settings.venue, keys_path(settings), real_money=real_money)
    if keys.credentials is None:
        return [Check("account", Verdict.FAIL, keys.flaw, "Keys come from the environment or a 0600 file")]
    if keys.shared:
        text = "the keys of the demo account are those of the real one"
        return [Check("account", Verdict.FAIL, text, "Make keys for each account")]
    found = Check("account", Verdict.OK, "it has keys of its own")
    probe = None if offline else venue_probe(settings, keys.credentials)
    if probe is None:
        return [found, Check("venue", Verdict.SKIPPED, f"{settings.venue} was not asked")]
    return [found, *await check_venue(settings, probe, real_money=real_money)]


async def check_venue(settings: Settings, probe: VenueProbe, *, real_money: bool) -> list[Check]:
    """Ask the venue what a start must know."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            told = await probe.facts()
    except TimeoutError:
        text = f"{settings.venue} did not answer within {ANSWER_TIMEOUT_S:g} s"
        return [Check("venue", Verdict.FAIL, text, "Look at the connection and the venue's status page")]
    except VenueError as error:
        is_local = settings.venue == LOCAL
        remedy = "Start the local exchange: trader-tui venue" if is_local else REMEDY
        said = str(error)
        text = said if said.startswith(settings.venue) else f"{settings.venue}: {said}"
        return [Check("venue", Verdict.FAIL, text, remedy)]
    lacks = lacks_at_venue(told, real_money=real_money, symbols=())
    if lacks:
        return [Check("venue", Verdict.FAIL, lack) for lack in lacks]
    text = f"{settings.venue} answers; its clock minus ours: {told.clock_offset_ms:+.0f} ms"
    return [Check("venue", Verdict.OK, text)]
