"""Learning from teachers of different classes equals published code: terms and all gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison, below, golden
from conformance.systems.cases import GRADIENT, ROUGH
from sakd.systems.cfl import BANDWIDTHS, Common, discrepancy
from sakd.systems.layerwise_ka import Block
from sakd.systems.parts.divergence import divergence

FILE = "systems/amalgamation"
OURS = {"align_s": "align.0", "align_t.0": "align.1", "align_t.1": "align.2", "dec_t": "dec"}
"""Our names of the authors' layers; their shortcuts are `downsample.0`."""

Equal = Callable[[Comparison], None]


def named(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give tensors of the authors' block our names."""

    def ours(name: str) -> str:
        for theirs, new in OURS.items():
            if name.startswith(theirs):
                return new + name.removeprefix(theirs)
        return name.replace("downsample.0", "shortcut")

    return {ours(name): value for name, value in values.items()}


def check_gradients(
    found: Comparison, loss: Tensor, inputs: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    """Compare the gradients of ``loss`` by all ``inputs``."""
    assert inputs.keys() == expected.keys()
    gradients = torch.autograd.grad(loss, list(inputs.values()))
    for name, gradient in zip(inputs, gradients, strict=True):
        found.check("gradient", name, gradient, expected[name], GRADIENT)


def test_the_common_features_of_cfl(equal: Equal) -> None:
    case, found = below("cfl/block/", golden(FILE)), Comparison("cfl block")
    assert tuple(case["sigmas"].tolist()) == BANDWIDTHS
    student = case["f_s"].clone().requires_grad_()
    maps = [student, case["f_t0"], case["f_t1"]]
    block = Common([each.shape[1] for each in maps], case["h_s"].shape[1])
    block.load_state_dict(named(below("state/", case)))
    common, rebuilt = block(maps)
    for name, value in zip(("h_s", "h_t0", "h_t1"), common, strict=True):
        found.check("features", name, value, case[name], ROUGH)
    for name, value in zip(("rec_t0", "rec_t1"), rebuilt, strict=True):
        found.check("features", name, value, case[name], ROUGH)
    apart = torch.stack([discrepancy(common[0], each) for each in common[1:]])
    found.check("mmd", "mmd", apart, case["mmd"], ROUGH)
    errors = [nn.functional.mse_loss(m, g) for m, g in zip(rebuilt, maps[1:], strict=True)]
    loss = apart.sum() + sum(errors)
    found.check("loss", "loss", loss, case["loss"], ROUGH)
    inputs = {**dict(block.named_parameters()), "f_s": student}
    expected = {**named(below("grad10/", case)), "f_s": case["grad10_f_s"]}
    check_gradients(found, 10 * loss, inputs, expected)
    equal(found)


def test_the_soft_targets_of_cfl_differ_from_our_divergence_by_their_entropy(equal: Equal) -> None:
    case, found = below("cfl/soft_targets/", golden(FILE)), Comparison("cfl soft targets")
    logits, target = case["z_s"].clone().requires_grad_(), case["z_t"].softmax(dim=1)
    entropy = -(target * target.log()).sum(dim=1).mean()
    loss = divergence(logits, case["z_t"], float(case["T"])) + entropy
    found.check("loss", "loss", loss, case["loss"], ROUGH)
    check_gradients(found, loss, {"z_s": logits}, {"z_s": case["grad_s"]})
    equal(found)


def test_a_step_of_layerwise_amalgamation(equal: Equal) -> None:
    case, found = below("layerwise_ka/step/", golden(FILE)), Comparison("layerwise_ka step")
    student, logits = (case[name].clone().requires_grad_() for name in ("f_s", "z_s"))
    teachers = [case["f_t0"], case["f_t1"]]
    block = Block(student.shape[1], [each.shape[1] for each in teachers])
    block.load_state_dict(below("state/", case))
    kd = divergence(logits, torch.cat([case["z_t0"], case["z_t1"]], dim=1))
    follow, rebuild = block(student, teachers)
    for name, value in (("kd", kd), ("amal", follow), ("recons", rebuild)):
        found.check("loss", name, value, case[f"loss_{name}"], ROUGH)
    inputs = {**dict(block.named_parameters()), "f_s": student, "z_s": logits}
    gradients = {"f_s": case["grad_f_s"], "z_s": case["grad_z_s"]}
    check_gradients(found, kd + follow + rebuild, inputs, below("grad/", case) | gradients)
    equal(found)
