"""Compare further distillers with values of their authors' code, or of another implementation.

Most of that code ran in float32, so the comparisons are coarser than those with the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from conformance.comparison import Comparison, Golden, below, golden
from conformance.losses import renamed
from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.distillers.afd import Alikeness, stage_errors
from sakd.distillers.irg import edges
from sakd.networks.spots import Spot

LOSS = 1e-6
GRADIENT = 1e-5


def compare_channels(name: str) -> Comparison:
    """Compare a case of channel-wise distillation."""
    case, found = case_of("cwd", name), Comparison(f"survey cwd/{name}")
    cwd = build("cwd", case["f_s"], case["f_t"], temperature=4.0)
    check_loss(found, cwd, case)
    return found


def compare_adjustment(name: str) -> Comparison:
    """Compare what knowledge adjustment makes of a teacher's logits.

    Where that code exchanges two probabilities it writes the label's to both places, so its
    probability of the label is not compared there.
    """
    case, found = case_of("ka", name), Comparison(f"survey ka/{name}")
    kind, temperature = name.split("_T")
    ka = build("ka", case["logits_t"], case["logits_t"], smooth=kind == "smooth")
    label = case["labels"][:, None]
    ours = ka.target(case["logits_t"] / int(temperature), batch_of(case["labels"])).exp()
    theirs = case["target"]
    if kind == "shift":
        ours, theirs = (target.scatter(1, label, 0.0) for target in (ours, theirs))
    found.check("target", "target", ours, theirs, LOSS)
    return found


def compare_temperatures(name: str) -> Comparison:
    """Compare temperatures of samples, and the gradient of the loss less the factor T_b^2."""
    case, found = case_of("dtd", name), Comparison(f"survey dtd/{name}")
    options = {"temperature": case["tau0"].item(), "beta": case["beta"].item()}
    student, teacher = case["logits_s"].clone().requires_grad_(), case["logits_t"]
    dtd = build("dtd", student, teacher, by_confidence=name == "cwsm", **options)
    everybody = torch.ones(len(student), dtype=torch.bool)
    temperatures = dtd.temperatures(student, teacher, everybody)
    found.check("temperature", "tau", temperatures, case["tau"], LOSS)
    loss = loss_of(dtd, student, teacher)
    (gradient,) = torch.autograd.grad(loss, student)
    bare = gradient / temperatures[:, None].square()
    found.check("gradient", "grad_s", bare, case["grad_s"], GRADIENT)
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

    def __init__(self, values: nn.Parameter) -> None:
        super().__init__()
        self.values = values

    def forward(self, _: Tensor) -> Tensor:
        return self.values


def compare_categories() -> Comparison:
    """Compare the sum of both distillers of category structure, and its gradients."""
    case, found = case_of("category", "unfiltered"), Comparison("survey category")
    total = torch.zeros(())
    for name, letter in (("category", "f"), ("category_logits", "z")):
        student, teacher = case[f"{letter}_s"].clone().requires_grad_(), case[f"{letter}_t"]
        loss = loss_of(build(name, student, teacher), student, teacher, case["labels"])
        (gradient,) = torch.autograd.grad(loss, student)
        found.check("gradient", name, gradient, case[f"grad_{letter}_s"], GRADIENT)
        total = total + loss.detach()
    found.check("loss", "both", total, case["loss"], LOSS)
    return found


def compare_triplets() -> Comparison:
    """Compare the triplets of one step of linear networks, with cross-entropy and divergence."""
    case, found = case_of("triplet", "step"), Comparison("survey triplet/step")
    weight = case["s_weight"].clone().requires_grad_()
    images = torch.cat([case["images"], case["negatives"]])
    student, teacher = images @ weight.T, images @ case["t_weight"].T
    triplet, count = build("triplet", student, teacher), len(case["images"])
    missing = triplet.missing(student, teacher)[:count, count:].diagonal().mean()
    found.check("loss", "triplet", missing, case["triplet"], LOSS)
    found.check("loss", "margin", triplet.margin, case["margin"], LOSS)
    ours, theirs = student[:count], teacher[:count]
    kl = loss_of(build("kd", ours, theirs, temperature=1.0), ours, theirs)
    total = triplet.weight * missing + kl + cross_entropy(ours, case["labels"])
    (gradient,) = torch.autograd.grad(total, weight)
    found.check("gradient", "weight", gradient, case["grad_weight"], GRADIENT)
    return found


def compare_edges() -> Comparison:
    """Compare the edges of a graph of instances, its loss, and twice its authors' gradient."""
    case, found = case_of("irg", "edges_authors"), Comparison("survey irg/edges_authors")
    student, everybody = case["f_s"].clone().requires_grad_(), torch.ones(5, dtype=torch.bool)
    for letter in ("s", "t"):
        ours, theirs = edges(case[f"f_{letter}"], everybody), case[f"edges_{letter}"]
        found.check("edges", letter, ours, theirs)
    loss = loss_of(build("irg", student, case["f_t"]), student, case["f_t"])
    found.check("loss", "loss", loss, case["loss"])
    (gradient,) = torch.autograd.grad(loss, student)
    found.check("gradient", "grad_s", gradient, 2 * case["grad_s_authors"])
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


