"""The cases of the training step: built from the reference's state, and what they replay."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softmax

from sakd.data import Batch
from sakd.distillers import Distiller
from sakd.networks import NETWORKS, StagedNetwork
from sakd.objectives import SpotDistillation, distil
from sakd.objectives.build import DataFacts
from sakd.objectives.parameters import Distillation, Routing
from sakd.routing import Route, RoutingPolicy
from sakd.routing.adaptive import Adaptive, Sample
from sakd.routing.anti import Anti

INITIAL = re.compile(r"init/(?!pretrain/(before|losses)|criterion_kd/contrast\.params)")
Case = dict[str, Any]


# From the reference's names to ours.

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
    """Translate ``hint_1/conv.weight`` to ``graft.to_teacher.1.conv.weight``, and so on."""
    for pattern, ours in MODULES:
        if match := re.search(pattern, name):
            number = (match.group(1) or "0") if "#" in ours else ""
            return re.sub(pattern, ours.replace("#", number), name)
    raise AssertionError(f"no module for {name}")


def network(common: Case, side: str) -> StagedNetwork:
    """Build a network with the stored weights."""
    built = NETWORKS["resnet8"](num_classes=10)
    stored = {our_name(k): v for k, v in common.items() if k.startswith(f"{side}/")}
    built.load_state_dict({k.removeprefix(f"{side}."): v for k, v in stored.items()})
    return built


def objective_of(case: Case, common: Case, initial: Case, **further: float) -> SpotDistillation:
    """Build the objective of a case with the reference's initial state."""
    meta, name = case["meta"], case["meta"]["distiller"].lower()
    policies = {"train.py": "adaptive", "train_reverse.py": "anti", "train_random.py": "random"}
    policies["train_both.py"] = "adaptive"
    joint = meta["script"] == "train_both.py"
    objective = distil(
        network(common, "student"),
        network(common, "teacher"),
        name,
        policies.get(meta["script"], "always"),
        DataFacts((3, 32, 32), torch.arange(64) % 10),
        distillation=Distillation(
            ce_weight=meta["gamma"] if joint or meta["script"] == "train_random.py" else 1.0,
            kd_weight=meta["alpha"],
            weights={name: meta["beta"]},
            options={name: {**options(meta), **further}},
            train_teacher=joint,
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


def options(meta: Case) -> dict[str, Any]:
    """List the options of a case's distiller that are not the defaults."""
    if meta["distiller"] == "CRD":
        return {"feat_dim": meta["feat_dim"], "k": meta["nce_k"]}
    if meta["distiller"] == "CC":
        plain = meta["script"] == "train_baseline.py"
        return {"feat_dim": meta["feat_dim"], "train_teacher_embedding": plain}
    return {}


def state_of(objective: SpotDistillation, name: str) -> Tensor:
    """Find the parameter or buffer that the reference calls ``name``."""
    if name != "criterion_kd/contrast.params":
        return objective.state_dict()[our_name(name)]
    crd = objective.distillers["crd"]
    banks = crd.teacher_bank, crd.student_bank
    recall = banks[0].temperature, banks[0].momentum
    return torch.tensor([crd.negatives, recall[0], *(bank.scale for bank in banks), recall[1]])


def ungate(distiller: Distiller) -> None:
    """Let the loss of the full batch through when nobody is chosen."""
    gated = distiller.loss

    def loss(spot: int, s: Tensor, t: Tensor, batch: Batch, chosen: Tensor) -> Tensor:
        return gated(spot, s, t, batch, chosen | ~chosen.any())

    distiller.loss = loss


# What the cases replay instead of drawing it.


class FixedDecisions(Adaptive):
    """Decides as stored; the gradient is that of the noise-free softmax."""

    decided: Tensor

    def sample(self, logits: Tensor, generator: torch.Generator | None) -> Sample:
        """Replay."""
        return Sample(self.decided, softmax(logits / self.temperature, dim=2))


class FixedOpposite(Anti, FixedDecisions):
    """The same decisions, inverted for the student."""


class StoredNoise(Adaptive):
    """Samples with the stored uniforms."""

    uniform: Tensor

    def gumbel(self, logits: Tensor, generator: torch.Generator | None) -> Tensor:
        """Replay."""
        return -torch.log(-torch.log(self.uniform + 1e-20) + 1e-20)


class StoredCoins(RoutingPolicy):
    """Chooses by the stored coins."""

    coins: Tensor

    def forward(self, student: Tensor, teacher: Tensor, generator: torch.Generator | None) -> Route:
        """Replay."""
        return Route(self.coins > 0.5, None)


def replay(policy: RoutingPolicy, case: Case) -> RoutingPolicy:
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


def rewind(objective: SpotDistillation, case: Case, common: Case, step: int) -> Batch:
    """Give the objective what it replays in a step, and the step's batch."""
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


class Cases:
    """Starts a case, and knows its names."""

    our_name = staticmethod(our_name)
    state_of = staticmethod(state_of)
    rewind = staticmethod(rewind)
    ungate = staticmethod(ungate)

    def __init__(self, golden: Callable[[str], Case]) -> None:
        """Read cases from ``golden``."""
        self.golden = golden

    def start(self, name: str, **options: float) -> tuple[Case, Case, SpotDistillation]:
        """Give the case, what all cases share, and the objective as it is before step 1."""
        case, common = self.golden(f"step/{name}"), self.golden("step/common")
        initial = self.golden(f"step/{case['init_from']}")
        objective = objective_of(case, common, initial, **options).train()
        objective.router.policy = replay(objective.router.policy, case)
        return case, common, objective


@pytest.fixture(scope="session")
def cases(golden: Callable[[str], Case]) -> Cases:
    """Start cases of the training step."""
    return Cases(golden)
