"""Clears the start of an engine that trades on a real venue: first what is here, then what the venue says."""

import asyncio
import os
from collections.abc import Mapping

from engine.config.keys import find_keys
from engine.config.packaged import keys_path
from engine.config.secrets import Credentials
from engine.config.settings import Settings
from engine.domain.errors import AuthError, ConfigError
from engine.ports import VenueProbe
from engine.risk.clearance import (
    CONFIRM_VARIABLE,
    HomeFacts,
    lacks_at_home,
    lacks_at_venue,
    told_together,
)
from engine.runtime.doctor import KEY_FILE_CHECK, Verdict, examine_machine
from engine.runtime.factory import SIMULATED, check_start, is_real, is_real_money

ANSWER_TIMEOUT_S = 20.0


def clear_start(settings: Settings, now: int, *, only_reduces: bool = False) -> Credentials | None:
    """Return the keys of the account that a real venue needs, None where the mode has none.

    Raises one ConfigError that names all that is wrong or missing; what only reduces needs nothing but keys.
    """
    if not is_real(settings):
        return None
    check_start(settings)
    real_money = is_real_money(settings)
    if not only_reduces:
        return clear_at_home(settings, real_money=real_money, now=now)
    keys = find_keys(settings.venue, keys_path(settings), real_money=real_money)
    if keys.credentials is None:
        raise ConfigError(told_together((keys.flaw,), settings.mode))
    return keys.credentials


def clear_at_home(
    settings: Settings, *, real_money: bool, now: int, env: Mapping[str, str] | None = None
) -> Credentials:
    """Clear a start by what is known here. Raises ConfigError, as above."""
    variables = os.environ if env is None else env
    keys = find_keys(settings.venue, keys_path(settings), real_money=real_money, env=variables)
    nowhere = "no venue is named: --venue NAME" if settings.venue == SIMULATED else ""
    failed = tuple(
        f"{check.name}: {check.text}. {check.remedy}".strip()
        for check in examine_machine(settings, now)
        if check.verdict is Verdict.FAIL
        and not (check.name == KEY_FILE_CHECK and keys.flaw)  # the flaw says it already
    )
    facts = HomeFacts(
        real_money=real_money,
        confirmed=settings.confirm,
        variable=variables.get(CONFIRM_VARIABLE, ""),
        venue_flaw=nowhere,
        key_flaw="" if nowhere else keys.flaw,
        keys_shared=keys.shared,
        plays=len(settings.plays),
        failed_checks=failed,
    )
    lacks = lacks_at_home(facts)
    if lacks:
        raise ConfigError(told_together(lacks, settings.mode))
    assert keys.credentials is not None, "that there are none is a flaw"
    return keys.credentials


async def clear_at_venue(
    settings: Settings, probe: VenueProbe, *, real_money: bool, symbols: tuple[str, ...]
) -> None:
    """Ask the venue, and raise one ConfigError that names all that speaks against a start.

    Raises VenueError where it does not answer.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            told = await probe.facts()
    except AuthError as error:
        raise keys_refused(settings, error, real_money=real_money) from None
    except TimeoutError:
        text = f"{settings.venue} did not answer within {ANSWER_TIMEOUT_S:g} s"
        raise ConfigError(told_together((text,), settings.mode)) from None
    lacks = lacks_at_venue(told, real_money=real_money, symbols=symbols)
    if lacks:
        raise ConfigError(told_together(lacks, settings.mode))


def keys_refused(settings: Settings, error: AuthError, *, real_money: bool) -> ConfigError:
    """Return what to tell where the venue does not take the keys: often they are of another account."""
    kind = "real" if real_money else "demo"
    text = f"{settings.venue} refuses the keys ({error}); are they those of a {kind} account?"
    return ConfigError(told_together((text,), settings.mode))
