"""One message for every unknown name: near matches, and the names there are if they are few."""

from __future__ import annotations

from sakd.foundation.names import LISTED, unknown

MANY = [f"model{number}" for number in range(LISTED + 1)]


def test_near_matches_come_before_all_names_whatever_the_case() -> None:
    message = unknown("color", "BLEU", ["Blue", "red"], within="sky.")
    assert message == "unknown color 'sky.BLEU'; did you mean 'Blue'? known: Blue, red"
    assert unknown("color", "xyz", ["Blue", "red"]) == "unknown color 'xyz'; known: Blue, red"


def test_a_long_list_is_left_out_where_there_are_near_matches_and_cut_where_not() -> None:
    assert unknown("model", "model3x", MANY).endswith("?")
    assert unknown("model", "xyz", MANY).endswith(f"{MANY[LISTED - 1]}, ...")
    assert unknown("model", "xyz", MANY[:-1]).endswith(MANY[LISTED - 1])
