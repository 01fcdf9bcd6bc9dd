"""Compare the pyramid of FRSKD, and what is learnt from it."""

from __future__ import annotations

import re

import torch

from conformance.comparison import Comparison, Golden, below
from conformance.systems.cases import GRADIENT, build_for, case_of, check_terms, convolutional
from sakd.systems.parts.pyramid import Pyramid

WIDTHS = (4, 6, 8)
NAMES = (
    (r"lat_conv\.(\d)\.conv\.0", r"sideways.\1"),
    (r"lat_conv2\.(\d)\.conv\.0", r"sideways_again.\1"),
    (r"up_sample\.(\d)\.1\.conv\.0", r"raised.\1"),
    (r"down_sample\.(\d)\.1\.conv\.0", r"lowered.\1"),
    (r"(up|down)_conv\.(\d)\.conv\.0\.(\d)", r"\1.\2.layers.\3"),
    # The second convolution follows a rectifier, which has number 0 there and 3 here.
    *((rf"(up|down)_conv\.(\d)\.conv\.1\.{k}", rf"\1.\2.layers.{k + 3}") for k in (1, 2, 3)),
    (r"(up|down)_weight\.(\d)", r"\1.\2.weights"),
    (r"fc", "classifier"),
)
"""Their names of modules, and ours."""


def compare_pyramid() -> Comparison:
    """Compare logits and maps, and the gradients of the maps that a pyramid stands on."""
    case, found = case_of("frskd", "bifpnc"), Comparison("system frskd: pyramid")
    pyramid = Pyramid(WIDTHS, 5)
    own = dict(pyramid.named_parameters())
    given = {_ours(name): value for name, value in below("state.", case).items()}
    assert given.keys() == own.keys()
    pyramid.load_state_dict(given, strict=False)
    maps = [case[f"map{k}"].clone().requires_grad_() for k in range(len(WIDTHS))]
    logits, refined = pyramid(maps)
    found.check("outputs", "logits", logits, case["logits"], GRADIENT)
    for k, one in enumerate(refined):
        found.check("outputs", f"map{k}", one, case[f"out_map{k}"], GRADIENT)
    gradients = torch.autograd.grad((logits * case["grad_seed"]).sum(), maps)
    for k, gradient in enumerate(gradients):
        found.check("gradient", f"map{k}", gradient, case[f"grad_map{k}"], GRADIENT)
    return found


def compare_refinement() -> Comparison:
    """Compare the loss of given maps and logits, and its gradients."""
    case, found = case_of("frskd", "loss"), Comparison("system frskd")
    system = build_for(convolutional(*WIDTHS), "frskd", case["labels"])
    seen = [_seen(case, name) for name in ("logits", "bi_logits")]
    seen += [_seen(case, f"{kind}{k}") for kind in ("map", "bi_map") for k in range(len(WIDTHS))]
    check_terms(found, system, case["labels"], seen, case["loss_f64"])
    return found


def _seen(case: Golden, name: str) -> tuple[str, torch.Tensor, torch.Tensor]:
    return name, case[name], case[f"grad_{name}"]


def _ours(name: str) -> str:
    rest = name.removeprefix("layers.0.")
    for theirs, ours in NAMES:
        if (found := re.match(theirs, rest)) is not None:
            return found.expand(ours) + rest[found.end() :]
    raise AssertionError(name)
