"""Compare ways of learning with others with their authors' code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import linear

from conformance.comparison import Comparison, Golden, below, golden
from sakd.data import Batch
from sakd.networks import StagedNetwork
from sakd.networks.zoo.resnet import resnet
from sakd.systems.dcm import DCM, with_heads
from sakd.systems.ffl import FFL, fusion
from sakd.systems.okddip import Attention, OKDDip
from sakd.systems.one import ONE
from sakd.systems.parts.divergence import divergence
from sakd.systems.parts.gate import Gate, gated
from sakd.systems.parts.ramp import RampSettings, risen
from sakd.systems.parts.tails import tail
from sakd.tasks import CLASSIFICATION

LOSS, GRADIENT = 1e-6, 1e-5
"""Most of the code ran in float32."""
OFFSET = 5e-6, 5e-5
"""Where the code adds a small number to probabilities before their logarithm."""


def case_of(system: str, name: str) -> Golden:
    """Read one case of a system."""
    return below(f"{name}/", golden(f"systems/{system}"))


def batch_of(labels: Tensor) -> Batch:
    """Make a batch of images with ``labels`` (B,)."""
    return Batch(torch.zeros(len(labels), 3, 4, 4), labels, torch.arange(len(labels)), 0)


def check(
    found: Comparison,
    case: Golden,
    inputs: list[str],
    loss_of: Callable[..., Tensor],
    tolerances: tuple[float, float] = (LOSS, GRADIENT),
    weights: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Compare a loss of ``inputs``, and its gradients by them and by ``weights``, with a case."""
    given = [case[name].clone().requires_grad_() for name in inputs]
    loss = loss_of(*given)
    found.check("loss", "loss", loss, case.get("loss_f64", case.get("loss")), tolerances[0])
    sources = dict(zip(inputs, given, strict=True)) | weights
    gradients = torch.autograd.grad(loss, list(sources.values()), materialize_grads=True)
    for name, gradient in zip(sources, gradients, strict=True):
        if f"grad_{name}" in case:
            found.check("gradient", name, gradient, case[f"grad_{name}"], tolerances[1])


def compare_divergence(
    system: str,
    name: str,
    inputs: tuple[str, str],
    temperature: float = 1.0,
    *,
    given: bool = True,
    tolerances: tuple[float, float] = (LOSS, GRADIENT),
) -> Comparison:
    """Compare the divergence of two logits, of which the second may be ``given``."""
    found = Comparison(f"systems/{system}/{name}")

    def loss(logits: Tensor, target: Tensor) -> Tensor:
        return divergence(logits, target.detach() if given else target, temperature)

    check(found, case_of(system, name), list(inputs), loss, tolerances)
    return found


def compare_mean_targets() -> Comparison:
    """Compare three networks that each follow the mean of the logits of the others."""
    found, case = Comparison("systems/dml/okddip_ensemble"), case_of("dml", "okddip_ensemble")

    def loss(logits: Tensor) -> Tensor:
        batch, total = batch_of(case["labels"]), logits.sum(dim=2)
        return torch.stack(
            [
                CLASSIFICATION.loss(own, batch) + divergence(own, (total - own) / 2, 3.0)
                for own in logits.unbind(dim=2)
            ]
        ).sum()

    check(found, case, ["logits"], loss, OFFSET)
    return found


def network(seed: int = 0) -> StagedNetwork:
    """Make a small network of 5 classes."""
    torch.manual_seed(seed)
    return resnet(5, depth=8, widths=(4, 4, 6, 8))


def compare_ramp() -> Comparison:
    """Compare the weight of 121 epochs that rises over 80."""
    found, case = Comparison("systems/one/rampup"), case_of("one", "rampup")
    weights = torch.tensor([risen(int(epoch), 80) for epoch in case["epoch"]])
    found.check("weight", "weight", weights, case["weight_length80"], LOSS)
    return found


def compare_native_ensemble() -> Comparison:
    """Compare a gate, and a step of three branches."""
    found, case = Comparison("systems/one/step"), case_of("one", "step")
    gate = Gate(32, 3)
    names = ("gate_weight", "gate_bias", "gate_bn_weight", "gate_bn_bias")
    weights = dict(zip(names, gate.parameters(), strict=True))
    fill(weights, case)
    tails = [tail(network(k), 3) for k in (1, 2)]
    system = ONE(network(), tails, gate, CLASSIFICATION)
    system.ramp.weight.fill_(case["consistency_weight"])
    inputs = ["shared_pooled", "logits1", "logits2", "logits3"]

    def loss(shared: Tensor, *logits: Tensor) -> Tensor:
        chosen = system.gate(shared)
        found.check("ensemble", "ensemble", gated(logits, chosen), case["ensemble"], LOSS)
        return system.losses(logits, chosen, batch_of(case["labels"])).losses["student"]

    weights.pop("gate_bias")  # before a batch norm, its gradient is 0 but for rounding
    check(found, case, inputs, loss, OFFSET, weights)
    return found


