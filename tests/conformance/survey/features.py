"""Compare distillers of features, sample by sample."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison, Golden, below
from conformance.losses import renamed
from conformance.survey.cases import (
    GRADIENT,
    LOSS,
    batch_of,
    build,
    case_of,
    check_loss,
    loss_of,
)
from sakd.distillers import Epoch, Pair
from sakd.distillers.afd import Alikeness, stage_errors
from sakd.distillers.parts.branches import from_unit
from sakd.distillers.tofd import TaskOriented
from sakd.networks.spots import Spot


def compare_channels(name: str, **options: float) -> Comparison:
    """Compare a case of channel-wise distillation."""
    case, found = case_of("cwd", name), Comparison(f"survey cwd/{name}")
    check_loss(found, build("cwd", case["f_s"], case["f_t"], **options), case)
    return found


def compare_pixels(name: str) -> Comparison:
    """Compare the distributions over the channels of each position, in the scale of the case.

    ``pixel`` sums over images what ours averages, and adds the teacher's entropy;
    ``pixel_torchdistiller`` divides by the channels too.
    """
    case, found = case_of("skd", name), Comparison(f"survey skd/{name}")
    count, channels = case["f_t"].shape[:2]
    soft = case["f_t"].softmax(dim=1)
    entropy = -(soft * soft.log()).sum(dim=1).mean(dim=(1, 2)).sum()
    scale, added = {"pixel": (count, entropy)}.get(name, (1 / channels, 0.0))
    scaled = {"loss": (case["loss"] - added) / scale, "grad_s": case["grad_s"] / scale}
    check_loss(found, build("cwd", case["f_s"], case["f_t"], spatial=True), {**case, **scaled})
    return found


def compare_doubt() -> Comparison:
    """Compare prime-aware distillation where the logarithm of the variance is given."""
    case, found = case_of("pad", "torchdistill"), Comparison("survey pad/torchdistill")
    given = nn.Parameter(case["log_variance"])
    pad = build("pad", case["f_s"], case["f_t"])
    pad.log_variance = Given(given)
    check_loss(found, pad, case)
    loss = loss_of(pad, case["f_s"], case["f_t"])
    (gradient,) = torch.autograd.grad(loss, given)
    found.check("gradient", "log variance", gradient, case["grad_log_variance"], GRADIENT)
    return found


class Given(nn.Module):
    """Gives stored values, whatever it is given."""

    def __init__(self, values: Any) -> None:
        super().__init__()
        self.values = values

    def forward(self, _: Tensor) -> Any:
        return self.values


def compare_tasks() -> Comparison:
    """Compare task-oriented distillation where vectors and logits of three stages are given."""
    case, found = case_of("tofd", "epoch0"), Comparison("survey tofd/epoch0")
    shapes = ((5, 2, 2),) * 4, ((7, 2, 2),) * 4
    tofd = TaskOriented(Pair(tuple(Spot(k, k) for k in range(1, 5)), *shapes, torch.arange(6)))
    tofd.begin_epoch(Epoch(0, 250, lambda: iter(())))
    batch, everybody = batch_of(case["labels"]), torch.ones(4, dtype=torch.bool)
    total = torch.zeros(())
    for k in range(3):
        ours = [case[f"{name}{k}"].clone().requires_grad_() for name in ("feature", "logits")]
        tofd.student_branches[k] = Given(ours)
        tofd.teacher_branches[k] = Given([case[f"t_feature{k}"], case[f"t_logits{k}"]])
        tofd.links[k].layer.weight = nn.Parameter(case[f"link{k}"])
        loss = tofd.loss(k, torch.zeros(()), torch.zeros(()), batch, everybody)
        gradients = torch.autograd.grad(loss, ours)
        for name, gradient in zip(("feature", "logits"), gradients, strict=True):
            found.check("gradient", f"{name}{k}", gradient, case[f"grad_{name}{k}"], GRADIENT)
        total = total + loss
    found.check("loss", "sum", total, case["loss"], LOSS)
    return found


def compare_skew() -> Comparison:
    """Compare the distances of a matrix from an orthogonal one, which the case has squared."""
    case, found = (
        case_of("tofd", "orthogonal_squared"),
        Comparison("survey tofd/orthogonal_squared"),
    )
    matrix = case["weight"]
    squares = from_unit(matrix @ matrix.T).square() + from_unit(matrix.T @ matrix).square()
    found.check("value", "value", squares, case["value"], LOSS)
    return found


ALIKE = {
    "p_s": "student_places",
    "p_t": "teacher_places",
    "linear_trans_s.key_layer.": "keys.",
    "linear_trans_t.query_layer.": "queries.",
    "linear_trans_s.bilinear.": "turn.",
}


def alike(case: Golden, prefix: str) -> Golden:
    """Take the attention's values that begin with ``prefix``, under our names."""
    named = renamed(below(prefix, case), ALIKE)
    return {
        name.replace(".linear.", ".0.").replace(".bn.", ".1."): value
        for name, value in named.items()
    }


def compare_attention() -> Comparison:
    """Compare the attention between three stages of a student and two of a teacher."""
    case, found = case_of("afd", "equal_sizes"), Comparison("survey afd/equal_sizes")
    students = [case[f"f_s{k}"].clone().requires_grad_() for k in range(3)]
    teachers = [case[f"f_t{k}"] for k in range(2)]
    alikeness = Alikeness([8, 8, 16], [8, 16], width=16)
    alikeness.load_state_dict(alike(case, "param_attention."))

    def each() -> Tensor:
        return (alikeness(students, teachers) * stage_errors(students, teachers)).sum(dim=2)

    loss = each().mean(dim=0)
    found.check("loss", "each", loss, case["loss_each"], LOSS)
    found.check("loss", "sum", loss.sum(), case["loss"], LOSS)
    loss.sum().backward()
    for k, student in enumerate(students):
        found.check("gradient", f"grad_s{k}", student.grad, case[f"grad_s{k}"], GRADIENT)
    for name, expected in alike(case, "grad_attention.").items():
        if not name.endswith("0.bias") and name != "turn.1.bias":  # zero up to rounding
            gradient = alikeness.get_parameter(name).grad
            found.check("gradient of the attention", name, gradient, expected, 1e-4)
    with torch.no_grad():
        alikeness.eval()
        found.check("loss", "evaluation", each().mean(dim=0).sum(), case["loss_eval_after"], LOSS)
    return found


def compare_excitation() -> Comparison:
    """Compare attentive distillation, with stored layers of 1 x 1 convolutions."""
    case, found = case_of("attentive", "aberhu"), Comparison("survey attentive/aberhu")
    attentive = build("attentive", case["f_s"], case["f_t"], hidden=0.25)
    (attention,) = attentive.attentions
    named = {"squeeze": "param_attention_0", "excite": "param_attention_2"}
    for layer, stored in named.items():
        attention.get_submodule(layer).load_state_dict(
            {
                "weight": case[f"{stored}_weight"].flatten(1),
                "bias": case[f"{stored}_bias"],
            }
        )
    check_loss(found, attentive, case)
    return found
