"""The draws of a case, replayed: decisions, uniforms, coins and contrast."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softmax

from conformance.comparison import Golden
from sakd.data import Batch
from sakd.objectives import SpotDistillation
from sakd.routing import Route, RoutingPolicy
from sakd.routing.adaptive import Adaptive, Sample
from sakd.routing.anti import Anti


class FixedDecisions(Adaptive):
    """Decides as stored; the gradient is that of the noise-free softmax."""

    decided: Tensor

    def sample(self, logits: Tensor, *_source: Any) -> Sample:
        """Replay."""
        return Sample(self.decided, softmax(logits / self.temperature, dim=2))


class FixedOpposite(Anti, FixedDecisions):
    """The same decisions, inverted for the student."""


class StoredNoise(Adaptive):
    """Samples with the stored uniforms."""

    uniform: Tensor

    def gumbel(self, *_logits_and_source: Any) -> Tensor:
        """Replay."""
        return -torch.log(-torch.log(self.uniform + 1e-20) + 1e-20)


class StoredCoins(RoutingPolicy):
    """Chooses by the stored coins."""

    coins: Tensor

    def forward(self, *_embeddings_and_source: Any) -> Route:
        """Replay."""
        return Route(self.coins > 0.5, None)


def replay(policy: RoutingPolicy, case: Golden) -> RoutingPolicy:
    """Exchange the policy for one that replays the case."""
    kind = {
        "train.py": FixedDecisions if case["meta"]["mode"] == "fixed" else StoredNoise,
        "train_both.py": FixedDecisions,
        "train_reverse.py": FixedOpposite,
        "train_random.py": StoredCoins,
        "train_baseline.py": type(policy),
    }[case["meta"]["script"]]
    replaced = kind(policy.student_width, policy.teacher_width, policy.decisions)
    replaced.load_state_dict(policy.state_dict())
    return replaced


def rewind(objective: SpotDistillation, case: Golden, common: Golden, step: int) -> Batch:
    """Give the objective the draws of a step; return the step's batch."""
    policy = objective.router.policy
    if isinstance(policy, FixedDecisions):
        policy.decided = case["fixed_action"]
    if isinstance(policy, StoredNoise):
        policy.uniform = case[f"step{step}/gumbel_u"]
    if isinstance(policy, StoredCoins):
        drawn = [case[name] for k in range(9) if (name := f"step{step}/ac{k}") in case]
        shared = [drawn[-1]] if len(drawn) < policy.decisions else []
        policy.coins = torch.stack([*drawn, *shared], dim=1)
    index = torch.arange(8)
    if "crd" in objective.distillers:
        index = common[f"crd_index{step}"]
        objective.distillers["crd"].contrast = lambda _batch: common[f"crd_contrast_idx{step}"]
    return Batch(common[f"x{step}"], common[f"target{step}"], index, 0)
