"""Methods: one distiller, or several joined by hyphens."""

from __future__ import annotations

import pytest

from sakd.distillers import DISTILLERS
from sakd.distillers.method import JOINT, has_companion, largest_gamma, members, stands_alone
from sakd.foundation.errors import UserError
from sakd.networks.spots import SpotFamily


def test_no_distiller_has_the_joint_in_its_name() -> None:
    assert not [name for name in DISTILLERS if JOINT in name]


@pytest.mark.parametrize("name", DISTILLERS)
def test_a_distiller_alone_is_a_method(name: str) -> None:
    assert members(name) == (name,)
    assert largest_gamma([name]) == DISTILLERS[name].gamma


def test_the_members_of_a_method_keep_their_order() -> None:
    assert members("sp-at-crd") == ("sp", "at", "crd")
    assert largest_gamma(members("sp-at-crd")) == 2


@pytest.mark.parametrize("name", DISTILLERS)
def test_kd_goes_with_all_that_leave_the_logits_alone(name: str) -> None:
    kind = DISTILLERS[name]
    without = kind.family is SpotFamily.LOGITS or kind.stands_alone
    assert has_companion([name]) is not without
    assert has_companion(["at", name]) is not without


@pytest.mark.parametrize("name", [name for name, kind in DISTILLERS.items() if kind.stands_alone])
def test_what_stands_alone_has_neither_labels_nor_others_beside_it(name: str) -> None:
    assert stands_alone(members(name))
    for method in (f"at-{name}", f"{name}-kd"):
        with pytest.raises(UserError, match=f"method '{method}': {name} stands alone"):
            members(method)


@pytest.mark.parametrize(
    ("method", "complaint"),
    [
        ("at-spp", r"unknown distiller 'spp'; did you mean 'sp'"),
        ("atn", r"unknown distiller 'atn'; did you mean 'at'"),
        ("at-", r"unknown distiller ''"),
        ("at-sp-at", r"'at-sp-at' names at twice: .* distillation\.weights\.at"),
        ("kd-kd", r"'kd-kd' names kd twice"),
        ("at-kd-sp", r"kd goes with at-sp by itself; write 'at-sp', .* distillation\.kd_weight"),
    ],
)
def test_a_method_that_makes_no_sense_is_refused(method: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        members(method)


def test_kd_may_be_named_where_another_distiller_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DISTILLERS["sp"], "family", SpotFamily.LOGITS)
    assert members("kd-sp") == ("kd", "sp")
    assert not has_companion(members("at-sp"))
