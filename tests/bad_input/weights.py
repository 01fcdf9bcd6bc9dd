"""Weights of others: no weights, pickles that run code, bombs, wrong shapes, types and values."""

from __future__ import annotations

import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from bad_input.case import Case, Make, nothing
from bad_input.hostile import RAN, Canary
from sakd.networks import build_network

State = dict[str, Tensor]
NETWORK = "resnet8"
ANOTHER = "take another copy, or another file of weights"
ALONE = "save the state dict alone"


def foreign(name: str, file: str, make: Callable[[Path], object], value: str, remedy: str) -> Case:
    """Give a case of a file of a finished teacher; the data are prepared, and it comes first."""
    parameters = f"grid.pairs={NETWORK}/{NETWORK},teacher_weights.{NETWORK}={{here}}/{file}"
    words = ("run", "--env", "smoke", "--pipelines", "teacher", "--params", parameters)
    return Case(name, words, value, remedy, lambda here: make(here / file))


def state() -> State:
    """Give weights that fit."""
    return of(NETWORK)


def of(network: str, classes: int = 10, channels: int = 1, side: int = 8) -> State:
    """Give weights of a network."""
    torch.manual_seed(0)
    built = build_network(network, num_classes=classes, image_shape=(channels, side, side))
    return built.state_dict()


def changed(change: Callable[[State], object]) -> Make:
    """Save weights with a change."""

    def make(file: Path) -> None:
        content = state()
        found = change(content)
        content = found if isinstance(found, dict) else content
        if file.suffix == ".safetensors":
            file.write_bytes(save(content))
        else:
            torch.save(content, file)

    return make


def saved(content: object, **options: Any) -> Make:
    """Save anything as torch does."""
    return lambda file: torch.save(content, file, **options)


def written(content: bytes) -> Make:
    return lambda file: file.write_bytes(content)


def with_card(text: str) -> Make:
    """Save weights that fit next to a card of this ``text``."""

    def make(file: Path) -> None:
        file.write_bytes(save(state()))
        file.with_suffix(".json").write_text(text)

    return make


def half(make: Make) -> Make:
    def cut(file: Path) -> None:
        make(file)
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])

    return cut


def packed(*, bomb: int = 0, above: bool = False) -> Make:
    """Pack the parts of a file of torch again, in a way that torch never does."""

    def make(file: Path) -> None:
        torch.save(state(), file.with_suffix(".good"))
        with zipfile.ZipFile(file.with_suffix(".good")) as good, zipfile.ZipFile(file, "w") as bad:
            for part in good.infolist():
                bad.writestr(part, good.read(part))
            if bomb:
                bad.writestr(
                    f"{good.namelist()[0].partition('/')[0]}/data/99",
                    bytes(bomb),
                    zipfile.ZIP_DEFLATED,
                )
            if above:
                bad.writestr(f"../{RAN}", b"x")
        file.with_suffix(".good").unlink()

    return make


def array(save: Callable[..., object]) -> Make:
    """Save an array of objects as NumPy does."""

    def make(file: Path) -> None:
        with file.open("wb") as content:
            save(content, np.array([Canary()], dtype=object))

    return make


