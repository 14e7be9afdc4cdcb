"""Letters of panes: one each, the same always, and shown as far as there is room."""

from hypothesis import given
from hypothesis import strategies as st

from tui.jump import badges, elsewhere, letters
from tui.panes.registry import PANES


def test_the_letters_of_the_panes_there_are() -> None:
    """Their own letters, the first that is free; a new pane at the end changes none."""
    given_letters = letters(pane.name_id for pane in PANES)
    assert [given_letters[name] for name in ("market", "positions", "orders", "signals")] == list("mpos")
    assert [given_letters[name] for name in ("risk", "reload", "events", "health")] == list("revh")


@given(st.lists(st.text("abcxyz-", min_size=1, max_size=6), unique=True, max_size=26))
def test_no_two_panes_share_a_letter(names: list[str]) -> None:
    """However they are called."""
    found = letters(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert all(len(letter) == 1 for letter in found.values())


def test_titles_give_way_to_letters() -> None:
    """Whole, cut, gone: the letter stays."""
    tabs, letter = (("orders", "Orders"), ("signals", "Signals")), {"orders": "o", "signals": "s"}
    texts = ["".join(text for text, _ in badges(tabs, letter, budget)) for budget in (40, 20, 3)]
    assert texts == ["  o  Orders  s  Signals ", "  o  Ord…  s  Sig… ", "  o    s   "]


def test_panes_without_a_title_on_screen_are_listed() -> None:
    """With their letter."""
    panes, letter = (("orders", "Orders"), ("chart", "Chart")), {"orders": "o", "chart": "c"}
    assert elsewhere(panes, ["orders"], letter) == "c Chart"
