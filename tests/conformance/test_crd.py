"""Two consecutive losses of contrastive distillation, and its memory, equal the reference's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

SIDES = (("s", "1", "student"), ("t", "2", "teacher"))
Case = dict[str, Any]


def build(case: Case) -> Distiller:
    """Start from the stored weights and banks."""
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


def loss_of(crd: Distiller, case: Case, step: int, student: Tensor) -> Tensor:
    """Take the loss of a stored batch, with the stored contrast."""
    index = case[f"step{step}/index"]
    crd.contrast = lambda _batch: case[f"step{step}/contrast_idx"]
    batch = Batch(torch.zeros(8, 3, 4, 4), index % 8, index, 0)
    chosen = torch.ones(8, dtype=torch.bool)
    return crd.loss(0, student, case[f"step{step}/f_t"], batch, chosen)


def test_two_losses_and_the_memory_equal_the_reference(
    golden: Callable[[str], Case], compare: Callable[[str], Any]
) -> None:
    case, report = golden("losses/crd"), compare("loss crd (two steps)")
    crd = build(case)
    for step in (1, 2):
        stored = {
            k.removeprefix(f"step{step}/"): v
            for k, v in case.items()
            if k.startswith(f"step{step}")
        }
        student = stored["f_s"].clone().requires_grad_()
        loss = loss_of(crd, case, step, student)
        report.check("loss", f"step {step}", loss, stored["loss"], 1e-5)
        crd.zero_grad()
        loss.backward()
        report.check("gradient", f"step {step} grad_s", student.grad, stored["grad_s"], 1e-4)
        for letter, number, side in SIDES:
            for kind in ("weight", "bias"):
                name = f"{side}_embedding.{kind}"
                expected = stored[f"grad_embed_{letter}_{kind}"]
                report.check("gradient", name, crd.get_parameter(name).grad, expected, 1e-4)
            rows = crd.get_buffer(f"{side}_bank.rows")
            report.check(
                "memory", f"step {step} {side}", rows, stored[f"memory_v{number}_after"], 1e-5
            )
        # Z_v1 divides the student's scores, which are taken against the teacher's bank.
        for number, side in (("1", "teacher"), ("2", "student")):
            scale = crd.get_buffer(f"{side}_bank.scale")
            report.check("memory", f"step {step} Z_v{number}", scale, stored[f"Z_v{number}"], 1e-5)
    assert not report.failures
