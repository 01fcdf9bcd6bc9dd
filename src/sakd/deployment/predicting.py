"""Ask a model about pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from sakd.data.pictures.decoding import decode
from sakd.data.pictures.every import Fault
from sakd.data.pictures.stored import Files
from sakd.deployment.model import Model
from sakd.foundation.files import at_once
from sakd.foundation.sheets import sheet_cell

BATCH = 128
"""Pictures that are read and classified at a time."""


class Answers(NamedTuple):
    """A model's answers for N pictures.

    Attributes:
        paths: The N pictures that could be used.
        chances: The probabilities of the K classes, (N, K) float32.
        faults: The other pictures, and why they cannot be used.
    """

    paths: list[Path]
    chances: Tensor
    faults: list[Fault]


@torch.no_grad()
def predict(model: Model, paths: Sequence[Path]) -> Answers:
    """Classify pictures; those that cannot be used are left out and listed."""
    read: list[Path] = []
    chances = [torch.empty(0, len(model.classes))]
    faults: list[Fault] = []
    for start in range(0, len(paths), BATCH):
        part = paths[start : start + BATCH]
        pixels, bad = decode(Files(part), model.form, "to classify")
        wrong = {fault.number for fault in bad}
        fine = [number for number in range(len(part)) if number not in wrong]
        if fine:
            logits = model(model.normalise(pixels[fine]))
            chances.append(logits.float().softmax(dim=1).cpu())
        read += [part[number] for number in fine]
        faults += bad
    return Answers(read, torch.cat(chances), faults)


def write_answers(answers: Answers, classes: Sequence[str], path: Path) -> None:
    """Write a CSV file: file, class, its probability, and those of all classes, as ``p_CLASS``.

    A file or a class that is called like a formula gets an apostrophe before its name.
    """
    best = answers.chances.argmax(dim=1).tolist()
    with at_once(path) as partial, partial.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(
            ["file", "class", "probability", *(sheet_cell(f"p_{name}") for name in classes)]
        )
        for file, top, chances in zip(answers.paths, best, answers.chances.tolist(), strict=True):
            named = map(sheet_cell, (str(file), classes[top]))
            writer.writerow([*named, *(f"{p:.6f}" for p in (chances[top], *chances))])
