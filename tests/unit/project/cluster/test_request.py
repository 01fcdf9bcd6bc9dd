"""Requests of a row to a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from sakd.foundation.errors import UserError
from sakd.project.cluster.request import Request

HEAD, WORKER = {"CPU": 2.0}, {"CPU": 1.0, "GPU": 1.0}


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"cpus": 0}, "cpus must be above 0, got 0"),
        ({"gpus": -1}, "gpus must not be negative: -1"),
        ({"gpus": 1.5}, r"gpus above 1 must be a whole number, got 1\.5"),
    ],
)
def test_what_no_machine_can_give_is_refused(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Request(**asked)


@pytest.mark.parametrize(("cpus", "gpus"), [(0.5, 0.25), (1, 1), (2, 0)])
def test_what_one_machine_has_is_granted(cpus: float, gpus: float) -> None:
    Request(cpus, gpus).check([HEAD, WORKER])


@pytest.mark.parametrize(("cpus", "gpus"), [(2, 1), (3, 0), (1, 2)])
def test_what_only_several_machines_have_is_refused(cpus: float, gpus: float) -> None:
    complaint = f"{cpus} CPUs and {gpus} GPUs .*at most 2 CPUs and 1 GPUs.*--runner-params"
    with pytest.raises(UserError, match=complaint):
        Request(cpus, gpus).check([HEAD, WORKER])


def test_a_cluster_without_machines_grants_nothing() -> None:
    with pytest.raises(UserError, match="at most 0 CPUs"):
        Request().check([])