def compare_alignment() -> Comparison:
    """Compare the alignment of kernels, which its authors' code has with the other sign."""
    case, found = case_of("cat", "kernel_alignment"), Comparison("survey cat/kernel_alignment")
    cat = build("cat", case["f_s"], case["f_t"])
    check_loss(found, cat, {**case, "loss": 1 + case["loss"]})
    return found


def compare_regions(name: str) -> Comparison:
    """Compare the similarities between regions of one position."""
    case, found = case_of("skd", name), Comparison(f"survey skd/{name}")
    check_loss(found, build("skd", case["f_s"], case["f_t"], patch=0.25), case)
    return found


def case_of(distiller: str, name: str) -> Golden:
    """Read one case of a distiller."""
    return below(f"{name}/", golden(f"survey/{distiller}"))


def build(name: str, student: Tensor, teacher: Tensor, **options: float) -> Distiller:
    """Make a distiller of one spot for features (B, ...)."""
    shapes = (tuple(student.shape[1:]),), (tuple(teacher.shape[1:]),)
    pair = Pair((Spot(3, 3),), *shapes, torch.arange(8))
    return DISTILLERS[name](pair, **options)


def batch_of(labels: Tensor) -> Batch:
    """Make a batch of images with ``labels`` (B,)."""
    return Batch(torch.zeros(len(labels), 3, 4, 4), labels, torch.arange(len(labels)), 0)


def loss_of(
    distiller: Distiller, student: Tensor, teacher: Tensor, labels: Tensor | None = None
) -> Tensor:
    """Take the loss of features (B, ...) with everybody chosen."""
    everybody = torch.ones(len(student), dtype=torch.bool)
    batch = batch_of(torch.arange(len(student)) if labels is None else labels)
    return distiller.loss(0, student, teacher, batch, everybody)


def check_loss(found: Comparison, distiller: Distiller, case: Golden) -> None:
    """Compare a loss, and its gradient by the student's features."""
    student = case["f_s"].clone().requires_grad_()
    loss = loss_of(distiller, student, case["f_t"])
    found.check("loss", "loss", loss, case["loss"], LOSS)
    (gradient,) = torch.autograd.grad(loss, student)
    found.check("gradient", "grad_s", gradient, case["grad_s"], GRADIENT)


SURVEY: dict[str, Callable[[], Comparison]] = {
    "cwd/channel_kl_T4": partial(compare_channels, "channel_kl_T4"),
    "cwd/mmrazor_tau4": partial(compare_channels, "mmrazor_tau4"),
    "ka/shift_T1": partial(compare_adjustment, "shift_T1"),
    "ka/shift_T4": partial(compare_adjustment, "shift_T4"),
    "ka/smooth_T1": partial(compare_adjustment, "smooth_T1"),
    "dtd/flsw": partial(compare_temperatures, "flsw"),
    "dtd/cwsm": partial(compare_temperatures, "cwsm"),
    "pad/torchdistill": compare_doubt,
    "category": compare_categories,
    "triplet/step": compare_triplets,
    "irg/edges_authors": compare_edges,
    "afd/equal_sizes": compare_attention,
    "cat/kernel_alignment": compare_alignment,
    "skd/pair_direct": partial(compare_regions, "pair_direct"),
    "skd/pair_nopool": partial(compare_regions, "pair_nopool"),
}
