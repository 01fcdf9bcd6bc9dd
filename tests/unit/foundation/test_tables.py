import pickle

import pytest

from sakd.foundation.errors import UserError
from sakd.foundation.tables import Table, UnknownNameError

DISTILLERS = Table("distiller", {"kd": 1, "at": 2, "fitnet": 3})


def test_a_known_name_finds_its_item_and_the_order_is_that_of_the_table() -> None:
    assert DISTILLERS["at"] == 2
    assert list(DISTILLERS) == ["kd", "at", "fitnet"]
    assert len(DISTILLERS) == 3


@pytest.mark.parametrize(("name", "near"), [("atn", "at"), ("FitNets", "fitnet"), ("KD", "kd")])
def test_an_unknown_name_is_told_its_near_match_and_all_names(name: str, near: str) -> None:
    with pytest.raises(UserError) as caught:
        DISTILLERS[name]
    expected = f"unknown distiller {name!r}; did you mean {near!r}? known: kd, at, fitnet"
    assert str(caught.value) == expected


def test_a_name_like_no_other_is_told_all_names_alone() -> None:
    with pytest.raises(UserError, match=r"^unknown distiller 'xyz'; known: kd, at, fitnet$"):
        DISTILLERS["xyz"]


def test_in_and_get_work_as_for_any_mapping() -> None:
    assert "kd" in DISTILLERS
    assert "atn" not in DISTILLERS
    assert 3 not in DISTILLERS
    assert DISTILLERS.get("atn") is None
    assert DISTILLERS.get("atn", 7) == 7


def test_a_table_is_not_changed_through_the_mapping_it_was_made_from() -> None:
    items = {"kd": 1}
    table = Table("distiller", items)
    items["at"] = 2
    assert list(table) == ["kd"]
    assert not hasattr(table, "__setitem__")


def test_the_error_survives_pickling_with_its_message() -> None:
    error = pickle.loads(pickle.dumps(UnknownNameError("unknown x")))
    assert str(error) == "unknown x"
    assert isinstance(error, UserError)
