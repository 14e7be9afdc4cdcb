"""Which keys an account is opened with: real and demo money each have their own."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from engine.config.secrets import Credentials, Secret, load_credentials
from engine.domain.errors import ConfigError

LOCAL_VENUE = "local"
# What the local exchange is opened with unless others are given (docs/venue.md); they are worth nothing.
LOCAL_KEYS = Credentials(Secret("local-key"), Secret("local-secret"))


class Keys(NamedTuple):
    """The keys of an account, or why there are none; `shared` where a venue's other account has the same."""

    credentials: Credentials | None
    flaw: str = ""
    shared: bool = False


def account_name(venue: str, *, real_money: bool) -> str:
    """Return what an account's keys are filed under: `bybit` is the real one, `bybit-demo` the other."""
    return venue if real_money else f"{venue}-demo"


def find_keys(venue: str, file: Path, *, real_money: bool, env: Mapping[str, str] | None = None) -> Keys:
    """Look for the keys of an account in the environment, then in the key file; never those of the other."""
    variables = os.environ if env is None else env
    try:
        found = load_credentials(account_name(venue, real_money=real_money), file, variables)
    except ConfigError as error:
        return Keys(LOCAL_KEYS) if venue == LOCAL_VENUE else Keys(None, str(error))
    return Keys(found, shared=_other(venue, file, variables, real_money=not real_money) == found.api_key)


def _other(venue: str, file: Path, env: Mapping[str, str], *, real_money: bool) -> Secret | None:
    try:
        return load_credentials(account_name(venue, real_money=real_money), file, env).api_key
    except ConfigError:
        return None
