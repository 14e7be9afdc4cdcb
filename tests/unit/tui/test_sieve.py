"""Filters: what a text means, and what it lets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sieve import sieve_of
from tui.sifting import Sifting

FIELDS = ("state", "symbol", "play", "reason")
FACTS = {"state": "working open", "symbol": "BTCUSDT", "play": "ema_cross", "reason": ""}


def facts(item: object) -> dict[str, str]:
    assert isinstance(item, dict)
    return item


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("btc", True),
        ("BTC work", True),
        ("btc eth", False),
        ("symbol:btc", True),
        ("sym:btc state:open", True),
        ("play:btc", False),
        ("!eth", True),
        ("!btc", False),
        ("!symbol:eth state:open", True),
        ('"working open"', True),
        ('state:"working o', True),
        ('"open working"', False),
        ("state:", True),
        ("!", True),
        ("reason:x", False),
        ("!reason:x", True),
    ],
)
def test_all_terms_must_hold(text: str, passes: bool) -> None:
    """Words anywhere, fields where they say, `!` turns round, quotes hold blanks together."""
    assert sieve_of(text, FIELDS).passes(FACTS) is passes


def test_a_time_is_no_field() -> None:
    """Digits before a colon are text."""
    assert sieve_of("14:02", FIELDS).passes({"time": "14:02:11"})
    assert not sieve_of("14:03", FIELDS).passes({"time": "14:02:11"})


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("plya:ema", "there is no field plya; fields: state, symbol, play, reason"),
        ("s:open", "s: may be state or symbol"),
    ],
)
def test_a_field_that_is_none_matches_nothing_and_says_so(text: str, flaw: str) -> None:
    """An empty list without a word would be believed."""
    sieve = sieve_of(text, FIELDS)
    assert sieve.flaw == flaw
    assert not sieve.passes(FACTS)


@given(st.text(max_size=40))
def test_any_text_is_a_filter(text: str) -> None:
    """None is an error, and its negation of single words is exact."""
    sieve = sieve_of(text, FIELDS)
    assert sieve.text == text
    sieve.passes(FACTS)


def test_matches_are_counted_by_item_and_walked_round() -> None:
    """A notice that takes three rows is one match."""
    one, two, three = ({"text": word} for word in ("buy btc", "sell eth", "buy sol"))
    items = (one, one, two, three, three)
    sifting = Sifting(("text",))
    sifting.write("buy")
    assert sifting.sift(items, facts) == (0, 1, 3, 4)
    assert sifting.title() == "/buy 2/3 "
    assert [sifting.next(0, 1), sifting.next(2, 1), sifting.next(0, -1)] == [2, 0, 2]
    sifting.clear()
    assert sifting.sift(items, facts) == (0, 1, 2, 3, 4)
    assert not sifting.active
    assert [sifting.next(0, 1), sifting.next(3, 1), sifting.next(0, -1)] == [3, 0, 3]


def test_without_a_filter_there_is_no_match() -> None:
    """Nothing was looked for."""
    sifting = Sifting(("text",))
    assert sifting.sift(({"text": "a"},), facts) == (0,)
    assert sifting.next(0, 1) is None
    sifting.write("zzz")
    assert sifting.sift(({"text": "a"},), facts) == ()
    assert sifting.next(0, 1) is None
    assert sifting.empty("Esc") == ("Nothing matches /zzz.", "Not shown: 1. Esc shows all.")


def test_a_long_filter_shows_its_end() -> None:
    """That is where one types."""
    sifting = Sifting(())
    sifting.write("x" * 40 + "end")
    sifting.typing = True
    assert sifting.title().startswith("/…xxx")
    assert "end▏ 0/0" in sifting.title()
