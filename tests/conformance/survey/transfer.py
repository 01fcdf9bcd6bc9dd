"""Compare learnt transfer: the weighted loss, and the gradient of the outer loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison
from conformance.losses import renamed
from conformance.survey.cases import GRADIENT, LOSS, batch_of, case_of
from sakd.distillers import DISTILLERS, Pair
from sakd.networks.spots import Spot
from sakd.objectives.players import Optimisation
from sakd.objectives.virtual import Descent, Trail

LAYERS = {
    f"{theirs}{k}_": f"{ours}.{k}."
    for theirs, ours in {
        "conv": "regressors",
        "what": "choice.what",
        "where": "choice.where",
    }.items()
    for k in range(4)
}


def compare_transfer() -> Comparison:
    """Compare the loss between two stages of a student and two of a teacher."""
    case, found = case_of("l2tww", "matching"), Comparison("survey l2tww/matching")
    students = [case[f"f_s{k}"].clone().requires_grad_() for k in range(2)]
    teachers = [case[f"f_t{k}"] for k in range(2)]
    shapes = (tuple(tuple(x.shape[1:]) for x in maps) for maps in (students, teachers))
    l2tww = DISTILLERS["l2tww"](Pair((Spot(1, 1), Spot(2, 2)), *shapes, torch.arange(4)))
    l2tww.load_state_dict(renamed(case, LAYERS))
    for k, weights in enumerate(l2tww.choice(teachers)):
        product = case[f"loss_weight{k}"] * case[f"weight{k}"]
        found.check("weights", f"pair {k}", weights, product, LOSS)
        strength = l2tww.strengths([weights])
        found.check("weights", f"lambda {k}", strength * 6, case[f"loss_weight{k}"], LOSS)
    everybody = torch.ones(4, 2, dtype=torch.bool)
    loss = case["beta"] * l2tww.losses(students, teachers, batch_of(torch.arange(4)), everybody)
    found.check("loss", "loss", loss, case["loss"], LOSS)
    loss.backward()
    for k, student in enumerate(students):
        found.check("gradient", f"grad_s{k}", student.grad, case[f"grad_s{k}"], GRADIENT)
    for name, expected in renamed(case, {f"grad_{k}": v for k, v in LAYERS.items()}).items():
        gradient = l2tww.get_parameter(name).grad
        gradient = gradient.squeeze() if gradient.numel() == 1 else gradient
        found.check("gradient", name, gradient, expected, GRADIENT)
    return found


def compare_trail(name: str) -> Comparison:
    """Compare the gradient through some steps, of a problem with two parameters.

    Its loss is sum lambda v2^2 + sum v1^2 / 2, the outer one the mean of v1 v2, and lambda is 0.
    """
    case, found = case_of("l2tww", name), Comparison(f"survey l2tww/{name}")
    v1 = nn.Parameter(torch.tensor([1.0, 3.0]))
    v2 = nn.Parameter(torch.tensor([[-1.0, -2.0], [1.0, 0.0]]))
    module = nn.ParameterDict({"v1": v1, "v2": v2})
    weight = torch.zeros(2, 2, requires_grad=True)
    settings = (case[key].item() for key in ("lr", "momentum", "weight_decay"))
    trail = Trail(module, [v1, v2], Descent.first(Optimisation(*settings), [v1, v2]))

    def loss() -> Tensor:
        return (weight * module["v2"] ** 2).sum() + (module["v1"] ** 2).sum() / 2

    def outer() -> Tensor:
        return (module["v1"] * module["v2"]).mean()

    for _ in range(int(case["steps"])):
        trail.follow(loss)
    (gradient,) = torch.autograd.grad(trail.at(outer), weight)
    found.check("gradient", "grad_lambda", gradient, case["grad_lambda"], GRADIENT)
    ends = [trail.at(lambda key=key: module[key]) for key in ("v1", "v2")]
    for key, value in zip(("v1_after", "v2_after"), ends, strict=True):
        found.check("parameters", key, value, case[key], LOSS)
    return found
