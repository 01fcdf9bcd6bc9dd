"""Every distiller's loss and gradient equal the golden values of the reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

LOSS, GRADIENT, FLOAT64 = 1e-5, 1e-4, 1e-9
FILES = sorted((Path(__file__).parent.parent / "golden" / "losses").glob("*.npz"))


def cases() -> list[tuple[str, str]]:
    """Name every case as (distiller, case)."""
    found = []
    for file in FILES:
        with np.load(file) as stored:
            names = {key.split("/")[0] for key in stored.files if key.endswith("/loss")}
        found += [(file.stem, name) for name in sorted(names)]
    return found


def build(distiller: str, case: dict[str, Any]) -> Distiller:
    """Make the distiller for the shapes of a case, with the regressor's weights if it has one."""
    pair = Pair(
        tuple(Spot(k, k) for k in range(len(maps(case, "f_s")))),
        tuple(tuple(x.shape[1:]) for x in maps(case, "f_s")),
        tuple(tuple(x.shape[1:]) for x in maps(case, "f_t")),
        torch.zeros(8, dtype=torch.int64),
    )
    options = {"temperature": 1.0} if distiller == "kd" and case["name"] == "T1" else {}
    made = DISTILLERS[distiller](pair, **options)
    weights = {k.removeprefix("convreg/"): v for k, v in case.items() if k.startswith("convreg/")}
    if weights:
        made.get_submodule("regressor").load_state_dict(weights)
    elif distiller == "fitnet":
        made.regressor = nn.Identity()
    return made


def maps(case: dict[str, Any], side: str) -> list[Tensor]:
    """List the inputs of one side; most losses have one."""
    names = sorted(k for k in case if k.startswith(side) and k.removeprefix(side).isdigit())
    return [case[k] for k in names or [side]]


def loss_of(distiller: Distiller, student: list[Tensor], teacher: list[Tensor]) -> Tensor:
    """Sum the loss over the spots, with everybody chosen."""
    size = len(student[0])
    index = torch.arange(size)
    batch = Batch(torch.zeros(size, 3, 4, 4), index, index, torch.Generator())
    everybody = torch.ones(size, dtype=torch.bool)
    pairs = enumerate(zip(student, teacher, strict=True))
    return torch.stack([distiller.loss(k, s, t, batch, everybody) for k, (s, t) in pairs]).sum()


@pytest.mark.parametrize(("distiller", "name"), cases())
def test_loss_and_gradient_equal_the_reference(
    distiller: str,
    name: str,
    golden: Callable[[str], dict[str, Any]],
    compare: Callable[[str], Any],
) -> None:
    stored = golden(f"losses/{distiller}")
    case = {k.removeprefix(f"{name}/"): v for k, v in stored.items() if k.startswith(f"{name}/")}
    case["name"] = name
    report = compare(f"loss {distiller}/{name}")
    made = build(distiller, case)
    student = [x.clone().requires_grad_() for x in maps(case, "f_s")]

    loss = loss_of(made, student, maps(case, "f_t"))
    report.check("loss", "loss", loss, case["loss"], LOSS)
    loss.backward()
    for k, (x, expected) in enumerate(zip(student, maps(case, "grad_s"), strict=True)):
        report.check("gradient", f"grad_s{k}", x.grad, expected, GRADIENT)
    if "conv_type" in case:
        check_regressor(made, case, report)

    double = [x.double() for x in maps(case, "f_s")]
    precise = loss_of(
        build(distiller, case).double(), double, [x.double() for x in maps(case, "f_t")]
    )
    report.check("float64", "loss_f64", precise, case["loss_f64"], FLOAT64)
    assert not report.failures


def check_regressor(fitnet: Distiller, case: dict[str, Any], report: Any) -> None:
    """Compare FitNet's regressor: its kind, statistics, outputs and weight gradient."""
    regressor = fitnet.get_submodule("regressor")
    conv, bn = regressor.get_submodule("conv"), regressor.get_submodule("bn")
    assert case["conv_type"].split()[0] == type(conv).__name__
    report.check("gradient", "conv.weight", conv.weight.grad, case["grad_conv_weight"], GRADIENT)
    for statistic in ("running_mean", "running_var"):
        report.check(
            "output", statistic, bn.get_buffer(statistic), case[f"{statistic}_after"], LOSS
        )
    with torch.no_grad():
        fresh = build("fitnet", case).get_submodule("regressor")
        report.check("output", "eval", fresh.eval()(case["f_s"]), case["out_eval"], LOSS)
        report.check("output", "train", fresh.train()(case["f_s"]), case["out_train"], LOSS)


def test_rkd_weighs_distances_and_angles_as_the_reference(
    golden: Callable[[str], dict[str, Any]],
) -> None:
    pair = Pair((Spot(4, 4),), ((8,),), ((8,),), torch.zeros(8, dtype=torch.int64))
    rkd = DISTILLERS["rkd"](pair)
    assert golden("losses/rkd")["weights"].tolist() == [rkd.distance_weight, rkd.angle_weight]
