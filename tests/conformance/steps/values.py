"""The values of a step that the published code's are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sakd.objectives import SpotDistillation, StepResult
from sakd.training import Run


class Recording:
    """The outputs of all modules in order of their calls, and the gradients of every player."""

    def __init__(self, objective: SpotDistillation, run: Run) -> None:
        """Listen."""
        self.objective = objective
        self.calls: dict[str, list[Any]] = {}
        self.inputs: dict[str, Tensor] = {}
        self.gradients: dict[str, Tensor | None] = {}
        for name, module in objective.named_modules():
            module.register_forward_hook(self._keep(name))
        for player in run.players.values():
            player.optimiser.register_step_pre_hook(self._keep_gradients)

    def clear(self) -> None:
        """Forget the calls of the last step."""
        self.calls.clear()

    def _keep(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, inputs: Any, output: Any) -> None:
            self.calls.setdefault(name, []).append(output)
            self.inputs[name] = inputs[0]

        return hook

    def _keep_gradients(self, optimiser: torch.optim.Optimizer, *_: Any) -> None:
        held = {id(p) for group in optimiser.param_groups for p in group["params"]}
        for name, parameter in self.objective.named_parameters():
            if id(parameter) in held:
                gradient = parameter.grad
                self.gradients[name] = None if gradient is None else gradient.clone()

    def outputs(self, side: str, call: int) -> list[Tensor]:
        """List all features and the logits of a network in its first or second pass."""
        names = getattr(self.objective, side).stage_names
        return [self.calls[f"{side}.{name}"][call] for name in names]

    def mixed(self, side: str, spot: int) -> Tensor:
        """Find the feature that the graft has mixed at a spot: the input of the next stage."""
        following = getattr(self.objective, side).stage_names[spot + 1]
        return self.inputs[f"{side}.{following}"]


def forward_values(
    recording: Recording, result: StepResult, labels: Tensor
) -> Iterator[tuple[str, Any]]:
    """Yield (reference's name, our value) of everything that the forward passes computed."""
    objective = recording.objective
    student, teacher = recording.outputs("student", 0), recording.outputs("teacher", 0)
    (name,) = set(objective.distillers) - {"kd"}
    yield "logit_s", student[-1]
    yield "logit_t", teacher[-1]
    yield "feat_s_norms", torch.stack([x.norm() for x in student[:-1]])
    yield "feat_t_norms", torch.stack([x.norm() for x in teacher[:-1]])
    yield "student_ce", result.terms["cross_entropy"]
    yield "gamma_student_ce", objective.ce_weight * result.terms["cross_entropy"]
    if "teacher_cross_entropy" in result.terms:
        both = result.terms["cross_entropy"] + result.terms["teacher_cross_entropy"]
        yield "gamma_ce_sum", objective.ce_weight * both
    yield "loss_kd_raw", result.terms[name]
    yield "loss_div_raw", result.terms["kd"]
    yield "loss_div_alpha", objective.weights["kd"] * result.terms["kd"]
    yield "loss_total", result.losses["student"]
    if objective.router.graft is not None:
        yield from graft_values(recording, result, labels)


def graft_values(
    recording: Recording, result: StepResult, labels: Tensor
) -> Iterator[tuple[str, Any]]:
    """Yield (reference's name, our value) of the policy and the graft."""
    objective, calls = recording.objective, recording.calls
    (route,), (grafted,) = calls["router.policy"], calls["router.graft"]
    routing, ce = cross_entropy(grafted, labels), result.terms["cross_entropy"]
    yield "policy_feat", recording.inputs["router.policy.linear"]
    yield "policy_logits", calls["router.policy.linear"][0]
    yield "action", torch.stack([route.gate, 1 - route.gate], dim=2)
    yield "graft/logit", grafted
    yield "routing_ce", routing
    filled = torch.ones(len(labels))
    yield "routing_after_gamma", objective.router.loss(routing, ce, filled)
    yield "routing_total", result.losses["router"]
    plain = recording.outputs("teacher", 0)
    for j, spot in enumerate(objective.spots):
        yield f"graft/seg{j}_s_norm", recording.outputs("student", 1)[spot.student].norm()
        again = calls[f"teacher.{objective.teacher.stage_names[spot.teacher]}"][1:]
        yield f"graft/seg{j}_t_norm", (again or [plain[spot.teacher]])[0].norm()
    for j, spot in enumerate(objective.spots[:-1]):
        yield f"graft/to_t{j}_norm", recording.mixed("teacher", spot.teacher).norm()
        yield f"graft/to_s{j}_norm", recording.mixed("student", spot.student).norm()
