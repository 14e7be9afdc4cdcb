import msgspec

from engine.api import ModelRow
from tui.modelwords import model_words

ROW = ModelRow("p", "0123456789abcdef", "mlp", 5, 0, 200, 0.0, 0.0, 0.0, 0.0, ())


def words(**changes: object) -> str:
    return model_words(msgspec.structs.replace(ROW, **changes))


def test_a_model_is_told_in_a_line():
    assert words() == "model mlp 01234567, no forecast resolved yet"
    found = words(resolved=50, brier=0.25, brier_base=0.24, gap=0.1)
    assert found == (
        "model mlp 01234567, Brier 0.2500 (base rate 0.2400), gap 0.100 over 50 resolved (judged from 200 on)"
    )
    assert words(resolved=200, brier=0.25).endswith("over 200 resolved")
    demoted = words(resolved=200, demoted=1, text="gap 0.3")
    assert demoted == "model mlp 01234567 DEMOTED: gap 0.3; entries stop until the risk mode is set back"
