"""Compare distillers of gradients within networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance.comparison import Comparison
from conformance.survey.cases import GRADIENT, LOSS, batch_of, build, case_of
from conformance.survey.features import Given
from sakd.data import Batch
from sakd.distillers import Side
from sakd.networks.chain import Chain
from sakd.objectives.outputs import Outputs
from sakd.objectives.sensitivities import Sensing
from sakd.tasks import CLASSIFICATION


class Layer(nn.Module):
    """A linear map without bias, flattened before it and bent after it."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x.flatten(1) @ self.weight.T)


def linear(weight: Tensor) -> nn.Linear:
    """Make a linear head without bias."""
    head = nn.Linear(*reversed(weight.shape), bias=False)
    head.weight = nn.Parameter(weight.clone())
    return head


def chain(embedding: nn.Module, head: Tensor) -> Chain:
    return Chain({"embedding": embedding, "head": linear(head)}, family="plain")


def loss_within(name: str, student: Chain, teacher: Chain, batch: Batch) -> Tensor:
    """Take the loss of the gradients within two networks, with everybody chosen."""
    count = int(batch.labels.max()) + 1
    distiller = build(name, torch.zeros(1, count), torch.zeros(1, count))
    sensing = Sensing([distiller], CLASSIFICATION)
    (ours,) = sensing.outputs(student, batch, Side.STUDENT).shown_to(distiller)
    seen = Outputs.of(teacher, batch.images, Side.TEACHER, unrectified=False)
    felt = sensing.of_frozen(teacher, batch, seen)
    (theirs,) = seen._replace(sensitivities=felt).shown_to(distiller)
    everybody = torch.ones(len(batch.labels), dtype=torch.bool)
    return distiller.loss(0, ours, theirs, batch, everybody)


def compare_jacobians() -> Comparison:
    """Compare the match of two perceptrons, and its gradient by the student's weights."""
    case, found = case_of("jacobian", "aberhu_label"), Comparison("survey jacobian/aberhu_label")
    student, teacher = (chain(Layer(case[f"{x}_w1"]), case[f"{x}_w2"]) for x in "st")
    batch = batch_of(case["labels"])._replace(images=case["images"])
    loss = loss_within("jacobian", student, teacher, batch)
    found.check("loss", "loss", loss, case["loss"], LOSS)
    for number, gradient in enumerate(torch.autograd.grad(loss, list(student.parameters())), 1):
        found.check("gradient", f"w{number}", gradient, case[f"grad_w{number}"], GRADIENT)
    return found


def compare_cosines() -> Comparison:
    """Compare the angles between gradients by given embeddings, and the gradient by these."""
    case, found = case_of("crcd_gradient", "gradient_cosine"), Comparison("survey crcd_gradient")
    embedding = nn.Parameter(case["embedding_s"].clone())
    student = chain(Given(embedding), case["head_s"])
    teacher = chain(Given(nn.Parameter(case["embedding_t"])), case["head_t"])
    loss = loss_within("crcd_gradient", student, teacher, batch_of(case["labels"]))
    found.check("loss", "loss", loss, case["loss"], LOSS)
    (gradient,) = torch.autograd.grad(loss, embedding)
    found.check("gradient", "embedding", gradient, case["grad_s"], GRADIENT)
    return found
