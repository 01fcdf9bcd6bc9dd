"""Compare distillers of relations between samples or regions."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from conformance.comparison import Comparison
from conformance.survey.cases import (
    GRADIENT,
    LOSS,
    batch_of,
    build,
    case_of,
    check_loss,
    loss_of,
)
from sakd.distillers import Pair
from sakd.distillers.category import CategoryStructure
from sakd.distillers.irg import edges
from sakd.distillers.irg_transform import InstanceTransformations, moves
from sakd.networks.spots import Spot


def compare_categories(name: str) -> Comparison:
    """Compare the sum of both distillers of category structure, and its gradients."""
    case, found = case_of("category", name), Comparison(f"survey category/{name}")
    students = [case[f"{letter}_s"].clone().requires_grad_() for letter in "fz"]
    teachers = [case[f"{letter}_t"] for letter in "fz"]
    shapes = (tuple(tuple(x.shape[1:]) for x in side) for side in (students, teachers))
    pair = Pair((Spot(3, 3), Spot(5, 5)), *shapes, case["labels"])
    maps = CategoryStructure(pair, filtered=name == "filtered")
    batch, everybody = batch_of(case["labels"]), torch.ones(len(case["labels"]), 2).bool()
    logits = build("category_logits", students[1], teachers[1])
    loss = maps.losses(students, teachers, batch, everybody)
    loss = loss + logits.loss(0, students[1], teachers[1], batch, everybody[:, 0])
    found.check("loss", "both", loss, case["loss"], LOSS)
    for letter, gradient in zip("fz", torch.autograd.grad(loss, students), strict=True):
        found.check("gradient", letter, gradient, case[f"grad_{letter}_s"], GRADIENT)
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


def compare_moves() -> Comparison:
    """Compare how far samples move from one map to the next, the loss, and its gradients."""
    case, found = case_of("irg", "transform_authors"), Comparison("survey irg/transform_authors")
    vectors = {side: [case[f"{side}_{end}"] for end in ("first", "last")] for side in "st"}
    everybody = torch.ones(5, dtype=torch.bool)
    for side, ends in vectors.items():
        found.check("moves", side, moves(*ends, everybody), case[f"tran_{side}"])
    students, teachers = ([x[:, :, None, None] for x in vectors[side]] for side in "st")
    students = [x.clone().requires_grad_() for x in students]
    shapes = (tuple(tuple(x.shape[1:]) for x in side) for side in (students, teachers))
    irg = InstanceTransformations(Pair((Spot(1, 1), Spot(2, 2)), *shapes, torch.arange(5)))
    both = everybody[:, None].expand(-1, 2)
    loss = irg.losses(students, teachers, batch_of(torch.arange(5)), both)
    found.check("loss", "loss", loss, case["loss"])
    gradients = torch.autograd.grad(loss, students)
    for end, gradient in zip(("first", "last"), gradients, strict=True):
        expected = case[f"grad_s_{end}_authors"]
        found.check("gradient", end, gradient[:, :, 0, 0], expected)
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
