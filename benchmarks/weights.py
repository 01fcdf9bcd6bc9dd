"""Compare every distiller's gradient with that of the labels, on the default study.

A resnet8 learns digits from cross-entropy, and from KD where it joins the distiller. Over the first
steps, the length of the gradient of the distiller's loss by the student's weights is divided by
that of cross-entropy. Where the published weight times this ratio is far above 1 the distiller may
outweigh the labels; "equal at" is the weight at which both gradients have the same length.

    python benchmarks/weights.py --distillers at sp pkt
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain, count, islice
from statistics import median

import torch
from digits import STUDENT, batches_of, few_images, network, trained_teacher
from torch import Tensor
from torch.nn.functional import cross_entropy

from sakd.data import BatchStream
from sakd.distillers import DISTILLERS, Side
from sakd.objectives import DataFacts, Outputs, SpotDistillation, distil
from sakd.training import Run, pretrain


def main() -> None:
    """Train the teacher, then print a line for each distiller: medians over the steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--distillers", nargs="+", default=list(DISTILLERS))
    parser.add_argument("--steps", type=int, default=52)
    options = parser.parse_args()
    torch.set_num_threads(1)  # networks this small gain nothing from more
    teacher, few = trained_teacher(), few_images()
    print(f"{'distiller':<11}{'loss':>10}{'gradient / CE':>15}{'published':>11}{'equal at':>10}")
    for name in options.distillers:
        facts = DataFacts(few.shape, few.labels)
        objective = distil(network(STUDENT), teacher, name, "always", facts)
        steps = pulls(name, objective, batches_of(few))
        losses, ratios = zip(*islice(steps, options.steps), strict=True)
        loss, ratio, weight = median(losses), median(ratios), DISTILLERS[name].weight
        print(f"{name:<11}{loss:>10.3g}{ratio:>15.3g}{weight:>11g}{1 / ratio:>10.3g}", flush=True)


def pulls(
    name: str, objective: SpotDistillation, stream: BatchStream
) -> Iterator[tuple[float, float]]:
    """Yield each step's loss, and the ratio of its gradient's length to that of cross-entropy.

    The distiller's own parameters learn from its loss; the student does not.
    """
    pretrain(objective, stream)
    run = Run(objective, epochs=1)
    objective.train()
    weights = [p for p in objective.student.parameters() if p.requires_grad]
    for batch in chain.from_iterable(map(stream.epoch, count())):
        teachers = objective.teach(batch)
        students = objective.outputs(objective.student, batch, Side.STUDENT)
        everybody = torch.ones(len(batch.labels), len(objective.spots), dtype=torch.bool)
        knowledge = objective.knowledge(students, teachers, batch, everybody)
        shown = detached(students)
        own = objective.knowledge(shown, teachers, batch, everybody)[name]
        loss, ce = knowledge.pop(name), cross_entropy(students.logits, batch.labels)
        yield float(loss.detach()), length(loss, weights) / length(ce, weights)
        run.update({"student": sum(knowledge.values(), ce + objective.weights[name] * own)})


def detached(outputs: Outputs) -> Outputs:
    """Give the same ``outputs`` without gradient."""
    closed, before = (tuple(x.detach() for x in kind) for kind in outputs[:2])
    felt = {kind: x.detach() for kind, x in outputs.sensitivities.items()}
    return Outputs(closed, before, outputs.side, felt)


def length(loss: Tensor, weights: list[torch.nn.Parameter]) -> float:
    """Compute the Euclidean length of the gradient of ``loss`` by ``weights``."""
    gradients = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    return float(sum(g.square().sum() for g in gradients if g is not None)) ** 0.5


if __name__ == "__main__":
    main()
