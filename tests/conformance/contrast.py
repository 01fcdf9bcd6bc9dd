"""Compare consecutive losses of contrastive distillation, and its memory."""

from __future__ import annotations

import torch
from torch import Tensor

from conformance.comparison import TOLERANCE, Comparison, Golden, below, golden
from sakd.data import Batch
from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.networks.spots import Spot

SIDES = (("s", "1", "student"), ("t", "2", "teacher"))


def compare_contrast(
    file: str = "losses/crd", steps: int = 2, loss: float = TOLERANCE, gradient: float = TOLERANCE
) -> Comparison:
    """Compare the losses, gradients, banks and scales of the ``steps`` in a ``file``."""
    folder, _, name = file.partition("/")
    case, found = golden(file), Comparison(f"{folder} {name} (steps: {steps})")
    contrast = build(name, case)
    for step in range(1, 1 + steps):
        stored = below(f"step{step}/", case)
        student = stored["f_s"].clone().requires_grad_()
        value = loss_of(contrast, stored, student)
        found.check("loss", f"step {step}", value, stored["loss"], loss)
        contrast.zero_grad()
        value.backward()
        found.check("gradient", f"step {step} grad_s", student.grad, stored["grad_s"], gradient)
        for letter, number, side in SIDES:
            for kind in ("weight", "bias"):
                parameter = f"{side}_embedding.{kind}"
                ours = contrast.get_parameter(parameter).grad
                found.check(
                    "gradient", parameter, ours, stored[f"grad_embed_{letter}_{kind}"], gradient
                )
            rows = contrast.get_buffer(f"{side}_bank.rows")
            expected = stored[f"memory_v{number}_after"]
            found.check("memory", f"step {step} {side}", rows, expected, loss)
        # Z_v1 divides the student's scores, which are taken against the teacher's bank.
        for number, side in (("1", "teacher"), ("2", "student")):
            scale = contrast.get_buffer(f"{side}_bank.scale")
            found.check("memory", f"step {step} Z_v{number}", scale, stored[f"Z_v{number}"], loss)
    return found


def build(name: str, case: Golden) -> Distiller:
    """Make the distiller called ``name`` with the stored weights and banks."""
    k, temperature, _, _, momentum = case["params_init"].tolist()
    labels = torch.arange(len(case["memory_v1_init"])) % 8
    state = {}
    for letter, number, side in SIDES:
        state[f"{side}_embedding.weight"] = case[f"embed_{letter}/linear.weight"]
        state[f"{side}_embedding.bias"] = case[f"embed_{letter}/linear.bias"]
        state[f"{side}_bank.rows"] = case[f"memory_v{number}_init"]
        state[f"{side}_bank.scale"] = torch.zeros(())
    (width, *student), (_, *teacher) = (
        state[f"{side}_embedding.weight"].shape for _, _, side in SIDES
    )
    pair = Pair((Spot(4, 4),), (tuple(student),), (tuple(teacher),), labels)
    recall = {"k": int(k), "temperature": temperature, "momentum": momentum}
    distiller = DISTILLERS[name](pair, feat_dim=width, **recall)
    distiller.load_state_dict({**distiller.state_dict(), **state})
    return distiller


def loss_of(distiller: Distiller, stored: Golden, student: Tensor) -> Tensor:
    """Take the loss of a stored batch, with the stored contrast."""
    index = stored["index"]
    distiller.contrast = lambda _batch: stored["contrast_idx"]
    batch = Batch(torch.zeros(len(index), 3, 4, 4), index % 8, index, 0)
    everybody = torch.ones(len(index), dtype=torch.bool)
    return distiller.loss(0, student, stored["f_t"], batch, everybody)
