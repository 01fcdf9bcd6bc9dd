"""Options and traits of distillers: their values, and which values are refused."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest

from sakd.distillers import DISTILLERS, Distiller
from sakd.foundation.errors import UserError

Build = Callable[..., Distiller]

DEFAULTS: dict[str, dict[str, Any]] = {
    "kd": {"temperature": 4.0, "standardise": False},
    "rkd": {"distance_weight": 25.0, "angle_weight": 50.0},
    "cc": {"feat_dim": 128, "train_teacher_embedding": False},
    "vid": {"initial_variance": 5.0},
    "ab": {"margin": 1.0},
    "ft": {"factor_ratio": 0.5, "p2": 1.0, "pretrain_epochs": 30, "pretrain_lr": 0.01},
    "crd": {"k": 16384, "feat_dim": 128, "temperature": 0.07, "momentum": 0.5},
    "dkd": {"alpha": 1.0, "beta": 8.0, "temperature": 4.0, "standardise": False},
    "dist": {"beta": 1.0, "gamma": 1.0, "tau": 1.0},
    "reviewkd": {"most_channels": 512},
    "cwd": {"temperature": 1.0, "spatial": False},
    "ka": {"temperature": 4.0, "smooth": False, "epsilon": 0.1},
    "dtd": {
        "temperature": 10.0,
        "beta": 10.0,
        "gamma": 1.0,
        "by_confidence": False,
        "adjust": False,
    },
    "pad": {"warm_up": 0.0},
    "category": {"intra": 0.002, "inter": 0.04, "filtered": False},
    "category_logits": {"intra": 0.002, "inter": 0.04, "compactness": 0.1},
    "triplet": {"margin": 5.0},
    "lcc": {"grid": 4, "within": 1.0, "aligned": 1.0, "across": 1.0},
    "afd": {"width": 128},
    "l2tww": {"steps": 2, "lr": 0.0001},
    "skd": {"patch": 0.5},
    "crcd": {"k": 500, "feat_dim": 128, "temperature": 0.05, "momentum": 0.5, "rest": 0.0},
    "tofd": {
        "feature": 0.05,
        "orthogonal": 0.03,
        "temperature": 4.0,
        "pretrain_epochs": 30,
        "pretrain_lr": 0.05,
    },
    "mgd": {"every": 2, "images": 20000, "magnitude": True, "sparse": False},
    "attentive": {"hidden": 1.0},
    "sskd": {"head_share": 0.25},
    "projection": {"share": 0.5},
}
"""A training that names no option has these; another default is another method."""

TRAITS = {
    "any_shape": {"fitnet", "sp", "cat", "projection"},
    "equal_channels": {"fsp", "kdsvd", "crcd_gradient"},
    "stands_alone": {"simkd", "sskd", "projection"},
    "weighs": {
        "kd", "fitnet", "at", "nst", "vid", "fsp", "ab", "kdsvd", "ft", "ofd", "simkd", "dkd",
        "reviewkd", "cwd", "ka", "pad", "afd", "l2tww", "skd", "mgd", "crcd_gradient", "jacobian",
        "attentive", "sskd", "projection",
    },
}  # fmt: skip
"""What the rest of the project may rely on, see `Distiller`, and the distillers that have it."""

NUMBERS = [
    (name, option)
    for name, options in DEFAULTS.items()
    for option, value in options.items()
    if not isinstance(value, bool)
]

EDGES = {
    ("ft", "p2"): ((1.0,), (0.99,)),
    ("ft", "pretrain_epochs"): ((0,), ()),
    ("crd", "momentum"): ((0.0, 0.99), (1.0,)),
    ("crcd", "momentum"): ((0.0, 0.99), (1.0,)),
    ("crcd", "rest"): ((0.0, 0.99), (1.0,)),
    ("pad", "warm_up"): ((0.0, 0.99), (1.0,)),
    ("ka", "epsilon"): ((0.01, 0.99), (0.0, 1.0)),
    ("lcc", "grid"): ((1,), (0,)),
    ("l2tww", "steps"): ((1,), (0,)),
    ("skd", "patch"): ((0.01, 1.0), (0.0, 1.01)),
    ("tofd", "temperature"): ((1.0,), (0.99,)),
    ("tofd", "pretrain_epochs"): ((0,), ()),
    ("sskd", "head_share"): ((0.01, 0.99), (0.0, 1.0)),
    ("projection", "share"): ((0.01, 0.99), (0.0, 1.0)),
    ("vid", "initial_variance"): ((1.1e-5,), (1e-5,)),
    ("mgd", "every"): ((1,), (0,)),
    ("mgd", "images"): ((1,), (0,)),
}
"""Values that are just allowed, and values that just are not."""


@pytest.fixture
def make(build: Build) -> Callable[..., Distiller]:
    """Build a distiller for small features of its own kind at every spot."""
    shapes = {"CHW": (4, 4, 4), "C": (6,), "K": (7,)}

    def of(name: str, **options: float) -> Distiller:
        family = DISTILLERS[name].family
        sizes = [shapes[family.axes] for _ in family.spots(3, 3)]
        return build(name, sizes, sizes, **options)

    return of


def test_the_defaults_are_those_that_are_written_down() -> None:
    found = {
        name: {
            each.name: each.default
            for each in inspect.signature(kind.__init__).parameters.values()
            if each.default is not each.empty
        }
        for name, kind in DISTILLERS.items()
    }
    assert {name: options for name, options in found.items() if options} == DEFAULTS


@pytest.mark.parametrize("trait", TRAITS)
def test_the_traits_are_those_that_are_written_down(trait: str) -> None:
    assert {name for name, kind in DISTILLERS.items() if getattr(kind, trait)} == TRAITS[trait]


@pytest.mark.parametrize("value", [-1, math.nan])
@pytest.mark.parametrize(("name", "option"), NUMBERS)
def test_what_is_negative_or_no_number_is_refused(
    name: str, option: str, value: float, make: Callable[..., Distiller]
) -> None:
    with pytest.raises(UserError, match=rf"^{option} .*{value}"):
        make(name, **{option: value})


@pytest.mark.parametrize(("name", "option"), EDGES)
def test_allowed_values_end_where_they_should(
    name: str, option: str, make: Callable[..., Distiller]
) -> None:
    allowed, refused = EDGES[name, option]
    for value in allowed:
        make(name, **{option: value})
    for value in refused:
        with pytest.raises(UserError, match=rf"^{option} "):
            make(name, **{option: value})