def compare_peers() -> Comparison:
    """Compare the attention and the targets of three peers, and a step of these and a leader."""
    found, case = Comparison("systems/okddip/step"), case_of("okddip", "step")
    attention = Attention(64)
    weights = {"query_weight": attention.query.weight, "key_weight": attention.key.weight}
    fill(weights, case)
    system = OKDDip(network(), [tail(network(k), 3) for k in (1, 2, 3)], attention, CLASSIFICATION)
    system.ramp.weight.fill_(case["consistency_weight"])
    features, order = [f"feature{k}" for k in range(4)], (3, 0, 1, 2)

    def loss(logits: Sequence[Tensor], embeddings: Sequence[Tensor]) -> Tensor:
        seen = attention(embeddings)
        found.check("attention", "attention", seen, case["attention"], LOSS)
        targets = torch.stack([gated(logits[1:], row) for row in seen.unbind(dim=1)], dim=2)
        found.check("attention", "targets", targets, case["targets"], LOSS)
        return system.losses(logits, embeddings, batch_of(case["labels"])).losses["student"]

    def from_logits(*logits: Tensor) -> Tensor:
        return loss(logits, [case[name] for name in features[:3]])

    def from_features(*given: Tensor) -> Tensor:
        logits = [linear(given[k], case[f"head{k}_weight"], case[f"head{k}_bias"]) for k in order]
        return loss(logits, given[:3])

    check(found, case, [f"logits{k}" for k in order], from_logits, OFFSET, weights)
    check(found, case, features, from_features, OFFSET)
    return found


def compare_fusion() -> Comparison:
    """Compare a fused classifier, and a step of two branches and it."""
    found, case = Comparison("systems/ffl/step"), case_of("ffl", "step")
    fused = fusion(8, 5)
    layers = {"0.0": "conv1", "0.1": "bn1", "1.0": "conv1_1", "1.1": "bn1_1", "3": "fc2"}
    weights = {
        f"module.{theirs}.{name}": weight
        for ours, theirs in layers.items()
        for name, weight in fused.get_submodule(ours).named_parameters()
    }
    fill(weights, case)
    system = FFL(network(), [tail(network(1), 3)], fused, CLASSIFICATION, RampSettings())
    system.ramp.weight.fill_(case["consistency_weight"])
    cross = case["loss_cross"], case["loss_kl"]

    def loss(one: Tensor, two: Tensor, *maps: Tensor) -> Tensor:
        logits = fused(torch.cat(maps, dim=1))
        found.check("fused", "fused", logits, case["fused"], LOSS)
        result = system.losses([one, two, logits], batch_of(case["labels"]))
        assert result.losses["student"] is result.losses["fusion"]
        terms = result.terms
        labels = terms["cross_entropy"] + terms["branch"] + terms["fused"]
        kl = terms["ramp"] * (terms["divergence"] + terms["ensemble"])
        for name, part, reference in zip(("cross", "kl"), (labels, kl), cross, strict=True):
            found.check("loss", name, part, reference, OFFSET[0])
        return result.losses["student"]

    check(found, case, ["logits1", "logits2", "map1", "map2"], loss, OFFSET, weights)
    return found


def compare_heads() -> Comparison:
    """Compare a step of two networks with three heads each."""
    found, case = Comparison("systems/dcm/step"), case_of("dcm", "step")
    fresh = [network(k) for k in (1, 2)]
    system = DCM(*(with_heads(network(k), fresh) for k in (3, 4)), CLASSIFICATION)
    inputs = [f"net{n}_head{k}" for n in (1, 2) for k in (2, 0, 1)]

    def loss(*logits: Tensor) -> Tensor:
        losses = system.losses([logits[:3], logits[3:]], batch_of(case["labels"])).losses
        return losses["student"] + losses["peer1"]

    check(found, case, inputs, loss, OFFSET)
    return found


def fill(weights: Mapping[str, Tensor], case: Golden) -> None:
    """Give ``weights`` the values of the case that have their names."""
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(case[name])
