"""Compare a distiller's loss, gradients and outputs with those of the published code."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from conformance.comparison import TOLERANCE, Comparison, Golden, below, golden, names
from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

SIDES = ("student", "teacher")
GRADIENT = {"kdsvd": 1e-6}  # ours are smoothed where two singular values meet

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
# The modules that a case without weights leaves out.
BARE = {
    "fitnet": ["regressor"],
    "cc": [f"{side}_embedding" for side in SIDES],
    "ft": ["translator", "paraphraser.encoder"],
}
# Options that are not the defaults, by case.
OPTIONS = {
    "kd/T1": {"temperature": 1.0},
    "cc/embed": {"feat_dim": 16, "train_teacher_embedding": True},
}


def cases() -> list[str]:
    """List every case as DISTILLER/NAME; the contrast's memory has a comparison of its own."""
    found = [
        f"{distiller}/{key.removesuffix('/loss')}"
        for distiller in names("losses")
        for key in golden(f"losses/{distiller}")
        if key.endswith("/loss") and distiller != "crd"
    ]
    return sorted(found)


def compare_loss(name: str) -> Comparison:
    """Compare a case DISTILLER/NAME: loss, gradients, and outputs where they are stored."""
    distiller, _, below_it = name.partition("/")
    case, found = below(f"{below_it}/", golden(f"losses/{distiller}")), Comparison(f"loss {name}")
    made = build(name, case)
    student = [x.clone().requires_grad_() for x in maps(case, "f_s")]
    loss = loss_of(made, student, maps(case, "f_t"))
    found.check("loss", "loss", loss, case["loss"])
    loss.backward()
    tolerance = GRADIENT.get(distiller, TOLERANCE)
    for k, (x, expected) in enumerate(zip(student, maps(case, "grad_s"), strict=True)):
        assert x.grad is not None
        assert x.grad.isfinite().all()
        if expected.isfinite().all():  # the reference's PKT has none for a sample of zeros
            found.check("gradient", f"grad_s{k}", x.grad, expected, tolerance)
    for ours, expected in renamed(case, GRADIENTS.get(distiller, {})).items():
        found.check("gradient", ours, made.get_parameter(ours).grad, expected)
    each = case.get("loss_each", [])
    for k, expected in enumerate(each):  # one entry per spot, or per couple of spots
        spots = slice(k, k + 1 + len(student) - len(each))
        entry = loss_of(made, student, maps(case, "f_t"), spots)
        found.check("loss", f"loss_each{k}", entry, expected)
    if "conv_type" in case:
        check_regressor(made, build(name, case), case, found)
    if "factor_t" in case:
        check_factors(build(name, case), case, found)
    return found


def build(name: str, case: Golden) -> Distiller:
    """Make the distiller for the shapes of a case, with the case's weights if it has some."""
    distiller = name.partition("/")[0]
    pair = Pair(
        tuple(Spot(k, k) for k in range(len(maps(case, "f_s")))),
        tuple(tuple(x.shape[1:]) for x in maps(case, "f_s")),
        tuple(tuple(x.shape[1:]) for x in maps(case, "f_t")),
        torch.zeros(8, dtype=torch.int64),
    )
    made = DISTILLERS[distiller](pair, **OPTIONS.get(name, {}))
    weights = renamed(case, WEIGHTS.get(distiller, {}))
    if weights:
        missing, unexpected = made.load_state_dict(weights, strict=False)
        assert (set(missing) <= {"paraphrased"}, unexpected) == (True, [])
    else:
        for module in BARE.get(distiller, []):
            made.set_submodule(module, nn.Identity())
    return made


def renamed(case: Golden, ours: dict[str, str]) -> Golden:
    """Take the entries that begin with one of the reference's names, under ours."""
    return {
        our_name + key: value
        for their_name, our_name in ours.items()
        for key, value in below(their_name, case).items()
    }


def maps(case: Golden, side: str) -> list[Tensor]:
    """List the inputs of one side; most losses have one."""
    numbered = sorted(k for k in case if k.startswith(side) and k.removeprefix(side).isdigit())
    return [case[k] for k in numbered or [side]]


def loss_of(
    distiller: Distiller,
    student: list[Tensor],
    teacher: list[Tensor],
    spots: slice = slice(None),
) -> Tensor:
    """Take the loss with everybody chosen, at all spots or at some."""
    chosen = torch.zeros(len(student[0]), len(student), dtype=torch.bool)
    chosen[:, spots] = True
    return distiller.losses(student, teacher, batch_of(student[0]), chosen)


def batch_of(features: Tensor) -> Batch:
    """Make a batch behind features (B, ...)."""
    index = torch.arange(len(features))
    return Batch(torch.zeros(len(features), 3, 4, 4), index, index, 0)


def check_regressor(trained: Distiller, fresh: Distiller, case: Golden, found: Comparison) -> None:
    """Compare FitNet's regressor: its kind, its statistics after a step, its outputs before."""
    regressor: Any = trained.get_submodule("regressor")
    assert case["conv_type"].split()[0] == type(regressor.conv).__name__
    for statistic in ("running_mean", "running_var"):
        value = regressor.bn.get_buffer(statistic)
        found.check("output", statistic, value, case[f"{statistic}_after"])
    with torch.no_grad():
        regressor = fresh.get_submodule("regressor")
        found.check("output", "eval", regressor.eval()(case["f_s"]), case["out_eval"])
        found.check("output", "train", regressor.train()(case["f_s"]), case["out_train"])


@torch.no_grad()
def check_factors(ft: Any, case: Golden, found: Comparison) -> None:
    """Compare the factors of both sides, and how well the teacher's are paraphrased."""
    found.check("output", "student", ft.translator(case["f_s"]), case["factor_s_train"])
    found.check("output", "teacher", ft.paraphraser.encoder(case["f_t"]), case["factor_t"])
    found.check("output", "paraphrase", ft.paraphraser(case["f_t"]), case["rec_t"])
    error = ft.pretraining().loss([case["f_t"]], batch_of(case["f_t"]))
    found.check("output", "mse", error, case["pretrain_mse"])


def compare_initial_values() -> Comparison:
    """Compare the values that distillers start with, where no case stores them as weights."""
    found = Comparison("initial values")
    rkd = DISTILLERS["rkd"](Pair((Spot(4, 4),), ((8,),), ((8,),), torch.zeros(8)))
    ours = torch.tensor([rkd.distance_weight, rkd.angle_weight])
    found.check("initial", "rkd", ours, golden("losses/rkd")["weights"])
    vid = DISTILLERS["vid"](Pair((Spot(1, 1),), ((2, 4, 4),), ((4, 4, 4),), torch.zeros(8)))
    variance = vid.get_parameter("gaussians.0.log_scale")
    found.check("initial", "vid", variance, golden("losses/vid")["init_log_scale"])
    return found
