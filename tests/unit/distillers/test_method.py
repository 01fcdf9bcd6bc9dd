"""Methods: one distiller, or several that share a loss."""

from __future__ import annotations

import pytest

from sakd.distillers import DISTILLERS
from sakd.distillers.at import AttentionTransfer
from sakd.distillers.method import JOINT, Method
from sakd.foundation.errors import UserError
from sakd.networks.rebuilt import REUSED
from sakd.networks.spots import SpotFamily

ALONE = [name for name, kind in DISTILLERS.items() if kind.stands_alone]


class Mine(AttentionTransfer):
    """A distiller that is in no table."""

    gamma = 7.0


def test_no_distiller_has_the_joint_in_its_name() -> None:
    assert not [name for name in DISTILLERS if JOINT in name]


@pytest.mark.parametrize("name", DISTILLERS)
def test_a_distiller_alone_is_a_method(name: str) -> None:
    method = Method.of(name)
    assert (method.name, dict(method.distillers)) == (name, {name: DISTILLERS[name]})
    assert method.gamma == DISTILLERS[name].gamma
    assert Method.of(method) is method
    assert Method.of(DISTILLERS[name]) == method


def test_the_members_of_a_method_keep_their_order() -> None:
    method = Method.of("sp-at-crd")
    assert list(method.distillers) == ["sp", "at", "crd"]
    assert list(method.everyone) == ["kd", "sp", "at", "crd"]
    assert method.gamma == 2


def test_a_method_does_not_change_with_the_mapping_that_it_was_made_of() -> None:
    kinds = {"at": DISTILLERS["at"]}
    method = Method(kinds)
    kinds["sp"] = DISTILLERS["sp"]
    assert method.name == "at"
    with pytest.raises(TypeError, match="item assignment"):
        method.distillers["sp"] = DISTILLERS["sp"]


def test_a_class_of_ones_own_has_the_name_by_which_it_is_found() -> None:
    method = Method.of(Mine)
    assert method.name == f"{__name__}:Mine"
    assert (method.gamma, method.companion) == (7.0, True)


@pytest.mark.parametrize(
    ("name", "everyone"),
    [
        ("at", ["kd", "at"]),
        ("rkd", ["kd", "rkd"]),
        ("jacobian", ["kd", "jacobian"]),  # of gradients of the logits, and not of themselves
        ("kd", ["kd"]),
        ("dkd", ["dkd"]),
        ("dist", ["dist"]),
        ("simkd", ["simkd"]),
    ],
)
def test_kd_joins_all_that_leave_the_logits_alone(name: str, everyone: list[str]) -> None:
    method = Method.of(name)
    assert list(method.everyone) == everyone
    assert method.companion is (len(everyone) == 2)


@pytest.mark.parametrize("name", ALONE)
def test_a_lone_distiller_has_no_company(name: str) -> None:
    assert Method.of(name).stands_alone
    for method in (f"at-{name}", f"{name}-kd"):
        with pytest.raises(UserError, match=f"'{method}': {name} stands alone"):
            Method.of(method)


@pytest.mark.parametrize(
    ("method", "complaint"),
    [
        ("at-spp", "'spp'; did you mean 'sp'"),
        ("atn", "'atn'; did you mean 'at'"),
        ("at-", "unknown distiller ''"),
        ("at-sp-at", r"'at-sp-at' names at twice: .* distillation\.weights\.at"),
        ("kd-kd", "'kd-kd' names kd twice"),
        ("at-kd-sp", r"'at-kd-sp'.* write 'at-sp', .* distillation\.kd_weight"),
    ],
)
def test_a_method_that_makes_no_sense_is_refused(method: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Method.of(method)


def test_kd_may_be_named_where_another_distiller_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DISTILLERS["sp"], "family", SpotFamily.LOGITS)
    assert list(Method.of("kd-sp").distillers) == ["kd", "sp"]
    assert not Method.of("at-sp").companion


def test_only_one_distiller_may_rebuild_the_student(monkeypatch: pytest.MonkeyPatch) -> None:
    rebuilding = REUSED
    assert Method.of("at-sp").trained_name("small", "large") == "small"
    monkeypatch.setattr(DISTILLERS["sp"], "rebuilding", rebuilding)
    method = Method.of("at-sp")
    assert method.rebuilding is rebuilding
    assert method.trained_name("small", "large") == rebuilding.name("small", "large") != "small"
    monkeypatch.setattr(DISTILLERS["at"], "rebuilding", rebuilding)
    with pytest.raises(UserError, match="'at-sp': at and sp each rebuild"):
        Method.of("at-sp")


def test_only_one_objective_can_train_a_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DISTILLERS["at"], "objective", "its own")
    assert list(Method.of("at-sp").distillers) == ["at", "sp"]
    monkeypatch.setattr(DISTILLERS["sp"], "objective", "another")
    with pytest.raises(UserError, match="'at-sp': at and sp each need an objective"):
        Method.of("at-sp")
