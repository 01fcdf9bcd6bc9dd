"""The classes behind names in results: found, never imported."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from sakd.distillers import DISTILLERS
from sakd.distillers.simkd import SimKD
from sakd.reporting.tables.kinds import distiller_kinds, may_collapse, policy_kind, stands_alone
from sakd.routing import POLICIES
from sakd.routing.adaptive import Adaptive
from sakd.routing.always import Always


class Routed(Adaptive):
    """A user's own trained policy."""


class Unrouted(Always):
    """A user's own policy without a router."""


class Lonely(SimKD):
    """A user's own distiller that stands alone."""


@pytest.fixture
def package(monkeypatch):
    module = ModuleType("elsewhere")
    vars(module).update(Routed=Routed, Unrouted=Unrouted, Lonely=Lonely, number=3)
    monkeypatch.setitem(sys.modules, "elsewhere", module)


def test_the_names_of_the_tables_are_known():
    assert all(policy_kind(name) is kind for name, kind in POLICIES.items())
    assert all(distiller_kinds(name) == {name: kind} for name, kind in DISTILLERS.items())
    assert distiller_kinds("at-sp") == {name: DISTILLERS[name] for name in ("at", "sp")}


@pytest.mark.usefixtures("package")
def test_classes_of_other_packages_are_known_once_they_are_imported():
    assert policy_kind("elsewhere:Routed") is Routed
    assert distiller_kinds("at-elsewhere:Lonely") == {
        "at": DISTILLERS["at"],
        "elsewhere:Lonely": Lonely,
    }
    assert may_collapse("elsewhere:Routed")
    assert not may_collapse("elsewhere:Unrouted")
    assert stands_alone("elsewhere:Lonely")


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    "name", ["nobody", "elsewhere:Missing", "elsewhere:number", "elsewhere", "os:system", ":", ""]
)
def test_what_names_no_class_is_unknown(name):
    assert policy_kind(name) is None
    assert distiller_kinds(name) == {}
    assert may_collapse(name)
    assert not stands_alone(name)
