"""The default study without its pipelines: digits, a resnet20 as teacher, a resnet8 as student."""

from __future__ import annotations

from functools import cache

import torch

from sakd.data import DATASETS, BatchStream, ImageSet, Splits, Splitting, labelled_subset, prepare
from sakd.networks import NETWORKS, StagedNetwork
from sakd.objectives import Supervised
from sakd.training import fit

TEACHER, STUDENT = "resnet20", "resnet8"
CPU = torch.device("cpu")
TEACHER_EPOCHS, STUDENT_EPOCHS, PER_CLASS = 20, 30, 20


@cache
def splits() -> Splits:
    """Split the digits as the study does."""
    digits = DATASETS["digits"](path=None, source="bundled").load()
    return prepare(digits, Splitting(val_fraction=0.2, test_fraction=0.2), name="digits")


def network(name: str, seed: int = 0) -> StagedNetwork:
    """Build a network for digits, with the weights of ``seed``."""
    torch.manual_seed(seed)
    return NETWORKS[name](num_classes=10, in_channels=1)


def batches_of(images: ImageSet, seed: int = 0, device: torch.device = CPU) -> BatchStream:
    """Make batches of 64 on ``device``."""
    card = splits().card
    images = images.to(device)
    return BatchStream(images, card.mean, card.std, batch_size=64, seed=seed, device=device)


def trained_teacher(device: torch.device = CPU) -> StagedNetwork:
    """Train the teacher on all training images, on ``device``."""
    teacher = network(TEACHER).to(device)
    fit(Supervised(teacher), batches_of(splits().train, device=device), epochs=TEACHER_EPOCHS)
    return teacher


def few_images(seed: int = 0) -> ImageSet:
    """Choose the images that a student of ``seed`` learns from."""
    return labelled_subset(splits().train, PER_CLASS, seed)
