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

SIDES = ("student", "teacher")
LOSS, GRADIENT, FLOAT64 = 1e-5, 1e-4, 1e-9
TOLERANCE = {"pkt": 1e-4}  # a sum of terms that cancel
FILES = sorted((Path(__file__).parent.parent / "golden" / "losses").glob("*.npz"))
Case = dict[str, Any]

# From the reference's names to ours, by distiller: weights, and the gradients of weights.
WEIGHTS = {
    "fitnet": {"convreg/": "regressor."},
    "cc": {"embed_s/linear.": "student_embedding.", "embed_t/linear.": "teacher_embedding."},
    "vid": {"vid/": "gaussians.0."},
    "ft": {"translator/encoder.": "translator.", "paraphraser/": "paraphraser."},
}
GRADIENTS = {
    "fitnet": {"grad_conv_weight": "regressor.conv.weight"},
    "cc": {f"grad_embed_{side[0]}_weight": f"{side}_embedding.weight" for side in SIDES},
    "vid": {
        "grad_log_scale": "gaussians.0.log_scale",
        "grad_regressor.": "gaussians.0.regressor.",
    },
}
# What a case without weights leaves out.
BARE = {
    "fitnet": ["regressor"],
    "cc": [f"{side}_embedding" for side in SIDES],
    "ft": ["translator", "paraphraser.encoder"],
}


def cases() -> list[tuple[str, str]]:
    """Name every case as (distiller, case)."""
    found = []
    for file in FILES:
        with np.load(file) as stored:
            names = {key.split("/")[0] for key in stored.files if key.endswith("/loss_f64")}
        found += [(file.stem, name) for name in sorted(names)]
    return found


def build(distiller: str, case: Case) -> Distiller:
    """Make the distiller for the shapes of a case, with the case's weights if it has some."""
    pair = Pair(
        tuple(Spot(k, k) for k in range(len(maps(case, "f_s")))),
        tuple(tuple(x.shape[1:]) for x in maps(case, "f_s")),
        tuple(tuple(x.shape[1:]) for x in maps(case, "f_t")),
        torch.zeros(8, dtype=torch.int64),
    )
    made = DISTILLERS[distiller](pair, **options(distiller, case))
    weights = renamed(case, WEIGHTS.get(distiller, {}))
    if weights:
        missing, unexpected = made.load_state_dict(weights, strict=False)
        assert (set(missing) <= {"paraphrased"}, unexpected) == (True, [])
    else:
        for name in BARE.get(distiller, []):
            made.set_submodule(name, nn.Identity())
    return made


def options(distiller: str, case: Case) -> dict[str, Any]:
    """List the options of a case that are not the defaults."""
    if (distiller, case["name"]) == ("kd", "T1"):
        return {"temperature": 1.0}
    if (distiller, case["name"]) == ("cc", "embed"):
        return {"feat_dim": 16, "train_teacher_embedding": True}
    return {}


def renamed(case: Case, names: dict[str, str]) -> Case:
    """Pick the entries that begin with one of the names, and begin them as we do."""
    return {
        ours + key.removeprefix(theirs): value
        for theirs, ours in names.items()
        for key, value in case.items()
        if key.startswith(theirs)
    }


def maps(case: Case, side: str) -> list[Tensor]:
    """List the inputs of one side; most losses have one."""
    names = sorted(k for k in case if k.startswith(side) and k.removeprefix(side).isdigit())
    return [case[k] for k in names or [side]]


def loss_of(
    distiller: Distiller,
    student: list[Tensor],
    teacher: list[Tensor],
    spots: slice = slice(None),
) -> Tensor:
    """Take the loss with everybody chosen, at all spots or at some."""
    size = len(student[0])
    index = torch.arange(size)
    batch = Batch(torch.zeros(size, 3, 4, 4), index, index, 0)
    chosen = torch.zeros(size, len(student), dtype=torch.bool)
    chosen[:, spots] = True
    return distiller.losses(student, teacher, batch, chosen)


