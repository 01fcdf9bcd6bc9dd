"""Weights of others as safetensors: no tensors, wrong headers, shapes, types and values."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path

import torch

from bad_input.case import Make
from bad_input.hostile import Canary
from bad_input.weights import (
    ANOTHER,
    DAMAGED,
    FIRST,
    NETWORK,
    changed,
    foreign,
    half,
    of,
    written,
)

SAFE = "w.safetensors"


def header(content: object, size: int | None = None) -> Make:
    """Write the header of a file of tensors, with another length if asked."""
    text = json.dumps(content).encode() if not isinstance(content, bytes) else content
    return written(struct.pack("<Q", len(text) if size is None else size) + text)


def tensor(kind: str = "F32", shape: object = (2,), places: object = (0, 8)) -> dict[str, object]:
    return {"a": {"dtype": kind, "shape": shape, "data_offsets": places}}


CASES = [
    foreign("tensors-as-pipe", SAFE, os.mkfifo, "no file .*w.safe", "correct the path"),
    foreign("safetensors-empty", SAFE, Path.touch, DAMAGED.format(SAFE), ANOTHER),
    foreign(
        "safetensors-as-pickle",
        SAFE,
        written(pickle.dumps(Canary())),
        DAMAGED.format(SAFE),
        ANOTHER,
    ),
    foreign("safetensors-half", SAFE, half(changed(lambda _: None)), DAMAGED.format(SAFE), ANOTHER),
    foreign("header-huge", SAFE, header({}, 2**63), DAMAGED.format(SAFE), ANOTHER),
    foreign("header-beyond-the-end", SAFE, header({}, 1000), DAMAGED.format(SAFE), ANOTHER),
    foreign("header-as-list", SAFE, header([1]), DAMAGED.format(SAFE), ANOTHER),
    foreign("header-deep", SAFE, header(b"[" * 10_000), DAMAGED.format(SAFE), ANOTHER),
    foreign("tensor-beyond-the-end", SAFE, header(tensor()), DAMAGED.format(SAFE), ANOTHER),
    foreign("tensor-of-no-type", SAFE, header(tensor("F33")), DAMAGED.format(SAFE), ANOTHER),
    foreign("tensor-below-0", SAFE, header(tensor(shape=(-2,))), DAMAGED.format(SAFE), ANOTHER),
    foreign(
        "tensor-too-large",
        SAFE,
        header(tensor(shape=(2**40, 2**40))),
        DAMAGED.format(SAFE),
        ANOTHER,
    ),
    foreign(
        "tensors-of-nobody", SAFE, header({}), "w.safetensors .*holds nothing", "expected are names"
    ),
    foreign(
        "tensor-missing",
        SAFE,
        changed(lambda s: s.pop(FIRST)),
        f"1 missing .{FIRST}",
        "take weights of that network",
    ),
    foreign(
        "tensor-added",
        SAFE,
        changed(lambda s: s.update(more=torch.zeros(1))),
        "1 not expected .more",
        "take weights of that network",
    ),
    foreign(
        "tensor-of-another-shape",
        SAFE,
        changed(lambda s: s.update({FIRST: torch.zeros(2, 3)})),
        f"{FIRST} 2x3 instead of 16x1x3x3",
        "take weights of that network",
    ),
    foreign(
        "weights-of-another-network",
        SAFE,
        changed(lambda _: of("vgg8", side=32)),
        "w.safetensors .*missing",
        "take weights of that network",
    ),
    foreign(
        "weights-of-other-classes",
        SAFE,
        changed(lambda _: of(NETWORK, classes=7)),
        "of 7 classes",
        "take a teacher of these classes",
    ),
    foreign(
        "weights-of-colour",
        SAFE,
        changed(lambda _: of(NETWORK, channels=3)),
        f"{FIRST} 16x3x3x3",
        "take weights of that network",
    ),
    foreign(
        "whole-numbers",
        SAFE,
        changed(lambda s: {k: v.long() for k, v in s.items()}),
        "head.bias as torch.int64",
        "before quantisation",
    ),
    foreign(
        "complex-numbers",
        SAFE,
        changed(lambda s: s.update({FIRST: s[FIRST].to(torch.complex64)})),
        f"{FIRST} as torch.complex64",
        "before quantisation",
    ),
    foreign(
        "truths",
        SAFE,
        changed(lambda s: s.update({FIRST: s[FIRST] > 0})),
        f"{FIRST} as torch.bool",
        "before quantisation",
    ),
    foreign(
        "nan",
        SAFE,
        changed(lambda s: s[FIRST].fill_(torch.nan)),
        f"NaN or infinity in {FIRST}",
        "take another checkpoint",
    ),
]
