"""Deterministic operations alone: how torch is asked for them, and what it refuses."""

from __future__ import annotations

import os

import pytest
import torch

from sakd.foundation.determinism import WORKSPACE, compute_deterministically, lacks, refusal
from sakd.foundation.errors import UserError
from sakd.foundation.machine import provenance

pytestmark = pytest.mark.usefixtures("usual_operations")


def put() -> None:
    """Call an operation that torch refuses, on a CPU too."""
    torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))


def test_torch_and_its_libraries_are_asked() -> None:
    torch.backends.cudnn.benchmark = True
    compute_deterministically()
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (True, False)
    assert os.environ[WORKSPACE] == ":4096:8"
    compute_deterministically()  # another node of the run


def test_a_workspace_that_is_repeatable_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKSPACE, ":16:8")
    compute_deterministically()
    assert os.environ[WORKSPACE] == ":16:8"


@pytest.mark.parametrize(
    ("workspace", "used", "complaint"),
    [(None, True, "after a GPU was used.*:4096:8"), (":0:0", False, "=:0:0: set it to.*:16:8")],
)
def test_what_comes_too_late_or_is_not_repeatable_is_refused(
    workspace: str | None, used: bool, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: used)
    if workspace is not None:
        monkeypatch.setenv(WORKSPACE, workspace)
    with pytest.raises(UserError, match=complaint):
        compute_deterministically()
    assert not torch.are_deterministic_algorithms_enabled()


def test_an_operation_that_torch_refuses_is_named_with_the_remedy() -> None:
    put()
    compute_deterministically()
    with pytest.raises(RuntimeError) as refused:
        put()
    found = refusal(refused.value)
    assert found is not None
    assert str(found).startswith("put_ ")
    assert "set it to false" in str(found)
    assert "\n" not in str(found)


def test_another_error_is_no_refusal() -> None:
    compute_deterministically()
    assert refusal(RuntimeError("shapes differ")) is None


def test_a_result_of_a_gpu_without_it_is_not_enough_where_it_is_asked_for() -> None:
    plain, other = {"device": "cuda (a GPU)"}, {"device": "cpu"}
    assert not [*lacks(plain), *lacks(other)]
    compute_deterministically()
    assert "GPU" in "".join(lacks(plain))
    assert not [*lacks(other), *lacks({**plain, "deterministic": "true"}), *lacks({})]


def test_it_is_part_of_the_provenance() -> None:
    assert "deterministic" not in provenance("cpu")
    provenance.cache_clear()
    compute_deterministically()
    assert provenance("cpu")["deterministic"] == "true"
