"""The objective and the run of a case, in the reference's initial state."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor

from conformance.comparison import Golden, below, golden
from conformance.steps.names import our_name
from conformance.steps.replay import replay
from sakd.data import Batch
from sakd.distillers import Distiller
from sakd.networks import NETWORKS, StagedNetwork
from sakd.objectives import DataFacts, Optimisation, SpotDistillation, distil
from sakd.objectives.parameters import Distillation, Routing
from sakd.training import Run

INITIAL = re.compile(r"init/(?!pretrain/(before|losses)|criterion_kd/contrast\.params)")
POLICIES = {
    "train.py": "adaptive",
    "train_both.py": "adaptive",
    "train_reverse.py": "anti",
    "train_random.py": "random",
    "train_baseline.py": "always",
}


def start(name: str, **options: float) -> tuple[Golden, Golden, SpotDistillation]:
    """Give the case, the values common to all, and the objective as it is before step 1."""
    case, common = golden(f"steps/{name}"), golden("steps/common")
    initial = golden(f"steps/{case['init_from']}")
    objective = objective_of(case, common, initial, **options).train()
    objective.router.policy = replay(objective.router.policy, case)
    return case, common, objective


def run_of(objective: SpotDistillation, meta: Golden) -> Run:
    """Give the players the optimisers of the case."""
    shared = {"momentum": meta["momentum"], "milestones": ()}
    student = Optimisation(meta["lr"], weight_decay=meta["weight_decay"], **shared)
    optimisation = {"student": student}
    if meta["agent_lr"] is not None:
        decay = meta["agent_weight_decay"]
        optimisation["router"] = Optimisation(meta["agent_lr"], weight_decay=decay, **shared)
    return Run(objective, epochs=1, optimisation=optimisation)


def objective_of(
    case: Golden, common: Golden, initial: Golden, **further: float
) -> SpotDistillation:
    """Build the objective of a case with the reference's initial state."""
    meta, name = case["meta"], case["meta"]["distiller"].lower()
    joint = meta["script"] == "train_both.py"
    objective = distil(
        network(common, "student"),
        network(common, "teacher"),
        name,
        POLICIES[meta["script"]],
        DataFacts((3, 32, 32), torch.arange(64) % 10),
        distillation=Distillation(
            ce_weight=meta["gamma"] if joint or meta["script"] == "train_random.py" else 1.0,
            kd_weight=meta["alpha"],
            weights={name: meta["beta"]},
            options={name: {**options_of(meta), **further}},
            objective="joint" if joint else "distillation",
        ),
        routing=Routing(gamma=meta["gamma"]),
    )
    stored = {k.removeprefix("init/"): v for k, v in initial.items() if INITIAL.match(k)}
    missing, unexpected = objective.load_state_dict(
        {our_name(k): v for k, v in stored.items()}, strict=False
    )
    assert not unexpected
    made_here = ("_bank.scale", ".paraphrased")
    assert all(k.startswith(("student.", "teacher.")) or k.endswith(made_here) for k in missing)
    return objective


def network(common: Golden, side: str) -> StagedNetwork:
    """Build a network with the stored weights."""
    built = NETWORKS["resnet8"](num_classes=10)
    stored = {our_name(k): v for k, v in common.items() if k.startswith(f"{side}/")}
    built.load_state_dict(below(f"{side}.", stored))
    return built


def options_of(meta: Golden) -> dict[str, Any]:
    """List the options of a case's distiller that are not the defaults."""
    if meta["distiller"] == "CRD":
        return {"feat_dim": meta["feat_dim"], "k": meta["nce_k"]}
    if meta["distiller"] == "CC":
        plain = meta["script"] == "train_baseline.py"
        return {"feat_dim": meta["feat_dim"], "train_teacher_embedding": plain}
    return {}


def ungate(distiller: Distiller) -> None:
    """Let the loss of the full batch through when nobody is chosen, as the reference does."""
    gated = distiller.loss

    def loss(spot: int, s: Tensor, t: Tensor, batch: Batch, chosen: Tensor) -> Tensor:
        return gated(spot, s, t, batch, chosen | ~chosen.any())

    distiller.loss = loss
