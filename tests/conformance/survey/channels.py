"""Compare matching guided distillation: costs, groups of channels, losses."""

from __future__ import annotations

import torch

from conformance.comparison import Comparison
from conformance.survey.cases import GRADIENT, LOSS, batch_of, case_of
from conformance.survey.features import Given
from sakd.distillers import Epoch, Pair
from sakd.distillers.mgd import MatchingGuided
from sakd.distillers.parts.matching import likeness
from sakd.networks.spots import Spot

REDUCTIONS = {"amp": {}, "sp": {"magnitude": False}, "sm": {"sparse": True}}
"""Options by the name of what is made of a group of channels."""


def compare_matching(name: str, reduction: str) -> Comparison:
    """Compare a case where margins are given, and the loss is a sum over images."""
    case, found = case_of("mgd", name), Comparison(f"survey mgd/{name}/{reduction}")
    stages = range(sum(key.startswith("f_s") for key in case))
    students = [case[f"f_s{k}"].clone().requires_grad_() for k in stages]
    teachers = [case[f"f_t{k}"] for k in stages]
    shapes = (tuple(tuple(maps.shape[1:]) for maps in side) for side in (students, teachers))
    pair = Pair(tuple(Spot(k + 1, k + 1) for k in stages), *shapes, torch.arange(3))
    mgd = MatchingGuided(pair, **REDUCTIONS[reduction])
    mgd.begin_epoch(Epoch(0, 1, lambda: iter([(students, teachers)])))
    for k in stages:
        costs = 2 - 2 * likeness(students[k], teachers[k]) / len(students[k])
        found.check("cost", str(k), costs, case[f"cost{k}"], LOSS)
        groups, count = mgd.groups[k].theirs, len(mgd.groups[k].theirs)
        stored = case[f"matched_sm{k}" if reduction == "sm" else f"matched{k}"]
        expected = stored[: groups.numel()].view(-1, count).T.sort(dim=1).values
        found.check("groups", str(k), groups, expected)
        mgd.margins[k] = Given(case[f"margin{k}"][0])
    everybody = torch.ones(len(students[0]), len(stages), dtype=torch.bool)
    loss = len(everybody) * mgd.losses(students, teachers, batch_of(torch.arange(3)), everybody)
    found.check("loss", "sum", loss, case[f"loss_{reduction}"], LOSS)
    for k, gradient in enumerate(torch.autograd.grad(loss, students)):
        found.check("gradient", f"s{k}", gradient, case[f"grad_{reduction}_s{k}"], GRADIENT)
    return found
