"""What must be so before orders may leave for a real account. Facts in, everything that is wrong out."""

import msgspec

CONFIRM_VARIABLE = "CONFIRM_LIVE_TRADING"
CONFIRM_VALUE = "true"
CLOCK_OFFSET_MAX_MS = 1_000.0  # a clock that is further off is set wrong, whatever is made up for


class KeyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue tells of our keys; None where it does not tell."""

    real_money: bool | None = None
    can_trade: bool | None = None
    can_withdraw: bool | None = None


class VenueFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue says before the first order: of our keys, of what it trades now, and what time it is."""

    keys: KeyFacts = KeyFacts()
    symbols: frozenset[str] = frozenset()
    clock_offset_ms: float = 0.0  # the venue's clock minus ours


class HomeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before the venue is asked. The flaws are sentences, empty where there is none."""

    real_money: bool
    confirmed: bool = False
    variable: str = ""
    venue_flaw: str = ""
    key_flaw: str = ""
    keys_shared: bool = False  # the keys of the real and of the demo account are the same
    plays: int = 0
    failed_checks: tuple[str, ...] = ()


def lacks_at_home(facts: HomeFacts) -> tuple[str, ...]:
    """Return everything that is wrong or missing before the venue is asked; nothing lets the start go on."""
    lacks: list[str] = []
    if facts.real_money and not facts.confirmed:
        lacks.append("--confirm is missing: real money is asked for on the command line, each time")
    if facts.real_money and facts.variable != CONFIRM_VALUE:
        said = f"is {facts.variable!r}" if facts.variable else "is not set"
        lacks.append(f"the environment variable {CONFIRM_VARIABLE} {said}; it must be {CONFIRM_VALUE!r}")
    lacks += [flaw for flaw in (facts.venue_flaw, facts.key_flaw) if flaw]
    if facts.keys_shared:
        lacks.append("the keys of the demo account are those of the real one; each account has its own")
    if facts.real_money and not facts.plays:
        lacks.append("no play is named: --play FILE")
    return (*lacks, *facts.failed_checks)


def lacks_at_venue(told: VenueFacts, *, real_money: bool, symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Return everything that the venue's own word speaks against."""
    lacks: list[str] = []
    keys = told.keys
    if keys.real_money is not None and keys.real_money is not real_money:
        kind, wanted = ("a real", "demo") if keys.real_money else ("a demo", "live")
        lacks.append(f"the keys are of {kind} account, and the mode is {wanted}")
    if keys.can_trade is False:
        lacks.append("the keys may not trade: allow orders and positions, or make new ones")
    if keys.can_withdraw:
        lacks.append("the keys may withdraw: make keys that can only trade, for a thief empties nothing then")
    unknown = [symbol for symbol in symbols if symbol not in told.symbols]
    if unknown:
        lacks.append(f"the venue does not trade {', '.join(unknown)} now")
    if abs(told.clock_offset_ms) > CLOCK_OFFSET_MAX_MS:
        off_s, way = abs(told.clock_offset_ms) / 1000, "behind" if told.clock_offset_ms > 0 else "ahead of"
        lacks.append(f"our clock is {off_s:.1f} s {way} the venue's: set it (timedatectl set-ntp true)")
    return tuple(lacks)


def told_together(lacks: tuple[str, ...], mode: str) -> str:
    """Write everything that is wrong or missing as one message."""
    if len(lacks) == 1:
        return f"{mode} does not start: {lacks[0]}"
    lines = "\n".join(f"  {lack}" for lack in lacks)
    return f"{mode} does not start, for {len(lacks)} reasons:\n{lines}"