def quantised(values: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch will give them up
        return torch.quantize_per_tensor(values, 0.1, 0, torch.qint8)


PTH = "w.pth"
FIRST = "stem.0.weight"
DAMAGED = "{} is damaged"
NO_STATE = "has no state dict"

CASES = [
    foreign("weights-nowhere", "no.pth", nothing, "no file .*no.pth", "correct the path"),
    foreign("weights-as-folder", PTH, Path.mkdir, "no file .*w.pth", "correct the path"),
    foreign("weights-as-pipe", PTH, os.mkfifo, "no file .*w.pth", "correct the path"),
    foreign("empty-weights", PTH, Path.touch, DAMAGED.format(PTH), ANOTHER),
    foreign(
        "text-as-weights", PTH, written(b"no weights"), "w.pth is not a file of weights", ALONE
    ),
    foreign("html-as-weights", PTH, written(b"<html>404</html>"), "w.pth is not a file of", ALONE),
    foreign(
        "pickle-that-runs-code", PTH, written(pickle.dumps(Canary())), "w.pth .*other types", ALONE
    ),
    foreign("zip-that-runs-code", PTH, saved(Canary()), "w.pth .*other types", ALONE),
    foreign(
        "state-that-runs-code",
        PTH,
        saved({"state_dict": {"a": torch.zeros(1)}, "args": Canary()}),
        "w.pth .*other types",
        ALONE,
    ),
    foreign(
        "old-file-that-runs-code",
        PTH,
        saved(Canary(), _use_new_zipfile_serialization=False),
        "w.pth .*other types",
        ALONE,
    ),
    foreign("whole-network", PTH, saved(torch.nn.Linear(2, 2)), "w.pth .*other types", ALONE),
    foreign(
        "array-of-objects",
        PTH,
        saved(np.array([Canary()], dtype=object)),
        "w.pth .*other types",
        ALONE,
    ),
    foreign(
        "npy-of-objects",
        PTH,
        array(np.save),
        "w.pth is not a",
        ALONE,
    ),
    foreign(
        "npz-of-objects",
        PTH,
        array(np.savez),
        "w.pth",
        "another|alone",
    ),
    foreign("half-a-zip", PTH, half(changed(lambda _: None)), DAMAGED.format(PTH), ANOTHER),
    foreign(
        "zip-bomb-of-weights",
        PTH,
        packed(bomb=10**8),
        "w.pth is damaged .*data/99 is packed",
        ANOTHER,
    ),
    foreign("weights-above", PTH, packed(above=True), f"w.pth is damaged .*../{RAN}", ANOTHER),
    foreign("list-for-state", PTH, saved([1, 2]), f"w.pth {NO_STATE}", "expected are names"),
    foreign("nothing-for-state", PTH, saved({}), f"w.pth {NO_STATE}", "expected are names"),
    foreign(
        "numbers-for-tensors", PTH, saved({"a": 1}), f"w.pth {NO_STATE}: it holds a", "expected"
    ),
    foreign(
        "no-names", PTH, saved({1: torch.zeros(1)}), f"w.pth {NO_STATE}: it holds 1", "expected"
    ),
    foreign("hostile-names", PTH, saved({"a\x1b[31m\n": 1}), r"holds a\\x1b\[31m ;", "expected"),
    foreign(
        "names-of-ten-kilobytes", PTH, saved({"x" * 10_000: 1}), "holds xxx", "expected are names"
    ),
    foreign(
        "infinity",
        PTH,
        changed(lambda s: s[FIRST].fill_(torch.inf)),
        f"NaN or infinity in {FIRST}",
        "take another checkpoint",
    ),
    foreign(
        "too-large-for-32-bits",
        PTH,
        changed(lambda s: s.update({FIRST: s[FIRST].double() * 1e300})),
        f"NaN or infinity in {FIRST}",
        "take another checkpoint",
    ),
    foreign(
        "two-networks",
        PTH,
        changed(lambda s: {"student": s, "teacher": {k: v + 1 for k, v in s.items()}}),
        "holds student and teacher",
        "choose one by teacher_renames",
    ),
    foreign(
        "sparse-tensor",
        PTH,
        changed(lambda s: s.update({FIRST: s[FIRST].to_sparse()})),
        f"{FIRST} as torch.sparse_coo",
        "save it dense",
    ),
    foreign(
        "damaged-card",
        "w.safetensors",
        with_card('{"data": {"classes": ["0"'),
        "w.json is damaged",
        "an intact copy, or remove it",
    ),
    foreign(
        "quantised-tensor",
        PTH,
        changed(lambda s: s.update({FIRST: quantised(s[FIRST])})),
        f"{FIRST} as torch.qint8",
        "before quantisation",
    ),
    foreign(
        "tensor-without-memory",
        PTH,
        changed(lambda s: s.update({FIRST: s[FIRST].to("meta")})),
        f"{FIRST} without its values",
        "save it dense",
    ),
    foreign(
        "strided-bomb",
        PTH,
        changed(lambda s: s.update(more=torch.zeros(1).expand(10**12))),
        "1 not expected .more",
        "take weights of that network",
    ),
]
