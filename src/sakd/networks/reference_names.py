"""The names of weights in files of other projects, translated to ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

Rename = Callable[[str], str]
Rules = tuple[tuple[str, str], ...]
"""Patterns and what replaces them, applied one after the other."""


def _layers(unit: str, places: Iterable[tuple[int, str]], ours: str) -> Iterator[tuple[str, str]]:
    """Rules for ``conv`` and ``bn`` of each number in ``unit``, and the layer each belongs to."""
    for number, layer in places:
        yield rf"{unit}conv{number}\.", f"{ours}{layer}.0."
        yield rf"{unit}bn{number}\.", f"{ours}{layer}.1."


MOBILENET_GROUPS = ((1, 0, 1), (1, 1, 2), (2, 0, 3), (3, 0, 4), (3, 4, 3), (4, 0, 3), (4, 3, 1))
"""For each group of blocks: our stage, the place of its first block there, the number of blocks."""

RESNET: Rules = (
    (r"^conv1\.", "stem.0."),
    (r"^bn1\.", "stem.1."),
    (r"^layer(\d)\.", r"stage\1."),
    (r"\.shortcut\.", ".downsample."),
    (r"^(fc|linear)\.", "head."),
)
WIDE_RESNET: Rules = (
    (r"^conv1\.", "stem."),
    (r"^block(\d)\.layer\.", r"stage\1."),
    (r"\.convShortcut\.", ".shortcut."),
    (r"^bn1\.", "embedding.0."),
    (r"^fc\.", "head."),
)
VGG: Rules = (
    (r"^block0\.", "stem."),
    *((rf"^block(\d)\.{k}\.", rf"stage\1.{k + 1}.") for k in range(12)),
    (r"^classifier\.", "head."),
)
MOBILENET: Rules = (
    (r"^conv1\.", "stem."),
    (r"^conv2\.", "embedding.0."),
    (r"^classifier\.0\.", "head."),
    *(
        (rf"^blocks\.{group}\.{block}\.", f"stage{stage}.{first + block}.")
        for group, (stage, first, count) in enumerate(MOBILENET_GROUPS)
        for block in range(count)
    ),
    *(
        (rf"\.conv\.{3 * k + layer}\.", f".{part}.{layer}.")
        for k, part in enumerate(("expand", "filter", "project"))
        for layer in range(2)
    ),
)
SHUFFLENET_V1: Rules = (
    *_layers("^", [(1, "stem")], ""),
    (r"^linear\.", "head."),
    (r"^layer(\d)\.", r"stage\1."),
    *_layers(r"\.", [(1, "0"), (2, "2"), (3, "3")], ".branch."),
)
SHUFFLENET_V2: Rules = (
    *_layers("^", [(1, "stem"), (2, "embedding.0")], ""),
    (r"^linear\.", "head."),
    (r"^layer(\d)\.", r"stage\1."),
    *_layers(r"(stage\d\.0)\.", [(1, "0"), (2, "1")], r"\1.shortcut."),
    *_layers(r"(stage\d\.0)\.", [(3, "0"), (4, "1"), (5, "2")], r"\1.branch."),
    *_layers(r"\.", [(1, "0"), (2, "1"), (3, "2")], ".branch."),
)
RULES: Mapping[str, tuple[Rules, ...]] = {
    "resnet": (RESNET,),
    "wide_resnet": (WIDE_RESNET,),
    "vgg": (VGG,),
    "mobilenet": (MOBILENET,),
    "shufflenet": (SHUFFLENET_V1, SHUFFLENET_V2),
}
"""By family of the zoo, from the names of RepDistiller, which most distillation code shares."""


def reference_names(family: str) -> tuple[Rename, ...]:
    """Translations of RepDistiller's names of weights, one for each network of the family."""
    return tuple(_by(rules) for rules in RULES.get(family, ()))


def _by(rules: Rules) -> Rename:
    def rename(name: str) -> str:
        for pattern, ours in rules:
            name = re.sub(pattern, ours, name)
        return name

    return rename


def given_names(prefixes: Mapping[str, str]) -> Rename:
    """Translate names by a table of prefixes, old to new; the longest that fits counts."""

    def rename(name: str) -> str:
        fitting = [old for old in prefixes if name.startswith(old)]
        old = max(fitting, key=len, default="")
        return prefixes.get(old, "") + name[len(old) :]

    return rename
