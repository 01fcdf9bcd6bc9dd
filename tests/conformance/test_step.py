"""Two training steps equal those of the reference, for every golden case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sakd.data import Batch
from sakd.distillers import Distiller
from sakd.networks import NETWORKS, StagedNetwork
from sakd.objectives import SpotDistillation, StepResult, distil
from sakd.objectives.build import DataFacts, Distillation, Routing
from sakd.routing import RoutingPolicy
from sakd.training import Callback, prepare
from sakd.training.fit import Run
from sakd.training.optimisation import Optimisation

TOLERANCE = {1: 1e-4, 2: 1e-3}
INITIAL = re.compile(r"init/(?!pretrain/(before|losses))")
UNGATED = {"ft_fixed_none"}  # where the reference does not silence a loss that nobody is chosen for
FILES = sorted((Path(__file__).parent.parent / "golden" / "step").glob("*.npz"))
CASES = [file.stem for file in FILES if file.stem != "common"]
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
    coins = meta["script"] == "train_random.py"
    objective = distil(
        network(common, "student"),
        network(common, "teacher"),
        name,
        policies.get(meta["script"], "always"),
        DataFacts((3, 32, 32), common["target1"]),
        distillation=Distillation(
            ce_weight=meta["gamma"] if coins else 1.0,
            kd_weight=meta["alpha"],
            weights={name: meta["beta"]},
            options={name: {**options(meta), **further}},
        ),
        routing=Routing(gamma=meta["gamma"]),
    )
    stored = {k.removeprefix("init/"): v for k, v in initial.items() if INITIAL.match(k)}
    missing, unexpected = objective.load_state_dict(
        {our_name(k): v for k, v in stored.items()}, strict=False
    )
    assert not unexpected
    assert all(k.startswith(("student.", "teacher.")) for k in missing)
    return objective


def options(meta: Case) -> dict[str, Any]:
    """List the options of a case's distiller that are not the defaults."""
    if meta["distiller"] == "CC":
        plain = meta["script"] == "train_baseline.py"
        return {"feat_dim": meta["feat_dim"], "train_teacher_embedding": plain}
    return {}


def ungate(distiller: Distiller) -> None:
    """Let the loss of the full batch through when nobody is chosen."""
    gated = distiller.loss

    def loss(spot: int, s: Tensor, t: Tensor, batch: Batch, chosen: Tensor) -> Tensor:
        return gated(spot, s, t, batch, chosen | ~chosen.any())

    distiller.loss = loss


def run_of(objective: SpotDistillation, meta: Case) -> Run:
    """Give the players the optimisers of the case."""
    shared = {"momentum": meta["momentum"], "milestones": ()}
    student = Optimisation(meta["lr"], weight_decay=meta["weight_decay"], **shared)
    optimisation = {"student": student}
    if meta["agent_lr"] is not None:
        decay = meta["agent_weight_decay"]
        optimisation["router"] = Optimisation(meta["agent_lr"], weight_decay=decay, **shared)
    return Run(objective, optimisation, epochs=1, steps=2)


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
        """What the graft has put in the place of a feature: the input of the next stage."""
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
    yield "loss_kd_raw", result.terms[name]
    yield "loss_div_raw", result.terms["kd"]
    yield "loss_div_alpha", objective.weights["kd"] * result.terms["kd"]
    yield "loss_total", result.losses["student"]
    if objective.router.graft is not None:
        yield from graft_values(recording, result, labels)


def graft_values(
    recording: Recording, result: StepResult, labels: Tensor
) -> Iterator[tuple[str, Any]]:
    """Yield the same of the policy and the graft."""
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


def check_gradients(recording: Recording, case: Case, report: Any) -> None:
    """Compare the gradients of step 1 in full where stored, and all their norms."""
    for player in ("agent", "student_loss"):
        prefix = f"step1/{player}/grad/"
        for key in [k for k in case if k.startswith(prefix)]:
            ours = recording.gradients[our_name(key.removeprefix(prefix))]
            report.check("step 1", key, ours, case[key], TOLERANCE[1])
        names, norms = (case.get(f"step1/{player}/gradnorm{k}", []) for k in ("_names", ""))
        for name, norm in zip(names, norms, strict=True):
            ours = recording.gradients.get(our_name(name))
            assert (ours is None) == bool(norm.isnan())
            if ours is not None:
                report.check("step 1", f"|grad {name}|", ours.norm(), norm, TOLERANCE[1])


def check_state(objective: SpotDistillation, case: Case, report: Any) -> None:
    """Compare what two updates have made of every parameter and buffer."""
    state = objective.state_dict()
    for name, norm in zip(case["after2/norm_names"], case["after2/norm"], strict=True):
        value = state[our_name(name)].norm()
        report.check("step 2", f"|{name}| after", value, norm, TOLERANCE[2])
    for key in [k for k in case if k.startswith(("after2/student/", "after2/policy/"))]:
        value = state[our_name(key.removeprefix("after2/"))]
        report.check("step 2", key, value, case[key], TOLERANCE[2])


