"""Compare two consecutive losses of contrastive distillation, and its memory."""

from __future__ import annotations

import torch
from torch import Tensor

from conformance.comparison import Comparison, Golden, below, golden
from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

SIDES = (("s", "1", "student"), ("t", "2", "teacher"))


def compare_contrast() -> Comparison:
    """Compare the losses, gradients, banks and scales of two steps."""
    case, found = golden("losses/crd"), Comparison("loss crd (two steps)")
    crd = build(case)
    for step in (1, 2):
        stored = below(f"step{step}/", case)
        student = stored["f_s"].clone().requires_grad_()
        loss = loss_of(crd, stored, student)
        found.check("loss", f"step {step}", loss, stored["loss"])
        crd.zero_grad()
        loss.backward()
        found.check("gradient", f"step {step} grad_s", student.grad, stored["grad_s"])
        for letter, number, side in SIDES:
            for kind in ("weight", "bias"):
                name = f"{side}_embedding.{kind}"
                expected = stored[f"grad_embed_{letter}_{kind}"]
                found.check("gradient", name, crd.get_parameter(name).grad, expected)
            rows = crd.get_buffer(f"{side}_bank.rows")
            found.check("memory", f"step {step} {side}", rows, stored[f"memory_v{number}_after"])
        # Z_v1 divides the student's scores, which are taken against the teacher's bank.
        for number, side in (("1", "teacher"), ("2", "student")):
            scale = crd.get_buffer(f"{side}_bank.scale")
            found.check("memory", f"step {step} Z_v{number}", scale, stored[f"Z_v{number}"])
    return found


def build(case: Golden) -> Distiller:
    """Make the distiller with the stored weights and banks."""
    k, temperature, _, _, momentum = case["params_init"].tolist()
    labels = torch.arange(len(case["memory_v1_init"])) % 8
    pair = Pair((Spot(4, 4),), ((12,),), ((20,),), labels)
    recall = {"k": int(k), "temperature": temperature, "momentum": momentum}
    crd = DISTILLERS["crd"](pair, feat_dim=8, **recall)
    state = {}
    for letter, number, side in SIDES:
        state[f"{side}_embedding.weight"] = case[f"embed_{letter}/linear.weight"]
        state[f"{side}_embedding.bias"] = case[f"embed_{letter}/linear.bias"]
        state[f"{side}_bank.rows"] = case[f"memory_v{number}_init"]
        state[f"{side}_bank.scale"] = torch.zeros(())
    crd.load_state_dict(state)
    return crd


def loss_of(crd: Distiller, stored: Golden, student: Tensor) -> Tensor:
    """Take the loss of a stored batch, with the stored contrast."""
    index = stored["index"]
    crd.contrast = lambda _batch: stored["contrast_idx"]
    batch = Batch(torch.zeros(8, 3, 4, 4), index % 8, index, 0)
    return crd.loss(0, student, stored["f_t"], batch, torch.ones(8, dtype=torch.bool))
