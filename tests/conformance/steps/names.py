"""The names of the published code's modules, and ours."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from sakd.objectives import SpotDistillation

MODULES = (
    (r"^(student|teacher)/conv1\.", r"\1.stem.0."),
    (r"^(student|teacher)/bn1\.", r"\1.stem.1."),
    (r"^(student|teacher)/layer", r"\1.stage"),
    (r"^(student|teacher)/fc\.", r"\1.head."),
    (r"^hint(?:_(\d))?/(?:net\.)?", "router.graft.to_teacher.#."),
    (r"^anti_hint(?:_(\d))?/(?:net\.)?", "router.graft.to_student.#."),
    (r"^policy/net\.", "router.policy.linear."),
    (r"^loss_hint/", "distillers.fitnet.regressor."),
    (r"^translator/encoder\.", "distillers.ft.translator."),
    (r"^(?:pretrain/after/)?paraphraser[./]", "distillers.ft.paraphraser."),
    (r"^criterion_kd/embed_s\.linear\.", "distillers.crd.student_embedding."),
    (r"^criterion_kd/embed_t\.linear\.", "distillers.crd.teacher_embedding."),
    (r"^criterion_kd/contrast\.memory_v1", "distillers.crd.student_bank.rows"),
    (r"^criterion_kd/contrast\.memory_v2", "distillers.crd.teacher_bank.rows"),
    (r"^criterion_kd/(\d)\.", "distillers.vid.gaussians.#."),
    (r"^cc_embed_s/linear\.", "distillers.cc.student_embedding."),
    (r"^cc_embed_t/linear\.", "distillers.cc.teacher_embedding."),
)


def our_name(name: str) -> str:
    """Translate ``hint_1/conv.weight`` to ``router.graft.to_teacher.1.conv.weight``, and so on."""
    for pattern, ours in MODULES:
        if match := re.search(pattern, name):
            number = (match.group(1) or "0") if "#" in ours else ""
            return re.sub(pattern, ours.replace("#", number), name)
    raise AssertionError(f"no module for {name}")


def state_of(objective: SpotDistillation, name: str) -> Tensor:
    """Find the parameter or buffer that the reference calls ``name``."""
    if name != "criterion_kd/contrast.params":
        return objective.state_dict()[our_name(name)]
    crd = objective.distillers["crd"]
    banks = crd.teacher_bank, crd.student_bank
    recall = banks[0].temperature, banks[0].momentum
    return torch.tensor([crd.negatives, recall[0], *(bank.scale for bank in banks), recall[1]])
