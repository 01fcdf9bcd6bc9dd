"""Compare distillers of relations between samples or regions."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from conformance.comparison import Comparison
from conformance.survey.cases import GRADIENT, LOSS, build, case_of, check_loss, loss_of
from sakd.distillers.irg import edges


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