KNOWN = re.compile(
    r"(init|after2)/|init_from|meta|fixed_action|step\d/(agent|student_loss)/|"
    r"step\d/(gumbel_u|randn|ac\d)$"
)


@pytest.mark.parametrize("name", CASES)
def test_two_steps_equal_the_reference(
    name: str,
    golden: Callable[[str], Case],
    compare: Callable[[str], Any],
    replays: tuple[Callable[..., RoutingPolicy], Callable[..., None]],
) -> None:
    replay, rewind = replays
    case, common = golden(f"step/{name}"), golden("step/common")
    objective = objective_of(case, common, golden(f"step/{case['init_from']}")).train()
    objective.router.policy = replay(objective.router.policy, case)
    if name in UNGATED:
        ungate(objective.distillers[case["meta"]["distiller"].lower()])
    run = run_of(objective, case["meta"])
    recording, report = Recording(objective, run), compare(f"step {name}")
    untouched = {k for k in case if not KNOWN.match(k)}
    for step in (1, 2):
        labels = common[f"target{step}"]
        batch = Batch(common[f"x{step}"], labels, torch.arange(8), torch.Generator())
        rewind(objective.router.policy, case, step)
        recording.clear()
        result = objective(batch)
        for key, value in forward_values(recording, result, labels):
            if f"step{step}/{key}" in case:
                untouched.discard(f"step{step}/{key}")
                reference = case[f"step{step}/{key}"]
                report.check(f"step {step}", key, value, reference, TOLERANCE[step])
        run.step(result.losses)
        if step == 1:
            check_gradients(recording, case, report)
    check_state(objective, case, report)
    assert not untouched
    assert not report.failures


@pytest.mark.parametrize("name", sorted(UNGATED))
def test_a_loss_that_nobody_is_chosen_for_is_silenced(
    name: str,
    golden: Callable[[str], Case],
    replays: tuple[Callable[..., RoutingPolicy], Callable[..., None]],
) -> None:
    replay, rewind = replays
    case, common = golden(f"step/{name}"), golden("step/common")
    objective = objective_of(case, common, golden(f"step/{case['init_from']}")).train()
    objective.router.policy = replay(objective.router.policy, case)
    rewind(objective.router.policy, case, 1)
    batch = Batch(common["x1"], common["target1"], torch.arange(8), torch.Generator())
    result = objective(batch)
    assert result.terms[case["meta"]["distiller"].lower()] == 0
    gated = case["step1/loss_total"] - case["meta"]["beta"] * case["step1/loss_kd_raw"]
    assert float(result.losses["student"].detach()) == pytest.approx(float(gated), rel=1e-5)
    router = float(result.losses["router"].detach())
    assert router == pytest.approx(float(case["step1/routing_total"]), rel=1e-5)


class TwoBatches:
    """The batches of all cases, as an epoch."""

    def __init__(self, common: Case) -> None:
        """Keep them."""
        labels = common["target1"], common["target2"]
        images = common["x1"], common["x2"]
        self.batches = [
            Batch(x, y, torch.arange(8), torch.Generator())
            for x, y in zip(images, labels, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, _number: int) -> Iterator[Batch]:
        """Yield them in their order."""
        yield from self.batches


class Epochs(Callback):
    """Remembers the history."""

    def on_start(self, run: Run) -> None:
        """Keep it; it grows."""
        self.history = run.history


def test_fts_paraphraser_is_pretrained_as_the_references(
    golden: Callable[[str], Case], compare: Callable[[str], Any]
) -> None:
    case, common = golden("step/ft_fixed"), golden("step/common")
    brief = {"pretrain_epochs": 2}
    objective = objective_of(case, common, case, **brief)
    state = {k.removeprefix("init/pretrain/"): v for k, v in case.items() if "/pretrain/" in k}
    paraphraser = objective.get_submodule("distillers.ft.paraphraser")
    prefix = "before/paraphraser."
    before = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    paraphraser.load_state_dict(before)
    teacher = {k: v.clone() for k, v in objective.teacher.state_dict().items()}
    epochs, report = Epochs(), compare("pretraining ft_fixed")
    assert prepare(objective, TwoBatches(common), lambda _name: (epochs,))
    expected = state["losses"].view(2, 2).mean(dim=1)
    for record, loss in zip(epochs.history, expected, strict=True):
        report.check("loss", f"epoch {record['epoch']}", record["preparation"], loss, 1e-5)
    for name, value in paraphraser.state_dict().items():
        report.check("weights", name, value, state[f"after/paraphraser.{name}"], 1e-5)
    assert not report.failures
    assert not any(p.requires_grad for p in paraphraser.parameters())
    assert all(torch.equal(teacher[k], v) for k, v in objective.teacher.state_dict().items())