@pytest.mark.parametrize(("distiller", "name"), cases())
def test_loss_and_gradient_equal_the_reference(
    distiller: str,
    name: str,
    golden: Callable[[str], Case],
    compare: Callable[[str], Any],
) -> None:
    stored = golden(f"losses/{distiller}")
    case = {k.removeprefix(f"{name}/"): v for k, v in stored.items() if k.startswith(f"{name}/")}
    case["name"] = name
    report = compare(f"loss {distiller}/{name}")
    made = build(distiller, case)
    student = [x.clone().requires_grad_() for x in maps(case, "f_s")]

    loss = loss_of(made, student, maps(case, "f_t"))
    report.check("loss", "loss", loss, case["loss"], TOLERANCE.get(distiller, LOSS))
    loss.backward()
    for k, (x, expected) in enumerate(zip(student, maps(case, "grad_s"), strict=True)):
        assert x.grad is not None
        assert x.grad.isfinite().all()
        if expected.isfinite().all():  # the reference's PKT has none for a sample of zeros
            report.check("gradient", f"grad_s{k}", x.grad, expected, GRADIENT)
    each = case.get("loss_each", [])
    for k, expected in enumerate(each):  # one entry per spot, or per couple of spots
        spots = slice(k, k + 1 + len(student) - len(each))
        entry = loss_of(made, student, maps(case, "f_t"), spots)
        report.check("loss", f"loss_each{k}", entry, expected, LOSS)
    for ours, expected in renamed(case, GRADIENTS.get(distiller, {})).items():
        report.check("gradient", ours, made.get_parameter(ours).grad, expected, GRADIENT)
    if "conv_type" in case:
        check_regressor(made, case, report)
    if "factor_t" in case:
        check_factors(build(distiller, case), case, report)

    double = [x.double() for x in maps(case, "f_s")]
    precise = loss_of(
        build(distiller, case).double(), double, [x.double() for x in maps(case, "f_t")]
    )
    report.check("float64", "loss_f64", precise, case["loss_f64"], FLOAT64)
    assert not report.failures


def check_regressor(fitnet: Distiller, case: Case, report: Any) -> None:
    """Compare FitNet's regressor: its kind, statistics and outputs."""
    regressor = fitnet.get_submodule("regressor")
    bn = regressor.get_submodule("bn")
    assert case["conv_type"].split()[0] == type(regressor.get_submodule("conv")).__name__
    for statistic in ("running_mean", "running_var"):
        report.check(
            "output", statistic, bn.get_buffer(statistic), case[f"{statistic}_after"], LOSS
        )
    with torch.no_grad():
        fresh = build("fitnet", case).get_submodule("regressor")
        report.check("output", "eval", fresh.eval()(case["f_s"]), case["out_eval"], LOSS)
        report.check("output", "train", fresh.train()(case["f_s"]), case["out_train"], LOSS)


def check_factors(ft: Distiller, case: Case, report: Any) -> None:
    """Compare the factors of both sides, and how well the teacher's are paraphrased."""
    paraphraser = ft.get_submodule("paraphraser")
    with torch.no_grad():
        report.check("output", "student", ft.translator(case["f_s"]), case["factor_s_train"], LOSS)
        report.check("output", "teacher", paraphraser.encoder(case["f_t"]), case["factor_t"], LOSS)
        report.check("output", "paraphrase", paraphraser(case["f_t"]), case["rec_t"], LOSS)
        pretraining = ft.pretraining()
        assert pretraining is not None
        report.check("output", "mse", pretraining.loss([case["f_t"]]), case["pretrain_mse"], LOSS)


def test_rkd_weighs_distances_and_angles_as_the_reference(
    golden: Callable[[str], Case],
) -> None:
    pair = Pair((Spot(4, 4),), ((8,),), ((8,),), torch.zeros(8, dtype=torch.int64))
    rkd = DISTILLERS["rkd"](pair)
    assert golden("losses/rkd")["weights"].tolist() == [rkd.distance_weight, rkd.angle_weight]


def test_vid_starts_with_the_variance_of_the_reference(golden: Callable[[str], Case]) -> None:
    vid = DISTILLERS["vid"](Pair((Spot(1, 1),), ((2, 4, 4),), ((4, 4, 4),), torch.zeros(8)))
    torch.testing.assert_close(
        vid.get_parameter("gaussians.0.log_scale").data, golden("losses/vid")["init_log_scale"]
    )
