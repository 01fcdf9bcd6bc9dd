"""What weights are called elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Rename = Callable[[str], str]

RULES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "resnet": (
        (r"^conv1\.", "stem.0."),
        (r"^bn1\.", "stem.1."),
        (r"^layer(\d)\.", r"stage\1."),
        (r"\.shortcut\.", ".downsample."),
        (r"^(fc|linear)\.", "head."),
    ),
    "wide_resnet": (
        (r"^conv1\.", "stem."),
        (r"^block(\d)\.layer\.", r"stage\1."),
        (r"\.convShortcut\.", ".shortcut."),
        (r"^bn1\.", "embedding.0."),
        (r"^fc\.", "head."),
    ),
    "vgg": (
        (r"^block0\.", "stem."),
        *((rf"^block(\d)\.{k}\.", rf"stage\1.{k + 1}.") for k in range(12)),
        (r"^classifier\.", "head."),
    ),
}
"""By family of the zoo, from the names of RepDistiller, which most distillation code shares."""


def reference_names(family: str) -> Rename:
    """The zoo's name for what RepDistiller calls a weight of that family."""

    def rename(name: str) -> str:
        for pattern, ours in RULES.get(family, ()):
            name = re.sub(pattern, ours, name)
        return name

    return rename


def given_names(prefixes: Mapping[str, str]) -> Rename:
    """Names by a table of prefixes, old to new; the longest that fits counts."""

    def rename(name: str) -> str:
        fitting = [old for old in prefixes if name.startswith(old)]
        old = max(fitting, key=len, default="")
        return prefixes.get(old, "") + name[len(old) :]

    return rename
