"""Tables find items by name, help with unknown names, and find classes of other packages."""

from __future__ import annotations

import pickle
import sys
from abc import ABC, abstractmethod
from types import ModuleType

import pytest

from sakd.foundation.errors import UserError
from sakd.foundation.tables import Table, UnknownNameError

DISTILLERS = Table("distiller", {"kd": 1, "at": 2, "fitnet": 3})


def test_a_known_name_finds_its_item_and_the_order_is_that_of_the_table() -> None:
    assert DISTILLERS["at"] == 2
    assert list(DISTILLERS) == ["kd", "at", "fitnet"]
    assert len(DISTILLERS) == 3


@pytest.mark.parametrize(("name", "near"), [("atn", "at"), ("FitNets", "fitnet"), ("KD", "kd")])
def test_an_unknown_name_is_met_by_its_near_match_and_all_names(name: str, near: str) -> None:
    with pytest.raises(UserError) as caught:
        DISTILLERS[name]
    expected = f"unknown distiller {name!r}; did you mean {near!r}? known: kd, at, fitnet"
    assert str(caught.value) == expected


def test_a_name_like_no_other_is_met_by_all_names_alone() -> None:
    with pytest.raises(UserError, match=r"'xyz'; known: kd, at, fitnet$"):
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


class Animal(ABC):
    @abstractmethod
    def sound(self) -> str: ...


ANIMALS: Table[type[Animal]] = Table("animal", {}, base=Animal)


@pytest.fixture
def _outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with a class of the right kind, and others."""
    module = ModuleType("table_animals")
    cow = type("Cow", (Animal,), {"sound": lambda _self: "moo", "__module__": "table_animals"})
    vars(module).update(Cow=cow, Wild=type("Wild", (Animal,), {}), Stone=int, number=1)
    monkeypatch.setitem(sys.modules, "table_animals", module)


@pytest.mark.usefixtures("_outside")
def test_a_table_with_a_base_finds_classes_of_other_packages() -> None:
    cow = ANIMALS["table_animals:Cow"]
    assert cow().sound() == "moo"
    assert "table_animals:Cow" in ANIMALS
    assert ANIMALS.name_of(cow) == "table_animals:Cow"
    assert list(ANIMALS) == []
    with pytest.raises(UnknownNameError, match=r"'cow'; known: , or package\.module:Class"):
        ANIMALS["cow"]


@pytest.mark.usefixtures("_outside")
@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("table_animals:Caw", "table_animals 'Caw'.*'Cow'"),
        ("table_animals:number", "table_animals 'number'"),
        ("table_animals:Stone", "table_animals:Stone is no animal.*Animal"),
        ("table_animals:Wild", "table_animals:Wild is no animal.*abstract"),
        ("nowhere_to_be_found:Cow", "no module 'nowhere_to_be_found'.*PYTHONPATH"),
    ],
)
def test_anything_but_such_a_class_is_refused(name: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        ANIMALS[name]


def test_a_table_without_a_base_looks_nowhere_else() -> None:
    with pytest.raises(UnknownNameError, match="unknown distiller 'os:system'"):
        DISTILLERS["os:system"]
